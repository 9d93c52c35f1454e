"""
Cut stretches into cues that a viewer can read: short lines, few of them, seconds long, cut at pauses and phrases.

The limits are those of the usual guides for subtitles: 42 characters a line, two lines, seven seconds. Characters are
counted as people see them, in grapheme clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import regex

from transcribe.formats.records import TimedText, is_visible
from transcribe.records import Milliseconds, Word, join_words

_CLUSTER = regex.compile(r"\X")
_SENTENCE = regex.compile(r"[.!?…।॥۔؟。！？]['\"”’)\]]*$")
_PHRASE = regex.compile(r"[,;:،؛、，–—]['\"”’)\]]*$")


@dataclass(frozen=True, kw_only=True)
class CueRules:
    """The limits of a cue."""

    #: Grapheme clusters of a line.
    line_length: int = 42
    lines: int = 2
    longest: Milliseconds = 7_000
    #: Silence within a stretch at which a cue ends in any case.
    pause: Milliseconds = 1_500
    #: Write who speaks: before each cue in SRT, as its voice in WebVTT.
    has_speakers: bool = True
    #: One cue a stretch, however long, lines as they are.
    is_whole: bool = False


#: A cue a stretch: what other programs read back as it was.
WHOLE = CueRules(is_whole=True)


def count_clusters(text: str) -> int:
    """
    Count the characters of *text* as people see them.

    >>> count_clusters("क्षि")
    1
    """
    return len(_CLUSTER.findall(text))


def shorten(text: str, length: int) -> str:
    """
    Cut *text* to *length* characters as people see them, the last one an ellipsis.

    >>> shorten("Subramanian", 6), shorten("Asha", 6)
    ('Subra…', 'Asha')
    """
    clusters = _CLUSTER.findall(text)
    return text if len(clusters) <= length else f"{''.join(clusters[: length - 1]).rstrip()}…"


def spread_words(stretch: TimedText) -> tuple[Word, ...]:
    """
    Spread the words of a text over its time by their letters.

    >>> words = spread_words(TimedText(recording="r", start=0, end=600, text="a bc"))
    >>> [(word.text, word.start, word.end) for word in words]
    [('a', 0, 240), ('bc', 240, 600)]
    """
    parts = (stretch.text or "").split()
    sums = list(accumulate((count_clusters(part) + 1 for part in parts), initial=0))
    length = stretch.end - stretch.start
    edges = [stretch.start + length * letters // max(sums[-1], 1) for letters in sums]
    return tuple(
        Word(text=part, start=start, end=end, probability=1.0)
        for part, start, end in zip(parts, edges[:-1], edges[1:], strict=True)
    )


def split_cues(stretch: TimedText, rules: CueRules, *, label: str = "") -> Iterator[TimedText]:
    """
    Yield the cues of *stretch*, whose texts together are its words in their order; none where it has no text.

    Args:
        label: What stands before each text and takes room in its first line.
    """
    if not is_visible(stretch.text):
        return
    if rules.is_whole:
        text = "\n".join(line for line in (stretch.text or "").splitlines() if is_visible(line))
        yield replace(stretch, text=f"{label}{text}")
        return
    room = rules.line_length - (count_clusters(label) if rules.lines == 1 else 0)
    words = _fit_words([word for word in _timed_words(stretch) if is_visible(word.text)], room)
    first, earlier_end = 0, stretch.start
    while first < len(words):
        last = _find_end(words, first, rules, label)
        # A cue takes a millisecond at least, so words that take none move those after them.
        start = max(earlier_end, stretch.start if first == 0 else words[first].start)
        end = stretch.end if last == len(words) else words[last - 1].end
        end = min(max(end, words[last - 1].end), start + rules.longest)
        text = "\n".join(wrap(words[first:last], rules, label))
        first, earlier_end = last, max(end, start + 1)
        yield replace(stretch, start=start, end=earlier_end, text=text, words=())


def wrap(words: Sequence[Word], rules: CueRules, label: str = "") -> list[str]:
    """Return the lines of *words*, each within the limit where a word is, two of about one length."""
    tokens = [*([Word(text=label.strip(), start=0, end=0, probability=1.0)] if label else []), *words]
    best: list[str] | None = None
    if rules.lines == 2:
        for position in range(1, len(tokens)):
            if not tokens[position].blank:
                continue
            pair = [join_words(tokens[:position]), join_words(tokens[position:])]
            if best is None or _weigh(pair, rules) < _weigh(best, rules):
                best = pair
    text = join_words(tokens)
    is_long = count_clusters(text) > rules.line_length
    if best is not None and is_long and max(map(count_clusters, best)) <= rules.line_length:
        return best
    lines: list[list[Word]] = [[]]
    for token in tokens:
        if lines[-1] and count_clusters(join_words([*lines[-1], token])) > rules.line_length:
            lines.append([])
        lines[-1].append(token)
    return [join_words(line) for line in lines]


def _weigh(lines: Sequence[str], rules: CueRules) -> tuple[bool, int]:
    """Rank two lines: within the limit first, then even ones, those that end with a phrase before others."""
    lengths = [count_clusters(line) for line in lines]
    is_phrase = bool(_SENTENCE.search(lines[0]) or _PHRASE.search(lines[0]))
    return max(lengths) > rules.line_length, abs(lengths[0] - lengths[1]) - 12 * is_phrase


def _timed_words(stretch: TimedText) -> tuple[Word, ...]:
    """Return the words with their times; where a text is not that of its words, by its own letters."""
    if stretch.words and join_words(stretch.words).split() == (stretch.text or "").split():
        return tuple(word for word in stretch.words if word.text.strip())
    return spread_words(stretch)


def _fit_words(words: Sequence[Word], room: int) -> list[Word]:
    """Cut words that are longer than *room*, as scripts without blanks have them, and share their time."""
    fitted: list[Word] = []
    for word in words:
        clusters = _CLUSTER.findall(word.text.strip())
        parts = [clusters[at : at + room] for at in range(0, len(clusters), room)]
        length = word.end - word.start
        for number, part in enumerate(parts):
            start = word.start + length * number // len(parts)
            end = word.start + length * (number + 1) // len(parts)
            blank = word.blank and number == 0
            fitted.append(replace(word, text="".join(part), start=start, end=end, blank=blank))
    return fitted


def _find_end(words: Sequence[Word], first: int, rules: CueRules, label: str) -> int:
    """Return where the cue that begins with word *first* ends best: the number of the word after it."""
    fits = first + 1
    while fits < len(words):
        is_long = words[fits].end - words[first].start > rules.longest
        is_apart = words[fits].start - words[fits - 1].end >= rules.pause
        if is_apart:
            return fits
        if is_long or len(wrap(words[first : fits + 1], rules, label)) > rules.lines:
            break
        fits += 1
    else:
        return fits
    # What fills more than a third of the cue may end it: a pause or the end of a phrase, the later the better.
    least = first + max(1, (fits - first) // 3)
    return max(range(least, fits + 1), key=lambda end: (_rank_break(words, end), end))


def _rank_break(words: Sequence[Word], end: int) -> int:
    pause = words[end].start - words[end - 1].end
    text = words[end - 1].text
    return 3 * bool(_SENTENCE.search(text)) + 2 * (pause >= 300) + bool(_PHRASE.search(text))
