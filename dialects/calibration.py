"""
What a doubt is worth: the error rate to expect of a text, learnt from texts that people have looked at.

Isotonic regression by pooling adjacent violators (Ayer et al. 1955): the more doubt, the higher the rate, and nothing
else is assumed. A step that rests on few words leans towards the rate of all, so that three right words promise little.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

#: Words at the rate of all that each step is given beside its own.
PRIOR_WORDS = 2


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A text with its doubt that somebody has looked at since."""

    doubt: float
    errors: int
    words: int


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Steps from doubt to expected error rate; both only rise."""

    #: Highest doubt of each step.
    ends: tuple[float, ...]
    risks: tuple[float, ...]

    def risk(self, doubt: float) -> float | None:
        """
        The rate to expect; ``None`` for more doubt than anybody has looked at, of which nothing is known.

        >>> Calibration(ends=(0.1, 0.5), risks=(0.02, 0.3)).risk(0.2)
        0.3
        """
        at = bisect_left(self.ends, doubt)
        return self.risks[at] if at < len(self.ends) else None


def calibrate(looked: Iterable[Looked], *, prior_words: int = PRIOR_WORDS) -> Calibration:
    """The steps that fit *looked* best, each text weighing by its words. Without words there are none."""
    merged: dict[float, tuple[int, int]] = {}
    for one in looked:
        wrong, said = merged.get(one.doubt, (0, 0))
        merged[one.doubt] = wrong + one.errors, said + one.words
    errors, words = (sum(sums[at] for sums in merged.values()) for at in (0, 1))
    if not words:
        return Calibration(ends=(), risks=())
    # (highest doubt, errors, words) of each step; one that is no worse than the one before joins it.
    steps: list[tuple[float, int, int]] = []
    for doubt in sorted(merged):
        wrong, said = merged[doubt]
        while steps and _no_worse((doubt, wrong, said), steps[-1]):
            _, more, further = steps.pop()
            wrong, said = wrong + more, said + further
        steps.append((doubt, wrong, said))
    risks = [(wrong + prior_words * errors / words) / (said + prior_words) for _, wrong, said in steps]
    rising = [max(risks[: at + 1]) for at in range(len(risks))]
    return Calibration(ends=tuple(end for end, _, _ in steps), risks=tuple(rising))


def _no_worse(step: tuple[float, int, int], before: tuple[float, int, int]) -> bool:
    # Compared crosswise, since a text may have no words.
    return step[1] * before[2] <= before[1] * step[2]
