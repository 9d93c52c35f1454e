"""
The calibration of doubts: the error rate to expect of a text with some doubt, fitted on texts that people checked.

Isotonic regression by pooling adjacent violators (Ayer et al. 1955): the more doubt, the higher the rate, and nothing
else is assumed. A step that rests on few words leans towards the rate of all, so that three right words promise little.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

#: Words at the overall rate that are added to those of each step.
PRIOR_WORDS = 2


@dataclass(frozen=True, kw_only=True)
class CalibrationPoint:
    """A drafted text with its doubt and the errors that people corrected."""

    doubt: float
    errors: int
    words: int


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The steps from doubt to expected error rate; both only rise."""

    #: Highest doubt of each step.
    ends: tuple[float, ...]
    risks: tuple[float, ...]

    def risk(self, doubt: float) -> float | None:
        """
        Return the error rate to expect; ``None`` for more doubt than that of any text that was checked.

        >>> Calibration(ends=(0.1, 0.5), risks=(0.02, 0.3)).risk(0.2)
        0.3
        """
        step = bisect_left(self.ends, doubt)
        return self.risks[step] if step < len(self.ends) else None


def calibrate(points: Iterable[CalibrationPoint], *, prior_words: int = PRIOR_WORDS) -> Calibration:
    """Fit the steps to *points*, each text weighing by its words. Without words there are none."""
    merged: dict[float, tuple[int, int]] = {}
    for point in points:
        step_errors, step_words = merged.get(point.doubt, (0, 0))
        merged[point.doubt] = step_errors + point.errors, step_words + point.words
    errors, words = (sum(sums[index] for sums in merged.values()) for index in (0, 1))
    if not words:
        return Calibration(ends=(), risks=())
    # (highest doubt, errors, words) of each step; one that is no worse than the one before joins it.
    steps: list[tuple[float, int, int]] = []
    for doubt in sorted(merged):
        step_errors, step_words = merged[doubt]
        while steps and _is_no_worse((doubt, step_errors, step_words), steps[-1]):
            _, more, further = steps.pop()
            step_errors, step_words = step_errors + more, step_words + further
        steps.append((doubt, step_errors, step_words))
    risks = [
        (step_errors + prior_words * errors / words) / (step_words + prior_words)
        for _, step_errors, step_words in steps
    ]
    rising = tuple(accumulate(risks, max))
    return Calibration(ends=tuple(end for end, _, _ in steps), risks=rising)


def _is_no_worse(step: tuple[float, int, int], previous: tuple[float, int, int]) -> bool:
    # Compared crosswise, since a text may have no words.
    return step[1] * previous[2] <= previous[1] * step[2]
