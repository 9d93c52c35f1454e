"""
How a Whisper of transformers hears a window: its own layers, walked so that short sound costs little.

Whisper always hears 30 s. Beyond the speech all of that is padding, alike but for its position. Only the content and a
few padding positions are computed; each of these counts for all those that it stands for: the log of their number is
added to its attention score, so that the sums of attention are those of the full 30 s in expectation. What it costs in
accuracy is measured in tests/finetune/test_hearing.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

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
        Give (windows, bands, frames) for float *waves*; behind the content all is 0, as faster-whisper pads.

        Frames are even, at most 3 000, and at least PADDING_FRAMES more than the longest window has, unless it is full.
        """
        longest = max(map(len, waves)) + HOP
        together = torch.zeros(len(waves), longest, device=self._device)
        for row, wave in enumerate(waves):
            together[row, : len(wave)] = wave.to(self._device)
        power = torch.stft(together, FFT, HOP, window=self._window, return_complex=True).abs().square()
        log = (self._filters @ power).clamp(min=1e-10).log10()
        frames = longest // HOP + PADDING_FRAMES
        features = torch.zeros(len(waves), self._bands, min(frames + frames % 2, 3_000), device=self._device)
        for row, wave in enumerate(waves):
            kept = min(max(1, len(wave) // HOP), 3_000)
            own = log[row, :, :kept]
            features[row, :, :kept] = (own.clamp(min=float(own.max()) - 8.0) + 4.0) / 4.0
        return features


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Encoder output (windows, positions, width), and what each position adds to attention scores (``None``: 0)."""

    states: Tensor
    bias: Tensor | None

    def __getitem__(self, rows: Tensor) -> Encoded:
        """Give the windows that the mask *rows* picks."""
        return Encoded(states=self.states[rows], bias=self.bias)


def encode(net: Any, mel: Tensor, generator: Generator | None = None) -> Encoded:
    """
    Hear *mel*, whose last frames are padding, as if it were padded to 30 s.

    Args:
        net: WhisperModel of transformers, adapted or not.
        mel: (windows, bands, frames) from `Features`.
        generator: Draws the padding positions; without it they are spread evenly.
    """
    encoder = net.encoder
    x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).transpose(1, 2)
    whole, content = net.config.max_source_positions, x.shape[1] - EDGE_POSITIONS
    rest = whole - content
    bias = None
    if x.shape[1] < whole and rest > DRAWN:
        places, bias = sampled_positions(content, whole, generator, device=x.device)
        x = torch.cat([x[:, :content], x[:, content - 1 : content].expand(-1, DRAWN, -1)], dim=1)
    else:
        if x.shape[1] < whole:
            x = torch.cat([x[:, :content], x[:, content - 1 : content].expand(-1, rest, -1)], dim=1)
        places = torch.arange(whole, device=x.device)
    x = x + encoder.embed_positions.weight[places].to(x.dtype)
    mask = None if bias is None else bias.expand(1, 1, len(bias), -1)
    for layer in encoder.layers:
        x = layer(x, mask)
    return Encoded(states=encoder.layer_norm(x), bias=bias)


def sampled_positions(
    content: int, whole: int, generator: Generator | None, *, device: torch.device
) -> tuple[Tensor, Tensor]:
    """
    Pick DRAWN positions of padding that stand for all from *content* to *whole*.

    Returns:
        The positions, those of the content first, and what each adds to attention scores.
    """
    rest = whole - content
    if generator is None:
        drawn = torch.linspace(0, rest - 1, DRAWN).round().long()
    else:
        drawn = torch.randperm(rest, generator=generator)[:DRAWN]
    places = torch.cat([torch.arange(content), content + drawn]).to(device)
    bias = torch.cat([torch.zeros(content), torch.full((DRAWN,), math.log(rest / DRAWN))]).to(device)
    return places, bias


def decode(net: Any, tokens: Tensor, heard: Encoded, past: Any = None) -> Tensor:
    """States (windows, tokens, width) that predict the token after each of *tokens*, which follow those in *past*."""
    decoder = net.decoder
    before = 0 if past is None else past.get_seq_length()
    x = decoder.embed_tokens(tokens) + decoder.embed_positions.weight[before : before + tokens.shape[1]]
    mask = None if heard.bias is None else heard.bias.expand(1, 1, tokens.shape[1], -1).to(heard.states.dtype)
    for layer in decoder.layers:
        x = layer(x, None, heard.states, encoder_attention_mask=mask, past_key_values=past, use_cache=past is not None)
    return torch.as_tensor(decoder.layer_norm(x))


def scores(net: Any, states: Tensor) -> Tensor:
    """Scores of every token after *states*."""
    return F.linear(states, net.decoder.embed_tokens.weight)


@torch.no_grad()
def greedy(
    net: Any,
    sound: Tensor,
    openings: Sequence[Sequence[int]],
    *,
    end: int,
    most: int,
    rule: Rule | None = None,
) -> list[list[int]]:
    """
    Tokens that follow each opening (all of one length), the likeliest each time, at most *most* of them.

    *rule* may change the scores (windows, tokens) of what comes next, knowing the tokens so far.
    """
    from transformers import DynamicCache, EncoderDecoderCache

    heard, past = encode(net, sound), EncoderDecoderCache(DynamicCache(), DynamicCache())
    device = heard.states.device
    tokens = torch.tensor([list(opening) for opening in openings], device=device)
    before, given = tokens.shape[1], tokens
    ended = torch.zeros(len(openings), dtype=torch.bool, device=device)
    for _ in range(most):
        found = scores(net, decode(net, given, heard, past)[:, -1])
        following = (found if rule is None else rule(tokens, found)).argmax(-1).masked_fill(ended, end)
        ended = ended | (following == end)
        if bool(ended.all()):
            break
        given = following[:, None]
        tokens = torch.cat([tokens, given], dim=1)
    rows = tokens[:, before:].tolist()
    return [row[: row.index(end)] if end in row else row for row in rows]


def to_wave(samples: Pcm) -> Tensor:
    """int16 samples as float32, full scale 1."""
    return torch.from_numpy(samples.astype(np.float32) / 32_768)
