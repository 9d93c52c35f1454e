"""
The forward pass of a Whisper of transformers: its own layers, called so that short audio costs little.

Whisper always takes 30 s. Beyond the speech all of that is padding, alike but for its position. Only the content and a
few padding positions are computed; each of these counts for all those that it stands for: the log of their number is
added to its attention score, so that the sums of attention are those of the full 30 s in expectation. What it costs in
accuracy is measured in tests/training/test_whisper.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from transcribe.backends.model_manifest import check_manifest
from transcribe.backends.plain_folder import refuse_code
from transcribe.errors import InputError
from transcribe.protocols import Pcm

HOP: Final = 160
FFT: Final = 400
#: Frames of padding behind the longest window of a batch.
PADDING_FRAMES: Final = 16
#: Positions at the end that see the edge of what was computed; they are left out.
EDGE_POSITIONS: Final = 4
#: Padding positions that stand for all.
DRAWN: Final = 16


#: Tokens so far (windows, tokens) and scores of the next (windows, vocabulary) to scores.
Rule: TypeAlias = Callable[[Tensor, Tensor], Tensor]


def check_folder(folder: Path) -> None:
    """
    Check a folder of transformers before any library opens it.

    Raises:
        InputError: E_MODEL if it holds more than data, E_MODEL_CHECKSUM if a file is not what its manifest states.
    """
    check_manifest(folder)
    refuse_code(folder)


def load_whisper(folder: Path) -> Any:
    """
    Load the WhisperForConditionalGeneration in *folder* as float32; its weights are safetensors.

    Raises:
        InputError: E_MODEL if it holds no Whisper or more than data, E_MODEL_CHECKSUM if a file of it was changed.
    """
    from safetensors import SafetensorError
    from transformers import WhisperForConditionalGeneration

    check_folder(folder)
    try:
        return WhisperForConditionalGeneration.from_pretrained(
            str(folder),
            dtype=torch.float32,
            attn_implementation="sdpa",
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        message = f"model.safetensors and settings in {folder} are no Whisper that can be tuned: {error}"
        hint = "name a Whisper folder of transformers, its weights in model.safetensors"
        raise InputError(message, code="E_MODEL", hint=hint, item=str(folder)) from error


class Features:
    """Log-mel spectrograms as faster-whisper makes them, many windows at once, on any device."""

    def __init__(self, bands: int, device: torch.device) -> None:
        from transformers import WhisperFeatureExtractor

        filters = WhisperFeatureExtractor(feature_size=bands).mel_filters
        self._filters = torch.from_numpy(np.ascontiguousarray(filters.T)).float().to(device)
        self._window = torch.hann_window(FFT, device=device)
        self._bands, self._device = bands, device

    def __call__(self, waves: Sequence[Tensor]) -> Tensor:
        """
        Return (windows, bands, frames) for float *waves*; behind the content all is 0, as faster-whisper pads.

        Frames are even, at most 3 000, and at least PADDING_FRAMES more than the longest window has, unless it is full.
        """
        longest = max(map(len, waves)) + HOP
        padded = torch.zeros(len(waves), longest, device=self._device)
        for row, wave in enumerate(waves):
            padded[row, : len(wave)] = wave.to(self._device)
        power = torch.stft(padded, FFT, HOP, window=self._window, return_complex=True).abs().square()
        log = (self._filters @ power).clamp(min=1e-10).log10()
        frames = longest // HOP + PADDING_FRAMES
        features = torch.zeros(len(waves), self._bands, min(frames + frames % 2, 3_000), device=self._device)
        for row, wave in enumerate(waves):
            length = min(max(1, len(wave) // HOP), 3_000)
            powers = log[row, :, :length]
            features[row, :, :length] = (powers.clamp(min=float(powers.max()) - 8.0) + 4.0) / 4.0
        return features


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Encoder output (windows, positions, width), and what each position adds to attention scores (``None``: 0)."""

    states: Tensor
    bias: Tensor | None


def encode(net: Any, mel: Tensor, generator: Generator | None = None) -> Encoded:
    """
    Encode *mel*, whose last frames are padding, as if it were padded to 30 s.

    Args:
        net: WhisperModel of transformers, adapted or not.
        mel: (windows, bands, frames) from `Features`.
        generator: Draws the padding positions; without it they are spread evenly.
    """
    encoder = net.encoder
    x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).transpose(1, 2)
    total, content = net.config.max_source_positions, x.shape[1] - EDGE_POSITIONS
    padding = total - content
    bias = None
    if x.shape[1] < total and padding > DRAWN:
        positions, bias = sample_positions(content, total, generator, device=x.device)
        x = torch.cat([x[:, :content], x[:, content - 1 : content].expand(-1, DRAWN, -1)], dim=1)
    else:
        if x.shape[1] < total:
            x = torch.cat([x[:, :content], x[:, content - 1 : content].expand(-1, padding, -1)], dim=1)
        positions = torch.arange(total, device=x.device)
    x = x + encoder.embed_positions.weight[positions].to(x.dtype)
    mask = None if bias is None else bias.expand(1, 1, len(bias), -1)
    for layer in encoder.layers:
        x = layer(x, mask)
    return Encoded(states=encoder.layer_norm(x), bias=bias)


def sample_positions(
    content: int, total: int, generator: Generator | None, *, device: torch.device
) -> tuple[Tensor, Tensor]:
    """
    Pick DRAWN positions of padding that stand for all from *content* to *total*.

    Returns:
        The positions, those of the content first, and what each adds to attention scores.
    """
    padding = total - content
    if generator is None:
        drawn = torch.linspace(0, padding - 1, DRAWN).round().long()
    else:
        drawn = torch.randperm(padding, generator=generator)[:DRAWN]
    positions = torch.cat([torch.arange(content), content + drawn]).to(device)
    bias = torch.cat([torch.zeros(content), torch.full((DRAWN,), math.log(padding / DRAWN))]).to(device)
    return positions, bias


def decode(net: Any, tokens: Tensor, encoded: Encoded, past: Any = None) -> Tensor:
    """Return states (windows, tokens, width) that predict the token after each of *tokens*, which follow *past*."""
    decoder = net.decoder
    past_length = 0 if past is None else past.get_seq_length()
    x = decoder.embed_tokens(tokens) + decoder.embed_positions.weight[past_length : past_length + tokens.shape[1]]
    mask = None if encoded.bias is None else encoded.bias.expand(1, 1, tokens.shape[1], -1).to(encoded.states.dtype)
    for layer in decoder.layers:
        x = layer(
            x, None, encoded.states, encoder_attention_mask=mask, past_key_values=past, use_cache=past is not None
        )
    return torch.as_tensor(decoder.layer_norm(x))


def score_tokens(net: Any, states: Tensor) -> Tensor:
    """Return the scores of every token after *states*."""
    return F.linear(states, net.decoder.embed_tokens.weight)


@torch.no_grad()
def greedy(
    net: Any,
    features: Tensor,
    openings: Sequence[Sequence[int]],
    *,
    end: int,
    most: int,
    rule: Rule | None = None,
) -> list[list[int]]:
    """
    Return the tokens that follow each opening (all of one length), the likeliest each time, at most *most* of them.

    *rule* may change the scores (windows, tokens) of what comes next, knowing the tokens so far.
    """
    from transformers import DynamicCache, EncoderDecoderCache

    encoded, past = encode(net, features), EncoderDecoderCache(DynamicCache(), DynamicCache())
    device = encoded.states.device
    tokens = torch.tensor([list(opening) for opening in openings], device=device)
    prefix_length, new_tokens = tokens.shape[1], tokens
    is_ended = torch.zeros(len(openings), dtype=torch.bool, device=device)
    for _ in range(most):
        logits = score_tokens(net, decode(net, new_tokens, encoded, past)[:, -1])
        following = (logits if rule is None else rule(tokens, logits)).argmax(-1).masked_fill(is_ended, end)
        is_ended = is_ended | (following == end)
        if bool(is_ended.all()):
            break
        new_tokens = following[:, None]
        tokens = torch.cat([tokens, new_tokens], dim=1)
    rows = tokens[:, prefix_length:].tolist()
    return [row[: row.index(end)] if end in row else row for row in rows]


def to_wave(samples: Pcm) -> Tensor:
    """Convert int16 *samples* to float32, full scale 1."""
    return torch.from_numpy(samples.astype(np.float32) / 32_768)
