"""
The connections of a database, its two kinds of transaction, and the rows that go in and out in bulk.

SQLite. The driver begins transactions by itself, late and without the lock, which fails a third of all
read-then-write requests with "database is locked"; here every transaction is begun in words: IMMEDIATE where it
writes. The journal is WAL only where the library has the fix of https://www.sqlite.org/wal.html#walresetbug.

Long reads are cut into pages of short transactions: under DELETE a reader that dawdles stops every writer.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, ColumnElement, Connection, Engine, Row, Select, Table, create_engine, event, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import QueuePool

from transcribe.errors import MissingError, UnfitError
from transcribe.redaction import Terms
from transcribe.store.place import DatabaseLocation
from transcribe.store.trouble import translate_errors

#: How long SQLite waits for another writer, in seconds. Our own transactions stay under 0.2 s.
PATIENCE_S = 5.0
#: Rows of one page of a long read, and of one transaction of a long write.
PAGE = 500

T = TypeVar("T")


def journal_mode(version: tuple[int, int, int]) -> Literal["WAL", "DELETE"]:
    """
    Return the journal mode that SQLite *version* can be trusted with.

    3.7.0 to 3.51.2 can lose committed writes under WAL when two connections write and checkpoint together. Fixed in
    3.51.3 and, brought back, in 3.44.6 and 3.50.7. 3.52.0 was withdrawn.

    >>> journal_mode((3, 40, 1)), journal_mode((3, 50, 7)), journal_mode((3, 51, 0))
    ('DELETE', 'WAL', 'DELETE')
    """
    brought_back = (3, 44, 6) <= version < (3, 45, 0) or (3, 50, 7) <= version < (3, 51, 0)
    fixed = version >= (3, 51, 3) and version != (3, 52, 0)
    return "WAL" if brought_back or fixed else "DELETE"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """An opened database. Each thread may use it; each transaction has a connection of its own."""

    def __init__(self, location: DatabaseLocation, engine: Engine, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.location = location
        self.engine = engine
        #: What a client wants nobody to hear or read: hidden in every text that is given out.
        self.terms = Terms(())
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection. Iterators that are still going fail."""
        self.engine.dispose()

    @contextmanager
    def begin_read(self) -> Iterator[Connection]:
        """
        Begin a transaction that only reads.

        Keep it short, and yield no row to a caller inside it.
        """
        with translate_errors(self.location), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def begin_write(self) -> Iterator[Connection]:
        """Begin a transaction that holds the write lock from its first statement and is undone by any error."""
        with translate_errors(self.location), self.engine.connect() as connection:
            connection.execution_options(boli_writes=True)
            with connection.begin():
                yield connection

    def now(self) -> str:
        """Return the clock's time as text that sorts: ``2026-01-31T23:59:59.123Z``."""
        return self._clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

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


def batches(items: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Yield *items* in lists of *size*, the last one shorter, and take no more from *items* than is yielded."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, which SQLAlchemy has in each database's dialect only."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


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


def engine_for(location: DatabaseLocation, *, create: bool = False) -> Engine:
    """
    Make an engine for *location* that has connected to nothing yet.

    Args:
        create: Whether SQLite may make the file. Never when opening: a database that somebody moved away would
            come back empty.
    """
    if location.path is None:
        return _make_postgresql_engine(location.url)
    return _make_sqlite_engine(location, create=create)


def set_journal(connection: sqlite3.Connection, wanted: Literal["WAL", "DELETE"], location: DatabaseLocation) -> None:
    """
    Give an SQLite file the journal *wanted*; it stays in the file.

    Raises:
        UnfitError: If another process keeps a file under WAL that this one may not write so. The other way round
            nothing is lost, and the file stays under DELETE.
    """
    if connection.execute("PRAGMA journal_mode").fetchone()[0].upper() == wanted:
        return
    try:
        mode = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0].upper()
    except sqlite3.OperationalError:
        mode = None
    if mode != wanted and wanted == "DELETE":
        raise UnfitError(
            f"{location.display_name} is open elsewhere in write-ahead mode, in which SQLite {sqlite3.sqlite_version}"
            " can lose what it has saved",
            code="E_LOCKED",
            hint="stop the other process, or give both the same SQLite",
            item=location.display_name,
        )


def _make_sqlite_engine(location: DatabaseLocation, *, create: bool) -> Engine:
    name = f"file:{quote(str(location.path))}?mode={'rwc' if create else 'rw'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(name, uri=True, timeout=PATIENCE_S, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    engine = create_engine(location.url, creator=connect, poolclass=QueuePool, max_overflow=20)
    event.listen(engine, "begin", _begin_transaction)
    return engine


def _begin_transaction(connection: Connection) -> None:
    writes = connection.get_execution_options().get("boli_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_postgresql_engine(url: URL) -> Engine:
    # The name is how a refused lock can say which process holds it. PostgreSQL keeps 63 bytes of it.
    name = f"boli {os.getpid()} {socket.gethostname()}"[:63]
    try:
        return create_engine(
            url, pool_pre_ping=True, max_overflow=20, connect_args={"application_name": name, "connect_timeout": 10}
        )
    except ModuleNotFoundError as error:
        raise MissingError(
            "store.url names PostgreSQL, and its driver is not installed",
            hint="pip install 'psycopg[binary]'",
        ) from error
