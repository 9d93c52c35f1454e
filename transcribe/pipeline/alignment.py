"""
Word times of a person's text: by a recogniser's attention to the audio, where it can hear it.

Where it cannot, the drafted words of the same stretch give the times, as `retime` does.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

from dialects.scoring.word_errors import align
from transcribe.protocols import LONGEST_WINDOW, Pcm, Span, Window
from transcribe.records import Correction, Milliseconds, Word, join_words
from transcribe.redaction import MASK, fold_word

#: Corrections that are aligned in one call: enough for full batches, few enough for a fine progress display.
GROUP_SIZE: Final = 64

#: Sound around the words of a part of a long text, whose times are rough.
PART_MARGIN: Final[Milliseconds] = 1_000


def retime(text: str, words: Sequence[Word], start: Milliseconds, end: Milliseconds) -> tuple[Word, ...]:
    """
    Time the words of *text*: by the drafted word that stands in the same place, else by an even share of the time
    between.

    Args:
        words: The draft, in time order.
        start: Where the stretch begins; no word begins before it.
        end: Where it ends.

    Returns:
        Words in order, none beginning before the one before it. A person wrote them: their probability is 1.

    >>> starts = {"my": 0, "nam": 700}
    >>> drafted = [Word(text=form, start=begin, end=begin + 300, probability=0.5) for form, begin in starts.items()]
    >>> [(word.text, word.start, word.end) for word in retime("my own nam", drafted, 0, 1_000)]
    [('my', 0, 300), ('own', 300, 700), ('nam', 700, 1000)]
    """
    typed = text.split()
    matches: list[Word | None] = []
    drafted = iter(words)
    for edit in align([fold_word(word.text) for word in words], [fold_word(word) for word in typed]):
        word = next(drafted) if edit.reference is not None else None
        if edit.hypothesis is not None:
            matches.append(word)
    times = _fill_times([None if word is None else (word.start, word.end) for word in matches], start, end)
    return tuple(Word(text=form, start=a, end=b, probability=1.0) for form, (a, b) in zip(typed, times, strict=True))


def _fill_times(
    times: Sequence[tuple[Milliseconds, Milliseconds] | None], start: Milliseconds, end: Milliseconds
) -> list[tuple[Milliseconds, Milliseconds]]:
    """Fill in unknown times, in order within the stretch: they share what lies between their neighbours evenly."""
    filled: list[tuple[Milliseconds, Milliseconds]] = []
    index = 0
    while index < len(times):
        since = filled[-1][1] if filled else start
        span = times[index]
        if span is not None:
            first = min(max(span[0], filled[-1][0] if filled else start), end)
            filled.append((first, min(max(span[1], first), end)))
            index += 1
            continue
        upto = next((other for other in range(index, len(times)) if times[other] is not None), len(times))
        following = times[upto] if upto < len(times) else None
        limit = max(since, min(end if following is None else following[0], end))
        step = (limit - since) / (upto - index)
        filled += [(since + round(n * step), since + round((n + 1) * step)) for n in range(upto - index)]
        index = upto
    return filled


class Aligner(Protocol):
    """A recogniser that finds the times of the words of given texts."""

    @property
    def only_language(self) -> str | None:
        """Whisper's code of the one language that it knows; ``None``: it knows many."""
        ...

    def align_texts(self, pcm: Pcm, windows: Sequence[Window], texts: Sequence[str]) -> list[tuple[Word, ...]]:
        """Return the words of each text with their times, in the same order; each window names its language."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The audio of one recording, with the channel and the language of each correction."""

    #: Samples of a channel; of ``None``, of all together.
    read: Callable[[int | None], Pcm]
    channel_of: Callable[[Correction], int | None]
    #: Whisper's code of what is spoken; ``None``: nobody said.
    language_of: Callable[[Correction], str | None]


@dataclass(frozen=True, kw_only=True)
class TimedCorrection:
    """A correction with the times of its words."""

    correction: Correction
    words: tuple[Word, ...]
    #: The times come from the audio, and not from the draft.
    aligned: bool


def time_words(
    corrected: Iterable[tuple[Correction, Sequence[Word]]], sound: Sound, aligner: Aligner | None
) -> Iterator[TimedCorrection]:
    """
    Yield each of *corrected*, corrections of one recording beside the drafted words there, with times for its words.

    Without an *aligner*, and for texts with masks, in languages that it does not know or that it cannot spell, the
    draft gives the times.
    """
    read = lru_cache(maxsize=None)(sound.read)
    pairs = iter(corrected)
    while group := list(itertools.islice(pairs, GROUP_SIZE)):
        aligned = {} if aligner is None else _align_group(group, sound, read, aligner)
        for number, (correction, drafted) in enumerate(group):
            words = aligned.get(number)
            yield TimedCorrection(
                correction=correction,
                words=words or retime(correction.text, drafted, correction.start, correction.end),
                aligned=words is not None,
            )


def _align_group(
    group: Sequence[tuple[Correction, Sequence[Word]]],
    sound: Sound,
    read: Callable[[int | None], Pcm],
    aligner: Aligner,
) -> dict[int, tuple[Word, ...]]:
    """Return the aligned words by the correction's index in *group*, without those that cannot be aligned."""
    parts: dict[int | None, list[tuple[int, str, Window]]] = defaultdict(list)
    for number, (correction, drafted) in enumerate(group):
        language = sound.language_of(correction)
        if language is None or aligner.only_language not in (None, language) or MASK in correction.text:
            continue
        for text, span in split_text(correction, drafted):
            window = Window(start=span.start, end=span.end, language=language, dialect=correction.dialect)
            parts[sound.channel_of(correction)].append((number, text, window))
    aligned: dict[int, list[Word]] = defaultdict(list)
    for channel, entries in parts.items():
        texts, windows = [text for _, text, _ in entries], [window for _, _, window in entries]
        for (number, _, _), words in zip(entries, aligner.align_texts(read(channel), windows, texts), strict=True):
            # A text is split at blanks alone, and the words of a part begin without one in scripts that have none.
            later = bool(aligned[number])
            aligned[number] += [replace(word, blank=True) if later and n == 0 else word for n, word in enumerate(words)]
    return {
        number: _order_words(words, group[number][0])
        for number, words in aligned.items()
        if words and join_words(words) == " ".join(group[number][0].text.split())
    }


def split_text(
    correction: Correction, drafted: Sequence[Word], longest: Milliseconds = LONGEST_WINDOW
) -> list[tuple[str, Span]]:
    """
    Split the text of *correction* into parts of at most *longest*, in order, each with the stretch that it is said in.

    Long texts are cut by the times that the *drafted* words give. Nothing comes of a single word that is longer.
    """
    if correction.end - correction.start <= longest:
        return [(correction.text, Span(start=correction.start, end=correction.end))]
    runs: list[list[Word]] = []
    for word in retime(correction.text, drafted, correction.start, correction.end):
        if word.end - word.start > longest - 2 * PART_MARGIN:
            return []
        if runs and word.end - runs[-1][0].start <= longest - 2 * PART_MARGIN:
            runs[-1].append(word)
        else:
            runs.append([word])
    cuts = [(run[-1].end + following_run[0].start) // 2 for run, following_run in itertools.pairwise(runs)]
    edges = [correction.start, *cuts, correction.end]
    return [
        (
            " ".join(word.text for word in run),
            Span(
                start=max(edges[number], run[0].start - PART_MARGIN),
                end=min(edges[number + 1], run[-1].end + PART_MARGIN),
            ),
        )
        for number, run in enumerate(runs)
    ]


def _order_words(words: Iterable[Word], correction: Correction) -> tuple[Word, ...]:
    """Move *words* inside the correction's stretch, none beginning before the one before it; a person wrote them."""
    ordered: list[Word] = []
    for word in words:
        earliest = ordered[-1].start if ordered else correction.start
        start = min(max(word.start, earliest), correction.end)
        end = min(max(word.end, start), correction.end)
        ordered.append(replace(word, start=start, end=end, probability=1.0))
    return tuple(ordered)
