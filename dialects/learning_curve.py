"""
Learning curves: WER of a dialect against its corrected minutes in training, with a forecast for more of them.

Error rates of recognisers fall as a power of the amount of speech they learn from (Hestness et al. 2017; Kaplan et al.
2020). So the curve here is ``rate = at_one_minute * (1 + minutes) ** -power``, fitted to all models that were tuned on
this corpus and scored on the same test, each weighing by how well its rate is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialects.sample_size import CERTAINTY, Amount
from dialects.scoring.rows import round_number

#: Models that a forecast needs: two lie on any curve, the third tells how well it fits.
FEWEST_MODELS = 3
#: Additional minutes that a forecast is made for.
MORE_MINUTES = (0, 10, 30, 60, 120)
_DRAWS = 4_000


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """The rate of one model on a dialect."""

    model: str
    #: Corrected minutes of this dialect that it was tuned on.
    minutes: float
    wer: float
    #: Of the rate, over speakers.
    standard_error: float


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """The rates of one dialect against corrected minutes."""

    dialect: str
    #: Fewest minutes first.
    points: tuple[CurvePoint, ...]
    #: (minutes more than the most so far, rate then with the range that holds it four times in five).
    forecast: tuple[tuple[int, Amount], ...]

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "dialect": self.dialect,
            "models": [
                {"model": point.model, "minutes": round_number(point.minutes), "wer": round_number(point.wer)}
                for point in self.points
            ],
            "forecast": [{"more_minutes": more} | rate.data() for more, rate in self.forecast],
        }

    @property
    def sentence(self) -> str:
        """The forecast in words."""
        first, last = self.points[0], self.points[-1]
        so_far = (
            f"{self.dialect}: {100 * first.wer:.1f} % after {first.minutes:.0f} corrected minutes, "
            f"{100 * last.wer:.1f} % after {last.minutes:.0f}"
        )
        if not self.forecast:
            return f"{so_far}; {FEWEST_MODELS} models are needed for a forecast, there are {len(self.points)}"
        more, rate = self.forecast[2]
        then = f"{100 * rate.estimate:.1f} % ({100 * rate.low:.1f} to {100 * (rate.high or rate.estimate):.1f})"
        return f"{so_far}; {more} more minutes: {then}"


def learning_curve(dialect: str, points: Sequence[CurvePoint], *, seed: int = 0) -> LearningCurve:
    """
    Fit the curve of *dialect* through *points*, with a forecast where enough models differ in minutes.

    The range comes of 4,000 fits to rates drawn as their standard errors allow, widened where the models lie further
    from the curve than these explain. The errors of models on one test go together, so the range is rather too wide
    than too narrow. A curve never rises: more corrections are not forecast to harm.
    """
    ordered = tuple(sorted(points, key=lambda point: (point.minutes, point.model)))
    usable = [point for point in ordered if point.wer > 0]
    if len(usable) < FEWEST_MODELS or len({point.minutes for point in usable}) < 2:
        return LearningCurve(dialect=dialect, points=ordered, forecast=())
    most = usable[-1].minutes
    log_more_minutes = np.log1p(np.array([most + more for more in MORE_MINUTES]))
    log_minutes = np.log1p(np.array([point.minutes for point in usable]))
    rates = np.log(np.array([point.wer for point in usable]))
    # A rate that is known exactly would weigh infinitely.
    errors = np.array([max(point.standard_error / point.wer, 0.01) for point in usable])
    level, power = _fit(log_minutes, rates, errors)
    distance = (((rates - level + power * log_minutes) / errors) ** 2).sum() / (len(usable) - 2)
    drawn_rates = rates + np.random.Generator(np.random.PCG64(seed)).standard_normal((_DRAWS, len(usable))) * (
        errors * max(1.0, math.sqrt(distance))
    )
    levels, powers = _fit(log_minutes, drawn_rates, errors)
    curves = np.minimum(np.exp(levels[:, np.newaxis] - powers[:, np.newaxis] * log_more_minutes), 1.0)
    tail = (1 - CERTAINTY) / 2
    low, high = np.quantile(curves, [tail, 1 - tail], axis=0)
    best = np.minimum(np.exp(level - power * log_more_minutes), 1.0)
    ranges = (
        Amount(estimate=float(rate), low=float(min(rate, below)), high=float(max(rate, above)))
        for rate, below, above in zip(best, low, high, strict=True)
    )
    return LearningCurve(dialect=dialect, points=ordered, forecast=tuple(zip(MORE_MINUTES, ranges, strict=True)))


def _fit(
    log_minutes: NDArray[np.float64], rates: NDArray[np.float64], errors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit (level, power) to each row of *rates*, shape (…, models), by weighted least squares; no power is below 0."""
    weights = errors**-2 / (errors**-2).sum()
    centre = (weights * log_minutes).sum()
    means = (weights * rates).sum(axis=-1)
    slopes = (weights * (log_minutes - centre) * rates).sum(axis=-1) / (weights * (log_minutes - centre) ** 2).sum()
    powers = np.maximum(-slopes, 0.0)
    return means + powers * centre, powers
