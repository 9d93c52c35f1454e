"""
The one thread that writes. Whatever waits when it is free is written in one transaction, behind one sync of the disk.

An answer is given after that transaction is saved, never before. Long jobs are taken a few at a time, so that texts
need not wait for everybody who begins to work at nine.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from transcribe.store import Store
from transcribe.store.grouping import Spoiled

#: Jobs of one transaction. More would keep the first one waiting for the last.
TOGETHER = 64
#: Long jobs among them: some milliseconds each.
LONG_TOGETHER = 4

T = TypeVar("T")


#: What waits for a job: a thread's future, or an event loop's.
Waiting: TypeAlias = "Future[Any] | asyncio.Future[Any]"
#: A future with the job's result, or with why there is none.
Done: TypeAlias = "tuple[Waiting, Any, Exception | None]"
Job: TypeAlias = "tuple[Callable[[], Any], Waiting]"


class Writer:
    """Does jobs in turn, each a call that writes through the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: What came in, with whether it is long; ``None``: stop when all is done.
        self._came: queue.SimpleQueue[tuple[Job, bool] | None] = queue.SimpleQueue()
        self._short: deque[Job] = deque()
        self._long: deque[Job] = deque()
        self._stop = False
        self._thread = threading.Thread(target=self._work, name="desk-writer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Do what was asked for, then stop."""
        self._came.put(None)
        self._thread.join()

    def begin(self, job: Callable[[], T]) -> Future[T]:
        """Have *job* done; its result comes when it is saved."""
        future: Future[T] = Future()
        self._came.put(((job, future), False))
        return future

    def ask(self, job: Callable[[], T], *, long: bool = False) -> asyncio.Future[T]:
        """As `begin`, for who runs on an event loop."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._came.put(((job, future), long))
        return future

    async def do(self, job: Callable[[], T], *, long: bool = False) -> T:
        """Have *job* done and wait until it is saved. Raises what the job raised, or what kept it from being saved."""
        return await self.ask(job, long=long)

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return self._came.qsize() + len(self._short) + len(self._long)

    def _work(self) -> None:
        while self._gather():
            self._write([*_taken(self._short, TOGETHER), *_taken(self._long, LONG_TOGETHER)])

    def _gather(self) -> bool:
        """Wait for something to do, and take in all that came meanwhile. Whether there is anything."""
        while not self._came.empty() or not (self._short or self._long or self._stop):
            came = self._came.get()
            if came is None:
                self._stop = True
            else:
                (self._long if came[1] else self._short).append(came[0])
        return bool(self._short or self._long)

    def _write(self, together: list[Job]) -> None:
        # Who has gone away since is not waited for; from here on nobody can take a job back.
        together = [
            (job, future)
            for job, future in together
            if (future.set_running_or_notify_cancel() if isinstance(future, Future) else not future.cancelled())
        ]
        try:
            done = self._done(together, apart=False)
        except Spoiled:  # rare: again, each so that it can be undone alone
            done = self._done(together, apart=True)
        _tell(done)

    def _done(self, together: list[Job], *, apart: bool) -> list[Done]:
        try:
            with self._store.grouped(apart=apart):
                return [(future, *_tried(job)) for job, future in together]
        except Spoiled:
            raise
        except Exception as error:  # not saved: every caller has to know
            return [(future, None, error) for _, future in together]


def _taken(jobs: deque[Job], most: int) -> list[Job]:
    """The first of *jobs*, taken off."""
    return [jobs.popleft() for _ in range(min(most, len(jobs)))]


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
