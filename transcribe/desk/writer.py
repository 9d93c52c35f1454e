"""
The one thread that writes. All jobs that wait when it is free go into one transaction, behind one sync of the disk.

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
from transcribe.store.database import Spoiled

#: Jobs of one transaction. More would keep the first one waiting for the last.
GROUP_SIZE = 64
#: Long jobs among them: some milliseconds each.
LONG_GROUP_SIZE = 4

T = TypeVar("T")


#: The future of a job: a thread's, or an event loop's.
Waiting: TypeAlias = "Future[Any] | asyncio.Future[Any]"
#: A future with the job's result, or with the error in its place.
JobResult: TypeAlias = "tuple[Waiting, Any, Exception | None]"
Job: TypeAlias = "tuple[Callable[[], Any], Waiting]"


class Writer:
    """Runs jobs in turn, each a call that writes through the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Jobs not sorted yet, each with a mark if it is long; ``None``: stop when all is done.
        self._jobs: queue.SimpleQueue[tuple[Job, bool] | None] = queue.SimpleQueue()
        self._short: deque[Job] = deque()
        self._long: deque[Job] = deque()
        self._stop = False
        self._thread = threading.Thread(target=self._work, name="desk-writer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Run every job that was begun, then stop."""
        self._jobs.put(None)
        self._thread.join()

    def begin(self, job: Callable[[], T]) -> Future[T]:
        """Queue *job*, and return a future that has its result when it is saved."""
        future: Future[T] = Future()
        self._jobs.put(((job, future), False))
        return future

    def ask(self, job: Callable[[], T], *, long: bool = False) -> asyncio.Future[T]:
        """Like `begin`, but return an asyncio future."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(((job, future), long))
        return future

    async def do(self, job: Callable[[], T], *, long: bool = False) -> T:
        """Run *job* and wait until it is saved. Raises its error, or the one that kept it from being saved."""
        return await self.ask(job, long=long)

    @property
    def waiting(self) -> int:
        """Count the jobs that have not begun."""
        return self._jobs.qsize() + len(self._short) + len(self._long)

    def _work(self) -> None:
        while self._gather():
            self._write([*_pop_first(self._short, GROUP_SIZE), *_pop_first(self._long, LONG_GROUP_SIZE)])

    def _gather(self) -> bool:
        """Wait for a job, sort in all that came meanwhile, and return false once there will be no more."""
        while not self._jobs.empty() or not (self._short or self._long or self._stop):
            marked_job = self._jobs.get()
            if marked_job is None:
                self._stop = True
            else:
                job, is_long = marked_job
                (self._long if is_long else self._short).append(job)
        return bool(self._short or self._long)

    def _write(self, jobs: list[Job]) -> None:
        # Who has gone away since is not waited for; from here on nobody can take a job back.
        jobs = [
            (job, future)
            for job, future in jobs
            if (future.set_running_or_notify_cancel() if isinstance(future, Future) else not future.cancelled())
        ]
        try:
            results = self._run_group(jobs, apart=False)
        except Spoiled:  # rare: again, each so that it can be undone alone
            results = self._run_group(jobs, apart=True)
        _set_results(results)

    def _run_group(self, jobs: list[Job], *, apart: bool) -> list[JobResult]:
        try:
            with self._store.database.group_writes(apart=apart):
                return [(future, *_run_job(job)) for job, future in jobs]
        except Spoiled:
            raise
        except Exception as error:  # not saved: every caller has to know
            return [(future, None, error) for _, future in jobs]


def _pop_first(jobs: deque[Job], most: int) -> list[Job]:
    """Take the first *most* of *jobs* off."""
    return [jobs.popleft() for _ in range(min(most, len(jobs)))]


def _set_results(results: list[JobResult]) -> None:
    """Set the result of every future; an event loop is woken once for all of its own."""
    results_by_loop: dict[asyncio.AbstractEventLoop, list[JobResult]] = defaultdict(list)
    for job_result in results:
        if isinstance(job_result[0], Future):
            _set_on_thread([job_result])
        else:
            results_by_loop[job_result[0].get_loop()].append(job_result)
    for loop, results_of_loop in results_by_loop.items():
        # A loop that was closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_set_on_thread, results_of_loop)


def _set_on_thread(results: list[JobResult]) -> None:
    for future, result, failure in results:
        if future.cancelled():
            continue
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)


def _run_job(job: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return job(), None
    except Exception as error:  # undone alone; the others of the group go on
        return None, error
