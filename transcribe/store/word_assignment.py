"""
The rule that assigns drafted words to corrections, without a database.

A word belongs to the span that holds its midpoint: of its speaker's corrections, else of another speaker's. A
correction without a speaker has all words of its span. The midpoint is that of the part of a word that lies in its own
segment: attention draws the first and the last word of a turn out over the pause beside it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from transcribe.records import Correction, Milliseconds, Word

#: Start and end.
Span: TypeAlias = tuple[Milliseconds, Milliseconds]


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """One drafted segment of a recording."""

    speaker: str
    start: Milliseconds
    end: Milliseconds
    words: tuple[Word, ...]

    def clipped_words(self) -> Iterator[Word]:
        """Yield the words, cut to the time of the segment; one that lies wholly outside stays as it is."""
        for word in self.words:
            start, end = max(word.start, self.start), min(word.end, self.end)
            inside = start < end and (start, end) != (word.start, word.end)
            yield replace(word, start=start, end=end) if inside else word


class Speech:
    """The words that one model drafted of one recording, by speaker and in time order."""

    def __init__(self, segments: Iterable[Spoken]) -> None:
        self._spans: dict[str, list[Span]] = defaultdict(list)
        words: list[tuple[Word, str]] = []
        for segment in segments:
            self._spans[segment.speaker].append((segment.start, segment.end))
            words += ((word, segment.speaker) for word in segment.clipped_words())
        #: Each word with its speaker, by midpoint. Twice the midpoint, so that it stays a whole number.
        self.words: Sequence[tuple[Word, str]] = sorted(words, key=lambda pair: pair[0].start + pair[0].end)
        self._middles = [word.start + word.end for word, _ in self.words]

    @property
    def speakers(self) -> frozenset[str]:
        return frozenset(self._spans)

    def inside(self, start: Milliseconds, end: Milliseconds) -> range:
        """Return the positions in `words` of those whose midpoints lie in [*start*, *end*)."""
        return range(bisect_left(self._middles, 2 * start), bisect_left(self._middles, 2 * end))

    def spans(self, speaker: str) -> list[Span]:
        """Return the spans in which *speaker* speaks: none touching another, in time order."""
        return self._merged_spans[speaker]

    def speaks(self, speaker: str | None, word: Word) -> bool:
        """Tell if *speaker* speaks at the midpoint of *word*."""
        spans = self._merged_spans.get(speaker or "", [])
        count = bisect_right(spans, word.start + word.end, key=lambda span: 2 * span[0])
        return count > 0 and word.start + word.end < 2 * spans[count - 1][1]

    @cached_property
    def _merged_spans(self) -> Mapping[str, list[Span]]:
        return {speaker: merge_spans(spans) for speaker, spans in self._spans.items()}


def words_by_correction(corrections: Sequence[Correction], speech: Speech) -> dict[str, list[Word]]:
    """
    Return the drafted words that stand against each of *corrections*, in time order, by its id.

    A word stands against the correction of its own speaker that holds its midpoint. Where there is none, because who
    spoke was heard wrongly, it stands against the nearest that holds it of another speaker who is drafted as silent
    then: a wrong name is not a missing word, and what wrong names cost has rates of its own (cpWER less DI-cpWER).
    A correction without a speaker has all words of its span.
    """
    spoken_by = attribute_speakers(corrections, speech)
    positions_by_id: dict[str, list[int]] = {correction.id: [] for correction in corrections}
    of_own_speaker: set[int] = set()
    others: dict[int, list[Correction]] = defaultdict(list)
    for correction in corrections:
        speaker = None if correction.speaker is None else spoken_by.get(correction.speaker)
        for position in speech.inside(correction.start, correction.end):
            if correction.speaker is None:
                positions_by_id[correction.id].append(position)
            elif speech.words[position][1] == speaker:
                positions_by_id[correction.id].append(position)
                of_own_speaker.add(position)
            elif not speech.speaks(speaker, speech.words[position][0]):
                others[position].append(correction)
    for position in others.keys() - of_own_speaker:
        positions_by_id[_find_nearest(others[position], speech.words[position][0]).id].append(position)
    return {
        id_: _sort_words(speech.words[position][0] for position in positions)
        for id_, positions in positions_by_id.items()
    }


def attribute_speakers(corrections: Iterable[Correction], speech: Speech) -> dict[str, str]:
    """
    Return the drafted speaker of each speaker of *corrections*.

    Those whom the drafts name too are themselves. Each of the others is the drafted speaker that he shares the most
    time with, one to one, the longest overlap first (ties by name). Who shares no time with anybody is left out.
    """
    claimed: dict[str, list[Span]] = defaultdict(list)
    for correction in corrections:
        if correction.speaker is not None:
            claimed[correction.speaker].append((correction.start, correction.end))
    named = {speaker: speaker for speaker in claimed if speaker in speech.speakers}
    free = sorted(speech.speakers - named.keys())
    spans_by_speaker = {speaker: speech.spans(speaker) for speaker in free}
    overlaps = sorted(
        (-sum(_measure_overlap(spans_by_speaker[speaker], span) for span in merge_spans(spans)), name, speaker)
        for name, spans in claimed.items()
        if name not in named
        for speaker in free
    )
    drafted_by_name = dict(named)
    for overlap, name, speaker in overlaps:
        if overlap < 0 and name not in drafted_by_name and speaker not in drafted_by_name.values():
            drafted_by_name[name] = speaker
    return drafted_by_name


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """
    Merge those of *spans* that touch or overlap, in time order.

    >>> merge_spans([(5, 9), (0, 3), (8, 12)])
    [(0, 3), (5, 12)]
    """
    apart: list[Span] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], end))
        else:
            apart.append((start, end))
    return apart


def _measure_overlap(spans: Sequence[Span], other: Span) -> Milliseconds:
    """Return how long *other* lies in *spans*, which do not touch and are in time order, in milliseconds."""
    start, end = other
    first = max(bisect_right(spans, start, key=lambda span: span[0]) - 1, 0)
    last = bisect_left(spans, end, key=lambda span: span[0])
    return sum(max(0, min(end, upto) - max(start, since)) for since, upto in spans[first:last])


def _find_nearest(corrections: Iterable[Correction], word: Word) -> Correction:
    return min(
        corrections,
        key=lambda correction: (
            abs(correction.start + correction.end - word.start - word.end),
            correction.start,
            correction.id,
        ),
    )


def _sort_words(words: Iterable[Word]) -> list[Word]:
    return sorted(words, key=lambda word: (word.start, word.end))
