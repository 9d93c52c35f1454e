"""Join the local voices of overlapping chunks over time into tracks of one local voice each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Scores = NDArray[np.float32]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]

#: Active frames that a voice needs in a chunk to count (0.1 s).
FEWEST_FRAMES = 6
#: Share of the activity of two voices in neighbouring chunks that must agree for one track.
AGREEMENT = 0.5
#: Speech without anybody else, in seconds, from which the rest of a track's speech is left out of its voice.
ENOUGH_ALONE_S = 0.4


@dataclass(frozen=True, kw_only=True, eq=False)
class Chunks:
    """The soft activity of the local voices of overlapping chunks."""

    #: ``(chunks, frames, voices)``, from 0 to 1.
    scores: Scores
    #: First frame of each chunk in the recording, ``(chunks,)``.
    starts: Numbers
    frame_s: float
    #: Score from which a voice counts as active.
    threshold: float

    @property
    def active(self) -> Mask:
        """The active voices of each frame, shaped as the scores."""
        return np.asarray(self.scores > self.threshold)

    @property
    def frames(self) -> int:
        """The count of frames from the beginning of the first chunk to the end of the last."""
        return int(self.starts[-1]) + self.scores.shape[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """One local voice over neighbouring chunks."""

    #: Frame of the recording that the mask begins with.
    first: int
    #: Frames that tell the voice: those without anybody else where there are enough.
    speech: Mask


def link_voices(chunks: Chunks) -> Numbers:
    """
    Number the track of each local voice, ``(chunks, voices)``; -1 where a voice is silent.

    Voices of neighbouring chunks are paired so that they share most activity, and stay one track where they agree.
    """
    enough = chunks.active.sum(axis=1) >= FEWEST_FRAMES
    tracks = np.full(enough.shape, -1, dtype=np.int64)
    count = 0
    for chunk, voices in enumerate(enough):
        if chunk:
            pairs = _pair_voices(chunks, chunk)
            for previous, current in pairs:
                if tracks[chunk - 1, previous] >= 0 and voices[current]:
                    tracks[chunk, current] = tracks[chunk - 1, previous]
        for voice in np.flatnonzero(voices & (tracks[chunk] < 0)):
            tracks[chunk, voice] = count
            count += 1
    return tracks


def _pair_voices(chunks: Chunks, chunk: int) -> list[tuple[int, int]]:
    """Pair the voices of the chunk before with those of *chunk* that agree in what both hear."""
    shift = int(chunks.starts[chunk] - chunks.starts[chunk - 1])
    previous = chunks.scores[chunk - 1, shift:]
    current = chunks.scores[chunk, : len(previous)]
    shared = np.minimum(previous[:, :, None], current[:, None, :]).sum(axis=0)
    either = np.maximum(previous[:, :, None], current[:, None, :]).sum(axis=0)
    is_active = [(part > chunks.threshold).sum(axis=0) >= FEWEST_FRAMES for part in (previous, current)]
    return [
        (int(first), int(second))
        for first, second in zip(*linear_sum_assignment(-shared), strict=True)
        if is_active[0][first] and is_active[1][second] and shared[first, second] >= AGREEMENT * either[first, second]
    ]


def build_tracks(chunks: Chunks, numbers: Numbers) -> list[Track]:
    """Build the tracks that *numbers* name, in their order."""
    active = chunks.active
    alone = active & (active.sum(axis=2, keepdims=True) == 1)
    members_by_track: list[list[tuple[int, int]]] = [[] for _ in range(int(numbers.max(initial=-1)) + 1)]
    for chunk, voice in np.argwhere(numbers >= 0):
        members_by_track[numbers[chunk, voice]].append((int(chunk), int(voice)))
    return [_build_track(chunks, active, alone, members) for members in members_by_track]


def _build_track(chunks: Chunks, active: Mask, alone: Mask, members: list[tuple[int, int]]) -> Track:
    first = int(chunks.starts[members[0][0]])
    length = int(chunks.starts[members[-1][0]]) - first + active.shape[1]
    votes = np.zeros((2, length))
    chances = np.zeros(length)
    for chunk, voice in members:
        begin = int(chunks.starts[chunk]) - first
        here = slice(begin, begin + active.shape[1])
        votes[0, here] += alone[chunk, :, voice]
        votes[1, here] += active[chunk, :, voice]
        chances[here] += 1
    solo, spoken = votes > chances / 2
    if solo.sum() * chunks.frame_s >= ENOUGH_ALONE_S:
        return Track(first=first, speech=solo)
    return Track(first=first, speech=spoken if spoken.sum() >= FEWEST_FRAMES else votes[1] > 0)


def separate_seconds(chunks: Chunks, numbers: Numbers) -> dict[tuple[int, int], float]:
    """Measure how long both of two tracks are active without each other in one chunk, at best; in seconds."""
    active = chunks.active
    alone_s = (active & (active.sum(axis=2, keepdims=True) == 1)).sum(axis=1) * chunks.frame_s
    longest: dict[tuple[int, int], float] = {}
    for tracks, seconds in zip(numbers, alone_s, strict=True):
        for first, second in zip(*np.triu_indices(len(tracks), 1), strict=True):
            if tracks[first] >= 0 and tracks[second] >= 0 and tracks[first] != tracks[second]:
                pair = (min(tracks[first], tracks[second]), max(tracks[first], tracks[second]))
                longest[pair] = max(longest.get(pair, 0.0), min(seconds[first], seconds[second]))
    return longest
