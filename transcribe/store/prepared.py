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


class _Words:
    """A statement in the words of one database."""

    def __init__(self, statement: Executable, keys: list[str] | None, connection: Connection) -> None:
        compiled: Any = statement.compile(dialect=connection.dialect, column_keys=keys)  # type: ignore[attr-defined]
        self.sql: str = compiled.string
        self._order: list[str] | None = compiled.positiontup
        self._fixed: dict[str, Any] = dict(compiled.params)

    def given(self, values: Mapping[str, Any]) -> Any:
        """*values* as the driver takes them: in order on SQLite, by name on PostgreSQL."""
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
        self._words: dict[str, _Words] = {}
        names = [str(column.key) for column in statement.selected_columns] if isinstance(statement, Select) else []
        self._row: Any = namedtuple("Found", names) if names else None

    def all(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Rows, columns as attributes."""
        return list(map(self._row._make, self.run(connection, values).fetchall()))

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first row, ``None`` if there is none."""
        found = self.run(connection, values).fetchone()
        return None if found is None else self._row._make(found)

    def change(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """How many rows were changed."""
        return int(self.run(connection, values).rowcount)

    def change_all(self, connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
        """Change once for each of *values*."""
        words = self._in_words(connection)
        _driver(connection).cursor().executemany(words.sql, list(map(words.given, values)))

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor."""
        words = self._in_words(connection)
        return _driver(connection).execute(words.sql, words.given(values))

    def _in_words(self, connection: Connection) -> _Words:
        name = connection.dialect.name
        if name not in self._words:
            self._words[name] = _Words(self._statement, self._keys, connection)
        return self._words[name]


def change_together(connection: Connection, changes: Sequence[tuple[Prepared, Mapping[str, Any]]]) -> None:
    """Make *changes* in turn, which nothing between them waits for: PostgreSQL is sent them at once, and asked once."""
    driver = _driver(connection)
    with driver.pipeline() if connection.dialect.name == "postgresql" else nullcontext():
        for statement, values in changes:
            statement.run(connection, values)


class Among:
    """A SELECT of the rows whose *column* is one of some values; compiled once for each number of them."""

    def __init__(self, statement: Select[Any], column: ColumnElement[Any]) -> None:
        self._statement, self._column = statement, column
        self._of: dict[int, Prepared] = {}

    def all(
        self, connection: Connection, among: Sequence[Any], values: Mapping[str, Any] | None = None
    ) -> Sequence[Any]:
        """Rows, columns as attributes."""
        if not among:
            return []
        names = [f"among_{n}" for n in range(len(among))]
        if len(among) not in self._of:
            one_of = self._column.in_([bindparam(name) for name in names])
            self._of[len(among)] = Prepared(self._statement.where(one_of))
        return self._of[len(among)].all(connection, {**(values or {}), **dict(zip(names, among, strict=True))})


def raw(connection: Connection, sql: str) -> None:
    """Run *sql* in the transaction of *connection*, past the expression language."""
    _driver(connection).execute(sql)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
