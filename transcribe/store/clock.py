"""
The clock of the store: times of day that no jump of the machine's clock moves while a process runs.

Leases, sessions and signed addresses are compared with it. It is the time of day when the process began and what has
passed since, time asleep included; what was written before a restart is bounded where the desk opens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _read_wall() -> datetime:
    return datetime.now(UTC)


def _read_elapsed_s() -> float:
    """Return seconds since some moment: of the clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class SteadyClock:
    """Tells the time when called."""

    def __init__(
        self, *, wall: Callable[[], datetime] = _read_wall, elapsed_s: Callable[[], float] = _read_elapsed_s
    ) -> None:
        self._wall, self._elapsed_s = wall, elapsed_s
        self._began_at, self._began_s = wall(), elapsed_s()

    def __call__(self) -> datetime:
        return self._began_at + timedelta(seconds=self._elapsed_s() - self._began_s)

    def offset_s(self) -> float:
        """Return the seconds by which the machine's clock is ahead of this one: how far it was set since."""
        return (self._wall() - self()).total_seconds()


#: The clock of this process.
steady_now = SteadyClock()
