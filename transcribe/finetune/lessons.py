"""One step's tensors: windows drawn, as their source gives them, and written as targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from transcribe.finetune.drawing import Lottery
from transcribe.finetune.script import Scribe, Script
from transcribe.finetune.sources import Pick, SoundSource
from transcribe.passages import Passage


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Tensors of some windows; tokens are padded to the longest script."""

    #: Features (windows, bands, frames).
    sound: Tensor
    #: (windows, tokens)
    inputs: Tensor
    targets: Tensor
    #: (windows, tokens): what each target counts; 0 where nothing is taught.
    weights: Tensor
    #: (windows,): heard so that it is not forgotten.
    kept: Tensor


class Teacher:
    """Makes the lessons of any step, always the same for the same seed."""

    def __init__(
        self,
        passages: Sequence[Passage],
        source: SoundSource,
        lottery: Lottery,
        scribe: Scribe,
        *,
        timed_share: float,
        wrong_share: float,
        most_tokens: int,
        device: torch.device,
    ) -> None:
        """
        Args:
            timed_share: Share of the windows whose texts are written with their times.
            wrong_share: Share of what the decoder is given of a text that is wrong.
            most_tokens: Longest script that the model can write.
        """
        self._passages, self._source, self._lottery, self._scribe = passages, source, lottery, scribe
        self._timed_share, self._wrong_share = timed_share, wrong_share
        self._most_tokens, self._device = most_tokens, device

    def lessons(self, generator: Generator, windows: int, together: int) -> list[Lesson]:
        """*windows* windows that *generator* draws: those of like length in one lesson, at most *together* in each."""
        made = sorted((self._window(generator) for _ in range(windows)), key=lambda each: len(each[1].ids))
        return [self._lesson(made[first : first + together], generator) for first in range(0, windows, together)]

    def _lesson(self, made: Sequence[tuple[Pick, Script, bool]], generator: Generator) -> Lesson:
        sound = self._source.batch([pick for pick, _, _ in made], generator)
        kept = torch.tensor([kept for _, _, kept in made])
        lesson = together(sound, [script for _, script, _ in made], kept, self._scribe.end, self._device)
        return replace(lesson, inputs=with_errors(lesson, self._wrong_share, generator))

    def _window(self, generator: Generator) -> tuple[Pick, Script, bool]:
        while True:
            drawn = self._lottery.draw(generator)
            passage = self._passages[drawn.passage]
            speed = self._source.draw_speed(generator)
            timed = float(torch.rand((), generator=generator)) < self._timed_share
            script = self._scribe.script(drawn.cut, passage.language, timed=timed, speed=speed)
            # Very fast speech in a long window; the next draw is another.
            if len(script.ids) <= self._most_tokens:
                return Pick(passage=drawn.passage, cut=drawn.cut, speed=speed), script, drawn.kept


def together(sound: Tensor, scripts: Sequence[Script], kept: Tensor, end: int, device: torch.device) -> Lesson:
    """*sound* with the targets of *scripts*: each token is given the ones before it."""
    length = max(len(script.ids) for script in scripts)
    ids = torch.full((len(scripts), length), end)
    weights = torch.zeros(len(scripts), length)
    for row, script in enumerate(scripts):
        ids[row, : len(script.ids)] = torch.tensor(script.ids)
        weights[row, : len(script.ids)] = torch.tensor(script.weights)
    return Lesson(
        sound=sound,
        inputs=ids[:, :-1].to(device),
        targets=ids[:, 1:].to(device),
        weights=weights[:, 1:].to(device),
        kept=kept.to(device),
    )


def with_errors(lesson: Lesson, share: float, generator: Generator) -> Tensor:
    """
    Inputs of *lesson* in which *share* of what is taught is replaced by other tokens that are taught in it.

    A decoder that is always given the right text so far learns a few texts by heart, and has never had to go on after
    an error of its own.
    """
    taught = lesson.weights > 0
    chance = torch.rand(lesson.inputs.shape, generator=generator).to(lesson.inputs.device)
    wrong = (chance < share) & torch.nn.functional.pad(taught[:, :-1], (1, 0))
    others = lesson.targets[taught]
    drawn = torch.randint(max(1, len(others)), lesson.inputs.shape, generator=generator).to(lesson.inputs.device)
    return torch.where(wrong, others[drawn], lesson.inputs) if len(others) else lesson.inputs
