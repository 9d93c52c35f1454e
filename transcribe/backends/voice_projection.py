"""
Learn the space in which voices are compared from corrections: what varies within one person counts less there.

Within-class covariance normalisation (Hatch, Kajarekar and Stolcke 2006) of the encoder's vectors, shrunk to the
identity, around a centre that leans to the people who were corrected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from transcribe.backends.tracked_voices import TrackedVoices
from transcribe.backends.voice_grouping import Voice
from transcribe.protocols import LabelledSpan

Floats: TypeAlias = NDArray[np.float64]

#: Share of a window that one person alone must fill to count as that person's.
MOSTLY: Final = 0.8
#: Steps in which a window is compared with the turns, in seconds.
STEP_S: Final = 0.02
#: Times that speakers are dealt out by lot.
PERMUTATIONS: Final = 999
#: People that the encoder's own centre weighs as much as.
CENTRE_WEIGHT: Final = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class VoiceSpace:
    """A space that makes the encoder's vectors comparable: around a centre, projected, of unit length."""

    #: ``(size,)``, within the unit sphere.
    centre: Floats
    #: ``(size, size)``; ``None`` leaves the vectors as they are.
    matrix: Floats | None = None

    def enter(self, raw: Floats) -> Floats:
        """Turn the encoder's unit vectors into vectors of this space, ``(windows, size)`` both."""
        around = scale_to_units(raw - self.centre)
        return around if self.matrix is None else scale_to_units(around @ self.matrix)

    def leave(self, vectors: Floats) -> Floats:
        """
        Turn vectors that `enter` made back into the encoder's unit vectors.

        They lie on the rays from the centre, where these leave the unit sphere.
        """
        around = vectors if self.matrix is None else scale_to_units(vectors @ np.linalg.inv(self.matrix))
        along = around @ self.centre
        distance = -along + np.sqrt(np.maximum(along**2 + 1 - self.centre @ self.centre, 0))
        return np.asarray(self.centre + distance[:, None] * around)


def change_space(tracked: TrackedVoices, old: VoiceSpace, new: VoiceSpace) -> TrackedVoices:
    """Copy *tracked*, whose vectors are of the *old* space, with those of the *new* one."""
    voices = tuple(replace(voice, vectors=new.enter(old.leave(voice.vectors))) for voice in tracked.voices)
    return replace(tracked, voices=voices)


def scale_to_units(vectors: Floats) -> Floats:
    """Scale the rows of *vectors* to unit length."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def windows_by_turn(tracked: TrackedVoices, turns: Sequence[LabelledSpan]) -> dict[int, Floats]:
    """Collect the vectors of the windows of *tracked* that one turn alone fills, ``(windows, size)``, by its index."""
    length = round(max((turn.end for turn in turns), default=0) / 1_000 / STEP_S) + 1
    spoken = np.zeros((length, len(turns)), dtype=bool)
    for index, turn in enumerate(turns):
        spoken[round(turn.start / 1_000 / STEP_S) : round(turn.end / 1_000 / STEP_S), index] = True
    vectors: dict[int, list[Floats]] = defaultdict(list)
    for voice in tracked.voices:
        for number, index in _list_owners(voice, spoken):
            vectors[index].append(voice.vectors[number])
    return {index: np.stack(rows) for index, rows in sorted(vectors.items())}


def _list_owners(voice: Voice, spoken: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield each window of *voice* that one turn alone fills, with the turn's index."""
    for number, start in enumerate(voice.starts):
        spectra = voice.spectra[start : start + voice.width]
        steps = np.minimum((spectra / 100 / STEP_S).astype(np.int64), len(spoken) - 1)
        shares = spoken[steps].mean(axis=0)
        if len(shares) and shares.max() >= MOSTLY and shares.sum() - shares.max() <= 1 - MOSTLY:
            yield number, int(shares.argmax())


def windows_by_person(recordings: Iterable[tuple[TrackedVoices, Sequence[LabelledSpan]]]) -> dict[str, Floats]:
    """Collect the windows of each person in all recordings, ``(windows, size)``."""
    pooled: dict[str, list[Floats]] = defaultdict(list)
    for tracked, turns in recordings:
        for index, vectors in windows_by_turn(tracked, turns).items():
            pooled[turns[index].label].append(vectors)
    return {name: np.concatenate(parts) for name, parts in pooled.items()}


def chance_of_agreement(recordings: Iterable[tuple[TrackedVoices, Sequence[LabelledSpan]]], *, seed: int = 0) -> float:
    """
    Estimate how often speakers assigned at random fit the voices as well: a permutation test over a recording's turns.

    The statistic is how much more alike the turns of one person are than those of two, summed over recordings.

    Returns:
        One-sided p-value; 1 where no recording has turns of two people.
    """
    draws = np.random.default_rng(seed)
    totals = np.zeros(PERMUTATIONS + 1)
    for tracked, turns in recordings:
        windows = windows_by_turn(tracked, turns)
        people = np.array([turns[index].label for index in windows])
        if len(set(people.tolist())) < 2:
            continue
        voices = scale_to_units(np.stack([vectors.mean(axis=0) for vectors in windows.values()]))
        likeness = voices @ voices.T
        pairs = np.triu(np.ones(likeness.shape, dtype=bool), 1)
        totals += [
            _measure_contrast(likeness, people, pairs),
            *(_measure_contrast(likeness, draws.permutation(people), pairs) for _ in range(PERMUTATIONS)),
        ]
    # Equal sums differ in their last digits.
    return float((totals >= totals[0] - 1e-9).mean())


def _measure_contrast(likeness: Floats, people: NDArray[np.str_], pairs: NDArray[np.bool_]) -> float:
    same = (people[:, None] == people) & pairs
    return float(likeness[same].sum() - likeness[pairs].mean() * same.sum())


def learn_space(people: Mapping[str, Floats], old: VoiceSpace, *, shrinkage: float) -> VoiceSpace:
    """
    Learn the space in which the windows of *people* are told apart best.

    Args:
        people: Vectors of the *old* space by person, ``(windows, size)`` each.
        old: The space at hand.
        shrinkage: 1 leaves directions as they are; towards 0, those that vary within a person vanish.
    """
    raw = [old.leave(vectors) for vectors in people.values()]
    weight = len(raw) / (len(raw) + CENTRE_WEIGHT)
    centre = (1 - weight) * old.centre + weight * np.mean([vectors.mean(axis=0) for vectors in raw], axis=0)
    size = len(centre)
    scatter = np.zeros((size, size))
    for vectors in raw:
        scatter += np.cov(scale_to_units(vectors - centre), rowvar=False, bias=True) / len(raw)
    shrunk = (1 - shrinkage) * scatter + shrinkage * np.trace(scatter) / size * np.eye(size)
    values, directions = np.linalg.eigh(shrunk)
    # Scaled so that directions of the mean variance stay as long as they are.
    gains = np.sqrt(np.trace(shrunk) / size / np.maximum(values, 1e-12))
    return VoiceSpace(centre=centre, matrix=(directions * gains) @ directions.T)
