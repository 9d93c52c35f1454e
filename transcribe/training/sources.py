"""Features of training windows, computed from their audio at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from transcribe.training.augmentation import Recipe, augment, change_speed, mask_features
from transcribe.training.shards import Shards
from transcribe.training.whisper import Features, to_wave
from transcribe.training.windows import Passage, TrainingWindow

#: Widest band that is taken out, of all bands.
_WIDEST_BAND_SHARE = 0.19


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
