"""
Which segments to transcribe next so that a model learns the most from a minute of work.

A segment is worth the errors that its draft is expected to have, because what is right already teaches nothing; more
where its dialect needs it; and less the more has been chosen of the same words and the same voice. Segments that
overlap are chosen together: a model can be taught speech only where every voice in it is written down. For worth that
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
#: What a flagged draft is expected to have wrong, whatever its probabilities say: loops are sure of themselves.
FLAGGED_DOUBT = 0.8
#: Least share of a draft's words that is expected to be wrong: nothing is surely right.
LEAST_DOUBT = 0.02
#: Seconds that a transcriber needs for a segment beside those of its sound.
HANDLING_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A drafted segment that nobody has written."""

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
        """Words expected to be wrong, at least a part of one."""
        if self.flags & NO_SPEECH:
            return 0.0
        doubt = max(self.doubt, FLAGGED_DOUBT) if self.flags else max(self.doubt, LEAST_DOUBT)
        return doubt * max(len(self.words), 1)


def acquire(
    waiting: Iterable[Waiting],
    seconds: float,
    *,
    need: Mapping[str, float] | None = None,
    heard: Mapping[str, int] | None = None,
    voices: Mapping[str, int] | None = None,
) -> tuple[Waiting, ...]:
    """
    Segments worth transcribing, the best first, of *seconds* of sound at most.

    Args:
        need: How much each dialect needs it against the others; 1 where nothing is said, 0 for none.
        heard: How often each word stands in what is transcribed already.
        voices: How many segments of each speaker are.

    Returns:
        Ties are settled by id, so the choice repeats. What is longer than what is left of *seconds* is passed over.
    """
    wants = need or {}
    said, spoken = Counter(heard or {}), Counter(voices or {})

    def worth(one: Waiting) -> float:
        fresh = sum(1 / (1 + said[word]) for word in one.words) / max(len(one.words), 1)
        voice = 1 / math.sqrt(1 + spoken[one.speaker])
        # Half for the errors themselves: known words are misheard too.
        return one.expected_errors * (0.5 + 0.5 * fresh) * voice * wants.get(one.dialect, 1.0)

    def gain(island: tuple[Waiting, ...]) -> float:
        return sum(map(worth, island)) / sum(one.seconds + HANDLING_S for one in island)

    # Lazily: gains only shrink, so one that is still the best after being looked at again is the best of all.
    queue = [(-gain(island), island[0].id, island) for island in _islands(waiting)]
    queue = [entry for entry in queue if entry[0] < 0]
    heapq.heapify(queue)
    chosen: list[Waiting] = []
    left = seconds
    while queue:
        _, id, island = heapq.heappop(queue)
        length = sum(one.seconds for one in island)
        if length > left:
            continue
        now = (-gain(island), id, island)
        if queue and now[:2] > queue[0][:2]:
            heapq.heappush(queue, now)
            continue
        chosen += island
        left -= length
        for one in island:
            said.update(one.words)
            spoken[one.speaker] += 1
    return tuple(chosen)


def _islands(waiting: Iterable[Waiting]) -> list[tuple[Waiting, ...]]:
    together: dict[tuple[str, str], list[Waiting]] = defaultdict(list)
    for one in waiting:
        together[one.island, "" if one.island else one.id].append(one)
    return [tuple(sorted(own, key=lambda one: one.id)) for own in together.values()]
