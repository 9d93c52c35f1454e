"""
Which drafted words stand against a correction: the rule of a pair, without a database.

A word belongs to the span that holds its midpoint: of its speaker's corrections, else of another speaker's. A
correction without a speaker has all words of its span.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


class Speech:
    """All that one model drafted of one recording, by speaker and in time order."""

    def __init__(self, segments: Iterable[Spoken]) -> None:
        self._spans: dict[str, list[Span]] = defaultdict(list)
        words: list[tuple[Word, str]] = []
        for segment in segments:
            self._spans[segment.speaker].append((segment.start, segment.end))
            words += ((word, segment.speaker) for word in segment.words)
        #: Each word with its speaker, by midpoint. Twice the midpoint, so that it stays a whole number.
        self.words: Sequence[tuple[Word, str]] = sorted(words, key=lambda each: each[0].start + each[0].end)
        self._middles = [word.start + word.end for word, _ in self.words]

    @property
    def speakers(self) -> frozenset[str]:
        return frozenset(self._spans)

    def inside(self, start: Milliseconds, end: Milliseconds) -> range:
        """Give the positions in `words` of those whose midpoints lie in [*start*, *end*)."""
        return range(bisect_left(self._middles, 2 * start), bisect_left(self._middles, 2 * end))

    def spans(self, speaker: str) -> list[Span]:
        """Where *speaker* speaks: apart from each other, in time order."""
        return self._joined[speaker]

    def speaks(self, speaker: str | None, word: Word) -> bool:
        """Whether *speaker* speaks at the midpoint of *word*."""
        spans = self._joined.get(speaker or "", [])
        before = bisect_right(spans, word.start + word.end, key=lambda span: 2 * span[0])
        return before > 0 and word.start + word.end < 2 * spans[before - 1][1]

    @cached_property
    def _joined(self) -> Mapping[str, list[Span]]:
        return {speaker: joined(spans) for speaker, spans in self._spans.items()}


def words_by_correction(corrections: Sequence[Correction], speech: Speech) -> dict[str, list[Word]]:
    """
    Give the drafted words that stand against each of *corrections*, in time order, by its id.

    A word stands against the correction of its own speaker that holds its midpoint. Where there is none, because who
    spoke was heard wrongly, it stands against the nearest that holds it of another speaker who is drafted as silent
    then: a wrong name is not a missing word, and what wrong names cost has rates of its own (cpWER less DI-cpWER).
    A correction without a speaker has all words of its span.
    """
    spoken_by = attribution(corrections, speech)
    found: dict[str, list[int]] = {correction.id: [] for correction in corrections}
    own: set[int] = set()
    others: dict[int, list[Correction]] = defaultdict(list)
    for correction in corrections:
        speaker = None if correction.speaker is None else spoken_by.get(correction.speaker)
        for position in speech.inside(correction.start, correction.end):
            if correction.speaker is None:
                found[correction.id].append(position)
            elif speech.words[position][1] == speaker:
                found[correction.id].append(position)
                own.add(position)
            elif not speech.speaks(speaker, speech.words[position][0]):
                others[position].append(correction)
    for position in others.keys() - own:
        found[_nearest(others[position], speech.words[position][0]).id].append(position)
    return {id_: _in_order(speech.words[position][0] for position in positions) for id_, positions in found.items()}


def attribution(corrections: Iterable[Correction], speech: Speech) -> dict[str, str]:
    """
    Which drafted speaker each speaker of *corrections* is.

    Those whom the drafts name too are themselves. Each of the others is the drafted speaker that he shares the most
    time with, one to one, the longest overlap first (ties by name). Who shares no time with anybody is left out.
    """
    claimed: dict[str, list[Span]] = defaultdict(list)
    for correction in corrections:
        if correction.speaker is not None:
            claimed[correction.speaker].append((correction.start, correction.end))
    named = {speaker: speaker for speaker in claimed if speaker in speech.speakers}
    free = sorted(speech.speakers - named.keys())
    heard = {speaker: speech.spans(speaker) for speaker in free}
    overlaps = sorted(
        (-sum(_overlap(heard[speaker], span) for span in joined(spans)), name, speaker)
        for name, spans in claimed.items()
        if name not in named
        for speaker in free
    )
    found = dict(named)
    for overlap, name, speaker in overlaps:
        if overlap < 0 and name not in found and speaker not in found.values():
            found[name] = speaker
    return found


def joined(spans: Iterable[Span]) -> list[Span]:
    """
    *spans* with those that touch or overlap made one, in time order.

    >>> joined([(5, 9), (0, 3), (8, 12)])
    [(0, 3), (5, 12)]
    """
    apart: list[Span] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], end))
        else:
            apart.append((start, end))
    return apart


def _overlap(spans: Sequence[Span], other: Span) -> Milliseconds:
    """How long *other* lies in *spans*, which are apart and in time order."""
    start, end = other
    first = max(bisect_right(spans, start, key=lambda span: span[0]) - 1, 0)
    last = bisect_left(spans, end, key=lambda span: span[0])
    return sum(max(0, min(end, upto) - max(start, since)) for since, upto in spans[first:last])


def _nearest(corrections: Iterable[Correction], word: Word) -> Correction:
    return min(corrections, key=lambda one: (abs(one.start + one.end - word.start - word.end), one.start, one.id))


def _in_order(words: Iterable[Word]) -> list[Word]:
    return sorted(words, key=lambda word: (word.start, word.end))
