"""Windows -> tensors: log-mel features as faster-whisper computes them, token targets, and where each token is said."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tokenizers
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from transcribe.embedded.train_whisper import tokenizer as vocabulary
from transcribe.embedded.train_whisper.model import MEL_BANDS
from transcribe.embedded.train_whisper.windows import LONGEST, Mix, Shelf, Window, Word, lay_out

HOP = 160
FFT = 400
PADDING_FRAMES = 16
POSITION_MS = 20
#: the encoder's own output is taught at every fourth position
HEARD_STEP = 4
PHONE_STEP = 2
IGNORED = -100
#: Batches are as long as a multiple of these: bfloat16 is compiled anew for every shape of matrix that it meets.
LENGTH_STEP = 8_000
TOKENS_STEP = 8


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Tensors of one step; all windows are padded to the longest."""

    #: (batch, 80, frames), the last PADDING_FRAMES always padding
    mel: Tensor
    #: (batch, tokens) compact rows
    inputs: Tensor
    #: (batch, tokens) compact rows, IGNORED where nothing is taught
    targets: Tensor
    #: (batch, tokens, 2) first position and one past the last at which the target is said; -1 where it is not said
    spans: Tensor
    #: (batch, positions / HEARD_STEP) compact rows, IGNORED in overlaps
    heard: Tensor
    #: (batch, positions / PHONE_STEP) numbers of phones, IGNORED in overlaps
    phones: Tensor


class Features:
    """Log-mel spectrogram as faster_whisper.feature_extractor computes it, for many windows at once."""

    def __init__(self) -> None:
        from faster_whisper.feature_extractor import FeatureExtractor

        self.filters = torch.from_numpy(FeatureExtractor(feature_size=MEL_BANDS).mel_filters)
        self.window = torch.hann_window(FFT)

    def __call__(self, sounds: Sequence[NDArray[np.float32]], fills: Sequence[bool]) -> Tensor:
        """
        Give (batch, 80, frames) for *sounds*, padded to a multiple of LENGTH_STEP samples and by PADDING_FRAMES more.

        faster-whisper pads the features with zeros, transformers the sound with silence: *fills* says for each window
        whether it is padded in the second way.
        """
        longest = -(-max(map(len, sounds)) // LENGTH_STEP) * LENGTH_STEP + HOP
        waves = torch.zeros(len(sounds), longest)
        for row, sound in enumerate(sounds):
            waves[row, : len(sound)] = torch.from_numpy(sound)
        power = torch.stft(waves, FFT, HOP, window=self.window, return_complex=True).abs().square()
        log = (self.filters @ power).clamp(min=1e-10).log10()
        frames = longest // HOP + PADDING_FRAMES
        out = torch.zeros(len(sounds), MEL_BANDS, frames + frames % 2)
        for row, sound in enumerate(sounds):
            kept = max(1, len(sound) // HOP)
            own = log[row, :, :kept]
            floor = own.max() - 8.0
            out[row, :, :kept] = (own.clamp(min=floor) + 4.0) / 4.0
            if fills[row]:
                out[row, :, kept:] = (floor + 4.0) / 4.0
        return out


@dataclass(frozen=True, kw_only=True)
class Script:
    """Compact rows of a window's decoder sequence and, for each, when it is said in ms (None: it is not)."""

    rows: list[int]
    times: list[tuple[int, int] | None]
    #: how many of the first rows are given and not taught
    given: int


class Scribe:
    """Writes the decoder's targets."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, phones: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.phones = {name: number for number, name in enumerate(phones)}
        self.compact = vocabulary.Compact(tokenizer)
        self.special = vocabulary.ids(tokenizer)
        self._words: dict[str, list[int]] = {}

    def spelled(self, word: str) -> list[int]:
        """Compact rows of *word*."""
        if word not in self._words:
            self._words[word] = self.compact.rows(vocabulary.encode(self.tokenizer, word)[0])
        return self._words[word]

    def pieces(self, word: Word) -> list[tuple[int, tuple[int, int]]]:
        """Rows of a word, each with its share of the word's time."""
        rows = self.spelled(word.text)
        cuts = np.linspace(word.start, word.end, len(rows) + 1).astype(int).tolist()
        return list(zip(rows, itertools.pairwise(cuts), strict=True))

    def special_rows(self, *full: int) -> list[int]:
        """Compact rows of special tokens."""
        return self.compact.rows(full)

    def script(self, window: Window, rng: random.Random, *, timed: bool, prompt: Sequence[str] = ()) -> Script:
        """Decoder sequence of *window*, with segment times if *timed*, after the words of *prompt*."""
        ids = self.special
        rows: list[int] = []
        if prompt:
            rows = self.special_rows(ids.previous) + [row for word in prompt for row in self.spelled(word)]
        given = len(rows) + 1
        # At the first step Whisper is asked both for the language and for silence.
        language = ids.no_speech if not window.turns and rng.random() < 0.5 else ids.languages[window.language]
        rows += self.special_rows(ids.start, language, ids.transcribe)
        times: list[tuple[int, int] | None] = [None] * len(rows)
        if not timed:
            rows, times = rows + self.special_rows(ids.no_timestamps), [*times, None]
        said = 0
        for turn in window.turns:
            marks = [self._timestamp(max(said, turn[0].start)), self._timestamp(max(said, turn[-1].end))]
            said = max(said, turn[-1].end)
            inner = [piece for word in turn for piece in self.pieces(word)]
            rows += marks[:1] * timed + [row for row, _ in inner] + marks[1:] * timed
            times += [None] * timed + [time for _, time in inner] + [None] * timed
        last = max((turn[-1].end for turn in window.turns), default=0)
        return Script(
            rows=rows + self.special_rows(ids.end), times=[*times, (last, last + 200) if said else None], given=given
        )

    def _timestamp(self, ms: int) -> int:
        return self.special_rows(self.special.first_timestamp + round(ms / POSITION_MS))[0]


def heard_rows(window: Window, scribe: Scribe, positions: int) -> NDArray[np.int64]:
    """The row said at every HEARD_STEP-th position; the shared row for silence, IGNORED where two people talk."""
    every = np.full(positions, scribe.compact.shared, np.int64)
    owner = np.full(positions, -1)
    for number, turn in enumerate(window.turns):
        for word in turn:
            for row, (start, end) in scribe.pieces(word):
                place = slice(start // POSITION_MS, max(end // POSITION_MS, start // POSITION_MS + 1))
                taken = (owner[place] >= 0) & (owner[place] != number)
                every[place] = np.where(taken, IGNORED, row)
                owner[place] = number
    return every[HEARD_STEP // 2 :: HEARD_STEP]


def phone_numbers(window: Window, scribe: Scribe, positions: int) -> NDArray[np.int64]:
    """The phone said at every PHONE_STEP-th position; 0 for silence, IGNORED where two people talk or it is rare."""
    every = np.zeros(positions, np.int64)
    owner = np.full(positions, -1)
    for phone in window.phones:
        place = slice(round(phone.start / POSITION_MS), round(phone.end / POSITION_MS))
        taken = (owner[place] >= 0) & (owner[place] != phone.turn)
        every[place] = np.where(taken, IGNORED, scribe.phones.get(phone.name, IGNORED))
        owner[place] = phone.turn
    return every[PHONE_STEP // 2 :: PHONE_STEP]


def collate(windows: Sequence[Window], scripts: Sequence[Script], scribe: Scribe, features: Features,
            rng: random.Random) -> Batch:  # fmt: skip
    """One batch of *windows* with their *scripts*."""
    mel = features([window.samples for window in windows], [rng.random() < 0.4 for _ in windows])
    length = -(-(max(len(script.rows) for script in scripts) - 1) // TOKENS_STEP) * TOKENS_STEP
    inputs = torch.full((len(scripts), length), scripts[0].rows[-1])
    targets = torch.full((len(scripts), length), IGNORED)
    spans = torch.full((len(scripts), length, 2), -1)
    positions = mel.shape[-1] // 2
    for place, script in enumerate(scripts):
        size = len(script.rows) - 1
        inputs[place, :size] = torch.tensor(script.rows[:-1])
        targets[place, :size] = torch.tensor(script.rows[1:])
        targets[place, : script.given - 1] = IGNORED
        for step, time in enumerate(script.times[1:]):
            if time is not None:
                first = min(time[0] // POSITION_MS, positions - 2)
                spans[place, step] = torch.tensor([first, max(first + 1, -(-time[1] // POSITION_MS))])
    heard = np.stack([heard_rows(window, scribe, positions) for window in windows])
    phones = np.stack([phone_numbers(window, scribe, positions) for window in windows])
    return Batch(
        mel=mel,
        inputs=inputs,
        targets=targets,
        spans=spans,
        heard=torch.from_numpy(heard),
        phones=torch.from_numpy(phones),
    )


class Stream(IterableDataset[Batch]):
    """Endless random batches of about *seconds* of sound each."""

    def __init__(
        self,
        shelf: Shelf,
        scribe: Scribe,
        mix: Mix,
        *,
        seconds: float,
        usual_length: int,
        seed: int,
        prompts: Sequence[str],
    ) -> None:
        self.shelf, self.scribe, self.mix = shelf, scribe, mix
        self.seconds, self.usual_length, self.seed, self.prompts = seconds, usual_length, seed, prompts

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        rng, features = random.Random(self.seed), Features()
        while True:
            length = int(rng.triangular(1_500, LONGEST, self.usual_length))
            count = max(4, round(self.seconds * 1000 / length))
            windows = [lay_out(rng, self.shelf, self.mix, length) for _ in range(count)]
            scripts = [
                self.scribe.script(
                    window,
                    rng,
                    timed=rng.random() < 0.06,
                    prompt=rng.choice(self.prompts).split() if rng.random() < 0.08 else (),
                )
                for window in windows
            ]
            yield collate(windows, scripts, self.scribe, features, rng)
