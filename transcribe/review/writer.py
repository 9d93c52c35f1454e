"""
The one thread that writes. Whatever waits when it is free is written in one transaction, behind one sync of the disk.

An answer is given after that transaction is saved, never before.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from transcribe.store import Store

#: Jobs of one transaction. More would keep the first one waiting for the last.
TOGETHER = 64

T = TypeVar("T")


#: What waits for a job: a thread's future, or an event loop's.
Waiting: TypeAlias = "Future[Any] | asyncio.Future[Any]"
#: A future with the job's result, or with why there is none.
Done: TypeAlias = "tuple[Waiting, Any, Exception | None]"


class Writer:
    """Does jobs in turn, each a call that writes through the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Waiting] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="desk-writer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Do what was asked for, then stop."""
        self._jobs.put(None)
        self._thread.join()

    def begin(self, job: Callable[[], T]) -> Future[T]:
        """Have *job* done; its result comes when it is saved."""
        future: Future[T] = Future()
        self._jobs.put((job, future))
        return future

    def ask(self, job: Callable[[], T]) -> asyncio.Future[T]:
        """As `begin`, for who runs on an event loop."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put((job, future))
        return future

    async def do(self, job: Callable[[], T]) -> T:
        """Have *job* done and wait until it is saved. Raises what the job raised, or what kept it from being saved."""
        return await self.ask(job)

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return self._jobs.qsize()

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            together, stop = [first], False
            while len(together) < TOGETHER and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    stop = True
                    break
                together.append(following)
            self._write(together)
            if stop:
                return

    def _write(self, together: list[tuple[Callable[[], Any], Waiting]]) -> None:
        # Who has gone away since is not waited for; from here on nobody can take a job back.
        together = [
            (job, future)
            for job, future in together
            if (future.set_running_or_notify_cancel() if isinstance(future, Future) else not future.cancelled())
        ]
        done: list[Done] = []
        try:
            with self._store.grouped():
                for job, future in together:
                    done.append((future, *_tried(job)))
        except Exception as error:  # not saved: every caller has to know
            done = [(future, None, error) for _, future in together]
        _tell(done)


def _tell(done: list[Done]) -> None:
    """Give everybody who waits what came of it; an event loop is woken once for all of its own."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Done]] = defaultdict(list)
    for each in done:
        if isinstance(each[0], Future):
            _settle([each])
        else:
            by_loop[each[0].get_loop()].append(each)
    for loop, theirs in by_loop.items():
        # A loop that was closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, theirs)


def _settle(done: list[Done]) -> None:
    for future, result, failure in done:
        if future.cancelled():
            continue
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)


def _tried(job: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return job(), None
    except Exception as error:  # undone alone; the others of the group go on
        return None, error
