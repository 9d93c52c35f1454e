"""
Define the two networks of the embedded diariser: log-mel bands and dilated convolutions, then turns or voices.

They keep the interfaces of the library's PyanNet and x-vector. Those hear the bare waveform and need far more speech
and work to learn from; the x-vector's fixed widths (512 and 1500 channels) alone take 11 MB. Checkpoints name these
classes, so the library's loader finds them by import.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task
from pyannote.audio.models.blocks.pooling import StatsPool
from torch import nn
from torch.nn import functional

#: Samples between two spectra (10 ms at 16 kHz) and samples under one spectrum's window (25 ms).
HOP, WINDOW, FFT = 160, 400, 512
#: Spectra between two frames of the convolutions, so a frame covers 20 ms.
STRIDE = 2
#: Samples that a frame stands for.
FRAME = HOP * STRIDE
#: Widest tap and dilations of the convolutions after the first.
KERNEL, DILATIONS = 3, (1, 2, 3, 4)
#: Fewest samples that a voice can be told from (300 ms). The library looks for the shortest sound that raises no
#: error, and leaves speech under other speech out only where that much remains.
SHORTEST = 4_800
#: A band never counts as quieter than this share of the mean energy, the chunk's or that of the sound around it:
#: digital silence between clips and the hiss of a room then look alike.
FLOOR = 1e-3


def mel_bands(bands: int, sample_rate: int, low_hz: float = 60.0, high_hz: float = 7_600.0) -> torch.Tensor:
    """Return triangular filters evenly spaced on the mel scale of O'Shaughnessy (1987), ``(bands, FFT // 2 + 1)``."""
    low_mel, high_mel = (2595.0 * math.log10(1 + hz / 700.0) for hz in (low_hz, high_hz))
    edges_mel = torch.linspace(low_mel, high_mel, bands + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1)
    bins_hz = torch.linspace(0, sample_rate / 2, FFT // 2 + 1)
    rising = (bins_hz[None] - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    falling = (edges_hz[2:, None] - bins_hz[None]) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0)


class Bands(nn.Module):
    """
    The log energies of mel bands without the chunk's mean: ``(batch, 1, samples)`` to ``(batch, bands, spectra)``.

    Nothing counts as quieter than a share of ``loudness``, a mean energy for each of the batch, ``(batch,)``; without
    it, than that share of the chunk's own.
    """

    filters: torch.Tensor
    window: torch.Tensor

    def __init__(self, bands: int, sample_rate: int) -> None:
        super().__init__()
        self.register_buffer("filters", mel_bands(bands, sample_rate), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)

    def energies(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Turn ``(batch, 1, samples)`` to ``(batch, bands, spectra)``."""
        spectra = torch.stft(waveforms.squeeze(1), FFT, HOP, WINDOW, self.window, center=True, return_complex=True)
        return self.filters @ (spectra.real**2 + spectra.imag**2)

    def forward(self, waveforms: torch.Tensor, loudness: torch.Tensor | None = None) -> torch.Tensor:
        energies = self.energies(waveforms)
        mean = energies.mean(dim=(1, 2)) if loudness is None else loudness
        logs = torch.log(energies + FLOOR * mean[:, None, None] + 1e-8)
        return logs - logs.mean(dim=2, keepdim=True)


class Dilated(nn.Module):
    """A convolution over time that adds to its input; the shape ``(batch, channels, frames)`` stays."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, KERNEL, dilation=dilation, padding=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return frames + torch.relu(self.norm(self.conv(frames)))


class Hearing(Model):
    """
    The first layers of both networks: a frame of *channels* features each 20 ms that sees 0.25 s to either side.

    Args:
        bands: Mel bands.
        channels: Width of the convolutions.
    """

    def __init__(self, sample_rate: int, num_channels: int, bands: int, channels: int, task: Task | None) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.bands = Bands(bands, sample_rate)
        self.first = nn.Conv1d(bands, channels, 5, stride=STRIDE, padding=2, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.blocks = nn.ModuleList(Dilated(channels, dilation) for dilation in DILATIONS)

    def extract_features(self, waveforms: torch.Tensor, loudness: torch.Tensor | None = None) -> torch.Tensor:
        """Turn ``(batch, 1, samples)``, with the `Bands`' loudness, to ``(batch, channels, samples // FRAME + 1)``."""
        frames = torch.relu(self.norm(self.first(self.bands(waveforms, loudness))))
        for block in self.blocks:
            frames = block(frames)
        return frames

    @lru_cache  # noqa: B019 - the library calls it so and there are few models in a process
    def num_frames(self, num_samples: int) -> int:
        """Return how many whole frames that many samples hold."""
        return num_samples // FRAME

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """
        Return the samples that neighbouring frames stand for.

        The library dates a frame by half of this, so it is the stretch that a frame is about and not all it has heard.
        """
        return num_frames * FRAME

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the sample in the middle of what a frame is about."""
        return frame * FRAME + FRAME // 2


class TurnNet(Hearing):
    """
    A network for who of a few voices speaks in each frame of a chunk, as log-probabilities of the specification's
    classes.

    Args:
        bands: Mel bands.
        channels: Width of the convolutions.
        memory: Width of each direction of the two recurrent layers.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        num_channels: int = 1,
        bands: int = 64,
        channels: int = 128,
        memory: int = 64,
        task: Task | None = None,
    ) -> None:
        super().__init__(sample_rate, num_channels, bands, channels, task)
        self.save_hyperparameters("bands", "channels", "memory")
        self.dropout = nn.Dropout(0.2)
        self.lstm = nn.LSTM(channels, memory, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.linear = nn.Linear(2 * memory, memory)

    @property
    def dimension(self) -> int:
        """The number of classes."""
        return int(self.specifications.num_powerset_classes)

    def build(self) -> None:
        """Add the layer that depends on the specification; the library calls it when it loads a checkpoint."""
        self.classifier = nn.Linear(int(self.hparams["memory"]), self.dimension)
        self.activation = self.default_activation()

    def forward(self, waveforms: torch.Tensor, loudness: torch.Tensor | None = None) -> torch.Tensor:
        """Turn ``(batch, 1, samples)``, with the `Bands`' loudness, to ``(batch, samples // FRAME, classes)``."""
        frames, _ = self.lstm(self.dropout(self.extract_features(waveforms, loudness)[:, :, :-1].transpose(1, 2)))
        scores: torch.Tensor = self.activation(self.classifier(functional.leaky_relu(self.linear(frames))))
        return scores


class SpeakerNet(Hearing):
    """
    A network with one vector for each voice of a chunk; vectors of one person point the same way.

    Args:
        bands: Mel bands.
        channels: Width of the convolutions.
        pooled: Width whose mean and standard deviation over the masked frames are kept.
        dimension: Length of the vector.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        num_channels: int = 1,
        bands: int = 64,
        channels: int = 128,
        pooled: int = 256,
        dimension: int = 96,
        task: Task | None = None,
    ) -> None:
        super().__init__(sample_rate, num_channels, bands, channels, task)
        self.save_hyperparameters("bands", "channels", "pooled", "dimension")
        self.widen = nn.Conv1d(channels, pooled, 1)
        self.pool = StatsPool()
        self.embedding = nn.Linear(2 * pooled, dimension)

    @property
    def dimension(self) -> int:
        """The length of the vector."""
        return int(self.hparams["dimension"])

    def frames(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Return the frames that are pooled: ``(batch, 1, samples)`` to ``(batch, pooled, frames)``."""
        # A plain ReLU leaves channels that never fire, whose standard deviation of zero has no gradient.
        return functional.leaky_relu(self.widen(self.extract_features(waveforms)), 0.1)

    def forward(self, waveforms: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """
        Return the vectors of the voices that *weights* mark.

        Args:
            waveforms: ``(batch, 1, samples)``.
            weights: How much each frame belongs to the voice, ``(batch, frames)`` or ``(batch, voices, frames)`` at any
                frame rate; the whole chunk where absent.

        Returns:
            ``(batch, dimension)``, or ``(batch, voices, dimension)`` for weights of three axes.

        Raises:
            ValueError: If the waveforms are shorter than `SHORTEST`.
        """
        if waveforms.shape[-1] < SHORTEST:
            raise ValueError(f"a voice was asked for from {waveforms.shape[-1]} samples; it needs {SHORTEST}")
        return self.embedding(self.pool(self.frames(waveforms), weights=weights))
