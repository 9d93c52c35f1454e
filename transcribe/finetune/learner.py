"""The network that is tuned: loaded, adapted, stepped, averaged, saved, merged."""

from __future__ import annotations

import copy
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from transcribe.config import TrainSettings
from transcribe.errors import InputError
from transcribe.finetune import hearing
from transcribe.finetune.candidates import Candidates, draw_candidates
from transcribe.finetune.lessons import Lesson

#: Linear layers of attention and of the wide layer, encoder and decoder.
ADAPTED: Final = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")

#: A network of this width or more keeps too much for its backward pass; it is computed again instead.
_RECOMPUTED_WIDTH = 768

State = dict[str, Tensor]


class Learner:
    """A Whisper with what of it is taught, the running average of that, and the optimiser."""

    def __init__(self, base: Path, settings: TrainSettings, device: torch.device) -> None:
        """
        Load *base*, a folder of transformers, to be taught as the resolved *settings* say.

        Raises:
            InputError: E_MODEL if it holds no Whisper.
        """
        from transformers import WhisperForConditionalGeneration

        torch.manual_seed(settings.seed)
        try:
            whole = WhisperForConditionalGeneration.from_pretrained(
                str(base), dtype=torch.float32, attn_implementation="sdpa", local_files_only=True
            )
        except (OSError, ValueError) as error:
            message = f"{base} cannot be tuned: {error}"
            raise InputError(message, code="E_MODEL", hint="name a Whisper folder of transformers") from error
        self.settings, self.device = settings, device
        self._lora = settings.method == "lora"
        holds = not self._lora and settings.holds
        #: As it was; adapters can be taken off instead.
        self._base = copy.deepcopy(whole.model).requires_grad_(False).eval().to(device) if holds else None
        self._whole = (_adapted(whole, settings) if self._lora else _opened(whole)).to(device)
        if device.type == "cuda" and whole.config.d_model >= _RECOMPUTED_WIDTH:
            whole.gradient_checkpointing_enable()
        self.taught = {name: value for name, value in self._whole.named_parameters() if value.requires_grad}
        self._first: State = {name: value.detach().cpu().clone() for name, value in self.taught.items()}
        self.average: State = {name: value.detach().clone() for name, value in self.taught.items()}
        self.step = 0
        decay = 0.0 if self._lora else 0.01
        self._optimiser = torch.optim.AdamW(
            self.taught.values(), lr=settings.peak_rate, betas=(0.9, 0.98), weight_decay=decay, fused=True
        )

    @property
    def net(self) -> Any:
        """The WhisperModel inside."""
        base = self._whole.get_base_model() if self._lora else self._whole
        return base.model

    @property
    def config(self) -> Any:
        return self.net.config

    def learn(self, lessons: list[Lesson], generator: Generator) -> float:
        """One step over *lessons*, whose gradients add up. Gives the mean loss of a token."""
        self._whole.train()
        self._optimiser.param_groups[0]["lr"] = self.rate()
        self._optimiser.zero_grad()
        counted = sum(float(lesson.weights.sum()) for lesson in lessons) or 1.0
        total = 0.0
        for lesson in lessons:
            loss = self._loss(lesson, generator) / counted
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(list(self.taught.values()), 1.0)
        self._optimiser.step()
        self.step += 1
        share = max(1 / self.settings.average_steps, 1 / self.step)
        with torch.no_grad():
            for name, value in self.taught.items():
                self.average[name].lerp_(value.detach(), share)
        return total

    def rate(self) -> float:
        """A short warm-up, then a cosine down to a twentieth."""
        done = min(1.0, self.step / self.settings.steps)
        falling = 0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2
        return self.settings.peak_rate * falling * min(1.0, (self.step + 1) / self.settings.warmup_steps)

    def _loss(self, lesson: Lesson, generator: Generator) -> Tensor:
        """
        Weighted sum of what each token costs: the surprise at the true one.

        Where a window is heard against forgetting, part of it is the distance to what the base model would have said
        (Li and Hoiem, "Learning without forgetting", 2016): a few texts heard often would else be learned by heart.
        """
        drawn = generator.get_state()
        states = self._states(self.net, lesson, generator)
        candidates = draw_candidates(self.net, states, lesson.targets, generator)
        found, places = self._scores(self.net, states, candidates), candidates.places(lesson.targets)
        each = F.cross_entropy(found.flatten(0, 1), places.flatten(), reduction="none").view_as(lesson.weights)
        if self.settings.holds and bool(lesson.kept.any()):
            before = self._base_scores(lesson, candidates, torch.Generator().set_state(drawn)).log_softmax(-1)
            now = found[lesson.kept].log_softmax(-1)
            distance = F.kl_div(now, before, log_target=True, reduction="none").sum(-1)
            each = each.masked_scatter(lesson.kept[:, None], each[lesson.kept].lerp(distance, self.settings.hold))
        return (each * lesson.weights).sum()

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def _states(self, net: Any, lesson: Lesson, generator: Generator) -> Tensor:
        with self._precision():
            return hearing.decode(net, lesson.inputs, hearing.encode(net, lesson.sound, generator))

    def _scores(self, net: Any, states: Tensor, candidates: Candidates) -> Tensor:
        with self._precision():
            return candidates.scores(net, states).float()

    @torch.no_grad()
    def _base_scores(self, lesson: Lesson, candidates: Candidates, generator: Generator) -> Tensor:
        """What the model would have said in the kept windows before it was tuned."""
        lesson = replace(lesson, sound=lesson.sound[lesson.kept], inputs=lesson.inputs[lesson.kept])
        if self._base is not None:
            return self._scores(self._base, self._states(self._base, lesson, generator), candidates)
        with self._whole.disable_adapter():
            return self._scores(self.net, self._states(self.net, lesson, generator), candidates)

    def partway(self, weights: State, reach: float) -> State:
        """
        *weights*, but only *reach* of the way from the base model's.

        Half way, most of what was learned is there and little of what was known is gone (Wortsman and others, "Robust
        fine-tuning of zero-shot models", 2022). Adapters add a product, so one of its factors is made smaller.
        """
        if self._lora:
            return {name: value * reach if "lora_B" in name else value for name, value in weights.items()}
        first = {name: value.to(self.device) for name, value in self._first.items()}
        return {name: torch.lerp(first[name], value, reach) for name, value in weights.items()}

    @contextmanager
    def with_weights(self, weights: State) -> Iterator[Any]:
        """The network with *weights*, to listen with."""
        kept = {name: value.detach().clone() for name, value in self.taught.items()}
        self._put(weights)
        self._whole.eval()
        try:
            yield self.net
        finally:
            self._put(kept)

    def _put(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in self.taught.items():
                value.copy_(weights[name])

    def state(self) -> dict[str, Any]:
        """All that a checkpoint holds of it."""
        return {
            "taught": {name: value.detach() for name, value in self.taught.items()},
            "average": self.average,
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from *state*."""
        self._put(state["taught"])
        self.average = {name: value.to(self.device) for name, value in state["average"].items()}
        self._optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])

    def merged(self, weights: Mapping[str, Tensor]) -> Any:
        """The WhisperForConditionalGeneration with *weights* made a part of it. The learner ends with this."""
        self._put(weights)
        whole = self._whole.merge_and_unload() if self._lora else self._whole
        return whole.eval().to("cpu")


def _opened(whole: Any) -> Any:
    """*whole* with all weights open to learning, but for the encoder's places, which are sinusoids and stay so."""
    whole.model.encoder.embed_positions.requires_grad_(False)
    return whole


def _adapted(whole: Any, settings: TrainSettings) -> Any:
    """*whole* with low-rank adapters beside all its linear layers (Hu and others 2021), which alone learn."""
    from peft import LoraConfig, get_peft_model

    adapter = LoraConfig(
        r=settings.rank,
        lora_alpha=2 * settings.rank,
        lora_dropout=settings.dropout,
        target_modules=rf".*\.({'|'.join(ADAPTED)})",
    )
    with warnings.catch_warnings():
        # peft 0.21 reads a property that transformers 5.23 has renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(whole, adapter)


def save(state: Mapping[str, Any], place: Path) -> None:
    """Write *state* to *place*: whole or not at all, whenever the machine stops."""
    part = place.with_name(place.name + ".part")
    with part.open("wb") as file:
        torch.save(dict(state), file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(place)


def restored(place: Path) -> dict[str, Any] | None:
    """What `save` wrote; ``None`` where there is nothing. Holds tensors and plain values: no code is run."""
    return torch.load(place, weights_only=True, map_location="cpu") if place.is_file() else None
