"""
A database, its two kinds of transaction, many writes in one commit, and the statements of its busy paths.

SQLite's driver begins transactions by itself, late and without the lock, which fails a third of all read-then-write
requests with "database is locked"; here every transaction is begun in words: IMMEDIATE where it writes.

Long reads are cut into pages of short transactions: under DELETE a reader that dawdles stops every writer.

A prepared statement is compiled once and handed to the driver as it is: the expression language costs some 0.15 ms a
statement, ten times what SQLite takes itself; benchmarks/desk_requests.py measures it.
"""

from __future__ import annotations

import threading
from collections import deque, namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, bindparam, tuple_
from sqlalchemy.sql.expression import Executable, Select

from transcribe.store.clock import steady_now
from transcribe.store.database_url import DatabaseLocation
from transcribe.store.driver_errors import translate_error

if TYPE_CHECKING:
    from transcribe.redaction import Terms

#: Rows of one page of a long read, and of one transaction of a long write.
PAGE = 500


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
    #: The error that undid the transaction of the whole group, as a full disk may.
    lost: BaseException | None = None


class Database:
    """
    An opened database. Each thread may use it; each transaction has a connection of its own.

    On SQLite the threads of a process take turns here, in the order in which they came. Its own way of waiting for a
    lock is to sleep and ask again, which knows no order.
    """

    def __init__(
        self, location: DatabaseLocation, engine: Engine, *, clock: Callable[[], datetime] = steady_now
    ) -> None:
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
        if group.lost is not None:
            raise group.lost
        try:
            with _savepoint(group.connection) if group.apart else nullcontext():
                yield group.connection
        except BaseException as error:
            group.spoiled = not group.apart
            ours = translate_error(self.location, error)
            if self.location.path is not None and not _driver_of(group.connection).in_transaction:
                group.lost = ours or error
            if ours is not None:
                raise ours from error
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
            group.connection, group.apart, group.spoiled, group.lost = connection, apart, False, None
            try:
                yield
                if group.lost is not None:
                    raise group.lost
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
        # Where SQLite undid all of the transaction, as it may on a full disk, the savepoint went with it.
        if getattr(driver, "in_transaction", True):
            driver.execute("ROLLBACK TO boli")
            driver.execute("RELEASE boli")
        raise
    driver.execute("RELEASE boli")


def later(moment: str, seconds: float) -> str:
    """Return the moment *seconds* after *moment*."""
    return _format_time(datetime.fromisoformat(moment) + timedelta(seconds=seconds))


def _format_time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Compiled:
    """A statement compiled for one database."""

    def __init__(self, statement: Executable, keys: list[str] | None, connection: Connection) -> None:
        compiled: Any = statement.compile(dialect=connection.dialect, column_keys=keys)  # type: ignore[attr-defined]
        self.sql: str = compiled.string
        self._order: list[str] | None = compiled.positiontup
        self._fixed: dict[str, Any] = dict(compiled.params)

    def bind(self, values: Mapping[str, Any]) -> Any:
        """Return *values* as the driver takes them: in order on SQLite, by name on PostgreSQL."""
        fixed = self._fixed
        if self._order is None:
            return {**fixed, **values}
        return [values[name] if name in values else fixed[name] for name in self._order]


class Prepared:
    """A statement with named parameters. On SQLite truth values come back as 0 and 1."""

    def __init__(self, statement: Executable, *keys: str) -> None:
        """
        Take *statement*; it is compiled when it is first used.

        Args:
            keys: Columns that an INSERT without values of its own is given.
        """
        self._statement, self._keys = statement, list(keys) or None
        self._compiled: dict[str, _Compiled] = {}
        names = [str(column.key) for column in statement.selected_columns] if isinstance(statement, Select) else []
        self._row: Any = namedtuple("Found", names) if names else None

    def fetch_all(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows, columns as attributes."""
        return list(map(self._row._make, self.run(connection, values).fetchall()))

    def fetch_first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Return the first row, ``None`` if there is none."""
        row = self.run(connection, values).fetchone()
        return None if row is None else self._row._make(row)

    def change(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Execute the statement and count the rows that were changed."""
        return int(self.run(connection, values).rowcount)

    def change_all(self, connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
        """Execute the statement once for each of *values*."""
        compiled = self._compile(connection)
        _driver_of(connection).cursor().executemany(compiled.sql, list(map(compiled.bind, values)))

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Execute the statement and return the driver's cursor."""
        compiled = self._compile(connection)
        return _driver_of(connection).execute(compiled.sql, compiled.bind(values))

    def _compile(self, connection: Connection) -> _Compiled:
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = _Compiled(self._statement, self._keys, connection)
        return self._compiled[name]


def change_together(connection: Connection, changes: Sequence[tuple[Prepared, Mapping[str, Any]]]) -> None:
    """Make *changes* in turn; PostgreSQL is sent all at once, because none waits for another."""
    driver = _driver_of(connection)
    with driver.pipeline() if connection.dialect.name == "postgresql" else nullcontext():
        for statement, values in changes:
            statement.run(connection, values)


class PreparedIn:
    """A SELECT of the rows whose *column* is one of some values; compiled once for each number of them."""

    def __init__(self, statement: Select[Any], column: ColumnElement[Any]) -> None:
        self._statement, self._column = statement, column
        self._by_count: dict[int, Prepared] = {}

    def fetch_all(
        self, connection: Connection, among: Sequence[Any], values: Mapping[str, Any] | None = None
    ) -> Sequence[Any]:
        """Return the rows, columns as attributes."""
        if not among:
            return []
        names = [f"among_{n}" for n in range(len(among))]
        if len(among) not in self._by_count:
            one_of = self._column.in_([bindparam(name) for name in names])
            self._by_count[len(among)] = Prepared(self._statement.where(one_of))
        return self._by_count[len(among)].fetch_all(
            connection, {**(values or {}), **dict(zip(names, among, strict=True))}
        )


def _driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection
