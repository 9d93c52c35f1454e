"""What a window of training sounds like: made from its sound at every step, or the encoder's answer, kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import torch
from torch import Generator, Tensor

from transcribe.augmenting import Recipe, augment, change_speed, mask_features
from transcribe.finetune.answers import FACTORS, Answers, KeptWindow
from transcribe.finetune.hearing import DRAWN, Encoded, Features, sampled_positions, to_wave
from transcribe.finetune.shards import Shards
from transcribe.passages import Cut, Passage

#: Widest band that is taken out, of all bands.
_WIDEST_BAND_SHARE = 0.19
#: Length of sound that a position of the encoder's answer stands for.
POSITION_MS: Final = 20
#: Positions of an answer that hear the end of the sound, beyond it.
EDGE: Final = 8


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way in which a window may sound."""

    number: int = 0
    #: How many times as fast it is played: the times in the targets follow.
    speed: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A window that is heard: of which passage, by its number, and how it sounds."""

    passage: int
    cut: Cut
    variant: Variant = Variant()


class WindowSource(Protocol):
    """Gives the windows of some passages to the decoder that learns, or is tested."""

    def draw_variant(self, generator: Generator) -> Variant:
        """Draw how the next window sounds."""
        ...

    def batch(self, picks: Sequence[Pick], generator: Generator | None = None) -> Tensor | Encoded:
        """Return what `hearing.encode` takes for all of *picks* at once; chance comes from *generator*."""
        ...


class SoundSource:
    """Windows as sound, for an encoder that learns too."""

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

    def draw_variant(self, generator: Generator) -> Variant:
        """Draw the speed, in hundredths, as the resampler takes it."""
        asked, draw = torch.rand((), generator=generator), float(torch.rand((), generator=generator))
        low, high = self._recipe.factors
        fast = float(asked) < self._recipe.speed
        return Variant(speed=round(low + (high - low) * draw, 2)) if fast else Variant()

    def batch(self, picks: Sequence[Pick], generator: Generator | None = None) -> Tensor:
        """Return features, (windows, bands, frames); with chance, sound is changed and some of them are masked."""
        mel = self._features([self._wave(pick, generator) for pick in picks])
        return mel if generator is None else torch.stack([self._masked(own, generator) for own in mel])

    def _wave(self, pick: Pick, generator: Generator | None) -> Tensor:
        start = self._passages[pick.passage].start
        pieces = [self._shards.samples(pick.passage, span.start - start, span.end - start) for span in pick.cut.pieces]
        wave = change_speed(torch.cat([to_wave(piece) for piece in pieces]), pick.variant.speed)
        return wave if generator is None else augment(wave, generator, recipe=replace(self._recipe, speed=0.0))

    def _masked(self, mel: Tensor, generator: Generator) -> Tensor:
        if float(torch.rand((), generator=generator)) >= self._mask_share:
            return mel
        widest = round(mel.shape[0] * _WIDEST_BAND_SHARE)
        return mask_features(mel, generator, widest_time=20, widest_band=widest)


class AnswerSource:
    """Windows as the answers of an encoder that does not learn."""

    def __init__(
        self, passages: Sequence[Passage], answers: Answers, *, device: torch.device, variants: int = 0
    ) -> None:
        """*variants* is how many other ways each window may sound, beside as it was recorded."""
        self._passages, self._answers, self._device, self._variants = passages, answers, device, variants

    def draw_variant(self, generator: Generator) -> Variant:
        """Draw one of the ways that are kept, all alike."""
        number = int(torch.randint(self._variants + 1, (), generator=generator)) if self._variants else 0
        return Variant(number=number, speed=FACTORS[number])

    def batch(self, picks: Sequence[Pick], generator: Generator | None = None) -> Encoded:
        """Return answers, (windows, positions, width): all of the longest sound, and of what follows a sample."""
        answers = torch.stack(
            [self._answers.of(KeptWindow.of(self._passages[one.passage], one.cut, one.variant.number)) for one in picks]
        )
        longest = max(pick.cut.duration / pick.variant.speed for pick in picks)
        content, whole = round(longest / POSITION_MS) + EDGE, answers.shape[1]
        if whole - content <= DRAWN:
            return Encoded(states=answers.to(self._device, torch.float32), bias=None)
        places, bias = sampled_positions(content, whole, generator, device=torch.device("cpu"))
        states = answers[:, places].to(self._device, torch.float32)
        return Encoded(states=states, bias=bias.to(self._device))
