"""
What corrections have bought so far, and what more of them would: WER of a dialect against its minutes in training.

Error rates of recognisers fall as a power of the amount of speech they learn from (Hestness et al. 2017; Kaplan et al.
2020). So the curve here is ``rate = at_one_minute * (1 + minutes) ** -power``, fitted to all models that were tuned on
this corpus and heard the same test, each weighing by how well its rate is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialects.rows import rounded
from dialects.sampling import CERTAINTY, Amount

#: Models that a forecast needs: two lie on any curve, the third tells how well it fits.
FEWEST_MODELS = 3
#: Minutes more that the forecast is told for.
MORE_MINUTES = (0, 10, 30, 60, 120)
_DRAWS = 4_000


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One model's rate on a dialect."""

    model: str
    #: Corrected minutes of this dialect that it was tuned on.
    minutes: float
    wer: float
    #: Of the rate, over speakers.
    standard_error: float


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """How one dialect's rate falls with corrections."""

    dialect: str
    #: Fewest minutes first.
    lessons: tuple[Lesson, ...]
    #: (minutes more than the most so far, rate then with the range that holds it four times in five).
    forecast: tuple[tuple[int, Amount], ...]

    def data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "dialect": self.dialect,
            "models": [
                {"model": one.model, "minutes": rounded(one.minutes), "wer": rounded(one.wer)} for one in self.lessons
            ],
            "forecast": [{"more_minutes": more} | rate.data() for more, rate in self.forecast],
        }

    @property
    def sentence(self) -> str:
        """The forecast, for people."""
        first, last = self.lessons[0], self.lessons[-1]
        so_far = (
            f"{self.dialect}: {100 * first.wer:.1f} % after {first.minutes:.0f} corrected minutes, "
            f"{100 * last.wer:.1f} % after {last.minutes:.0f}"
        )
        if not self.forecast:
            return f"{so_far}; {FEWEST_MODELS} models are needed for a forecast, there are {len(self.lessons)}"
        more, rate = self.forecast[2]
        then = f"{100 * rate.estimate:.1f} % ({100 * rate.low:.1f} to {100 * (rate.high or rate.estimate):.1f})"
        return f"{so_far}; {more} more minutes: {then}"


def learning_curve(dialect: str, lessons: Sequence[Lesson], *, seed: int = 0) -> LearningCurve:
    """
    The curve of *dialect* through *lessons*, with a forecast where enough models differ in minutes.

    The range comes of 4,000 fits to rates drawn as their standard errors allow, widened where the models lie further
    from the curve than these explain. The errors of models on one test go together, so the range is rather too wide
    than too narrow. A curve never rises: more corrections are not forecast to harm.
    """
    ordered = tuple(sorted(lessons, key=lambda one: (one.minutes, one.model)))
    usable = [one for one in ordered if one.wer > 0]
    if len(usable) < FEWEST_MODELS or len({one.minutes for one in usable}) < 2:
        return LearningCurve(dialect=dialect, lessons=ordered, forecast=())
    most = usable[-1].minutes
    places = np.log1p(np.array([most + more for more in MORE_MINUTES]))
    at = np.log1p(np.array([one.minutes for one in usable]))
    rates = np.log(np.array([one.wer for one in usable]))
    # A rate that is known exactly would weigh infinitely.
    errors = np.array([max(one.standard_error / one.wer, 0.01) for one in usable])
    level, power = _fit(at, rates, errors)
    distance = (((rates - level + power * at) / errors) ** 2).sum() / (len(usable) - 2)
    drawn = rates + np.random.Generator(np.random.PCG64(seed)).standard_normal((_DRAWS, len(usable))) * (
        errors * max(1.0, math.sqrt(distance))
    )
    levels, powers = _fit(at, drawn, errors)
    curves = np.minimum(np.exp(levels[:, np.newaxis] - powers[:, np.newaxis] * places), 1.0)
    tail = (1 - CERTAINTY) / 2
    low, high = np.quantile(curves, [tail, 1 - tail], axis=0)
    best = np.minimum(np.exp(level - power * places), 1.0)
    amounts = (
        Amount(estimate=float(one), low=float(min(one, below)), high=float(max(one, above)))
        for one, below, above in zip(best, low, high, strict=True)
    )
    return LearningCurve(dialect=dialect, lessons=ordered, forecast=tuple(zip(MORE_MINUTES, amounts, strict=True)))


def _fit(
    at: NDArray[np.float64], rates: NDArray[np.float64], errors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(level, power) of each row of *rates*, shapes (…, models): weighted least squares, the power never below 0."""
    weights = errors**-2 / (errors**-2).sum()
    centre = (weights * at).sum()
    means = (weights * rates).sum(axis=-1)
    slopes = (weights * (at - centre) * rates).sum(axis=-1) / (weights * (at - centre) ** 2).sum()
    powers = np.maximum(-slopes, 0.0)
    return means + powers * centre, powers
