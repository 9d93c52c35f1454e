"""
The pipeline of the embedded diariser: the library's own, but a chunk's silence is judged by the sound around it.

The small network floors its log energies at a share of the mean energy that it hears. Within a chunk of five seconds in
which hardly anybody speaks, that lifts the hiss of the room to the height of speech, and turns are found in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio import Inference
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.core import SlidingWindow, SlidingWindowFeature
from torch.nn import functional

#: Sound to either side of a chunk that its silence is judged by, in seconds. Not the whole recording: hours of field
#: recording hold people far from the microphone as well as near to it.
AROUND_S = 30.0


def mean_around(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """
    Mean of each of *values* and its *reach* neighbours to either side, as far as there are any.

    >>> mean_around(np.array([0.0, 3.0, 6.0]), 1).tolist()
    [1.5, 3.0, 4.5]
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    first, last = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)


class InferenceInContext(Inference):
    """The library's sliding inference over a `TurnNet`, which is told of each chunk how loud the sound around it is."""

    def slide(
        self, waveform: torch.Tensor, sample_rate: int, hook: Callable[..., None] | None = None
    ) -> SlidingWindowFeature:
        """
        Who speaks in each chunk.

        Args:
            waveform: ``(1, samples)``; the last chunk is filled up with zeros.
            sample_rate: In Hz.
            hook: Is told ``completed`` and ``total`` chunks after every batch.

        Returns:
            ``(chunks, frames, voices)``, ones and zeros.
        """
        chunks = _chunks(waveform, round(self.duration * sample_rate), round(self.step * sample_rate))
        found = []
        with torch.inference_mode():
            loudness = self._loudness(chunks)
            for first in range(0, len(chunks), self.batch_size):
                batch = slice(first, first + self.batch_size)
                scores = self.model(chunks[batch].to(self.device), loudness=loudness[batch].to(self.device))
                found.append(self.conversion(scores).cpu().numpy())
                if hook is not None:
                    hook(completed=min(batch.stop, len(chunks)), total=len(chunks))
        window = SlidingWindow(start=0.0, duration=self.duration, step=self.step)
        return SlidingWindowFeature(np.vstack(found), window)

    def _loudness(self, chunks: torch.Tensor) -> torch.Tensor:
        """Mean energy of the bands around each of *chunks*, ``(chunks,)``."""

        def means() -> Iterator[NDArray[np.float64]]:
            for batch in chunks.split(self.batch_size):
                yield self.model.bands.energies(batch.to(self.device)).mean(dim=(1, 2)).double().cpu().numpy()

        around = mean_around(np.concatenate(list(means())), round(AROUND_S / self.step))
        return torch.from_numpy(around).float()


def _chunks(waveform: torch.Tensor, size: int, step: int) -> torch.Tensor:
    """``(1, samples)`` to ``(chunks, 1, size)``, *step* samples apart; zeros fill up the last one."""
    missing = max(size - waveform.shape[1], (size - waveform.shape[1]) % step)
    return functional.pad(waveform, (0, missing)).unfold(1, size, step).transpose(0, 1)


class DiarizationInContext(SpeakerDiarization):
    """`SpeakerDiarization` with a `TurnNet` that hears each chunk in the loudness of the sound around it."""

    _segmentation: Inference

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        plain = self._segmentation
        self._segmentation = InferenceInContext(
            plain.model, duration=plain.duration, step=plain.step, skip_aggregation=True, batch_size=plain.batch_size
        )
