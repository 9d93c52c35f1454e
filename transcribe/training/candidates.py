"""
The candidate tokens of a step's softmax: a sample that stands for a whole vocabulary.

After Jean and others, "On using very large target vocabulary for neural machine translation", 2015.

On a processor, the scores of Whisper's 51,865 tokens take as long as all else that its decoder does when it learns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

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
