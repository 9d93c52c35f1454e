"""
One step's tensors: the windows drawn for it, and the decoder's target tokens.

Dialects are drawn in their shares and turns at random, the same for the same step. Targets are Whisper's own sequence
of languages, times and words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from torch import Generator, Tensor

from dialects.sample_size import shares
from transcribe.backends.whisper_folder import read_tokenizer
from transcribe.errors import InputError
from transcribe.records import Milliseconds
from transcribe.training.shards import FeatureSource, SourceWindow
from transcribe.training.windows import Passage, TrainingWindow, cut_window

#: A token of time stands for 20 ms.
TIME_STEP: Milliseconds = 20
#: A window of a drawn length is at least this full: the drafter cuts in the widest pause of its second half.
LEAST_FULL: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class SampledWindow:
    """A window, and the number of the passage that it was cut from."""

    passage: int
    window: TrainingWindow
    #: Of a dialect that is replayed so that it is not forgotten.
    is_replay: bool


def window_shares(
    amounts: Mapping[str, float], *, focus: Collection[str] = (), keep_share: float = 0.5, temperature: float = 2.0
) -> dict[str, float]:
    """
    Return the share of the windows for each dialect.

    The dialects of *focus* are to be learned and share ``1 - keep_share`` among themselves; the others are replayed so
    that they are not forgotten. Where one side has no speech the other has all. Inside a side, small dialects are
    lifted as `dialects.sample_size.shares` says.

    >>> window_shares({"en-scotland": 300.0, "en-GB": 100.0, "en-US": 100.0}, focus=["en-scotland"], keep_share=0.4)
    {'en-scotland': 0.6, 'en-GB': 0.2, 'en-US': 0.2}
    """
    learned = {tag: amount for tag, amount in amounts.items() if tag in focus}
    replayed = {tag: amount for tag, amount in amounts.items() if tag not in focus}
    if not sum(learned.values()) or not sum(replayed.values()):
        return shares(amounts, temperature=temperature)
    share_by_tag = {
        tag: side_share * share
        for side, side_share in ((learned, 1 - keep_share), (replayed, keep_share))
        for tag, share in shares(side, temperature=temperature).items()
    }
    return {tag: share_by_tag[tag] for tag in amounts}


class WindowSampler:
    """Draws windows of *passages*: the dialect by its share, then one of its utterance groups, all equally likely."""

    def __init__(
        self,
        passages: Sequence[Passage],
        longest: Milliseconds,
        *,
        focus: Collection[str] = (),
        keep_share: float = 0.5,
        temperature: float = 2.0,
    ) -> None:
        self._passages, self._longest = passages, longest
        self._groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
        amounts: dict[str, float] = defaultdict(float)
        for number, passage in enumerate(passages):
            tag = passage.dialect or "und"
            self._groups[tag] += [(number, index) for index in range(len(passage.groups))]
            amounts[tag] += sum(group.end - group.start for group in passage.groups)
        #: Share of the windows by dialect.
        self.shares = window_shares(amounts, focus=focus, keep_share=keep_share, temperature=temperature)
        self._tags = [tag for tag, share in self.shares.items() if share > 0]
        self._weights = torch.tensor([self.shares[tag] for tag in self._tags])
        self._replayed = {tag for tag in self._tags if focus and tag not in focus}

    def draw(self, generator: Generator) -> SampledWindow:
        """Draw the next window."""
        tag = self._tags[int(torch.multinomial(self._weights, 1, generator=generator))]
        groups = self._groups[tag]
        passage, first = groups[int(torch.randint(len(groups), (), generator=generator))]
        fullness = LEAST_FULL + (1 - LEAST_FULL) * float(torch.rand((), generator=generator))
        window = cut_window(self._passages[passage], first, round(self._longest * fullness))
        return SampledWindow(passage=passage, window=window, is_replay=tag in self._replayed)


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Token ids of a window."""

    ids: list[int]
    #: Weight of each token in the loss; 0 for those that are a prompt.
    weights: list[float]


class TargetEncoder:
    """Encodes and decodes texts with the tokenizer of one model."""

    def __init__(self, base: Path) -> None:
        """Load the tokenizer of *base*, a model's folder of transformers."""
        self._tokenizer = read_tokenizer(base)
        self.end, self.start = self._find_token("endoftext"), self._find_token("startoftranscript")
        self.no_times = self._find_token("notimestamps")
        #: A model of English alone has no tokens of languages and tasks.
        self.is_multilingual = self._tokenizer.token_to_id("<|hi|>") is not None

    def encode_opening(self, language: str, *, timed: bool) -> list[int]:
        """
        Return the tokens that prompt the decoder.

        Raises:
            InputError: E_LANGUAGE if the model knows no such language.
        """
        language_tokens = [self._find_token(language), self._find_token("transcribe")] if self.is_multilingual else []
        return [self.start, *language_tokens, *([] if timed else [self.no_times])]

    def encode(self, window: TrainingWindow, language: str, *, timed: bool, speed: float = 1.0) -> Targets:
        """
        Encode the texts of *window* in order of their start, each between its times if *timed*.

        A text is kept whole where the next speaker interrupts it; the next one then starts where it ends, because
        Whisper's times never go back. *speed* is how many times as fast the sound is played.
        """
        ids = self.encode_opening(language, timed=timed)
        weights = [0.0] * len(ids)
        latest_end: Milliseconds = 0
        for line in window.lines:
            start, end = (round(window.offset(moment) / speed) for moment in (line.start, line.end))
            first, latest_end = max(latest_end, start), max(latest_end, end)
            words = self.encode_words(line.text or "")
            line_ids = [self.encode_time(first), *words, self.encode_time(latest_end)] if timed and words else words
            ids += line_ids
            weights += [line.weight] * len(line_ids)
        # The end belongs to the last text.
        return Targets(ids=[*ids, self.end], weights=[*weights, window.lines[-1].weight if window.lines else 1.0])

    def encode_words(self, text: str) -> list[int]:
        """Return the token ids of *text*, a space before each word."""
        spaced = " ".join(text.split())
        return list(self._tokenizer.encode(f" {spaced}", add_special_tokens=False).ids) if spaced else []

    def decode_text(self, ids: list[int]) -> str:
        """Return the words of *ids*, without times and other special tokens."""
        return str(self._tokenizer.decode([token for token in ids if token < self.end])).strip()

    def encode_time(self, ms: Milliseconds) -> int:
        """Return the token of a moment of the window."""
        return self.no_times + 1 + round(ms / TIME_STEP)

    def _find_token(self, name: str) -> int:
        token = self._tokenizer.token_to_id(f"<|{name}|>")
        if token is None:
            raise InputError(
                f"the model has no token for {name}", code="E_LANGUAGE", hint="tune another base", item=name
            )
        return int(token)


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
