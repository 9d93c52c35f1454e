"""
The network that is tuned: loaded, adapted, stepped, averaged, saved, merged.

Its softmax is taken over a sample of tokens that stands for the whole vocabulary (Jean and others, "On using very
large target vocabulary for neural machine translation", 2015): on a processor, the scores of Whisper's 51,865 tokens
take as long as all else that its decoder does when it learns.
"""

from __future__ import annotations

import copy
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from transcribe.backends.identity import sha256_of
from transcribe.config import TrainSettings
from transcribe.errors import InputError
from transcribe.training import whisper
from transcribe.training.collate import Batch

#: Linear layers of attention and of the wide layer, encoder and decoder.
ADAPTED: Final = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")

#: A network of this width or more keeps too much for its backward pass; it is computed again instead.
_RECOMPUTED_WIDTH = 768

State = dict[str, Tensor]
#: Tokens that are drawn to stand for all that are neither targets nor likely.
DRAWN_TOKENS: Final = 2_048
#: Of every so many positions one is scored in full; the tokens that are likely there are always candidates.
POSITION_STRIDE: Final = 8
#: Tokens that count as likely at a position.
LIKELY_TOKENS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Tokens, all different: first the *certain* ones in order, which stand for themselves, then those drawn."""

    certain: Tensor
    drawn: Tensor
    #: Added to the score of a drawn token, because it stands for many.
    bias: float

    def score(self, net: Any, states: Tensor) -> Tensor:
        """Return the scores of these tokens after *states*, whose last axis is the width."""
        tokens = torch.cat([self.certain, self.drawn])
        bias = states.new_zeros(len(tokens))
        bias[len(self.certain) :] = self.bias
        return F.linear(states, net.decoder.embed_tokens.weight[tokens], bias)

    def locate(self, targets: Tensor) -> Tensor:
        """Return where *targets*, all of them certain, are among these tokens."""
        return torch.searchsorted(self.certain, targets.contiguous())


@torch.no_grad()
def draw_candidates(net: Any, states: Tensor, targets: Tensor, generator: Generator) -> Candidates:
    """
    Draw the candidates for *targets*, the tokens after *states* (windows, tokens, width).

    All of a small vocabulary, or of any on a GPU; else the targets, likely tokens, and a sample of the others.
    """
    weight = net.decoder.embed_tokens.weight
    if len(weight) <= 4 * DRAWN_TOKENS or not weight.is_cpu:
        vocabulary = torch.arange(len(weight), device=weight.device)
        return Candidates(certain=vocabulary, drawn=vocabulary[:0], bias=0.0)
    likely = F.linear(states.flatten(0, -2)[::POSITION_STRIDE], weight).topk(LIKELY_TOKENS).indices
    certain = torch.unique(torch.cat([targets.flatten(), likely.flatten()]))
    is_uncertain = torch.ones(len(weight), dtype=torch.bool)
    is_uncertain[certain] = False
    others = is_uncertain.nonzero()[:, 0]
    drawn = others[torch.randperm(len(others), generator=generator)[:DRAWN_TOKENS]]
    return Candidates(certain=certain, drawn=drawn, bias=math.log(len(others) / len(drawn)))


class Learner:
    """A Whisper with its trainable weights, their running average, and the optimiser."""

    def __init__(self, base: Path, settings: TrainSettings, device: torch.device) -> None:
        """
        Load *base*, a folder of transformers, to be tuned as the resolved *settings* say.

        Raises:
            InputError: E_MODEL if it holds no Whisper.
        """
        torch.manual_seed(settings.seed)
        whole = whisper.load_whisper(base)
        self.settings, self.device = settings, device
        self._lora = settings.method == "lora"
        holds = not self._lora and settings.holds
        #: As it was; adapters can be taken off instead.
        self._base = copy.deepcopy(whole.model).requires_grad_(False).eval().to(device) if holds else None
        self._whole = (_add_adapters(whole, settings) if self._lora else _unfreeze(whole, settings.frozen_layers)).to(
            device
        )
        if device.type == "cuda" and whole.config.d_model >= _RECOMPUTED_WIDTH:
            whole.gradient_checkpointing_enable()
        self.trainable = {
            name: parameter for name, parameter in self._whole.named_parameters() if parameter.requires_grad
        }
        self._first: State = {name: parameter.detach().cpu().clone() for name, parameter in self.trainable.items()}
        self.average: State = {name: parameter.detach().clone() for name, parameter in self.trainable.items()}
        self.step = 0
        decay = 0.0 if self._lora else 0.01
        self._optimiser = torch.optim.AdamW(
            self.trainable.values(), lr=settings.peak_rate, betas=(0.9, 0.98), weight_decay=decay, fused=True
        )

    @property
    def net(self) -> Any:
        """The WhisperModel inside."""
        base = self._whole.get_base_model() if self._lora else self._whole
        return base.model

    @property
    def config(self) -> Any:
        return self.net.config

    def learn(self, batches: list[Batch], generator: Generator) -> float:
        """Run one step over *batches*, whose gradients add up, and return the mean loss of a token."""
        self._whole.train()
        self._optimiser.param_groups[0]["lr"] = self.rate()
        self._optimiser.zero_grad()
        weight_sum = sum(float(batch.weights.sum()) for batch in batches) or 1.0
        total = 0.0
        for batch in batches:
            loss = self._loss(batch, generator) / weight_sum
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(list(self.trainable.values()), 1.0)
        self._optimiser.step()
        self.step += 1
        share = max(1 / self.settings.average_steps, 1 / self.step)
        with torch.no_grad():
            for name, parameter in self.trainable.items():
                self.average[name].lerp_(parameter.detach(), share)
        return total

    def rate(self) -> float:
        """Return the learning rate of this step: a short warm-up, then a cosine down to a twentieth."""
        progress = min(1.0, self.step / self.settings.steps)
        decay = 0.05 + 0.95 * (1 + math.cos(math.pi * progress)) / 2
        return self.settings.peak_rate * decay * min(1.0, (self.step + 1) / self.settings.warmup_steps)

    def _loss(self, batch: Batch, generator: Generator) -> Tensor:
        """
        Return the weighted sum of the cross-entropy of each token.

        Where a window is replayed against forgetting, part of it is the distance to the base model's own answer (Li and
        Hoiem, "Learning without forgetting", 2016): a few texts that recur often would else be learned by heart.
        """
        generator_state = generator.get_state()
        states = self._states(self.net, batch, generator)
        candidates = draw_candidates(self.net, states, batch.targets, generator)
        scores, target_rows = self._scores(self.net, states, candidates), candidates.locate(batch.targets)
        losses = F.cross_entropy(scores.flatten(0, 1), target_rows.flatten(), reduction="none").view_as(batch.weights)
        if self.settings.holds and bool(batch.is_replay.any()):
            base_scores = self._base_scores(batch, candidates, torch.Generator().set_state(generator_state))
            log_probs, base_log_probs = scores[batch.is_replay].log_softmax(-1), base_scores.log_softmax(-1)
            distance = F.kl_div(log_probs, base_log_probs, log_target=True, reduction="none").sum(-1)
            replay_losses = losses[batch.is_replay].lerp(distance, self.settings.hold)
            losses = losses.masked_scatter(batch.is_replay[:, None], replay_losses)
        return (losses * batch.weights).sum()

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=multiplies_bfloat16(self.device))

    def _states(self, net: Any, batch: Batch, generator: Generator) -> Tensor:
        with self._precision():
            return whisper.decode(net, batch.inputs, whisper.encode(net, batch.features, generator))

    def _scores(self, net: Any, states: Tensor, candidates: Candidates) -> Tensor:
        with self._precision():
            return candidates.score(net, states).float()

    @torch.no_grad()
    def _base_scores(self, batch: Batch, candidates: Candidates, generator: Generator) -> Tensor:
        """Return the scores of the base model in the replayed windows."""
        batch = replace(batch, features=batch.features[batch.is_replay], inputs=batch.inputs[batch.is_replay])
        if self._base is not None:
            return self._scores(self._base, self._states(self._base, batch, generator), candidates)
        with self._whole.disable_adapter():
            return self._scores(self.net, self._states(self.net, batch, generator), candidates)

    def partway(self, weights: State, reach: float) -> State:
        """
        Return *weights*, but only *reach* of the way from the base model's.

        Half way, most of what was learned is there and little of what was known is gone (Wortsman and others, "Robust
        fine-tuning of zero-shot models", 2022). Adapters add a product, so one of its factors is made smaller.
        """
        if self._lora:
            return {name: parameter * reach if "lora_B" in name else parameter for name, parameter in weights.items()}
        first = {name: parameter.to(self.device) for name, parameter in self._first.items()}
        return {name: torch.lerp(first[name], parameter, reach) for name, parameter in weights.items()}

    @contextmanager
    def with_weights(self, weights: State) -> Iterator[Any]:
        """Lend the network with *weights*, in evaluation mode."""
        current = {name: parameter.detach().clone() for name, parameter in self.trainable.items()}
        self._set_weights(weights)
        self._whole.eval()
        try:
            yield self.net
        finally:
            self._set_weights(current)

    def _set_weights(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.trainable.items():
                parameter.copy_(weights[name])

    def state(self) -> dict[str, Any]:
        """Return all that a checkpoint holds of this learner."""
        return {
            "taught": {name: parameter.detach() for name, parameter in self.trainable.items()},
            "average": self.average,
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Resume from *state*."""
        self._set_weights(state["taught"])
        self.average = {name: parameter.to(self.device) for name, parameter in state["average"].items()}
        self._optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])

    def merge(self, weights: Mapping[str, Tensor]) -> Any:
        """Return the WhisperForConditionalGeneration with *weights* merged in; the learner ends with this."""
        self._set_weights(weights)
        whole = self._whole.merge_and_unload() if self._lora else self._whole
        return whole.eval().to("cpu")


def multiplies_bfloat16(device: torch.device) -> bool:
    """Tell if *device* multiplies numbers of 16 bits by itself, faster than those of 32."""
    if device.type == "cuda":
        return True
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def _unfreeze(whole: Any, frozen_layers: int) -> Any:
    """
    Return *whole* with all weights trainable but those of the encoder's first *frozen_layers*, and its positions.

    The positions are sinusoids and stay so.
    """
    encoder = whole.model.encoder
    encoder.embed_positions.requires_grad_(False)
    if frozen_layers:
        for part in (encoder.conv1, encoder.conv2, *encoder.layers[:frozen_layers]):
            part.requires_grad_(False)
    return whole


def _add_adapters(whole: Any, settings: TrainSettings) -> Any:
    """Return *whole* with low-rank adapters beside all its linear layers (Hu and others 2021), which alone learn."""
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


def write_checkpoint(state: Mapping[str, Any], path: Path) -> None:
    """Write *state* to *path*, and its SHA-256 beside it: whole or not at all, whenever the machine stops."""
    part, sums = path.with_name(path.name + ".part"), checksum_file(path)
    with part.open("wb") as file:
        torch.save(dict(state), file)
        file.flush()
        os.fsync(file.fileno())
    # Both are right until the new one is in its place: the machine may stop between the two.
    latest = sums.read_text().split()[-1:] if sums.is_file() else []
    _replace_text(sums, "\n".join([*latest, sha256_of(part)]) + "\n")
    part.replace(path)


def checksum_file(path: Path) -> Path:
    """Return the file that states the SHA-256 of the checkpoint *path*."""
    return path.with_name(path.name + ".sha256")


def _replace_text(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """
    Read what `write_checkpoint` wrote, without running any code; ``None`` if there is no file.

    Raises:
        InputError: E_MODEL_CHECKSUM if a byte of it was changed since, or nothing states its checksum.
    """
    if not path.is_file():
        return None
    sums = checksum_file(path)
    if not sums.is_file() or sha256_of(path) not in sums.read_text(encoding="utf-8", errors="replace").split():
        message = f"tuning was to go on from {path}, which is not what it wrote: its checksum differs"
        hint = f"remove {path}; the same command then begins again"
        raise InputError(message, code="E_MODEL_CHECKSUM", hint=hint, item=str(path))
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state
