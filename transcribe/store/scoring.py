"""
Which drafted words stand against a correction: the rule of a pair, without a database.

A word belongs to the span that holds its midpoint. A correction's speaker hears only his own words; a correction
without a speaker hears all words of its span in time order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from transcribe.records import Correction, Milliseconds, Word, join_words

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
        self._segments: dict[str, list[Spoken]] = defaultdict(list)
        for segment in segments:
            self._segments[segment.speaker].append(segment)

    @property
    def speakers(self) -> frozenset[str]:
        return frozenset(self._segments)

    def hypothesis(self, start: Milliseconds, end: Milliseconds, speaker: str | None) -> str:
        """What was heard in [*start*, *end*): the `words` there."""
        return join_words(self.words(start, end, speaker))

    def words(self, start: Milliseconds, end: Milliseconds, speaker: str | None) -> list[Word]:
        """Words whose midpoints lie in [*start*, *end*), of *speaker* or, if ``None``, of everybody, in time order."""
        words, middles = self._timed.get(speaker, ((), ()))
        # Twice the midpoint, so that it stays a whole number.
        inside = words[bisect_left(middles, 2 * start) : bisect_left(middles, 2 * end)]
        return sorted(inside, key=lambda word: (word.start, word.end))

    def spans(self, speaker: str) -> list[Span]:
        """Where *speaker* speaks: apart from each other, in time order."""
        return joined((segment.start, segment.end) for segment in self._segments[speaker])

    @cached_property
    def _timed(self) -> Mapping[str | None, tuple[Sequence[Word], Sequence[int]]]:
        spoken = {speaker: [word for each in parts for word in each.words] for speaker, parts in self._segments.items()}
        everybody = [word for words in spoken.values() for word in words]
        return {name: _by_middle(words) for name, words in ({None: everybody} | spoken).items()}


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


def _by_middle(words: list[Word]) -> tuple[Sequence[Word], Sequence[int]]:
    ordered = sorted(words, key=lambda word: word.start + word.end)
    return ordered, [word.start + word.end for word in ordered]
