"""Mix the channels of a sound into one, window by window, where they do not cancel each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transcribe.audio.timeline import format_spans
from transcribe.records import Milliseconds

#: Windows that are judged, a second.
_WINDOWS_A_S: Final = 4
#: A mix this much quieter than its loudest channel (13 dB, as energies) has cancelled itself out.
_CANCELLED: Final = 0.05
#: Channels below -60 dB of full scale are silence anyway.
_AUDIBLE: Final = 1e-6
#: A channel below -80 dB is dead where another one is audible, if that lasts: pauses of a call are shorter.
_DEAD: Final = 1e-8
_DEAD_FOR: Final[Milliseconds] = 2_000
#: Another channel is taken only if it is this much louder (6 dB): each change of channel may be heard.
_LOUDER: Final = 4.0
#: A change of channel is faded over 10 ms.
_FADES_A_S: Final = 100

Floats = npt.NDArray[np.float32]


@dataclass(kw_only=True)
class _Fault:
    """The spans of a fault that windows show; windows in which nothing can be heard neither begin nor end one."""

    spans: list[tuple[Milliseconds, Milliseconds]] = field(default_factory=list)
    is_open: bool = False

    def add(self, start: Milliseconds, end: Milliseconds, *, is_faulty: bool) -> None:
        if is_faulty and self.is_open:
            self.spans[-1] = (self.spans[-1][0], end)
        elif is_faulty:
            self.spans.append((start, end))
        self.is_open = is_faulty

    def find(self, *, least: Milliseconds = 0) -> list[tuple[Milliseconds, Milliseconds]]:
        return [(start, end) for start, end in self.spans if end - start >= least]


class ChannelMixer:
    """
    The mix of a sound of *channels* channels, and what was wrong with them where.

    A channel alone is taken where the mix cancels: the loudest, and the same as before as long as it is nearly that.
    """

    def __init__(self, channels: int) -> None:
        self._cancelling = _Fault()
        self._dead = [_Fault() for _ in range(channels)]
        #: Channel that is taken alone at the end of the last block; ``None``: the mix.
        self._alone: int | None = None
        self._taken: set[int] = set()

    def mix(self, block: Floats, rate_hz: int, start: Milliseconds) -> Floats:
        """Return the mono sound, ``(samples, 1)``, of *block*, ``(samples, channels)``, that begins at *start*."""
        channels = block.shape[1]
        mixed: Floats = (block @ np.full(channels, 1 / channels, np.float32))[:, None]
        size = max(1, rate_hz // _WINDOWS_A_S)
        edges = np.arange(0, len(block), size)
        lengths = np.diff(edges, append=len(block))[:, None]
        # The products of all channels give their energies and that of the mix at once.
        products = np.array([block[edge : edge + size].T @ block[edge : edge + size] for edge in edges])
        energies = products.diagonal(axis1=1, axis2=2) / lengths
        mixed_energies = products.sum(axis=(1, 2)) / channels**2 / lengths[:, 0]
        loudest = energies.max(axis=1)
        audible = loudest > _AUDIBLE
        cancelling = audible & (mixed_energies < _CANCELLED * loudest)
        dead = audible[:, None] & (energies < _DEAD)
        if self._alone is None and not cancelling.any() and not dead.any() and not self._has_open_fault:
            return mixed
        for index, edge in enumerate(edges):
            if not audible[index]:
                continue
            span = (start + int(edge) * 1_000 // rate_hz, start + int(edge + lengths[index, 0]) * 1_000 // rate_hz)
            self._cancelling.add(*span, is_faulty=bool(cancelling[index]))
            for fault, is_dead in zip(self._dead, dead[index], strict=True):
                fault.add(*span, is_faulty=bool(is_dead))
        return self._choose(block, mixed, edges, energies, audible, cancelling, rate_hz)

    @property
    def cancelled(self) -> Milliseconds:
        """How long the channels cancel each other."""
        return sum(end - start for start, end in self._cancelling.spans)

    @property
    def dead(self) -> Milliseconds:
        """How long a channel is dead; of several the one that is it longest."""
        return max((sum(end - start for start, end in fault.find(least=_DEAD_FOR)) for fault in self._dead), default=0)

    def warnings(self, *, split: bool) -> list[str]:
        """List what was wrong; *split*: the channels are kept apart."""
        warnings = []
        if self._cancelling.spans and not split:
            numbers = " and ".join(str(channel + 1) for channel in sorted(self._taken))
            alone = f"channel {numbers} was taken alone there"
            spans = format_spans(self._cancelling.spans)
            warnings.append(f"W_PHASE_CANCEL: its channels cancel each other ({spans}); {alone}")
        elif self._cancelling.spans:
            spans = format_spans(self._cancelling.spans)
            hint = "listen to them apart"
            warnings.append(f"W_PHASE_CANCEL: its channels cancel each other when they are mixed ({spans}); {hint}")
        for number, fault in enumerate(self._dead, 1):
            if not split and (spans_of_channel := fault.find(least=_DEAD_FOR)):
                spans = format_spans(spans_of_channel)
                warnings.append(f"W_DEAD_CHANNEL: channel {number} is silent where another is not ({spans})")
        return warnings

    @property
    def _has_open_fault(self) -> bool:
        return self._cancelling.is_open or any(fault.is_open for fault in self._dead)

    def _choose(
        self,
        block: Floats,
        mixed: Floats,
        edges: npt.NDArray[Any],
        energies: npt.NDArray[Any],
        audible: npt.NDArray[np.bool_],
        cancelling: npt.NDArray[np.bool_],
        rate_hz: int,
    ) -> Floats:
        """Return *mixed* with a channel alone where windows cancel, faded where that changes."""
        output = mixed.copy()
        bounds = [*edges[1:], len(block)]
        for index, (first, last) in enumerate(zip(edges, bounds, strict=True)):
            before = self._alone
            if audible[index]:
                self._alone = self._find_best(energies[index]) if cancelling[index] else None
            sound = _take(block, mixed, self._alone, first, last)
            if before != self._alone:
                fade = min(last - first, rate_hz // _FADES_A_S)
                ramp = np.linspace(0, 1, fade, endpoint=False, dtype=np.float32)[:, None]
                sound = sound.copy()
                sound[:fade] = ramp * sound[:fade] + (1 - ramp) * _take(block, mixed, before, first, first + fade)
            output[first:last] = sound
            if self._alone is not None:
                self._taken.add(self._alone)
        return output

    def _find_best(self, energies: npt.NDArray[Any]) -> int:
        best = int(energies.argmax())
        stays = self._alone is not None and energies[self._alone] * _LOUDER > energies[best]
        if stays and self._alone is not None:
            return self._alone
        # The first of those that are nearly as loud, so that files alike are treated alike.
        return int(np.flatnonzero(energies * _LOUDER > energies[best])[0])


def _take(block: Floats, mixed: Floats, channel: int | None, first: int, last: int) -> Floats:
    return mixed[first:last] if channel is None else block[first:last, channel, None]
