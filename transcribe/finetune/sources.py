"""Features of the windows of training, made from their sound at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from transcribe.augmenting import Recipe, augment, change_speed, mask_features
from transcribe.finetune.hearing import Features, to_wave
from transcribe.finetune.shards import Shards
from transcribe.passages import Cut, Passage

#: Widest band that is taken out, of all bands.
_WIDEST_BAND_SHARE = 0.19


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A window that is heard: of which passage, by its number, and how fast."""

    passage: int
    cut: Cut
    #: How many times as fast it is played: the times in the targets follow.
    speed: float = 1.0


class SoundSource:
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
            recipe: How often the sound is changed, and how far, where there is chance.
            mask_share: How often features are masked (SpecAugment).
        """
        self._passages, self._shards, self._features = passages, shards, features
        self._recipe, self._mask_share = recipe, mask_share

    def draw_speed(self, generator: Generator) -> float:
        """Draw the speed, in hundredths, as the resampler takes it."""
        asked, draw = torch.rand((), generator=generator), float(torch.rand((), generator=generator))
        low, high = self._recipe.factors
        fast = float(asked) < self._recipe.speed
        return round(low + (high - low) * draw, 2) if fast else 1.0

    def batch(self, picks: Sequence[Pick], generator: Generator | None = None) -> Tensor:
        """Return features, (windows, bands, frames); with chance, sound is changed and some of them are masked."""
        mel = self._features([self._wave(pick, generator) for pick in picks])
        return mel if generator is None else torch.stack([self._masked(own, generator) for own in mel])

    def _wave(self, pick: Pick, generator: Generator | None) -> Tensor:
        start = self._passages[pick.passage].start
        pieces = [self._shards.samples(pick.passage, span.start - start, span.end - start) for span in pick.cut.pieces]
        wave = change_speed(torch.cat([to_wave(piece) for piece in pieces]), pick.speed)
        return wave if generator is None else augment(wave, generator, recipe=replace(self._recipe, speed=0.0))

    def _masked(self, mel: Tensor, generator: Generator) -> Tensor:
        if float(torch.rand((), generator=generator)) >= self._mask_share:
            return mel
        widest = round(mel.shape[0] * _WIDEST_BAND_SHARE)
        return mask_features(mel, generator, widest_time=20, widest_band=widest)
