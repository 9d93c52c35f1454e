"""
A database, its two kinds of transaction, many writes in one commit, and the rows that go in and out in bulk.

SQLite's driver begins transactions by itself, late and without the lock, which fails a third of all read-then-write
requests with "database is locked"; here every transaction is begun in words: IMMEDIATE where it writes.

Long reads are cut into pages of short transactions: under DELETE a reader that dawdles stops every writer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Table, tuple_

from transcribe.store.database_url import DatabaseLocation
from transcribe.store.driver_errors import translate_error

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    from transcribe.redaction import Terms

#: Rows of one page of a long read, and of one transaction of a long write.
PAGE = 500

T = TypeVar("T")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Spoiled(Exception):
    """An error inside a group whose writes do not stand apart. Nothing of the group is saved."""


class FairLock:
    """
    A lock that goes to whoever has waited longest, and that its holder may take again. Use it in a ``with``.

    Python's own goes to anybody: a writer that always has more to write takes it again at once, one reader gets
    through for each of its transactions, and nothing is left to be put together.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._holder: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._mutex:
            self._depth -= 1
            if self._depth:
                return
            if self._waiting:
                self._holder = -1
                self._waiting.popleft().release()
            else:
                self._holder = None


class _Group(threading.local):
    """The group of writes that a thread is in."""

    connection: Connection | None = None
    #: Whether each write of the group can be undone alone.
    apart: bool = True
    spoiled: bool = False


class Database:
    """
    An opened database. Each thread may use it; each transaction has a connection of its own.

    On SQLite the threads of a process take turns here, in the order in which they came. Its own way of waiting for a
    lock is to sleep and ask again, which knows no order.
    """

    def __init__(self, location: DatabaseLocation, engine: Engine, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.location = location
        self.engine = engine
        self._clock = clock
        self._group = _Group()
        self._turn: AbstractContextManager[None] = nullcontext() if location.path is None else FairLock()

    @cached_property
    def terms(self) -> Terms:
        """The terms that a client wants nobody to hear or read: hidden in every text that is given out."""
        from transcribe.redaction import Terms

        return Terms(())

    def close(self) -> None:
        """Close every connection. Iterators that are still going fail."""
        self.engine.dispose()

    @contextmanager
    def begin_read(self) -> Iterator[Connection]:
        """
        Begin a transaction that only reads; inside `group_writes` it sees what the group has written.

        Keep it short, and yield no row to a caller inside it.
        """
        inside = self._group.connection is not None
        with self.begin_write() if inside else self._begin(writes=False) as connection:
            yield connection

    @contextmanager
    def begin_write(self) -> Iterator[Connection]:
        """Begin a transaction that holds the write lock from its first statement and is undone by any error."""
        group = self._group
        if group.connection is None:
            with self._begin(writes=True) as connection:
                yield connection
            return
        try:
            with _savepoint(group.connection) if group.apart else nullcontext():
                yield group.connection
        except BaseException as error:
            group.spoiled = not group.apart
            self._raise_translated(error)
            raise

    @contextmanager
    def group_writes(self, *, apart: bool = True) -> Iterator[None]:
        """
        Make every `begin_write` of this thread inside the body part of one transaction, saved at its end.

        Many small transactions with one sync of the disk, for a server with hundreds a second. Each still stands
        alone: an error undoes only its own. Nothing may be told to anybody before the body has ended without an
        error, because nothing is saved before.

        Args:
            apart: ``False`` saves the savepoints, a fourth of all statements of a text: an error undoes all.

        Raises:
            Spoiled: Not *apart*, and there was an error inside, even one that was caught.
        """
        group = self._group
        with self._begin(writes=True) as connection:
            group.connection, group.apart, group.spoiled = connection, apart, False
            try:
                yield
                if group.spoiled:
                    raise Spoiled
            finally:
                group.connection = None

    @contextmanager
    def _begin(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self._turn, self.engine.connect() as connection:
                if writes:
                    connection.execution_options(boli_writes=True)
                with connection.begin():
                    yield connection
        except Exception as error:
            self._raise_translated(error)
            raise

    def _raise_translated(self, error: BaseException) -> None:
        """Raise *error* in our words, where a user can do something about it."""
        ours = translate_error(self.location, error)
        if ours is not None:
            raise ours from error

    def now(self) -> str:
        """Return the clock's time as text that sorts: ``2026-01-31T23:59:59.123Z``."""
        return _format_time(self._clock().astimezone(UTC))

    def later(self, seconds: float) -> str:
        """Return the moment *seconds* from now."""
        return later(self.now(), seconds)

    def page_rows(
        self, statement: Select[Any], key: Sequence[ColumnElement[Any]], *, descending: bool = False
    ) -> Iterator[Row[Any]]:
        """
        Yield the rows of *statement* in the order of *key*, which it must select and which must be unique.

        Each page is a transaction of its own, begun after the last key of the one before: rows that are written
        meanwhile are met if they lie ahead.
        """
        order = [column.desc() if descending else column.asc() for column in key]
        page = statement.order_by(*order).limit(PAGE)
        key_columns, next_page = tuple_(*key), page
        while True:
            with self.begin_read() as connection:
                rows = connection.execute(next_page).all()
            if not rows:
                return
            # Looked up on a last page too, so that a key that is not selected fails with the first row of all.
            last_key = tuple_(*(rows[-1]._mapping[column] for column in key))
            next_page = page.where(key_columns < last_key if descending else key_columns > last_key)
            yield from rows
            if len(rows) < PAGE:
                return


def begin_in_words(connection: Connection) -> None:
    """Begin a transaction on SQLite, with the write lock where it writes; listens to the engine."""
    writes = connection.get_execution_options().get("boli_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """Set a savepoint, as `begin_nested` does, at a tenth of its price."""
    driver: Any = connection.connection.driver_connection
    driver.execute("SAVEPOINT boli")
    try:
        yield
    except BaseException:
        driver.execute("ROLLBACK TO boli")
        driver.execute("RELEASE boli")
        raise
    driver.execute("RELEASE boli")


def later(moment: str, seconds: float) -> str:
    """Return the moment *seconds* after *moment*."""
    return _format_time(datetime.fromisoformat(moment) + timedelta(seconds=seconds))


def _format_time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def batches(items: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Yield *items* in lists of *size*, the last one shorter, and take no more from *items* than is yielded."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, which SQLAlchemy has in each database's dialect only."""
    # Imported here: a dialect takes a tenth of a second, and only one is in use.
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_sqlite

        return insert_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as insert_postgresql

    return insert_postgresql(table)


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[str | float | None, ...]]
) -> None:
    """
    Add many new *rows*, values in the order of *columns*: COPY on PostgreSQL, one prepared statement on SQLite.

    None of them may be there already. benchmarks/insert_segments.py holds the reason for going round the expression
    language here.
    """
    if not rows:
        return
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in columns)
        insert = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own tables' names
        connection.exec_driver_sql(insert, list(rows))
        return
    driver = connection.connection.driver_connection
    assert driver is not None, "a connection in a transaction has a driver behind it"
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
