"""
How far two people differ who write down the same speech: below this no model can be measured.

People agree to 5 % on native read speech, and differ by 10 to 34 % on spontaneous speech of learners (Zechner 2009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from dialects.preparing import Preparer
from dialects.rows import Method, by_block, rounded
from dialects.scoring import Pair
from dialects.statistics import Interval, State, jackknife_interval
from dialects.tally import Tally, tally


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The disagreement of two transcribers on one dialect. Neither is the reference, so it is symmetric."""

    dialect: str
    segments: int
    speakers: int
    #: 2 E / (N1 + N2), errors over the mean number of words; ``None`` without words.
    rate: float | None
    interval: Interval | None
    #: The same in code points.
    character_rate: float | None
    state: State

    def limits(self, wer: float | None) -> bool:
        """Whether the disagreement is more than half of a model's *wer*, so that references limit what it shows."""
        return self.rate is not None and wer is not None and self.rate > wer / 2

    def data(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.interval or (None, None)
        return {
            "dialect": self.dialect,
            "segments": self.segments,
            "speakers": self.speakers,
            "rate": self.rate,
            "ci_low": rounded(low),
            "ci_high": rounded(high),
            "character_rate": self.character_rate,
            "state": self.state,
        }


def floors(pairs: Iterable[Pair], prepare: Preparer, *, method: Method | None = None) -> dict[str, Floor]:
    """
    The disagreement on each dialect, by canonical tag in alphabetical order.

    Args:
        pairs: Two people's texts of one segment as reference and hypothesis, in either order. Both should have been
            written from the sound: a corrected draft leans towards its model.
    """
    method = method or Method()
    sums = tally(pairs, prepare, with_recount=False)
    return {tag: _floor(tag, speakers, method) for tag, speakers in sums.by_dialect.items()}


def _floor(tag: str, speakers: Mapping[str, Tally], method: Method) -> Floor:
    sums = by_block(
        speakers, of=lambda part: (2 * part.counts.errors, part.counts.words + part.counts.hypothesis_words)
    )
    errors, words = [one for one, _ in sums.values()], [one for _, one in sums.values()]
    whole = reduce(Tally.__add__, speakers.values(), Tally())
    characters = whole.characters + whole.hypothesis_characters
    return Floor(
        dialect=tag,
        segments=whole.segments,
        speakers=len(speakers),
        rate=sum(errors) / sum(words) if sum(words) else None,
        interval=jackknife_interval(errors, words, confidence=method.confidence),
        character_rate=2 * whole.character_errors / characters if characters else None,
        state=method.thresholds.state(blocks=len(sums), words=whole.counts.words),
    )
