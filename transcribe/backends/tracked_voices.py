"""
Hold recordings as the networks hear them, before speakers are told apart, and vote who speaks when by the thresholds.

The networks take nearly all the time and know nothing of the thresholds, so that these can be tuned on what was heard
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from transcribe.backends.voice_grouping import Grouping, Stretch, Voice, cut_track
from transcribe.backends.voice_tracks import Chunks

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackedVoices:
    """One recording as the segmentation network and the encoder hear it."""

    chunks: Chunks
    #: Track of each local voice, ``(chunks, voices)``; -1 where a voice is silent.
    tracks: Numbers
    #: Windows of each track, by its number.
    voices: tuple[Voice, ...]
    #: Seconds for which the segmentation told two tracks apart, the smaller number first.
    separate_s: Mapping[tuple[int, int], float]


def cut_tracks(voices: Sequence[Voice], grouping: Grouping, *, least: int = 1) -> list[Stretch]:
    """Cut *voices* where they change, and wherever possible if that gives less than *least* stretches."""
    stretches = [part for number, voice in enumerate(voices) for part in cut_track(voice, number, grouping.cut)]
    if len(stretches) >= least:
        return stretches
    return [part for number, voice in enumerate(voices) for part in cut_track(voice, number, np.inf)]


def vote(tracked: TrackedVoices, stretches: Sequence[Stretch], labels: Numbers) -> tuple[Floats, Numbers]:
    """
    Let the chunks vote who speaks.

    Returns:
        The summed activity of each speaker at each frame, ``(frames, speakers)``, and how many speak at once,
        ``(frames,)``.
    """
    chunks, tracks = tracked.chunks, tracked.tracks
    active_voices = chunks.active
    length, speakers = chunks.scores.shape[1], int(labels.max()) + 1
    owners = _list_owners(stretches, labels, chunks.frame_s)
    scores = np.zeros((chunks.frames, speakers))
    count, chances = np.zeros(chunks.frames), np.zeros(chunks.frames)
    indices = np.arange(length)
    for chunk, start in enumerate(chunks.starts):
        activity, loud = np.zeros((length, speakers)), np.zeros((length, speakers), dtype=bool)
        for voice in np.flatnonzero(tracks[chunk] >= 0):
            edges, whose = owners[tracks[chunk, voice]]
            speaker = whose[np.searchsorted(edges, start + indices, "right")]
            activity[indices, speaker] = np.maximum(activity[indices, speaker], chunks.scores[chunk, :, voice])
            loud[indices, speaker] |= active_voices[chunk, :, voice]
        here = slice(start, start + length)
        scores[here] += activity
        count[here] += loud.sum(axis=1)
        chances[here] += 1
    return scores, np.rint(count / np.maximum(chances, 1)).astype(np.int64)


def _list_owners(stretches: Sequence[Stretch], labels: Numbers, frame_s: float) -> dict[int, tuple[Floats, Numbers]]:
    """List the frames at which the speaker of each track may change, midway between stretches, and the speakers."""
    members: dict[int, list[int]] = {}
    for number, stretch in enumerate(stretches):
        members.setdefault(stretch.track, []).append(number)
    owners = {}
    for track, numbers in members.items():
        parts = [stretches[number] for number in numbers]
        edges = [(earlier.end_s + later.start_s) / 2 / frame_s for earlier, later in pairwise(parts)]
        owners[track] = (np.array(edges), labels[numbers])
    return owners


def average_voices(stretches: Sequence[Stretch], labels: Numbers) -> Floats:
    """Average the vectors of each speaker, weighted by speech, ``(speakers, size)``."""
    seconds = np.array([stretch.speech_s for stretch in stretches])
    vectors = np.stack([stretch.vector for stretch in stretches])
    means = [
        np.average(vectors[labels == speaker], axis=0, weights=seconds[labels == speaker])
        for speaker in range(int(labels.max()) + 1)
    ]
    return np.stack(means)
