"""
The error model: the probability that a text is wrong somewhere, by its features, fitted on texts that people checked.

Logistic regression with a ridge (le Cessie and van Houwelingen 1992), by Newton's steps: a few hundred texts are
checked, and no feature alone finds the wrong ones. A model underestimates errors of the texts that it was fitted on, so
probabilities that are to be calibrated come from models that were fitted on others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: L2 strength, in units of one standard deviation per text.
RIDGE = 5.0
#: L2 strength of the intercept: just enough for texts that are all right, or all wrong.
_RIDGE_OF_ALL = 1e-3
#: Folds of cross-validation.
FOLDS = 8
_STEPS = 25

_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LabelledExample:
    """A drafted text that somebody has checked."""

    #: As many, in the same order, of every text.
    features: tuple[float, ...]
    wrong: bool
    #: Texts of one block are of the same people, and are held out together.
    block: str


@dataclass(frozen=True, kw_only=True)
class ErrorModel:
    """A logistic model of whether a text is wrong."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    #: The intercept, then a weight for each feature in deviations from its mean.
    weights: tuple[float, ...]

    def error_probability(self, features: Sequence[float]) -> float:
        """Return the probability that a text with *features* is wrong somewhere, rounded to 6 digits."""
        scores = (np.asarray(features) - self.means) / self.deviations
        return round(float(_logistic(self.weights[0] + scores @ np.asarray(self.weights[1:]))), 6)


def fit_error_model(examples: Sequence[LabelledExample], *, ridge: float = RIDGE) -> ErrorModel:
    """
    Fit the error model to *examples*; there must be one.

    >>> right = [LabelledExample(features=(0.0,), wrong=False, block="a")] * 20
    >>> wrong = [LabelledExample(features=(1.0,), wrong=True, block="b")] * 20
    >>> model = fit_error_model([*right, *wrong])
    >>> model.error_probability((0.0,)) < 0.2 < 0.8 < model.error_probability((1.0,))
    True
    """
    features = np.array([example.features for example in examples], dtype=np.float64)
    wrong = np.array([example.wrong for example in examples], dtype=np.float64)
    means, deviations = features.mean(axis=0), features.std(axis=0) + 1e-6
    table = np.column_stack([np.ones(len(examples)), (features - means) / deviations])
    penalty = np.diag([_RIDGE_OF_ALL, *[ridge] * features.shape[1]])
    weights: _Floats = np.zeros(table.shape[1])
    for _ in range(_STEPS):
        expected = _logistic(table @ weights)
        curvature = table.T @ (table * (expected * (1 - expected))[:, None]) + penalty
        step = np.linalg.solve(curvature, table.T @ (wrong - expected) - penalty @ weights)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return ErrorModel(
        means=tuple(means.tolist()), deviations=tuple(deviations.tolist()), weights=tuple(weights.tolist())
    )


def cross_validate(examples: Sequence[LabelledExample], *, ridge: float = RIDGE) -> list[float]:
    """Return each example's error probability by a model fitted without its block, where there is more than one."""
    blocks = {
        block: number % FOLDS for number, block in enumerate(dict.fromkeys(example.block for example in examples))
    }
    folds = [blocks[example.block] if len(blocks) > 1 else number % FOLDS for number, example in enumerate(examples)]
    probabilities = [0.0] * len(examples)
    for fold in set(folds):
        training = [example for example, example_fold in zip(examples, folds, strict=True) if example_fold != fold]
        model = fit_error_model(training or examples, ridge=ridge)
        for number, example_fold in enumerate(folds):
            if example_fold == fold:
                probabilities[number] = model.error_probability(examples[number].features)
    return probabilities


def _logistic(score: _Floats) -> _Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -30, 30))))
