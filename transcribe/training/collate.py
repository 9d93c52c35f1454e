"""Collation: the tensors of one step, from sampled windows to features and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from transcribe.training.sampler import WindowSampler
from transcribe.training.sources import FeatureSource, SourceWindow
from transcribe.training.targets import TargetEncoder, Targets
from transcribe.training.windows import Passage


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Tensors of some windows; tokens are padded to the longest targets."""

    #: Features (windows, bands, frames).
    features: Tensor
    #: (windows, tokens)
    inputs: Tensor
    targets: Tensor
    #: (windows, tokens): weight of each target in the loss; 0 where nothing is learned.
    weights: Tensor
    #: (windows,): of a dialect that is replayed so that it is not forgotten.
    is_replay: Tensor


class Collator:
    """Makes the batches of any step, always the same for the same seed."""

    def __init__(
        self,
        passages: Sequence[Passage],
        source: FeatureSource,
        sampler: WindowSampler,
        encoder: TargetEncoder,
        *,
        timed_share: float,
        wrong_share: float,
        most_tokens: int,
        device: torch.device,
    ) -> None:
        """
        Args:
            timed_share: Share of the windows whose texts are written with their times.
            wrong_share: Share of the decoder's inputs that is replaced by wrong tokens.
            most_tokens: Longest targets that the model can write.
        """
        self._passages, self._source, self._sampler, self._encoder = passages, source, sampler, encoder
        self._timed_share, self._wrong_share = timed_share, wrong_share
        self._most_tokens, self._device = most_tokens, device

    def draw_batches(self, generator: Generator, windows: int, batch_size: int) -> list[Batch]:
        """Return *windows* windows that *generator* draws, those of like length in a batch of at most *batch_size*."""
        samples = sorted((self._draw_window(generator) for _ in range(windows)), key=lambda sample: len(sample[1].ids))
        return [
            self._collate(samples[first : first + batch_size], generator) for first in range(0, windows, batch_size)
        ]

    def _collate(self, samples: Sequence[tuple[SourceWindow, Targets, bool]], generator: Generator) -> Batch:
        windows, targets, is_replay = zip(*samples, strict=True)
        features = self._source.load_features(windows, generator)
        batch = collate(features, targets, torch.tensor(is_replay), self._encoder.end, self._device)
        return replace(batch, inputs=corrupt_inputs(batch, self._wrong_share, generator))

    def _draw_window(self, generator: Generator) -> tuple[SourceWindow, Targets, bool]:
        while True:
            sample = self._sampler.draw(generator)
            language = self._passages[sample.passage].language
            speed = self._source.draw_speed(generator)
            timed = float(torch.rand((), generator=generator)) < self._timed_share
            targets = self._encoder.encode(sample.window, language, timed=timed, speed=speed)
            # Very fast speech in a long window; the next draw is another.
            if len(targets.ids) <= self._most_tokens:
                window = SourceWindow(passage=sample.passage, window=sample.window, speed=speed)
                return window, targets, sample.is_replay


def collate(features: Tensor, targets: Sequence[Targets], is_replay: Tensor, end: int, device: torch.device) -> Batch:
    """Pad *targets* with *end* to one length: the decoder's input at each of them is the token before it."""
    length = max(len(row.ids) for row in targets)
    ids = torch.full((len(targets), length), end)
    weights = torch.zeros(len(targets), length)
    for number, row in enumerate(targets):
        ids[number, : len(row.ids)] = torch.tensor(row.ids)
        weights[number, : len(row.ids)] = torch.tensor(row.weights)
    return Batch(
        features=features,
        inputs=ids[:, :-1].to(device),
        targets=ids[:, 1:].to(device),
        weights=weights[:, 1:].to(device),
        is_replay=is_replay.to(device),
    )


def corrupt_inputs(batch: Batch, share: float, generator: Generator) -> Tensor:
    """
    Return the inputs of *batch*, *share* of those that are trained on replaced by other trained tokens of it.

    A decoder that is always given the right text so far learns a few texts by heart, and has never had to go on after
    an error of its own.
    """
    is_trained = batch.weights > 0
    chance = torch.rand(batch.inputs.shape, generator=generator).to(batch.inputs.device)
    is_wrong = (chance < share) & torch.nn.functional.pad(is_trained[:, :-1], (1, 0))
    others = batch.targets[is_trained]
    drawn = torch.randint(max(1, len(others)), batch.inputs.shape, generator=generator).to(batch.inputs.device)
    return torch.where(is_wrong, others[drawn], batch.inputs) if len(others) else batch.inputs
