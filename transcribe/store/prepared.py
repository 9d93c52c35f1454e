"""
Statements of the busy paths, compiled once: on SQLite they go to the driver as they are.

The expression language costs some 0.15 ms a statement, ten times what SQLite takes itself; benchmarks/desk_requests.py
measures it. On PostgreSQL, where the way to the server costs more, statements go their usual way.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import Executable, Select

_DIALECT = sqlite.dialect(paramstyle="qmark")


class Prepared:
    """A statement with named parameters. Truth values come back as 0 and 1."""

    def __init__(self, statement: Executable, *keys: str) -> None:
        """
        Compile *statement*.

        Args:
            keys: Columns that an INSERT without values of its own is given.
        """
        self._statement = statement
        compiled: Any = statement.compile(dialect=_DIALECT, column_keys=list(keys) or None)  # type: ignore[attr-defined]
        self._sql: str = compiled.string
        self._order: list[str] = list(compiled.positiontup)
        self._fixed: dict[str, Any] = dict(compiled.params)
        names = [str(column.key) for column in statement.selected_columns] if isinstance(statement, Select) else []
        self._row: Any = namedtuple("Found", names) if names else None

    def all(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Rows, columns as attributes."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).all()
        return list(map(self._row._make, self._run(connection, values).fetchall()))

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first row, ``None`` if there is none."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).first()
        found = self._run(connection, values).fetchone()
        return None if found is None else self._row._make(found)

    def change(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """How many rows were changed."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).rowcount
        return self._run(connection, values).rowcount

    def change_all(self, connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
        """Change once for each of *values*."""
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, values)
            return
        for each in values:
            self._run(connection, each)

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> sqlite3.Cursor:
        fixed = self._fixed
        given = [values[name] if name in values else fixed[name] for name in self._order]
        return raw(connection, self._sql, given)


def raw(connection: Connection, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
    """Run *sql* on the SQLite connection behind *connection*, in its transaction."""
    driver: Any = connection.connection.driver_connection
    cursor: sqlite3.Cursor = driver.execute(sql, values)
    return cursor
