"""
Diarise by the embedded pipeline: the library's own, but a chunk's silence is judged by the sound around it.

The small network floors its log energies at a share of the mean energy that it hears. Within a chunk of five seconds in
which hardly anybody speaks, that lifts the hiss of the room to the height of speech, and turns are found in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio import Inference
from pyannote.core import SlidingWindow, SlidingWindowFeature
from scipy.optimize import linear_sum_assignment
from torch.nn import functional

from transcribe.backends.small_nets import FRAME
from transcribe.backends.voice_windows import FEWEST, HOP, Following, Pooled, follow, spread_to_hops
from transcribe.backends.voted_pipeline import VotedDiarization, Votes

#: Sound to either side of a chunk that its silence is judged by, in seconds. Not the whole recording: hours of field
#: recording hold people far from the microphone as well as near to it.
AROUND_S = 30.0
#: Chunks that a window's speaker counts for; five chunks hear a moment.
WINDOW_VOTES = 2.0


def mean_around(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """
    Return the mean of each of *values* and its *reach* neighbours to either side, as far as there are any.

    >>> mean_around(np.array([0.0, 3.0, 6.0]), 1).tolist()
    [1.5, 3.0, 4.5]
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    indices = np.arange(len(values))
    first, last = np.maximum(indices - reach, 0), np.minimum(indices + reach + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)


class InferenceInContext(Inference):
    """The library's sliding inference over a `TurnNet`, which is told how loud the sound around each chunk is."""

    def slide(
        self, waveform: torch.Tensor, sample_rate: int, hook: Callable[..., None] | None = None
    ) -> SlidingWindowFeature:
        """
        Find who speaks in each chunk.

        Args:
            waveform: ``(1, samples)``; the last chunk is filled up with zeros.
            sample_rate: In Hz.
            hook: Is told ``completed`` and ``total`` chunks after every batch.

        Returns:
            ``(chunks, frames, voices)``, ones and zeros.
        """
        chunks = _cut_chunks(waveform, round(self.duration * sample_rate), round(self.step * sample_rate))
        answers = []
        with torch.inference_mode():
            loudness = self._measure_loudness(chunks)
            for first in range(0, len(chunks), self.batch_size):
                batch = slice(first, first + self.batch_size)
                scores = self.model(chunks[batch].to(self.device), loudness=loudness[batch].to(self.device))
                answers.append(self.conversion(scores).cpu().numpy())
                if hook is not None:
                    hook(completed=min(batch.stop, len(chunks)), total=len(chunks))
        window = SlidingWindow(start=0.0, duration=self.duration, step=self.step)
        return SlidingWindowFeature(np.vstack(answers), window)

    def _measure_loudness(self, chunks: torch.Tensor) -> torch.Tensor:
        """Measure the mean energy of the bands around each of *chunks*, ``(chunks,)``."""

        def measure_batches() -> Iterator[NDArray[np.float64]]:
            for batch in chunks.split(self.batch_size):
                yield self.model.bands.energies(batch.to(self.device)).mean(dim=(1, 2)).double().cpu().numpy()

        around = mean_around(np.concatenate(list(measure_batches())), round(AROUND_S / self.step))
        return torch.from_numpy(around).float()


def _cut_chunks(waveform: torch.Tensor, size: int, step: int) -> torch.Tensor:
    """Cut ``(1, samples)`` to ``(chunks, 1, size)``, *step* samples apart; zeros fill up the last one."""
    missing = max(size - waveform.shape[1], (size - waveform.shape[1]) % step)
    return functional.pad(waveform, (0, missing)).unfold(1, size, step).transpose(0, 1)


class DiarizationInContext(VotedDiarization):
    """
    The pipeline that diarises by windows of voice and by chunks of turns.

    `voice_windows` say whose voice each moment is. The local voices of a chunk are given to those speakers, each to
    another as far as there are enough, and vote with them; the chunks say how many speak at once.
    """

    _segmentation: Inference

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        plain = self._segmentation
        self._segmentation = InferenceInContext(
            plain.model, duration=plain.duration, step=plain.step, skip_aggregation=True, batch_size=plain.batch_size
        )

    def vote(
        self,
        file: dict[str, Any],
        segmentations: SlidingWindowFeature,
        least: int,
        most: float,
        hook: Callable[..., None],
    ) -> Votes:
        """Let the local voices of the chunks vote with the windows that hear their speakers."""
        count = self.speaker_count(segmentations, self._segmentation.model.receptive_field, warm_up=(0.0, 0.0))
        hook("speaker_counting", count)
        at_once = count.data[:, 0].astype(int)
        speakers, vectors = self._find_speakers(file, at_once > 0, least, most)
        stride = round(self._segmentation.step / count.sliding_window.step)
        scores = count_votes(segmentations.data, speakers, stride) + WINDOW_VOTES * speakers
        return Votes(scores=scores, at_once=at_once, frames=count.sliding_window, voices=vectors)

    def _find_speakers(
        self, file: dict[str, Any], speech: NDArray[np.bool_], least: int, most: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return who is heard at each frame of *speech*, ``(frames, speakers)`` ones and zeros, and a vector of each.
        """
        windows = self._pool(file, speech).windows()
        usable_hops = np.flatnonzero(windows.frames >= FEWEST)
        if not len(usable_hops):
            usable_hops = np.flatnonzero(windows.frames == windows.frames.max())[:1]
        network = self._embedding.model_
        with torch.inference_mode():
            statistics = torch.from_numpy(windows.statistics()[usable_hops]).float()
            vectors = network.embedding(statistics.to(network.device)).cpu().double().numpy()
        following = Following(threshold=self.clustering.threshold, evidence=self.clustering.Fa, cost=self.clustering.Fb)
        labels = follow(vectors, self._plda(vectors), self._plda.phi, following, least=least, most=most)
        one_hot = np.eye(labels.max() + 1)
        everywhere = spread_to_hops(labels, usable_hops, len(windows.frames)).repeat(HOP)[: len(speech)]
        return one_hot[everywhere] * speech[:, None], np.stack(
            [vectors[labels == label].mean(axis=0) for label in range(len(one_hot))]
        )

    def _pool(self, file: dict[str, Any], speech: NDArray[np.bool_]) -> Pooled:
        """Sum the embedding network's frames of *speech* over each hop; kept in *file* while tuning."""
        if self.training and "training_cache/pooled" in file:
            return file["training_cache/pooled"]
        waveform, _ = self._audio(file)
        hops = -(-len(speech) // HOP)
        waveform = functional.pad(waveform, (0, max(0, hops * HOP * FRAME - waveform.shape[1])))
        mask = np.pad(speech, (0, hops * HOP - len(speech)))
        edges = np.linspace(0, hops, max(1, round(hops * HOP * FRAME / self._audio.sample_rate / AROUND_S)) + 1).astype(
            int
        )
        blocks = [self._pool_block(waveform, mask, first, last) for first, last in pairwise(edges)]
        frames, sums, squares = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        pooled = Pooled(frames=frames, sums=sums, squares=squares)
        if self.training:
            file["training_cache/pooled"] = pooled
        return pooled

    def _pool_block(
        self, waveform: torch.Tensor, speech: NDArray[np.bool_], first: int, last: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return sums over each hop from *first* to before *last*, as `Pooled` holds them."""
        network = self._embedding.model_
        with torch.inference_mode():
            piece = waveform[None, :, first * HOP * FRAME : last * HOP * FRAME]
            frames = network.frames(piece.to(network.device))[0, :, : (last - first) * HOP].double().cpu().numpy()
        mask = speech[first * HOP : last * HOP].reshape(-1, HOP).astype(float)
        features = frames.T.reshape(last - first, HOP, -1) * mask[:, :, None]
        return mask.sum(axis=1), features.sum(axis=1), (features**2).sum(axis=1)


def count_votes(local: NDArray[np.float64], speakers: NDArray[np.float64], stride: int) -> NDArray[np.float64]:
    """
    Count the chunks that hear each speaker at each frame, ``(frames, speakers)``.

    Args:
        local: Activity of the voices of each chunk, ``(chunks, chunk's frames, voices)``.
        speakers: Who is heard at each frame, ``(frames, speakers)``.
        stride: Frames between the beginnings of two chunks.
    """
    counts = np.zeros_like(speakers)
    for number, voices in enumerate(local):
        here = slice(number * stride, number * stride + len(voices))
        voices = voices[: len(speakers[here])]
        whose = match_voices(voices.T @ speakers[here])
        for speaker in np.unique(whose):
            counts[here, speaker] += voices[:, whose == speaker].max(axis=1)
    return counts


def match_voices(shared: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Return the speaker of each local voice by the frames they share, ``(voices, speakers)``.

    Voices go to different speakers as long as they share any frames with them, and else to whom they share most with.

    >>> match_voices(np.array([[9.0, 2.0], [8.0, 0.0]])).tolist()
    [1, 0]
    >>> match_voices(np.array([[9.0], [8.0]])).tolist()
    [0, 0]
    """
    whose = shared.argmax(axis=1)
    voices, speakers = linear_sum_assignment(-shared)
    fits = shared[voices, speakers] > 0
    whose[voices[fits]] = speakers[fits]
    return whose
