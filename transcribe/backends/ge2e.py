"""The GE2E speaker encoder (Wan et al. 2018) with the weights of Resemblyzer, as a network of pyannote.audio."""

from __future__ import annotations

from functools import lru_cache

import torch
import torchaudio
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task
from torch import nn
from torch.nn import functional

#: Samples between two spectra (10 ms at 16 kHz) and under one spectrum's window (25 ms).
HOP, WINDOW = 160, 400
#: Spectra of one window of the encoder (1.6 s), and between two windows.
SPECTRA, STEP = 160, 40
#: Windows that are heard at once.
BATCH = 64
#: Level that speech is brought to, in dB of full scale.
LEVEL_DBFS = -30.0
#: Fewest samples that a voice can be told from (300 ms).
SHORTEST = 4_800


class Ge2eEncoder(Model):
    """
    One vector for each voice of a chunk: the mean of the unit vectors of windows over the masked speech.

    Args:
        bands: Mel bands.
        memory: Width of each of the three recurrent layers.
        size: Length of the vector.
        projected: Whether the weights hold a projection, learnt from corrections, of the vectors around the centre.
    """

    centre: torch.Tensor
    projection: torch.Tensor

    def __init__(
        self,
        sample_rate: int = 16_000,
        num_channels: int = 1,
        bands: int = 40,
        memory: int = 256,
        size: int = 256,
        projected: bool = False,
        task: Task | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.save_hyperparameters("bands", "memory", "size", "projected")
        self.spectra = torchaudio.transforms.MelSpectrogram(
            sample_rate, n_fft=WINDOW, hop_length=HOP, n_mels=bands, norm="slaney", mel_scale="slaney", power=2.0
        )
        for buffer in (self.spectra.spectrogram, self.spectra.mel_scale):
            buffer._non_persistent_buffers_set.update(buffer._buffers)
        self.lstm = nn.LSTM(bands, memory, num_layers=3, batch_first=True)
        self.linear = nn.Linear(memory, size)
        #: Mean of the unit vectors of many people: without it, vectors of two people are much alike.
        self.register_buffer("centre", torch.zeros(size))
        if projected:
            self.register_buffer("projection", torch.eye(size))

    @property
    def dimension(self) -> int:
        """The length of the vector."""
        return int(self.hparams["size"])

    @lru_cache  # noqa: B019 - the library calls it so and there are few models in a process
    def num_frames(self, num_samples: int) -> int:
        """Return the count of spectra over that many samples."""
        return num_samples // HOP + 1

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Return the samples under that many neighbouring spectra."""
        return WINDOW + (num_frames - 1) * HOP

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the sample in the middle of a spectrum."""
        return frame * HOP

    def forward(self, waveforms: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """
        Return the vectors of the voices that *weights* mark.

        Args:
            waveforms: ``(batch, 1, samples)``.
            weights: How much each frame belongs to the voice, ``(batch, frames)`` at any frame rate; the whole chunk
                where absent.

        Returns:
            ``(batch, dimension)``; NaN where a voice has less than `SHORTEST` samples of speech.

        Raises:
            ValueError: If the waveforms are shorter than `SHORTEST`.
        """
        if waveforms.shape[-1] < SHORTEST:
            raise ValueError(f"a voice was asked for from {waveforms.shape[-1]} samples; it needs {SHORTEST}")
        if weights is None:
            weights = waveforms.new_ones(waveforms.shape[0], 1)
        spoken = functional.interpolate(weights[:, None], size=waveforms.shape[-1], mode="nearest")[:, 0] > 0.5
        return torch.stack([self._encode(wave[0, mask]) for wave, mask in zip(waveforms, spoken, strict=True)])

    def _encode(self, speech: torch.Tensor) -> torch.Tensor:
        """Turn the *speech* of one voice, ``(samples,)``, to its vector, ``(dimension,)``."""
        if len(speech) < SHORTEST:
            return speech.new_full((self.dimension,), torch.nan)
        level = 10 ** (LEVEL_DBFS / 20) / speech.square().mean().sqrt().clamp(min=1e-5)
        padded = functional.pad(speech * level, (0, max(0, SPECTRA * HOP - len(speech))))
        spectra = self.spectra(padded).T
        windows = spectra.unfold(0, SPECTRA, STEP).transpose(1, 2)
        _, (hidden, _) = self.lstm(windows)
        vectors = functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)
        return functional.normalize(vectors.mean(dim=0), dim=0)

    def windows(self, waveform: torch.Tensor, spoken: torch.Tensor, hop: int) -> torch.Tensor:
        """
        Turn windows over the speech of one voice to unit vectors around the centre.

        Args:
            waveform: ``(samples,)``.
            spoken: Spectra of the voice, ``(samples // HOP + 1,)``, at least one.
            hop: Spectra of speech between two windows.

        Returns:
            ``(windows, size)``; one, of all the speech, where that is shorter than a window.
        """
        power = functional.pad(waveform, (WINDOW // 2, WINDOW // 2)).unfold(0, WINDOW, HOP).square().mean(dim=1)[spoken]
        level = 10 ** (LEVEL_DBFS / 10) / power.mean().clamp(min=1e-10)
        speech = self.spectra(waveform).T[spoken] * level
        pieces = speech.unfold(0, min(SPECTRA, len(speech)), hop).transpose(1, 2)
        vectors = []
        for batch in pieces.split(BATCH):
            _, (hidden, _) = self.lstm(batch)
            vectors.append(functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1))
        around = functional.normalize(torch.cat(vectors) - self.centre, dim=1)
        return functional.normalize(around @ self.projection, dim=1) if self.hparams.projected else around
