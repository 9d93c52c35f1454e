"""Limits by address, by person and by name, in memory: the desk is one process."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: Names that a limit remembers; the one longest unheard of is forgotten first.
_MOST_NAMES: Final = 20_000
#: Seconds without a wrong password after which earlier ones are forgotten.
_FORGET_S: Final = 3_600.0


def address_group(host: str) -> str:
    """
    Return the address that connections and tries of *host* are counted under: of IPv6 the network of one customer.

    >>> address_group("10.0.0.7"), address_group("2001:db8::1:2:3"), address_group("::ffff:10.0.0.7")
    ('10.0.0.7', '2001:db8::/64', '10.0.0.7')
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class Throttle:
    """Buckets in memory that fill by *rate* a second up to *size*, one for each name."""

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
        while len(self._buckets) > _MOST_NAMES:
            self._buckets.popitem(last=False)

    def give_back(self, name: str) -> None:
        """Put back what was taken for *name*, for nothing."""
        if name in self._buckets:
            level, filled_at = self._buckets[name]
            self._buckets[name] = (level + 1, filled_at)

    def _level(self, name: str) -> float:
        level, filled_at = self._buckets.get(name, (self._size, 0.0))
        return min(self._size, level + (self._clock() - filled_at) * self._rate)


class Delays:
    """Waits that grow with each failure of a name: a few are free, then each doubles the wait, up to a longest one."""

    def __init__(
        self,
        *,
        free: int = 3,
        first_s: float = 5.0,
        longest_s: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free, self._first_s, self._longest_s, self._clock = free, first_s, longest_s, clock
        #: Failures, and when the last one was.
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """Return the seconds until *name* may try again; 0 at once."""
        count, failed_at = self._failures.get(name, (0, 0.0))
        if count < self._free:
            return 0.0
        # 30 doublings are beyond any wait.
        delay = min(self._longest_s, self._first_s * 2.0 ** min(count - self._free, 30))
        return max(0.0, failed_at + delay - self._clock())

    def spend(self, name: str) -> None:
        """Count a failure of *name*."""
        count, failed_at = self._failures.get(name, (0, 0.0))
        if self._clock() - failed_at > _FORGET_S:
            count = 0
        self._failures[name] = (count + 1, self._clock())
        self._failures.move_to_end(name)
        while len(self._failures) > _MOST_NAMES:
            self._failures.popitem(last=False)

    def give_back(self, name: str) -> None:
        """Count one failure of *name* less."""
        count, failed_at = self._failures.get(name, (0, 0.0))
        if count > 0:
            self._failures[name] = (count - 1, failed_at)

    def forget(self, name: str) -> None:
        """Forget every failure of *name*."""
        self._failures.pop(name, None)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt to sign in."""

    name: str
    address: str
    #: The device that *name* was signed in on before; ``None``: it comes from anywhere.
    device: str | None


class SignInLimits:
    """
    Limits on wrong passwords, which delay and never lock out.

    Attempts on a device where the name was signed in before are counted by that device alone, so that a stranger's
    wrong passwords never delay the owner there. All others are delayed by name and address together, and less so by
    the name, for those who come from many addresses, and by the address, for those who try many names.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._devices, self._pairs = Delays(clock=clock), Delays(clock=clock)
        #: In a quarter of an hour; at most 90 s for a name, 3 s for an address.
        self._names = Throttle(rate=10 / 900, size=30, clock=clock)
        self._addresses = Throttle(rate=300 / 900, size=300, clock=clock)

    def wait_s(self, attempt: Attempt) -> float:
        """Return the seconds until *attempt* may be made; 0 at once."""
        return max(limit.wait_s(key) for limit, key in self._list_limits(attempt))

    def begin(self, attempt: Attempt) -> None:
        """Count *attempt* as wrong before that is known, so that many at once count too."""
        for limit, key in self._list_limits(attempt):
            limit.spend(key)

    def give_back(self, attempt: Attempt) -> None:
        """Count *attempt* no more: no password was looked at."""
        for limit, key in self._list_limits(attempt):
            limit.give_back(key)

    def succeed(self, attempt: Attempt) -> None:
        """Forget the wrong passwords before *attempt*, which was right."""
        self.give_back(attempt)
        delays, key = self._list_limits(attempt)[0]
        if isinstance(delays, Delays):
            delays.forget(key)

    def wait_for_address_s(self, address: str) -> float:
        """Return the seconds until *address* may try another key; 0 at once."""
        return self._addresses.wait_s(address)

    def spend_address(self, address: str) -> None:
        """Count a key that *address* tries."""
        self._addresses.spend(address)

    def _list_limits(self, attempt: Attempt) -> list[tuple[Delays | Throttle, str]]:
        if attempt.device is not None:
            return [(self._devices, attempt.device)]
        pair = f"{attempt.address} {attempt.name}"
        return [(self._pairs, pair), (self._names, attempt.name), (self._addresses, attempt.address)]
