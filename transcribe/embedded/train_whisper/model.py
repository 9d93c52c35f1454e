"""A small Whisper network whose parameters carry the names of transformers' WhisperModel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MEL_BANDS = 80
ENCODER_POSITIONS = 1500  # 30 s at 20 ms, fixed by the architecture
DECODER_POSITIONS = 448
EDGE_POSITIONS = 4  # positions after the content that still see it through the convolutions


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes of the network."""

    width: int = 112
    heads: int = 4
    encoder_layers: int = 8
    decoder_layers: int = 3
    vocabulary: int = 0
    phones: int = 0
    #: head of every decoder layer that is taught where words lie: in the first layer the word just written, in the
    #: others the one being written; word times are read from these others
    aligned_head: int = 0


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Encoder output: states (batch, positions, width) and how many real positions each stands for, as a log."""

    states: Tensor
    #: states half way through the layers
    middle: Tensor
    log_share: Tensor
    content: int


def sinusoids(length: int, channels: int) -> Tensor:
    """Fixed position codes of Whisper's encoder, shape (length, channels)."""
    step = math.log(10_000) / (channels // 2 - 1)
    rates = torch.exp(-step * torch.arange(channels // 2))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Attention(nn.Module):
    """Multi-head attention with Whisper's biases: none on the keys."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(batch, time, width) -> (batch, heads, time, width / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def itself(self, x: Tensor, bias: Tensor | None, *, causal: bool = False) -> Tensor:
        """Attend within one sequence; *bias* is added to the scores."""
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight])
        zeros = torch.zeros_like(self.q_proj.bias)
        offsets = torch.cat([self.q_proj.bias, zeros, self.v_proj.bias])
        q, k, v = F.linear(x, weight, offsets).chunk(3, dim=-1)
        q, k, v = (self.split(part).float() for part in (q, k, v))
        with torch.autocast("cpu", enabled=False):  # in bfloat16 its gradients take four times as long
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=causal)
        return torch.as_tensor(self.out_proj(mixed.transpose(1, 2).flatten(2)))

    def other(self, x: Tensor, memory: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Attend to the encoder; also gives the weights (batch, heads, tokens, positions)."""
        q, k, v = self.split(self.q_proj(x)), self.split(self.k_proj(memory)), self.split(self.v_proj(memory))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
        weights = scores.softmax(dim=-1)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(2)), weights


@dataclass(frozen=True, kw_only=True)
class Gaze:
    """Where a fresh encoder head looks: this many positions ahead, blurred by leaving out the fastest codes."""

    ahead: int
    first_rate: int


#: Positions are 20 ms. The fourth head of each layer starts without a preference.
NEAR = (Gaze(ahead=-5, first_rate=3), Gaze(ahead=5, first_rate=3), Gaze(ahead=0, first_rate=6))
FAR = (Gaze(ahead=-12, first_rate=5), Gaze(ahead=12, first_rate=5), Gaze(ahead=0, first_rate=9))


def look_around(attention: Attention, gazes: Sequence[Gaze], *, strength: float = 1.4) -> None:
    """
    Set the first heads of a fresh encoder layer to look at the places of *gazes*, whatever is said there.

    The scalar product of two position codes falls off with their distance; turning one of them by an angle moves its
    peak. Without this start the network needs thousands of steps before it looks at neighbours at all.
    """
    width = attention.q_proj.in_features
    size, rates = width // attention.heads, width // 2
    step = math.log(10_000) / (rates - 1)
    with torch.no_grad():
        for head, gaze in enumerate(gazes):
            rows = slice(head * size, (head + 1) * size)
            query, key = attention.q_proj.weight[rows].mul_(0.3), attention.k_proj.weight[rows].mul_(0.3)
            for place, code in enumerate(range(gaze.first_rate, gaze.first_rate + size // 2)):
                turn = gaze.ahead * math.exp(-step * code)
                sine, cosine = 2 * place, 2 * place + 1
                key[sine, code] += strength
                key[cosine, rates + code] += strength
                query[sine, code] += strength * math.cos(turn)
                query[sine, rates + code] += strength * math.sin(turn)
                query[cosine, rates + code] += strength * math.cos(turn)
                query[cosine, code] -= strength * math.sin(turn)


class EncoderLayer(nn.Module):
    """One encoder block: attention, then the wide layer, both on normalised input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape.width, shape.heads)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.fc1 = nn.Linear(shape.width, 4 * shape.width)
        self.fc2 = nn.Linear(4 * shape.width, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(self, x: Tensor, bias: Tensor | None, drop: float) -> Tensor:
        x = x + F.dropout(self.self_attn.itself(self.self_attn_layer_norm(x), bias), drop, self.training)
        wide = F.gelu(self.fc1(self.final_layer_norm(x)))
        return x + F.dropout(self.fc2(wide), drop, self.training)


class DecoderLayer(nn.Module):
    """One decoder block: its own past, the encoder, the wide layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape.width, shape.heads)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.encoder_attn = Attention(shape.width, shape.heads)
        self.encoder_attn_layer_norm = nn.LayerNorm(shape.width)
        self.fc1 = nn.Linear(shape.width, 4 * shape.width)
        self.fc2 = nn.Linear(4 * shape.width, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(self, x: Tensor, memory: Encoded, drop: float) -> tuple[Tensor, Tensor]:
        x = x + F.dropout(self.self_attn.itself(self.self_attn_layer_norm(x), None, causal=True), drop, self.training)
        heard, weights = self.encoder_attn.other(self.encoder_attn_layer_norm(x), memory.states, memory.log_share)
        x = x + F.dropout(heard, drop, self.training)
        wide = F.gelu(self.fc1(self.final_layer_norm(x)))
        return x + F.dropout(self.fc2(wide), drop, self.training), weights


class Encoder(nn.Module):
    """
    Mel frames -> states.

    Whisper always hears 30 s. Most of a training window would be padding, all alike: only the content and a few
    padding positions drawn at random are computed, and each drawn one counts for all those it stands for (the log
    of their number is added to its attention score). The attention sums are those of the full 30 s in expectation.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MEL_BANDS, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(ENCODER_POSITIONS, shape.width)
        self.embed_positions.weight = nn.Parameter(sinusoids(ENCODER_POSITIONS, shape.width), requires_grad=False)
        layers = [EncoderLayer(shape) for _ in range(shape.encoder_layers)]
        for depth, layer in enumerate(layers):
            look_around(layer.self_attn, NEAR if depth < shape.encoder_layers // 2 else FAR)
        self.layers = nn.ModuleList(layers)
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, mel: Tensor, padding_drawn: int, drop: float) -> Encoded:
        """
        Encode *mel* (batch, 80, frames), whose last 16 frames are padding, as if padded to 30 s.

        With *padding_drawn* 0, *mel* is taken as the whole input and nothing is added.
        """
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        content, places, bias = x.shape[1], torch.arange(x.shape[1]), torch.zeros(x.shape[1])
        if padding_drawn:
            content = x.shape[1] - EDGE_POSITIONS
            rest = ENCODER_POSITIONS - content
            drawn = content + torch.randperm(rest)[:padding_drawn]
            x = torch.cat([x[:, :content], x[:, content - 1 : content].expand(-1, len(drawn), -1)], dim=1)
            places = torch.cat([places[:content], drawn])
            bias = torch.cat([bias[:content], torch.full((len(drawn),), math.log(rest / len(drawn)))])
        x = x + self.embed_positions.weight[places]
        middle = x
        for depth, layer in enumerate(self.layers, 1):
            x = layer(x, bias.expand(x.shape[1], -1) if padding_drawn else None, drop)
            middle = x if depth == len(self.layers) // 2 else middle
        return Encoded(states=self.layer_norm(x), middle=middle, log_share=bias, content=content)


class Decoder(nn.Module):
    """Tokens so far and encoder states -> states that predict the next token."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.embed_positions = nn.Embedding(DECODER_POSITIONS, shape.width)
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.layer_norm = nn.LayerNorm(shape.width)
        nn.init.normal_(self.embed_tokens.weight, std=shape.width**-0.5)
        nn.init.normal_(self.embed_positions.weight, std=0.02)

    def forward(self, tokens: Tensor, memory: Encoded, drop: float) -> tuple[Tensor, list[Tensor]]:
        x = self.embed_tokens(tokens) + self.embed_positions.weight[: tokens.shape[1]]
        looked = []
        for layer in self.layers:
            x, weights = layer(x, memory, drop)
            looked.append(weights)
        return self.layer_norm(x), looked


class SmallWhisper(nn.Module):
    """Encoder and decoder of Whisper, and an output for single positions that only training uses."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.decoder = Decoder(shape)
        #: which token is being said at a position; trained on known word times, it teaches the encoder to listen
        self.heard = nn.Linear(shape.width, shape.vocabulary)
        #: which phone is being said; half way through the encoder, it is learned long before the words are
        self.phones = nn.Sequential(nn.LayerNorm(shape.width), nn.Linear(shape.width, shape.phones))
        #: log of the number of rows that each compact row stands for after export
        self.register_buffer("log_rows", torch.zeros(shape.vocabulary), persistent=False)

    def logits(self, states: Tensor) -> Tensor:
        """Scores over the compact vocabulary, equal after log-softmax to those over the full one."""
        return F.linear(states, self.decoder.embed_tokens.weight) + self.get_buffer("log_rows")


def deepened(weights: dict[str, Tensor], net: SmallWhisper) -> dict[str, Tensor]:
    """
    *weights* of a network with as many or fewer encoder layers, for *net*; what it hears stays the same.

    Each half of the encoder gains its new layers at its end, so that the phones are still read in the middle. A new
    layer adds nothing until it has learned to. Growing so costs less than training the deep network from the start
    (Gong et al., "Efficient training of BERT by progressively stacking", 2019).
    """
    half, had = net.shape.encoder_layers // 2, len({name.split(".")[2] for name in weights if _of_encoder(name)}) // 2
    grown = {name: value for name, value in weights.items() if not _of_encoder(name)}
    for name, fresh in net.state_dict().items():
        if not _of_encoder(name):
            continue
        _, _, place, part = name.split(".", 3)
        side, depth = divmod(int(place), half)
        if depth < had:
            grown[name] = weights[f"encoder.layers.{side * had + depth}.{part}"]
        else:
            adds = part.startswith(("self_attn.out_proj.", "fc2."))
            grown[name] = torch.zeros_like(fresh) if adds else fresh
    return grown


def _of_encoder(name: str) -> bool:
    return name.startswith("encoder.layers.")
