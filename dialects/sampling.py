"""
What to transcribe next, and how much of each dialect to train on.

More segments of the same people hardly narrow an interval; more people do. So advice counts speakers first.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialects.rows import Row, rounded
from dialects.statistics import Thresholds


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one dialect lacks before its rate can be ranked and quoted."""

    dialect: str
    #: Speakers (blocks of them) to the state ``reportable``.
    speakers: int
    #: Reference words to the same state.
    words: int
    #: Speakers after which the interval is as narrow as was asked for; ``None`` where there is no interval yet.
    speakers_for_width: int | None
    #: Half the width of the interval now.
    half_width: float | None

    def data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "dialect": self.dialect,
            "speakers": self.speakers,
            "words": self.words,
            "speakers_for_width": self.speakers_for_width,
            "half_width": rounded(self.half_width),
        }


def needs(rows: Iterable[Row], thresholds: Thresholds, *, half_width: float = 0.05) -> tuple[Need, ...]:
    """
    What each dialect lacks, the neediest first: most speakers missing, then most words, then the widest interval.

    Args:
        half_width: Half the width of the interval that is good enough; 0.05 is five points.
    """
    found = [_need(row, thresholds, half_width) for row in rows]
    return tuple(
        sorted(found, key=lambda need: (-need.speakers, -need.words, -(need.half_width or math.inf), need.dialect))
    )


def _need(row: Row, thresholds: Thresholds, half_width: float) -> Need:
    half = (row.interval[1] - row.interval[0]) / 2 if row.interval else None
    wanted = None
    if half is not None:
        # Widths fall with the root of the number of independent speakers.
        wanted = max(0, math.ceil(row.blocks * (half / half_width) ** 2) - row.blocks)
    return Need(
        dialect=row.dialect,
        speakers=max(0, thresholds.reportable_speakers - row.blocks),
        words=max(0, thresholds.reportable_words - row.counts.words),
        speakers_for_width=wanted,
        half_width=half,
    )


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A segment that nobody has corrected yet."""

    id: str
    dialect: str
    speaker: str
    #: How much its correction would teach, by whatever measure; higher goes first within a speaker.
    worth: float = 0.0


def choose(
    candidates: Sequence[Candidate],
    count: int,
    *,
    done: Mapping[tuple[str, str], int] | None = None,
    weights: Mapping[str, float] | None = None,
) -> tuple[Candidate, ...]:
    """
    The *count* segments to transcribe next.

    Each one goes to the dialect that is furthest behind its weight, there to the speaker with the fewest segments, and
    of that speaker the one with the most worth. So every dialect and every voice comes up before any comes up twice.

    Args:
        done: Corrected segments by (dialect, speaker).
        weights: How much of each dialect is wanted against the others; 1 where nothing is said, 0 for none.

    Returns:
        At most *count*, fewer where there are no more; ties are settled by name, so the choice repeats.
    """
    waiting: dict[tuple[str, str], deque[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda one: (-one.worth, one.id)):
        waiting.setdefault((candidate.dialect, candidate.speaker), deque()).append(candidate)
    by_speaker = Counter(done or {})
    by_dialect: Counter[str] = Counter()
    for (dialect, _), segments in by_speaker.items():
        by_dialect[dialect] += segments
    wanted = {dialect: (weights or {}).get(dialect, 1.0) for dialect, _ in waiting}
    # Speakers with segments left, fewest done first.
    speakers: dict[str, list[tuple[int, str]]] = {}
    for dialect, speaker in waiting:
        if wanted[dialect] > 0:
            heapq.heappush(speakers.setdefault(dialect, []), (by_speaker[dialect, speaker], speaker))
    chosen: list[Candidate] = []
    while speakers and len(chosen) < count:
        dialect = min(speakers, key=lambda tag: ((by_dialect[tag] + 1) / wanted[tag], tag))
        segments, speaker = heapq.heappop(speakers[dialect])
        chosen.append(waiting[dialect, speaker].popleft())
        by_dialect[dialect] += 1
        if waiting[dialect, speaker]:
            heapq.heappush(speakers[dialect], (segments + 1, speaker))
        if not speakers[dialect]:
            del speakers[dialect]
    return tuple(chosen)


def shares(amounts: Mapping[str, float], *, temperature: float = 2.0) -> dict[str, float]:
    """
    Which share of training each dialect should have: its amount to the power of 1 / *temperature*.

    At 1 the shares are those of the data, so the largest dialect drowns the rest; towards infinity all are the same,
    so the smallest is repeated until it is learnt by heart. Between, small dialects are lifted (Arivazhagan et al. 2019
    use 5 over a hundred languages).

    Args:
        amounts: Hours, words or segments of each dialect.

    Returns:
        Shares that add up to 1, in the order of *amounts*; a dialect without data has none.

    Raises:
        ValueError: For a temperature below 1 or a negative amount.

    >>> shares({"en-US": 90.0, "en-scotland": 10.0})
    {'en-US': 0.75, 'en-scotland': 0.25}
    """
    if temperature < 1 or any(amount < 0 for amount in amounts.values()):
        raise ValueError(f"temperature {temperature} and {dict(amounts)}: needed are at least 1, and amounts from 0 on")
    powers = {dialect: amount ** (1 / temperature) if amount else 0.0 for dialect, amount in amounts.items()}
    total = sum(powers.values())
    return {dialect: power / total if total else 0.0 for dialect, power in powers.items()}


def repeats(amounts: Mapping[str, float], *, temperature: float = 2.0, most: float = 4.0) -> dict[str, float]:
    """
    How often each dialect's data is to be seen in one round, so that :func:`shares` come out: at least once.

    Never more than *most* times: past that a model learns the few recordings and not the dialect.
    """
    wanted = shares(amounts, temperature=temperature)
    ratios = {dialect: wanted[dialect] / amount for dialect, amount in amounts.items() if amount}
    least = min(ratios.values(), default=1.0)
    return {dialect: min(most, ratio / least) for dialect, ratio in ratios.items()}
