"""Limits on how often somebody may ask, and may be wrong. Kept in memory: the desk is one process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

#: Names that are remembered; the one longest unheard of is forgotten first.
_MOST = 20_000


class Throttle:
    """Buckets that fill by *rate* a second up to *size*, one for each name."""

    def __init__(self, *, rate: float, size: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._size, self._clock = rate, size, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """Return the seconds until *name* may go on; 0 at once."""
        level = self._level(name)
        return 0.0 if level >= 1 else (1 - level) / self._rate

    def spend(self, name: str) -> None:
        """Take one from the bucket of *name*."""
        self._buckets[name] = (self._level(name) - 1, self._clock())
        self._buckets.move_to_end(name)
        while len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)

    def forget(self, name: str) -> None:
        """Fill the bucket of *name*."""
        self._buckets.pop(name, None)

    def _level(self, name: str) -> float:
        level, filled_at = self._buckets.get(name, (self._size, 0.0))
        return min(self._size, level + (self._clock() - filled_at) * self._rate)
