"""The group commit: many small transactions with one sync of the disk, for a server with hundreds a second."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from transcribe.store.database import Database
from transcribe.store.prepared import execute_raw
from transcribe.store.trouble import translate_errors


class Spoiled(Exception):
    """An error inside a group whose writes do not stand apart. Nothing of the group is saved."""


class _Group(threading.local):
    connection: Connection | None = None
    #: Whether each write of the group can be undone alone.
    apart: bool = True
    spoiled: bool = False


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """Set a savepoint, as `begin_nested` does, at a tenth of its price."""
    execute_raw(connection, "SAVEPOINT boli")
    try:
        yield
    except BaseException:
        execute_raw(connection, "ROLLBACK TO boli")
        execute_raw(connection, "RELEASE boli")
        raise
    execute_raw(connection, "RELEASE boli")


class FairLock:
    """
    A lock that goes to whoever has waited longest, and that its holder may take again.

    Python's own goes to anybody: a writer that always has more to write takes it again at once, one reader gets
    through for each of its transactions, and nothing is left to be put together.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._holder: int | None = None
        self._depth = 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the lock in the body."""
        self._acquire()
        try:
            yield
        finally:
            self._release()

    def _acquire(self) -> None:
        me = threading.get_ident()
        with self._mutex:
            if self._holder in (None, me):
                self._holder, self._depth = me, self._depth + 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        # Whoever passes the lock on opens this one, and leaves the place of the holder taken.
        turn.acquire()
        self._holder, self._depth = me, 1

    def _release(self) -> None:
        with self._mutex:
            self._depth -= 1
            if self._depth:
                return
            if self._waiting:
                self._holder = -1
                self._waiting.popleft().release()
            else:
                self._holder = None


class Grouping(Database):
    """
    A database whose writes can be grouped into one commit.

    On SQLite the threads of a process take turns here, in the order in which they came. Its own way of waiting for a
    lock is to sleep and ask again, which knows no order.
    """

    @contextmanager
    def group_writes(self, *, apart: bool = True) -> Iterator[None]:
        """
        Make every `begin_write` of this thread inside the body part of one transaction, saved at its end.

        Each still stands alone: an error undoes only its own. Nothing may be told to anybody before the body has
        ended without an error, because nothing is saved before.

        Args:
            apart: ``False`` saves the savepoints, a fourth of all statements of a text: an error undoes all.

        Raises:
            Spoiled: Not *apart*, and there was an error inside, even one that was caught.
        """
        with self._wait_turn(), super().begin_write() as connection:
            self._group.connection, self._group.apart, self._group.spoiled = connection, apart, False
            try:
                yield
                if self._group.spoiled:
                    raise Spoiled
            finally:
                self._group.connection = None

    @contextmanager
    def begin_write(self) -> Iterator[Connection]:
        connection = self._group.connection
        if connection is None:
            with self._wait_turn(), super().begin_write() as new_connection:
                yield new_connection
            return
        with translate_errors(self.location), _savepoint(connection) if self._group.apart else self._mark_spoiled():
            yield connection

    @contextmanager
    def _mark_spoiled(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._group.spoiled = True
            raise

    @contextmanager
    def begin_read(self) -> Iterator[Connection]:
        # Inside `grouped` what the group has written is seen.
        inside = self._group.connection is not None
        with self.begin_write() if inside else self._read_alone() as connection:
            yield connection

    @contextmanager
    def _read_alone(self) -> Iterator[Connection]:
        with self._wait_turn(), super().begin_read() as connection:
            yield connection

    @contextmanager
    def _wait_turn(self) -> Iterator[None]:
        if self.location.path is None:
            yield
            return
        # setdefault is one step, whichever thread comes first.
        with self.__dict__.setdefault("_lock", FairLock()).hold():
            yield

    @property
    def _group(self) -> _Group:
        # On the engine's side of the object, so that two stores of one process do not share it.
        state: _Group | None = self.__dict__.get("_group_state")
        if state is None:
            state = self.__dict__.setdefault("_group_state", _Group())
        return state
