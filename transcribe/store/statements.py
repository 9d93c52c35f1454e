"""
Statements of the busy paths, compiled once and handed to the driver as they are.

The expression language costs some 0.15 ms a statement, ten times what SQLite takes itself; benchmarks/desk_requests.py
measures it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam
from sqlalchemy.sql.expression import Executable, Select


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
