"""
Choose by active learning the segments to transcribe next, so that a model learns the most from a minute of work.

A segment is worth the errors that its draft is expected to have, because what is right already teaches nothing; more
where its dialect needs it; and less the more has been chosen of the same words and speakers. Segments that overlap are
chosen together: a model can be trained on speech only where every speaker in it is transcribed. For worth that
shrinks so, taking the best each time is at least 63 % as good as the best choice of as many (Nemhauser et al. 1978).
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Flags of drafts in which there is most likely no speech to learn from.
NO_SPEECH = frozenset({"silence"})
#: Share of a flagged draft that is expected to be wrong, whatever its probabilities say: loops are sure of themselves.
FLAGGED_DOUBT = 0.8
#: Least share of a draft's words that is expected to be wrong: nothing is surely right.
LEAST_DOUBT = 0.02
#: Seconds that a transcriber needs for a segment beyond the length of its audio.
HANDLING_S = 2.0


@dataclass(frozen=True, kw_only=True)
class UnlabelledSegment:
    """A drafted segment that nobody has transcribed."""

    id: str
    dialect: str
    speaker: str
    seconds: float
    #: As drafted, normalised.
    words: tuple[str, ...]
    #: How little the draft is to be relied on, from 0 to 1.
    doubt: float
    flags: frozenset[str] = frozenset()
    #: Name of the unbroken speech that it is a part of, with others; empty: it is alone.
    island: str = ""

    @property
    def expected_errors(self) -> float:
        """The number of words expected to be wrong, at least a part of one."""
        if self.flags & NO_SPEECH:
            return 0.0
        doubt = max(self.doubt, FLAGGED_DOUBT) if self.flags else max(self.doubt, LEAST_DOUBT)
        return doubt * max(len(self.words), 1)


def acquire(
    segments: Iterable[UnlabelledSegment],
    seconds: float,
    *,
    need: Mapping[str, float] | None = None,
    word_counts: Mapping[str, int] | None = None,
    speaker_counts: Mapping[str, int] | None = None,
) -> tuple[UnlabelledSegment, ...]:
    """
    Choose segments worth transcribing, the best first, of *seconds* of audio at most.

    Args:
        need: How much each dialect needs it against the others; 1 where none is given, 0 for none.
        word_counts: How often each word stands in what is transcribed already.
        speaker_counts: How many segments of each speaker are.

    Returns:
        Ties are settled by id, so the choice repeats. What is longer than what is left of *seconds* is passed over.
    """
    needs = need or {}
    known_words, known_speakers = Counter(word_counts or {}), Counter(speaker_counts or {})

    def worth(segment: UnlabelledSegment) -> float:
        fresh = sum(1 / (1 + known_words[word]) for word in segment.words) / max(len(segment.words), 1)
        novelty = 1 / math.sqrt(1 + known_speakers[segment.speaker])
        # Half for the errors themselves: known words have errors too.
        return segment.expected_errors * (0.5 + 0.5 * fresh) * novelty * needs.get(segment.dialect, 1.0)

    def gain(island: tuple[UnlabelledSegment, ...]) -> float:
        return sum(map(worth, island)) / sum(segment.seconds + HANDLING_S for segment in island)

    # Lazily: gains only shrink, so one that is still the best when it is computed again is the best of all.
    queue = [(-gain(island), island[0].id, island) for island in _islands(segments)]
    queue = [candidate for candidate in queue if candidate[0] < 0]
    heapq.heapify(queue)
    chosen: list[UnlabelledSegment] = []
    budget_s = seconds
    while queue:
        _, id, island = heapq.heappop(queue)
        length = sum(segment.seconds for segment in island)
        if length > budget_s:
            continue
        now = (-gain(island), id, island)
        if queue and now[:2] > queue[0][:2]:
            heapq.heappush(queue, now)
            continue
        chosen += island
        budget_s -= length
        for segment in island:
            known_words.update(segment.words)
            known_speakers[segment.speaker] += 1
    return tuple(chosen)


def _islands(segments: Iterable[UnlabelledSegment]) -> list[tuple[UnlabelledSegment, ...]]:
    segments_by_island: dict[tuple[str, str], list[UnlabelledSegment]] = defaultdict(list)
    for segment in segments:
        segments_by_island[segment.island, "" if segment.island else segment.id].append(segment)
    return [tuple(sorted(members, key=lambda segment: segment.id)) for members in segments_by_island.values()]
