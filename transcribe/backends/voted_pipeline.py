"""Share what both pipelines need: turn votes for speakers at each frame into the library's output."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import Annotation, SlidingWindow, SlidingWindowFeature

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Votes:
    """The votes for who speaks when, before anybody was chosen."""

    #: How much each speaker is heard at each frame, ``(frames, speakers)``.
    scores: Floats
    #: How many speak at once, ``(frames,)``.
    at_once: Numbers
    frames: SlidingWindow
    #: A vector of each speaker, ``(speakers, size)``; ``None`` where nobody speaks.
    voices: Floats | None


class VotedDiarization(SpeakerDiarization):
    """A pipeline that votes at each frame; it takes hints and gives turns as the library's own does."""

    def apply(
        self,
        file: dict[str, Any],
        num_speakers: int | None = None,
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        hook: Callable[..., None] | None = None,
    ) -> DiarizeOutput | Annotation:
        """Diarise *file* as the library's own pipeline does, hints and all; ``legacy`` gives the bare annotation."""
        hook = self.setup_hook(file, hook=hook)
        _, least, most = self.set_num_speakers(num_speakers, min_speakers, max_speakers)
        segmentations = self.get_segmentations(file, hook=hook)
        hook("segmentation", segmentations)
        votes = self.vote(file, segmentations, least, most, hook)
        pause_s = self.segmentation.min_duration_off
        loudest = bridge_breaks(
            choose_active(votes.scores, np.minimum(votes.at_once, 1)), round(pause_s / votes.frames.step)
        )
        annotation = self._annotation(file, choose_active(votes.scores, votes.at_once), votes.frames, pause_s)
        alone = self._annotation(file, loudest, votes.frames, 0.0)
        names = dict(zip(annotation.labels(), self.classes(), strict=False))
        output = DiarizeOutput(
            speaker_diarization=annotation.rename_labels(names),
            exclusive_speaker_diarization=alone.rename_labels(names),
            speaker_embeddings=None if votes.voices is None else votes.voices[annotation.labels()],
        )
        return output.speaker_diarization if self.legacy else output

    @abstractmethod
    def vote(
        self,
        file: dict[str, Any],
        segmentations: SlidingWindowFeature,
        least: int,
        most: float,
        hook: Callable[..., None],
    ) -> Votes:
        """Let the *segmentations* of *file* and its voices vote for from *least* to *most* speakers."""

    def _annotation(self, file: dict[str, Any], spoken: Floats, frames: SlidingWindow, pause_s: float) -> Annotation:
        annotation = self.to_annotation(SlidingWindowFeature(spoken, frames), min_duration_off=pause_s)
        annotation.uri = file["uri"]
        return annotation


def choose_active(scores: NDArray[np.float64], at_once: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return ones for the *at_once* best of each frame's *scores*, ``(frames, speakers)``; nobody without any score."""
    ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1, kind="stable")
    return ((ranks < at_once[:, None]) & (scores > 0)).astype(float)


def bridge_breaks(alone: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """
    Give breaks of up to *longest* frames in what a speaker says to that speaker, whoever else was there.

    At most one speaks in a frame of *alone*, ``(frames, speakers)``, and of what comes back. The library's own way of
    closing pauses would make the exclusive turns overlap.
    """
    owner = np.where(alone.any(axis=1), alone.argmax(axis=1), -1)
    for speaker in range(alone.shape[1]):
        spoken = np.flatnonzero(owner == speaker)
        for last in np.flatnonzero(np.diff(spoken) <= longest + 1):
            owner[spoken[last] : spoken[last + 1]] = speaker
    return (owner[:, None] == np.arange(alone.shape[1])).astype(float)
