"""
The human baseline: how far two people differ who write down the same speech. No model can be measured below it.

People agree to 5 % on native read speech, and differ by 10 to 34 % on spontaneous speech of learners (Zechner 2009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from dialects.columns import columns, percent
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method, by_block, round_number
from dialects.scoring.statistics import Interval, State, jackknife_interval
from dialects.scoring.sums import Tally, tally
from dialects.scoring.word_errors import Pair


@dataclass(frozen=True, kw_only=True)
class HumanBaseline:
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
        """Return ``True`` if the disagreement is over half of a model's *wer*, so that references limit it."""
        return self.rate is not None and wer is not None and self.rate > wer / 2

    def data(self, *, wer: float | None = None) -> dict[str, Any]:
        """Return plain values for JSON; with a model's *wer* how far it lies above the people."""
        low, high = self.interval or (None, None)
        above = None if wer is None or self.rate is None else round_number(wer - self.rate)
        return {
            "dialect": self.dialect,
            "segments": self.segments,
            "speakers": self.speakers,
            "rate": self.rate,
            "ci_low": round_number(low),
            "ci_high": round_number(high),
            "character_rate": self.character_rate,
            "state": self.state,
            "wer_above": above,
            "limited_by_reference": self.limits(wer),
        }


HEADER = ("dialect", "segments", "speakers", "people %", "interval", "letters %", "model above", "state")


def baseline_cells(baseline: HumanBaseline, wer: float | None) -> tuple[str, ...]:
    """Return the cells of one row under :data:`HEADER`; a suppressed one shows counts only."""
    sizes = (baseline.dialect, f"{baseline.segments:,}", f"{baseline.speakers:,}")
    if baseline.state == "suppressed":
        return (*sizes, *["–"] * 4, baseline.state)
    interval = f"{percent(baseline.interval[0])} – {percent(baseline.interval[1])}" if baseline.interval else "–"
    above = "–" if wer is None or baseline.rate is None else f"{100 * (wer - baseline.rate):+.1f}"
    state = "limited by reference" if baseline.limits(wer) else baseline.state
    return (*sizes, percent(baseline.rate), interval, percent(baseline.character_rate), above, state)


def format_baselines(baselines: Iterable[HumanBaseline], wers: Mapping[str, float | None]) -> str:
    """Format the table for a terminal; *wers* are a model's, by dialect."""
    rows = [baseline_cells(baseline, wers.get(baseline.dialect)) for baseline in baselines]
    return "\n".join(["two people who write down the same speech:", columns(HEADER, rows, texts=(0, 7))])


def human_baselines(
    pairs: Iterable[Pair], prepare: Preparer, *, method: Method | None = None
) -> dict[str, HumanBaseline]:
    """
    Measure the disagreement on each dialect, by canonical tag in alphabetical order.

    Args:
        pairs: Two people's texts of one segment as reference and hypothesis, in either order. Both should have been
            written from the sound: a corrected draft leans towards its model.
    """
    method = method or Method()
    sums = tally(pairs, prepare, with_recount=False)
    return {tag: _baseline(tag, speakers, method) for tag, speakers in sums.by_dialect.items()}


def _baseline(tag: str, speakers: Mapping[str, Tally], method: Method) -> HumanBaseline:
    sums = by_block(
        speakers, of=lambda part: (2 * part.counts.errors, part.counts.words + part.counts.hypothesis_words)
    )
    errors, words = [errors for errors, _ in sums.values()], [words for _, words in sums.values()]
    whole = reduce(Tally.__add__, speakers.values(), Tally())
    characters = whole.characters + whole.hypothesis_characters
    return HumanBaseline(
        dialect=tag,
        segments=whole.segments,
        speakers=len(speakers),
        rate=sum(errors) / sum(words) if sum(words) else None,
        interval=jackknife_interval(errors, words, confidence=method.confidence),
        character_rate=2 * whole.character_errors / characters if characters else None,
        state=method.thresholds.state(blocks=len(sums), words=whole.counts.words),
    )
