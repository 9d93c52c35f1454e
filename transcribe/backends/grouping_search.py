"""
Search the thresholds of a diariser on conversations whose turns people have corrected.

The networks hear each conversation once for each threshold of speech; what is tried on that costs milliseconds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from transcribe.backends.tracked_voices import TrackedVoices, cut_tracks, vote
from transcribe.backends.voice_grouping import Grouping, Stretch, group_stretches
from transcribe.backends.voted_pipeline import choose_active
from transcribe.protocols import LabelledSpan
from transcribe.records import Milliseconds

Mask: TypeAlias = NDArray[np.bool_]

#: What each speaker too many or too few adds to the error of a conversation.
COUNT_PENALTY: Final = 0.02
#: How far each threshold may be moved.
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "cut": (0.2, 0.85),
    "join": (0.0, 0.6),
    "short": (0.0, 0.2),
    "apart": (0.0, 0.4),
    "same_track": (0.0, 0.2),
    "near": (0.0, 0.3),
    "smallest_s": (0.3, 10.0),
    "smallest_share": (0.01, 0.35),
    "pause_s": (0.0, 1.5),
}
#: Width of the draws around the best, as a share of the range: the first and the last ones.
WIDTHS: Final = (0.25, 0.05)
#: Places after the comma of a threshold: cuts that were made before are looked up.
DIGITS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The thresholds that are tuned."""

    grouping: Grouping
    #: Longest silence of a speaker that does not end a turn, in seconds.
    pause_s: float
    #: Score from which a local voice speaks.
    speech: float

    def value(self, name: str) -> float:
        """Return the threshold *name* of `RANGES`."""
        return self.pause_s if name == "pause_s" else float(getattr(self.grouping, name))

    def move(self, values: Mapping[str, float]) -> Thresholds:
        """Copy these with *values* by the names of `RANGES`."""
        grouping = {name: value for name, value in values.items() if name != "pause_s"}
        return replace(self, grouping=replace(self.grouping, **grouping), pause_s=values.get("pause_s", self.pause_s))

    def data(self) -> dict[str, float]:
        """Return all thresholds by name, for JSON."""
        return asdict(self.grouping) | {"pause_s": self.pause_s, "speech": self.speech}


@dataclass(frozen=True, kw_only=True, eq=False)
class HeardConversation:
    """A conversation as the networks hear it, with its corrected turns."""

    name: str
    #: By the threshold of speech, that of the present diariser first.
    tracked: Mapping[float, TrackedVoices]
    turns: Sequence[LabelledSpan]
    #: Stretches that are judged, in milliseconds.
    scored: Sequence[tuple[Milliseconds, Milliseconds]]

    @property
    def present(self) -> TrackedVoices:
        """The voices that the present diariser hears."""
        return next(iter(self.tracked.values()))

    @property
    def frame_s(self) -> float:
        """The length of a frame in seconds."""
        return self.present.chunks.frame_s

    @cached_property
    def scored_frames(self) -> Mask:
        """The frames that are judged, ``(frames,)``."""
        frames = max(tracked.chunks.frames for tracked in self.tracked.values())
        mask = np.zeros(frames, dtype=bool)
        for start, end in self.scored:
            mask[self._slice_frames(start, end)] = True
        return mask

    @cached_property
    def truth(self) -> Mask:
        """The true speakers of each frame, ``(frames, speakers)``."""
        names = sorted({turn.label for turn in self.turns})
        truth = np.zeros((len(self.scored_frames), len(names)), dtype=bool)
        for turn in self.turns:
            truth[self._slice_frames(turn.start, turn.end), names.index(turn.label)] = True
        return truth

    @cached_property
    def _cuts(self) -> dict[tuple[float, float], list[Stretch]]:
        return {}

    def stretches(self, thresholds: Thresholds) -> list[Stretch]:
        """Cut the tracks by *thresholds*; cuts that were made before are looked up."""
        key = (thresholds.speech, thresholds.grouping.cut)
        if key not in self._cuts:
            self._cuts[key] = cut_tracks(self.tracked[thresholds.speech].voices, thresholds.grouping)
        return self._cuts[key]

    def transform(self, change: Callable[[TrackedVoices], TrackedVoices]) -> HeardConversation:
        """Copy this with other vectors."""
        return replace(self, tracked={speech: change(tracked) for speech, tracked in self.tracked.items()})

    def _slice_frames(self, start: Milliseconds, end: Milliseconds) -> slice:
        return slice(round(start / 1_000 / self.frame_s), round(end / 1_000 / self.frame_s))


def diarise(conversation: HeardConversation, thresholds: Thresholds) -> Mask:
    """Decide who speaks at each frame by *thresholds*, without a speaker count, ``(frames, speakers)``."""
    tracked = conversation.tracked[thresholds.speech]
    if not tracked.voices:
        return np.zeros((tracked.chunks.frames, 0), dtype=bool)
    stretches = conversation.stretches(thresholds)
    labels = group_stretches(stretches, tracked.separate_s, thresholds.grouping)
    spoken = choose_active(*vote(tracked, stretches, labels)) > 0
    return close_pauses(spoken, round(thresholds.pause_s / conversation.frame_s))


def close_pauses(spoken: Mask, longest: int) -> Mask:
    """
    Let each speaker go on through pauses of up to *longest* frames, ``(frames, speakers)``.

    >>> close_pauses(np.array([[1], [0], [1], [0], [0], [1]], dtype=bool), 1).ravel().astype(int).tolist()
    [1, 1, 1, 0, 0, 1]
    """
    closed = spoken.copy()
    for speaker in range(spoken.shape[1]):
        frames = np.flatnonzero(spoken[:, speaker])
        for index in np.flatnonzero((np.diff(frames) > 1) & (np.diff(frames) <= longest + 1)):
            closed[frames[index] : frames[index + 1], speaker] = True
    return closed


def error_rate(truth: Mask, hypothesis: Mask) -> float:
    """
    Measure the diarisation error rate by frames, collar 0, overlap scored; 0 where nobody speaks and nobody is heard.

    Args:
        truth: Who speaks at each frame, ``(frames, speakers)``.
        hypothesis: The same with labels of its own, under the kindest pairing.
    """
    true_counts, hypothesis_counts = truth.sum(axis=1), hypothesis.sum(axis=1)
    shared = truth.T.astype(np.int64) @ hypothesis.astype(np.int64)
    correct = shared[linear_sum_assignment(-shared)].sum()
    errors = int(np.maximum(true_counts, hypothesis_counts).sum() - correct)
    return errors / max(1, int(true_counts.sum()))


def loss(conversation: HeardConversation, thresholds: Thresholds) -> float:
    """Add the error rate to the penalty for a wrong number of speakers, by *thresholds*."""
    judged = conversation.scored_frames
    hypothesis = diarise(conversation, thresholds)
    hypothesis = np.pad(hypothesis, ((0, len(judged) - len(hypothesis)), (0, 0)))[judged]
    truth = conversation.truth[judged]
    wrong = abs(int(hypothesis.any(axis=0).sum()) - int(truth.any(axis=0).sum()))
    return error_rate(truth, hypothesis) + COUNT_PENALTY * wrong


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """A set of thresholds and its loss on each conversation."""

    thresholds: Thresholds
    #: In the order of the conversations.
    losses: NDArray[np.float64]

    @property
    def mean(self) -> float:
        return float(self.losses.mean())


def try_out(conversations: Sequence[HeardConversation], thresholds: Thresholds) -> Trial:
    """Measure the loss of *thresholds* on each of *conversations*."""
    losses = np.array([loss(conversation, thresholds) for conversation in conversations])
    return Trial(thresholds=thresholds, losses=losses)


def search(
    conversations: Sequence[HeardConversation],
    present: Thresholds,
    *,
    trials: int,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> list[Trial]:
    """
    Try the *present* thresholds and *trials* others: half drawn from all of `RANGES`, half around the best so far.

    Every threshold of speech that the conversations were heard with is tried in turn.

    Returns:
        All trials, the present thresholds first.
    """
    chance = random.Random(seed)
    done = [try_out(conversations, present)]
    speeches = sorted(conversations[0].tracked)
    done += [try_out(conversations, replace(present, speech=speech)) for speech in speeches if speech != present.speech]
    for number in range(trials):
        best = min(done, key=lambda trial: trial.mean).thresholds
        share = number / trials
        width = None if share < 0.5 else WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * (2 * share - 1)
        done.append(try_out(conversations, best.move(dict(_draw(best, chance, width)))))
        advance()
    return done


def _draw(around: Thresholds, chance: random.Random, width: float | None) -> Iterator[tuple[str, float]]:
    """Draw a few thresholds: from their whole ranges, or with *width* (as a share of the range) around those before."""
    for name, (low, high) in RANGES.items():
        if chance.random() < 0.5:
            continue
        drawn = chance.uniform(low, high) if width is None else chance.gauss(around.value(name), width * (high - low))
        yield name, round(min(high, max(low, drawn)), DIGITS)
