"""Sampling of training windows: dialects in their shares, turns at random, the same draws for the same step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Generator

from dialects.sample_size import shares
from transcribe.records import Milliseconds
from transcribe.training.windows import Passage, TrainingWindow, cut_window

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
