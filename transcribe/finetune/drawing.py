"""Which window is heard next: dialects in their shares, turns by lot, the same draws for the same step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Generator

from dialects.sampling import shares
from transcribe.passages import Cut, Passage, cut
from transcribe.records import Milliseconds

#: A window of a drawn length is at least this full: the drafter cuts in the widest pause of its second half.
LEAST_FULL: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A window, and the number of the passage that it was cut from."""

    passage: int
    cut: Cut
    #: Heard so that it is not forgotten, not to be learned.
    kept: bool


def window_shares(
    amounts: Mapping[str, float], *, focus: Collection[str] = (), keep_share: float = 0.5, temperature: float = 2.0
) -> dict[str, float]:
    """
    Share of the windows for each dialect.

    The dialects of *focus* are to be learned and share ``1 - keep_share`` among themselves; the others are heard again
    so that they are not forgotten. Where one side has no speech the other has all. Inside a side, small dialects are
    lifted as `dialects.sampling.shares` says.

    >>> window_shares({"en-scotland": 300.0, "en-GB": 100.0, "en-US": 100.0}, focus=["en-scotland"], keep_share=0.4)
    {'en-scotland': 0.6, 'en-GB': 0.2, 'en-US': 0.2}
    """
    learned = {tag: amount for tag, amount in amounts.items() if tag in focus}
    kept = {tag: amount for tag, amount in amounts.items() if tag not in focus}
    if not sum(learned.values()) or not sum(kept.values()):
        return shares(amounts, temperature=temperature)
    sides = [(learned, 1 - keep_share), (kept, keep_share)]
    each = {tag: side * part for own, side in sides for tag, part in shares(own, temperature=temperature).items()}
    return {tag: each[tag] for tag in amounts}


class Lottery:
    """Draws windows of *passages*: first the dialect by its share, then an island of that dialect, all alike."""

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
        self._islands: dict[str, list[tuple[int, int]]] = defaultdict(list)
        amounts: dict[str, float] = defaultdict(float)
        for number, passage in enumerate(passages):
            tag = passage.dialect or "und"
            self._islands[tag] += [(number, place) for place in range(len(passage.islands))]
            amounts[tag] += sum(island.end - island.start for island in passage.islands)
        #: What each dialect has of the windows.
        self.shares = window_shares(amounts, focus=focus, keep_share=keep_share, temperature=temperature)
        self._tags = [tag for tag, share in self.shares.items() if share > 0]
        self._weights = torch.tensor([self.shares[tag] for tag in self._tags])
        self._kept = {tag for tag in self._tags if focus and tag not in focus}

    def draw(self, generator: Generator) -> Drawn:
        """The next window."""
        tag = self._tags[int(torch.multinomial(self._weights, 1, generator=generator))]
        own = self._islands[tag]
        passage, island = own[int(torch.randint(len(own), (), generator=generator))]
        full = LEAST_FULL + (1 - LEAST_FULL) * float(torch.rand((), generator=generator))
        window = cut(self._passages[passage], island, round(self._longest * full))
        return Drawn(passage=passage, cut=window, kept=tag in self._kept)
