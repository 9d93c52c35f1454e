"""Ctrl-C and SIGTERM while work is under way: finish what is in flight, or stop at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Set the event at the first Ctrl-C or SIGTERM, so that work in flight is finished; the second ends the process."""
    stop = threading.Event()

    def ask(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        stop.set()

    with _handle_signals(ask):
        yield stop


@contextmanager
def interrupt_until_set() -> Iterator[threading.Event]:
    """
    Let Ctrl-C and SIGTERM interrupt at once until the event is set.

    A server that is open takes the signals itself, and hands them on when there is nothing left to stop.
    """
    is_open = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if not is_open.is_set():
            raise KeyboardInterrupt

    with _handle_signals(stop):
        yield is_open


@contextmanager
def _handle_signals(handler: Callable[[int, object], None]) -> Iterator[None]:
    handlers = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in handlers.items():
            signal.signal(number, earlier)
