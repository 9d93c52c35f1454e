"""One step's tensors: windows drawn, cut from the shards, made to sound like elsewhere, and written as targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from transcribe.augmenting import Recipe, augment, change_speed, mask_features
from transcribe.finetune.drawing import Lottery
from transcribe.finetune.hearing import Features, to_wave
from transcribe.finetune.script import Scribe, Script
from transcribe.finetune.shards import Shards
from transcribe.passages import Passage

#: Widest band that is taken out, of all bands.
_WIDEST_BAND_SHARE = 0.19


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Tensors of some windows; tokens are padded to the longest script."""

    #: (windows, bands, frames)
    mel: Tensor
    #: (windows, tokens)
    inputs: Tensor
    targets: Tensor
    #: (windows, tokens): what each target counts; 0 where nothing is taught.
    weights: Tensor
    #: (windows,): heard so that it is not forgotten.
    kept: Tensor


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How windows are made into lessons."""

    #: Share of the windows whose texts are written with their times.
    timed_share: float
    #: How often sound is changed, and how far.
    recipe: Recipe
    #: How often features are masked (SpecAugment).
    mask_share: float
    #: Longest script that the model can write.
    most_tokens: int


class Teacher:
    """Makes the lessons of any step, always the same for the same seed."""

    def __init__(
        self,
        passages: Sequence[Passage],
        shards: Shards,
        lottery: Lottery,
        scribe: Scribe,
        features: Features,
        manner: Manner,
    ) -> None:
        self._passages, self._shards, self._lottery = passages, shards, lottery
        self._scribe, self._features, self._manner = scribe, features, manner

    def lesson(self, generator: Generator, windows: int) -> Lesson:
        """*windows* windows that *generator* draws."""
        made = [self._window(generator) for _ in range(windows)]
        mel = self._features([wave for wave, _, _ in made])
        masked = [self._masked(one, generator) for one in mel]
        kept = torch.tensor([kept for _, _, kept in made])
        return together(torch.stack(masked), [script for _, script, _ in made], kept, self._scribe.end)

    def _window(self, generator: Generator) -> tuple[Tensor, Script, bool]:
        while True:
            drawn = self._lottery.draw(generator)
            passage = self._passages[drawn.passage]
            factor = self._speed(generator)
            timed = float(torch.rand((), generator=generator)) < self._manner.timed_share
            script = self._scribe.script(drawn.cut, passage.language, timed=timed, speed=factor)
            # Very fast speech in a long window; the next draw is another.
            if len(script.ids) <= self._manner.most_tokens:
                break
        start, end = drawn.cut.start - passage.start, drawn.cut.end - passage.start
        wave = change_speed(to_wave(self._shards.samples(drawn.passage, start, end)), factor)
        return augment(wave, generator, recipe=replace(self._manner.recipe, speed=0.0)), script, drawn.kept

    def _speed(self, generator: Generator) -> float:
        """Drawn here, because the times in the targets must follow it; in hundredths, as the resampler takes it."""
        asked, draw = torch.rand((), generator=generator), float(torch.rand((), generator=generator))
        low, high = self._manner.recipe.factors
        return round(low + (high - low) * draw, 2) if float(asked) < self._manner.recipe.speed else 1.0

    def _masked(self, mel: Tensor, generator: Generator) -> Tensor:
        if float(torch.rand((), generator=generator)) >= self._manner.mask_share:
            return mel
        widest = round(mel.shape[0] * _WIDEST_BAND_SHARE)
        return mask_features(mel, generator, widest_time=20, widest_band=widest)


def together(mel: Tensor, scripts: Sequence[Script], kept: Tensor, end: int) -> Lesson:
    """*mel* with the targets of *scripts*: each token is given the ones before it."""
    length = max(len(script.ids) for script in scripts)
    ids = torch.full((len(scripts), length), end)
    weights = torch.zeros(len(scripts), length)
    for row, script in enumerate(scripts):
        ids[row, : len(script.ids)] = torch.tensor(script.ids)
        weights[row, : len(script.ids)] = torch.tensor(script.weights)
    device = mel.device
    return Lesson(
        mel=mel,
        inputs=ids[:, :-1].to(device),
        targets=ids[:, 1:].to(device),
        weights=weights[:, 1:].to(device),
        kept=kept.to(device),
    )
