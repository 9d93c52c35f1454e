"""
How likely a text is wrong somewhere, by what can be seen of it, learnt from texts that people have looked at.

Logistic regression with a ridge (le Cessie and van Houwelingen 1992), by Newton's steps: a few hundred texts are looked
at, and no sign alone finds the wrong ones. What a text is doubted by a weighing that has seen it is too little, so
doubts that are to be calibrated come from weighings that have not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: How hard weights are pulled to nothing: as much as this many texts that lie one deviation off would move them.
RIDGE = 5.0
#: As little as lets a dialect have only right texts, or only wrong ones.
_RIDGE_OF_ALL = 1e-3
#: Parts that are held back in turn.
FOLDS = 8
_STEPS = 25

_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A text that somebody has looked at since."""

    #: As many, in the same order, of every text.
    signs: tuple[float, ...]
    wrong: bool
    #: Texts of one block are of the same people, and are held back together.
    block: str


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """What each sign is worth."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    #: Of no sign, then of each one in deviations from its mean.
    weights: tuple[float, ...]

    def doubt(self, signs: Sequence[float]) -> float:
        """The probability that a text with *signs* is wrong somewhere, rounded to 6 digits."""
        standing = (np.asarray(signs) - self.means) / self.deviations
        return round(float(_logistic(self.weights[0] + standing @ np.asarray(self.weights[1:]))), 6)


def weigh(seen: Sequence[Seen], *, ridge: float = RIDGE) -> Weighing:
    """
    The weighing that fits *seen* best; there must be one.

    >>> right = [Seen(signs=(0.0,), wrong=False, block="a")] * 20
    >>> wrong = [Seen(signs=(1.0,), wrong=True, block="b")] * 20
    >>> found = weigh([*right, *wrong])
    >>> found.doubt((0.0,)) < 0.2 < 0.8 < found.doubt((1.0,))
    True
    """
    signs = np.array([one.signs for one in seen], dtype=np.float64)
    wrong = np.array([one.wrong for one in seen], dtype=np.float64)
    means, deviations = signs.mean(axis=0), signs.std(axis=0) + 1e-6
    table = np.column_stack([np.ones(len(seen)), (signs - means) / deviations])
    pull = np.diag([_RIDGE_OF_ALL, *[ridge] * signs.shape[1]])
    weights: _Floats = np.zeros(table.shape[1])
    for _ in range(_STEPS):
        expected = _logistic(table @ weights)
        curve = table.T @ (table * (expected * (1 - expected))[:, None]) + pull
        step = np.linalg.solve(curve, table.T @ (wrong - expected) - pull @ weights)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return Weighing(means=tuple(means.tolist()), deviations=tuple(deviations.tolist()), weights=tuple(weights.tolist()))


def held_out(seen: Sequence[Seen], *, ridge: float = RIDGE) -> list[float]:
    """The doubt of each of *seen*, by a weighing that knows no text of its block, where there is more than one."""
    blocks = {block: at % FOLDS for at, block in enumerate(dict.fromkeys(one.block for one in seen))}
    folds = [blocks[one.block] if len(blocks) > 1 else at % FOLDS for at, one in enumerate(seen)]
    found = [0.0] * len(seen)
    for fold in set(folds):
        rest = [one for one, own in zip(seen, folds, strict=True) if own != fold]
        weighing = weigh(rest or seen, ridge=ridge)
        for at, own in enumerate(folds):
            if own == fold:
                found[at] = weighing.doubt(seen[at].signs)
    return found


def _logistic(score: _Floats) -> _Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -30, 30))))
