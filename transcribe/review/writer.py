"""
The one thread that writes. Whatever waits when it is free is written in one transaction, behind one sync of the disk.

An answer is given after that transaction is saved, never before.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from transcribe.store import Store

#: Jobs of one transaction. More would keep the first one waiting for the last.
TOGETHER = 64

T = TypeVar("T")


class Writer:
    """Does jobs in turn, each a call that writes through the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
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

    async def do(self, job: Callable[[], T]) -> T:
        """Have *job* done and wait until it is saved. Raises what the job raised, or what kept it from being saved."""
        return await asyncio.wrap_future(self.begin(job))

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

    def _write(self, together: list[tuple[Callable[[], Any], Future[Any]]]) -> None:
        # Who has gone away since is not waited for; from here on nobody can take a job back.
        together = [(job, future) for job, future in together if future.set_running_or_notify_cancel()]
        done: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            with self._store.grouped():
                for job, future in together:
                    done.append((future, *_tried(job)))
        except Exception as error:  # not saved: every caller has to know
            for _, future in together:
                future.set_exception(error)
            return
        for future, result, failure in done:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)


def _tried(job: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return job(), None
    except Exception as error:  # undone alone; the others of the group go on
        return None, error
