"""
The audio of the passages, cut once into flat files of 16 kHz int16 samples, and its features at every step.

A window is then a slice of a mapped file. Slices of compressed recordings would be sought from their start each time:
minutes an epoch.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor

from transcribe.protocols import SAMPLE_RATE_HZ, Pcm, Span
from transcribe.records import Milliseconds
from transcribe.training.augmentation import Recipe, augment, change_speed, mask_features
from transcribe.training.whisper import Features, to_wave
from transcribe.training.windows import Passage, TrainingWindow

#: Reads the samples of a recording by its id, or of one of its channels.
AudioReader: TypeAlias = Callable[[str, int | None], Pcm]

#: A shard is closed when it holds this many samples: about 2.3 hours, 256 MiB.
SHARD_SAMPLES: Final = 2**27

_INDEX: Final = "index.json"
#: Widest band that is taken out, of all bands.
_WIDEST_BAND_SHARE = 0.19


@dataclass(frozen=True, kw_only=True)
class Shards:
    """The place of each passage: number of its file, first sample in it, number of samples."""

    folder: Path
    places: tuple[tuple[int, int, int], ...]

    def samples(self, passage: int, start: Milliseconds, end: Milliseconds) -> Pcm:
        """Read the samples of passage number *passage* from *start* to *end*, in ms from where it starts."""
        shard, first, count = self.places[passage]
        first_sample, last_sample = (min(max(0, ms * SAMPLE_RATE_HZ // 1000), count) for ms in (start, end))
        if last_sample <= first_sample:
            return np.zeros(0, np.int16)
        path, bytes_before = self.folder / _format_name(shard), 2 * (first + first_sample)
        return np.array(np.memmap(path, np.int16, "r", offset=bytes_before, shape=(last_sample - first_sample,)))


def cut_audio(
    passages: Sequence[Passage], read_audio: AudioReader, folder: Path, *, most: int = SHARD_SAMPLES
) -> Shards:
    """
    Write the audio of *passages* into *folder*, unless it is there whole; each recording is read once.

    The passages of one recording must follow each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / _INDEX).is_file():
        return _read_index(folder)
    places: list[tuple[int, int, int]] = []
    shard, filled = 0, 0
    for (audio, channel), group in itertools.groupby(passages, key=lambda passage: (passage.audio, passage.channel)):
        pcm = read_audio(audio, channel)
        for passage in group:
            samples = pcm[_to_samples(passage.start) : _to_samples(passage.end)]
            if filled and filled + len(samples) > most:
                shard, filled = shard + 1, 0
            with (folder / _format_name(shard)).open("ab" if filled else "wb") as file:
                file.write(samples.astype("<i2").tobytes())
            places.append((shard, filled, len(samples)))
            filled += len(samples)
    part = folder / (_INDEX + ".part")
    part.write_text(json.dumps(places))
    part.replace(folder / _INDEX)
    return Shards(folder=folder, places=tuple(places))


def cut_pieces(pcm: Pcm, pieces: Sequence[Span]) -> Pcm:
    """Join the samples of *pieces* of a recording."""
    return np.concatenate([pcm[_to_samples(piece.start) : _to_samples(piece.end)] for piece in pieces])


def _read_index(folder: Path) -> Shards:
    places = json.loads((folder / _INDEX).read_text())
    return Shards(folder=folder, places=tuple((shard, first, count) for shard, first, count in places))


def _format_name(shard: int) -> str:
    return f"{shard:05}.i16"


def _to_samples(ms: Milliseconds) -> int:
    return max(0, ms) * SAMPLE_RATE_HZ // 1000


@dataclass(frozen=True, kw_only=True)
class SourceWindow:
    """A window of a passage, named by its number, and how fast it is played."""

    passage: int
    window: TrainingWindow
    #: How many times as fast it is played: the times in the targets follow.
    speed: float = 1.0


class FeatureSource:
    """Windows of some passages, as features."""

    def __init__(
        self,
        passages: Sequence[Passage],
        shards: Shards,
        features: Features,
        *,
        recipe: Recipe = Recipe(),
        mask_share: float = 0.0,
    ) -> None:
        """
        Args:
            recipe: How often the audio is changed, and how far, where a generator is given.
            mask_share: How often features are masked (SpecAugment).
        """
        self._passages, self._shards, self._features = passages, shards, features
        self._recipe, self._mask_share = recipe, mask_share

    def draw_speed(self, generator: Generator) -> float:
        """Draw the speed, in hundredths, as the resampler takes it."""
        chance, fraction = (float(torch.rand((), generator=generator)) for _ in range(2))
        low, high = self._recipe.factors
        return round(low + (high - low) * fraction, 2) if chance < self._recipe.speed else 1.0

    def load_features(self, windows: Sequence[SourceWindow], generator: Generator | None = None) -> Tensor:
        """Return features, (windows, bands, frames); with *generator*, augmented and some of them masked."""
        mels = self._features([self._load_wave(window, generator) for window in windows])
        return mels if generator is None else torch.stack([self._mask(mel, generator) for mel in mels])

    def _load_wave(self, source: SourceWindow, generator: Generator | None) -> Tensor:
        start, spans = self._passages[source.passage].start, source.window.pieces
        pieces = [self._shards.samples(source.passage, span.start - start, span.end - start) for span in spans]
        wave = change_speed(torch.cat([to_wave(piece) for piece in pieces]), source.speed)
        return wave if generator is None else augment(wave, generator, recipe=replace(self._recipe, speed=0.0))

    def _mask(self, mel: Tensor, generator: Generator) -> Tensor:
        if float(torch.rand((), generator=generator)) >= self._mask_share:
            return mel
        widest = round(mel.shape[0] * _WIDEST_BAND_SHARE)
        return mask_features(mel, generator, widest_time=20, widest_band=widest)
