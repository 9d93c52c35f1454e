"""
Pack speech into full windows, and join what is heard in them to words in time order: pure rules, no sound.

A window is what the recogniser hears in one go: sound of all speakers, as full as it may be, because Whisper pays for
30 s whatever it is given. Long pauses are left out of it, down to half a second of the recording's own quiet.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from transcribe.protocols import LONGEST_WINDOW, Span
from transcribe.records import Milliseconds, Segment, Turn, Word

#: Quiet kept on each side of speech where a pause is shortened: half a second in all.
QUIET: Final[Milliseconds] = 250

#: A pause up to this long is heard whole.
LONGEST_PAUSE: Final[Milliseconds] = 1_000

#: Sound heard on either side of a window where it has room and nobody else's window has speech there.
SURROUNDINGS: Final[Milliseconds] = 1_000

#: Sound heard beyond a cut even where speech goes on: onsets are soft, and of a word that is cut in two neither half
#: can be known.
WINDOW_MARGIN: Final[Milliseconds] = 400

#: How far apart two windows may put the middle of one word: attention is not exact.
SAME_WORD: Final[Milliseconds] = 250

#: Whisper draws the last word before a pause out over it; speech that pauses for less goes on.
WORD_PAUSE: Final[Milliseconds] = 300

#: Longest that a word is said: a base, and so much for each of its letters. Attention draws a word out over speech that
#: it did not write down.
LONGEST_WORD: Final[Milliseconds] = 500
LONGEST_LETTER: Final[Milliseconds] = 150

#: Longest that a digit is said, with the pause that people make behind it when they read a number out.
LONGEST_DIGIT: Final[Milliseconds] = 900

#: What a cut through speech costs beside one more window, and a cut in a pause in proportion: windows stay full.
CUT_COST: Final = 0.2

SpanT = TypeVar("SpanT", Segment, Span, "Stretch")

#: Gives the moment between two others at which speech may best be cut, both included.
CutPoint = Callable[[Milliseconds, Milliseconds], Milliseconds]


@dataclass(frozen=True, kw_only=True)
class Stretch(Span):
    """A contiguous stretch of a recording."""

    #: Tag spoken longest in it; ``None`` where nobody declared one.
    dialect: str | None = None


@dataclass(frozen=True, kw_only=True)
class WindowPlan(Stretch):
    """The stretch that one window answers for, and the pieces of sound that it hears."""

    pieces: tuple[Span, ...]


def halfway(start: Milliseconds, end: Milliseconds) -> Milliseconds:
    """Return the middle of a stretch: the cut point of somebody who does not hear the sound."""
    return (start + end) // 2


def unite_speech(turns: Iterable[Turn], detected: Iterable[Span] = (), *, dialect: str | None = None) -> list[Stretch]:
    """
    Unite the *turns* of speakers and *detected* speech to stretches of speech, in order and apart.

    Who is heard is not who speaks: what the diariser missed is heard all the same. Two dialects at once go to the one
    that lasts longer; speech in nobody's turn has the dialect of what it touches, else *dialect*.
    """
    spans = [(turn.start, turn.end, turn.dialect, turn.end - turn.start) for turn in turns]
    spans += [(span.start, span.end, dialect, 0) for span in detected]
    stretches: list[tuple[Milliseconds, Milliseconds, Counter[str | None]]] = []
    for start, end, tag, weight in sorted(spans, key=lambda span: (span[0], span[1])):
        if end <= start:
            continue
        if stretches and start < stretches[-1][1]:
            first, last, tags = stretches[-1]
            tags[tag] += weight
            stretches[-1] = (first, max(last, end), tags)
        else:
            stretches.append((start, end, Counter({tag: weight})))
    return [Stretch(start=start, end=end, dialect=tags.most_common(1)[0][0]) for start, end, tags in stretches]


def pack(
    speech: Sequence[Stretch],
    *,
    duration: Milliseconds,
    longest: Milliseconds = LONGEST_WINDOW,
    languages: Mapping[str | None, str | None] | None = None,
    cut_point: CutPoint = halfway,
) -> list[WindowPlan]:
    """
    Pack *speech* into as few windows as hold it, cut in wide pauses where that costs no window.

    A pause over *LONGEST_PAUSE* is shortened to twice *QUIET*; a change of language ends a window. Speech that runs on
    for longer than *longest* is split into about even parts, and *WINDOW_MARGIN* beyond a cut is heard on both sides.
    What room is left hears the quiet around a window, up to *SURROUNDINGS*.

    Args:
        speech: Stretches in order and apart, as `unite_speech` gives them.
        duration: Length of the recording.
        longest: Upper bound of what a window hears.
        languages: Language of each dialect tag; a change of language ends a window. ``None``: all alike.
        cut_point: Where to split, within the reach that even parts leave.

    Returns:
        Windows ordered by start. The stretches that they answer for do not overlap, and together hold all speech;
        `join` puts together what is heard for them.
    """
    room = longest - 2 * WINDOW_MARGIN
    parts = [part for stretch in speech for part in split(stretch, room, cut_point)]
    return _plan_windows(group_parts(parts, room, languages or {}), duration, longest)


def split(stretch: SpanT, longest: Milliseconds, cut_point: CutPoint = halfway) -> list[SpanT]:
    """
    Split *stretch* into as few parts as *longest* allows, each cut a quarter of a part around where even parts would
    end.
    """
    edges: list[Milliseconds] = [stretch.start]
    for parts_left in range(-(-(stretch.end - stretch.start) // longest), 1, -1):
        even = (stretch.end - edges[-1]) // parts_left
        first = max(edges[-1] + even * 3 // 4, stretch.end - (parts_left - 1) * longest)
        last = min(edges[-1] + even * 5 // 4, edges[-1] + longest)
        edges.append(cut_point(first, last))
    return [replace(stretch, start=a, end=b) for a, b in itertools.pairwise([*edges, stretch.end])]


def group_parts(
    parts: Sequence[Stretch], room: Milliseconds, languages: Mapping[str | None, str | None]
) -> list[list[Stretch]]:
    """Group neighbours that fit *room*: into the fewest groups, and among those the ones cut in the widest pauses."""
    # The cost of the best grouping of the parts before each, and where its last group begins.
    best: list[tuple[float, int]] = [(0.0, 0)]
    for upto in range(1, len(parts) + 1):
        size, choices = 0, []
        for first in range(upto - 1, -1, -1):
            pause = parts[first + 1].start - parts[first].end if first + 1 < upto else 0
            size += parts[first].end - parts[first].start + length_of_pause(pause)
            alike = languages.get(parts[first].dialect) == languages.get(parts[upto - 1].dialect)
            if first < upto - 1 and (size > room or not alike):
                break
            choices.append((best[first][0] + 1 + _cost_of_cut(parts, first), first))
        best.append(min(choices))
    groups: list[list[Stretch]] = []
    upto = len(parts)
    while upto:
        first = best[upto][1]
        groups.append(list(parts[first:upto]))
        upto = first
    return groups[::-1]


def length_of_pause(pause: Milliseconds) -> Milliseconds:
    """Return how much of *pause* a window hears."""
    return pause if pause <= LONGEST_PAUSE else 2 * QUIET


def _cost_of_cut(parts: Sequence[Stretch], first: int) -> float:
    if not first:
        return 0.0
    pause = parts[first].start - parts[first - 1].end
    return CUT_COST * max(0.0, 1 - pause / LONGEST_PAUSE)


def _plan_windows(
    groups: Sequence[Sequence[Stretch]], duration: Milliseconds, longest: Milliseconds
) -> list[WindowPlan]:
    """Make windows of *groups*: pauses shortened, and quiet around them as far as they have room."""
    middles = [(a[-1].end + b[0].start) // 2 for a, b in itertools.pairwise(groups)]
    last = max([duration, *(group[-1].end for group in groups[-1:])])
    plans = []
    for group, low, high in zip(groups, [0, *middles], [*middles, last], strict=False):
        inner = shorten_pauses(group)
        spare = (longest - sum(piece.end - piece.start for piece in inner)) // 2
        start = _extend(group[0].start, group[0].start - low, min(spare, SURROUNDINGS), -1)
        end = _extend(group[-1].end, high - group[-1].end, min(spare, SURROUNDINGS), 1)
        start, end = max(0, start), min(last, end)
        plans.append(
            WindowPlan(
                start=max(low, start),
                end=min(high, end),
                dialect=_find_longest_dialect(group),
                pieces=widen(inner, start, end),
            )
        )
    return plans


def widen(pieces: Sequence[Span], start: Milliseconds, end: Milliseconds) -> tuple[Span, ...]:
    """Return *pieces*, the first of which now begins at *start* and the last of which ends at *end*."""
    begun = [replace(pieces[0], start=start), *pieces[1:]]
    return (*begun[:-1], replace(begun[-1], end=end))


def _extend(moment: Milliseconds, free: Milliseconds, reach: Milliseconds, way: int) -> Milliseconds:
    """Move *moment* out as far as a window hears: into what is *free*, and into speech for no more than the margin."""
    return moment + way * max(min(free, reach), min(WINDOW_MARGIN, reach))


def shorten_pauses(group: Sequence[Span]) -> list[Span]:
    """
    Return the speech of *group* with its short pauses whole and a quarter of a second of either end of the long ones.
    """
    pieces = [Span(start=group[0].start, end=group[0].end)]
    for stretch in group[1:]:
        if stretch.start - pieces[-1].end <= LONGEST_PAUSE:
            pieces[-1] = replace(pieces[-1], end=stretch.end)
        else:
            pieces[-1] = replace(pieces[-1], end=pieces[-1].end + QUIET)
            pieces.append(Span(start=stretch.start - QUIET, end=stretch.end))
    return pieces


def _find_longest_dialect(group: Sequence[Stretch]) -> str | None:
    tags: Counter[str | None] = Counter()
    for stretch in group:
        tags[stretch.dialect] += stretch.end - stretch.start
    return tags.most_common(1)[0][0]


def join(words_by_window: Sequence[Sequence[Word]], stretches: Sequence[Span]) -> list[Word]:
    """
    Put together, each once, the words of *words_by_window*, heard in the windows of *stretches*.

    A word belongs to the stretch that holds its middle. One at a cut may so be claimed by both sides, each with times
    of its own, or by neither, though one of them or both heard it: it is taken once all the same.
    """
    cuts = [earlier.end if earlier.end == later.start else None for earlier, later in itertools.pairwise(stretches)]
    claimed = [
        [word for word in words if _lies_between(low, word, high)]
        for words, low, high in zip(words_by_window, [None, *cuts], [*cuts, None], strict=False)
    ]
    for number, cut_at in enumerate(cuts):
        earlier_words, later_words = claimed[number], claimed[number + 1]
        if cut_at is None:
            continue
        if earlier_words and later_words and is_same(earlier_words[-1], later_words[0]):
            del later_words[0]
        past = [word for word in words_by_window[number] if middle_of(word) >= cut_at]
        early = [word for word in words_by_window[number + 1] if middle_of(word) < cut_at]
        earlier_words += _find_unclaimed(past, early, earlier_words + later_words)
    return list(itertools.chain.from_iterable(claimed))


def _lies_between(low: Milliseconds | None, word: Word, high: Milliseconds | None) -> bool:
    return (low is None or low <= middle_of(word)) and (high is None or middle_of(word) < high)


def _find_unclaimed(past: Sequence[Word], early: Sequence[Word], claimed: Sequence[Word]) -> list[Word]:
    """
    Find, in time order, the words that neither window claims: those *past* the cut that the other heard *early*, and
    those that one alone heard whole, where no word is *claimed*.
    """
    both = [word for word in past if any(is_same(word, other) for other in early)]
    alone = [word for word in (*past, *early) if not any(is_same(word, other) for other in (*claimed, *both))]
    missed = [word for word in alone if not any(_is_part(word, other) for other in (*claimed, *both))]
    return sorted(both + missed, key=middle_of)


def _is_part(first: Word, second: Word) -> bool:
    """Tell if two windows heard one word, one of them perhaps a part of it: neighbours do not overlap so far."""
    overlap = min(first.end, second.end) - max(first.start, second.start)
    shorter = min(first.end - first.start, second.end - second.start)
    return 3 * overlap > 2 * shorter or overlap == shorter


def is_same(first: Word, second: Word) -> bool:
    """Tell if two windows heard the same word."""
    return first.text == second.text and abs(middle_of(first) - middle_of(second)) < SAME_WORD


def middle_of(word: Word) -> Milliseconds:
    """Return the middle of *word*: what decides where it belongs."""
    return (word.start + word.end) // 2


def fit_to_speech(words: Sequence[Word], speech: Sequence[Span]) -> list[Word]:
    """
    Cut *words* to the speech that they lie in most, in time order.

    Whisper's word times come from attention and know no silence: words beside a pause are drawn out over it, so that
    their middles lie where nobody speaks. A word that touches no speech stays as it is, and so does one that touches
    several stretches and may last as long: numbers and spelt names that are written in one go are said with pauses.
    """
    stretches = _fill_pauses(speech)
    starts = [stretch.start for stretch in stretches]
    fitted = []
    for word in sorted(words, key=lambda word: (word.start, word.end)):
        first = max(0, bisect.bisect_right(starts, word.start) - 1)
        near = stretches[first : bisect.bisect_left(starts, word.end)]
        touched = [span for span in near if span.start < word.end and word.start < span.end]
        if len(touched) == 1 or (touched and word.end - word.start > longest_saying(word)):
            home = max(touched, key=lambda span: min(span.end, word.end) - max(span.start, word.start))
            word = replace(word, start=max(word.start, home.start), end=min(word.end, home.end))
        fitted.append(word)
    return fitted


def longest_saying(word: Word) -> Milliseconds:
    """
    Return how long *word* takes to say at most: a spelt word ("A-N-N") is said letter by letter, and so is a number.
    """
    digits = sum(letter.isdecimal() for letter in word.text)
    letters = "".join(letter for letter in word.text if not letter.isdecimal())
    parts = [part for part in re.split("[-\u2010\u2011.,:]", letters) if part]
    duration = LONGEST_DIGIT * digits + sum(LONGEST_WORD + LONGEST_LETTER * len(part) for part in parts)
    return max(duration, LONGEST_WORD)


def _fill_pauses(speech: Sequence[Span]) -> list[Span]:
    """Fill the pauses in *speech* that may lie inside a word."""
    stretches: list[Span] = []
    for span in speech:
        if stretches and span.start - stretches[-1].end <= WORD_PAUSE:
            stretches[-1] = replace(stretches[-1], end=max(stretches[-1].end, span.end))
        else:
            stretches.append(span)
    return stretches
