"""Which window is heard next: dialects in their shares, turns by lot, the same draws for the same step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Generator

from dialects.sampling import shares
from transcribe.passages import Cut, Passage, cut, packed_windows, single_windows
from transcribe.records import Milliseconds

#: A window of a drawn length is at least this full: the drafter cuts in the widest pause of its second half.
LEAST_FULL: Final = 0.5
#: How often an island is heard among its neighbours, where windows are fixed; else it is heard alone.
PACKED_SHARE: Final = 0.5


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


class Cutter(Protocol):
    """Cuts the window that an island of a passage is heard in."""

    def cut(self, passage: int, island: int, generator: Generator) -> Cut:
        """Return a window that holds island number *island* of passage number *passage*."""
        ...


class RandomCutter:
    """Cuts windows that start with the island, from half to wholly as long as the drafter's longest."""

    def __init__(self, passages: Sequence[Passage], longest: Milliseconds) -> None:
        self._passages, self._longest = passages, longest

    def cut(self, passage: int, island: int, generator: Generator) -> Cut:
        """Return a window of a drawn length."""
        full = LEAST_FULL + (1 - LEAST_FULL) * float(torch.rand((), generator=generator))
        return cut(self._passages[passage], island, round(self._longest * full))


class FixedCutter:
    """
    Cuts each passage once as the drafter packs it, and each island of it alone, as the drafter hears it again.

    So there are few windows, and what an encoder answers to them can be kept.
    """

    def __init__(self, passages: Sequence[Passage], longest: Milliseconds) -> None:
        self._packed = [packed_windows(passage, longest) for passage in passages]
        self._single = [single_windows(passage, longest) for passage in passages]

    @property
    def windows(self) -> list[tuple[int, Cut]]:
        """All windows that may be drawn, each with the number of its passage."""
        return [
            (number, window)
            for number, own in enumerate(zip(self._packed, self._single, strict=True))
            for window in dict.fromkeys([*own[0], *own[1]])
        ]

    def cut(self, passage: int, island: int, generator: Generator) -> Cut:
        """Return the packed window or the one of the island alone, as often the one as the other."""
        cutting = self._packed if float(torch.rand((), generator=generator)) < PACKED_SHARE else self._single
        return cutting[passage][island]


class Lottery:
    """Draws windows of *passages*: first the dialect by its share, then an island of that dialect, all alike."""

    def __init__(
        self,
        passages: Sequence[Passage],
        cutter: Cutter,
        *,
        focus: Collection[str] = (),
        keep_share: float = 0.5,
        temperature: float = 2.0,
    ) -> None:
        self._cutter = cutter
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
        window = self._cutter.cut(passage, island, generator)
        return Drawn(passage=passage, cut=window, kept=tag in self._kept)
