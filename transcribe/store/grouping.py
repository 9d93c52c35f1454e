"""Many small transactions behind one sync of the disk: what a busy server does a few hundred times a second."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from transcribe.store.database import Database
from transcribe.store.prepared import raw
from transcribe.store.trouble import translated


class Spoiled(Exception):
    """An error inside a group whose writes do not stand apart. Nothing of the group is saved."""


class _Open(threading.local):
    connection: Connection | None = None
    #: Whether each write of the group can be undone alone.
    apart: bool = True
    spoiled: bool = False


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """What `begin_nested` does, at a tenth of its price."""
    raw(connection, "SAVEPOINT boli")
    try:
        yield
    except BaseException:
        raw(connection, "ROLLBACK TO boli")
        raw(connection, "RELEASE boli")
        raise
    raw(connection, "RELEASE boli")


class Turns:
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
    def mine(self) -> Iterator[None]:
        """Hold the lock in the body."""
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    def _take(self) -> None:
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

    def _pass_on(self) -> None:
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
    A database whose writes can be put together.

    On SQLite the threads of a process take turns here, in the order in which they came. Its own way of waiting for a
    lock is to sleep and ask again, which knows no order.
    """

    @contextmanager
    def grouped(self, *, apart: bool = True) -> Iterator[None]:
        """
        Every `writing` of this thread inside the body is part of one transaction, which is saved at its end.

        Each still stands alone: an error undoes only its own. Nothing may be told to anybody before the body has
        ended without an error, because nothing is saved before.

        Args:
            apart: ``False`` saves the savepoints, a fourth of all statements of a text: an error undoes all.

        Raises:
            Spoiled: Not *apart*, and there was an error inside, even one that was caught.
        """
        with self._turn(), super().writing() as connection:
            self._open.connection, self._open.apart, self._open.spoiled = connection, apart, False
            try:
                yield
                if self._open.spoiled:
                    raise Spoiled
            finally:
                self._open.connection = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        connection = self._open.connection
        if connection is None:
            with self._turn(), super().writing() as own:
                yield own
            return
        with translated(self.place), _savepoint(connection) if self._open.apart else self._spoiling():
            yield connection

    @contextmanager
    def _spoiling(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._open.spoiled = True
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        # Inside `grouped` what the group has written is seen.
        inside = self._open.connection is not None
        with self.writing() if inside else self._reading() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._turn(), super().reading() as connection:
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self.place.path is None:
            yield
            return
        # setdefault is one step, whichever thread comes first.
        with self.__dict__.setdefault("_turns", Turns()).mine():
            yield

    @property
    def _open(self) -> _Open:
        # On the engine's side of the object, so that two stores of one process do not share it.
        found: _Open | None = self.__dict__.get("_grouped")
        if found is None:
            found = self.__dict__.setdefault("_grouped", _Open())
        return found
