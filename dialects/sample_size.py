"""
Sample-size planning: how many speakers each dialect lacks, and which share of training it should have.

More segments of the same people hardly narrow an interval; more people do. So advice counts speakers first.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from dialects.scoring.rows import Method, Row, round_number
from dialects.scoring.statistics import standard_error, t_quantile

#: Steps of the curve: so many speakers more.
STEPS = (0, 5, 10, 20, 40)
#: Share of forecasts whose range is to hold the true number.
CERTAINTY = 0.8
#: Speakers past which a forecast is no advice.
_MOST_SPEAKERS = 100_000


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A forecast number with the range that holds the true one four times in five; ``None`` is out of reach."""

    estimate: float
    low: float
    high: float | None

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"estimate": round_number(self.estimate), "low": round_number(self.low), "high": round_number(self.high)}


@dataclass(frozen=True, kw_only=True)
class Need:
    """The speakers and words that one dialect lacks before its rate can be ranked and quoted."""

    dialect: str
    name: str
    #: Speakers (blocks of them) to the state ``reportable``.
    speakers: int
    #: Reference words to the same state.
    words: int
    #: Half the width of the interval that was asked for.
    wanted: float
    #: Half the width of the interval now; ``None`` for a suppressed dialect.
    half_width: float | None
    #: More speakers until the interval is as narrow; ``None`` without a forecast, or where no number is enough.
    more_speakers: Amount | None
    #: Minutes that so many speakers fill if they talk as long as those so far; ``None`` without lengths.
    more_minutes: Amount | None
    #: (speakers more, half-width then, its low and high end).
    curve: tuple[tuple[int, Amount], ...]

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "dialect": self.dialect,
            "name": self.name,
            "speakers_to_reportable": self.speakers,
            "words_to_reportable": self.words,
            "wanted_half_width": self.wanted,
            "half_width": round_number(self.half_width),
            "more_speakers": self.more_speakers.data() if self.more_speakers else None,
            "more_minutes": self.more_minutes.data() if self.more_minutes else None,
            "curve": [{"more_speakers": more} | width.data() for more, width in self.curve],
        }

    @property
    def sentence(self) -> str:
        """The advice in words."""
        lacking = [f"{self.speakers} more speakers"] * bool(self.speakers)
        lacking += [f"{self.words:,} more words"] * bool(self.words)
        tail = f"; to be reportable it lacks {' and '.join(lacking)}" if lacking else ""
        return f"{self.dialect} ({self.name}): {self._forecast}{tail}"

    @property
    def _forecast(self) -> str:
        goal = f"±{100 * self.wanted:g} points"
        if self.half_width is None:
            return "too little speech for a forecast"
        now = f"±{100 * self.half_width:.1f} now"
        if self.half_width <= self.wanted:
            return f"{now}, within {goal}"
        if self.more_speakers is None:
            return f"{now}; no number of speakers within reason brings it under {goal}"
        people = f"{_whole(self.more_speakers)} more speakers"
        if self.more_minutes is None:
            return f"{now}; {people} bring it under {goal}"
        return f"{now}; {_whole(self.more_minutes)} more minutes from {people} bring it under {goal}"


def _whole(amount: Amount) -> str:
    high = "or many more" if amount.high is None else f"to {math.ceil(amount.high):,}"
    return f"{math.ceil(amount.estimate):,} ({math.floor(amount.low):,} {high})"


def needs(rows: Iterable[Row], method: Method, *, half_width: float = 0.05) -> tuple[Need, ...]:
    """
    List the needs of each dialect, the neediest first: most speakers missing, then most words, then widest interval.

    The width follows from how much speakers differ, which is known from few of them. Its uncertainty (chi-square with
    one degree of freedom less than there are blocks) is that of the forecast: the range holds four times in five.

    Args:
        half_width: Half the width of the interval that is good enough; 0.05 is five points.
    """
    lacking = [_need(row, method, half_width) for row in rows]
    return tuple(
        sorted(lacking, key=lambda need: (-need.speakers, -need.words, -(need.half_width or math.inf), need.dialect))
    )


def _need(row: Row, method: Method, wanted: float) -> Need:
    errors, words = zip(*row.by_block.values(), strict=True) if row.by_block else ((), ())
    error = standard_error(errors, words) if row.state != "suppressed" else None
    spreads = _spreads(error, row.blocks) if error is not None else None
    half = _half_width(spreads[0], row.blocks, method.confidence) if spreads else None
    more = _more_speakers(spreads, row.blocks, wanted, method.confidence) if spreads else None
    # As many minutes a speaker as so far: more of the same speakers would hardly help.
    speaker_minutes = (
        row.tally.milliseconds / 60_000 / row.blocks if row.blocks and not row.tally.untimed_segments else None
    )
    return Need(
        dialect=row.dialect,
        name=row.name,
        speakers=max(0, method.thresholds.reportable_speakers - row.blocks),
        words=max(0, method.thresholds.reportable_words - row.counts.words),
        wanted=wanted,
        half_width=half,
        more_speakers=more,
        more_minutes=_times(more, speaker_minutes) if more and speaker_minutes else None,
        curve=tuple((step, _width(spreads, row.blocks + step, method.confidence)) for step in STEPS) if spreads else (),
    )


#: How much one speaker's rate deviates: estimate, low end, high end.
_Spreads: TypeAlias = tuple[float, float, float]


def _spreads(error: float, blocks: int) -> _Spreads:
    from scipy.special import chdtri

    spread, degrees, tail = error * blocks**0.5, blocks - 1, (1 - CERTAINTY) / 2
    low, high = (spread * (degrees / float(chdtri(degrees, point))) ** 0.5 for point in (tail, 1 - tail))
    return spread, low, high


def _half_width(spread: float, blocks: int, confidence: float) -> float:
    return t_quantile((1 + confidence) / 2, blocks - 1) * spread / math.sqrt(blocks)


def _width(spreads: _Spreads, blocks: int, confidence: float) -> Amount:
    estimate, low, high = (_half_width(spread, blocks, confidence) for spread in spreads)
    return Amount(estimate=estimate, low=low, high=high)


def _more_speakers(spreads: _Spreads, blocks: int, wanted: float, confidence: float) -> Amount | None:
    estimate, low, high = (_speakers_for(spread, blocks, wanted, confidence) for spread in spreads)
    return None if estimate is None or low is None else Amount(estimate=estimate, low=low, high=high)


def _speakers_for(spread: float, blocks: int, wanted: float, confidence: float) -> int | None:
    """Count speakers to add until the half-width is at most *wanted*; widths only fall, so bisection finds it."""
    if _half_width(spread, _MOST_SPEAKERS, confidence) > wanted:
        return None
    reach = range(blocks, _MOST_SPEAKERS)
    return bisect_left(reach, True, key=lambda count: _half_width(spread, count, confidence) <= wanted)


def _times(amount: Amount, factor: float) -> Amount:
    high = None if amount.high is None else amount.high * factor
    return Amount(estimate=amount.estimate * factor, low=amount.low * factor, high=high)


def shares(amounts: Mapping[str, float], *, temperature: float = 2.0) -> dict[str, float]:
    """
    Return the share of training that each dialect should have: its amount to the power of 1 / *temperature*.

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
