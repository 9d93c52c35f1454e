"""
A digest beside each row, written by triggers in the row's own transaction: a flipped bit in either is found.

The digest is no signature: who may write the database can write both. The hash chain of versions is for that.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, LargeBinary, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError

from transcribe.errors import BoliError
from transcribe.store import desk_schema  # noqa: F401 - adds the desk's tables
from transcribe.store.database import Database
from transcribe.store.schema import METADATA, RECORDINGS, SEGMENTS, Words

#: The name that SQLite calls `digest_row` by, inside triggers. Whoever writes past the store has to register it.
FUNCTION: Final = "boli_digest"
_BYTES: Final = 16

DIGESTS = Table(
    "digests",
    METADATA,
    Column("source", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, kw_only=True)
class Damage:
    """A thing that is not what was stored."""

    #: The row, file or database, with the recording and the segment that it belongs to.
    item: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Covered:
    """A table with the columns that its digests cover, in order of their names."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    #: Columns that hold bytes and no text.
    binary: frozenset[str] = frozenset()

    @classmethod
    def of(cls, table: Table) -> Covered:
        binary = frozenset(column.name for column in table.columns if isinstance(column.type, LargeBinary))
        names = tuple(sorted(column.name for column in table.columns))
        return cls(name=table.name, columns=names, keys=tuple(key.name for key in table.primary_key), binary=binary)

    def key_of(self, row: str) -> str:
        """Return the SQL of the key of *row*: OLD, NEW or an alias."""
        return " || '/' || ".join(f'CAST({row}."{key}" AS TEXT)' for key in self.keys)

    def digest_of(self, row: str, dialect: str, *, is_stored: bool = False) -> str:
        """
        Return the SQL of the digest of *row*: OLD, NEW or an alias.

        Args:
            is_stored: The row comes from the disk; on SQLite its texts may be no UTF-8 any more.
        """
        columns = [f'{row}."{name}"' for name in self.columns]
        if dialect == "sqlite":
            raw = [
                f"CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) ELSE {column} END" for column in columns
            ]
            return f"{FUNCTION}({', '.join(raw if is_stored else columns)})"
        hexed = [
            f"encode({column}, 'hex')" if name in self.binary else column
            for name, column in zip(self.columns, columns, strict=True)
        ]
        return f"substring(sha256(convert_to(ROW({', '.join(hexed)})::text, 'UTF8')) FROM 1 FOR {_BYTES})"


def digest_row(*values: object) -> bytes:
    """Return 16 bytes of the SHA-256 over the *values* of a row, as SQLite gives them: numbers, text or its bytes."""
    return hashlib.sha256(b"".join(map(_encode, values))).digest()[:_BYTES]


def _encode(field: object) -> bytes:
    if field is None:
        return b"n"
    if isinstance(field, int):
        return b"i%d;" % field
    if isinstance(field, float):
        return b"f" + struct.pack("<d", field)
    raw = field.encode() if isinstance(field, str) else bytes(field)  # type: ignore[call-overload]
    return b"t%d;" % len(raw) + raw


def register(connection: sqlite3.Connection) -> None:
    """Let the triggers of *connection* compute digests."""
    connection.create_function(FUNCTION, -1, digest_row, deterministic=True)


def install(connection: Connection, names: Sequence[str]) -> None:
    """
    Make the triggers of the tables *names* anew, over the columns that they have now, and fill their digests.

    Every migration that adds a table, or a column to one, ends with this.
    """
    dialect, inspector = connection.dialect.name, inspect(connection)
    for table in (_inspect_table(inspector, name) for name in names):
        for statement in trigger_statements(table, dialect):
            connection.exec_driver_sql(statement)
        connection.execute(text("DELETE FROM digests WHERE source = :source"), {"source": table.name})
        connection.exec_driver_sql(
            f"INSERT INTO digests (source, key, digest) "  # noqa: S608 - our own tables' names
            f"SELECT '{table.name}', {table.key_of('r')}, {table.digest_of('r', dialect)} FROM {table.name} AS r"
        )


def _inspect_table(inspector: Any, name: str) -> Covered:
    columns = inspector.get_columns(name)
    return Covered(
        name=name,
        columns=tuple(sorted(column["name"] for column in columns)),
        keys=tuple(inspector.get_pk_constraint(name)["constrained_columns"]),
        binary=frozenset(column["name"] for column in columns if isinstance(column["type"], LargeBinary)),
    )


def trigger_statements(table: Covered, dialect: str) -> list[str]:
    """Return the statements that make the triggers of *table*, in place of those that it had."""
    return _triggers_on_sqlite(table) if dialect == "sqlite" else _triggers_on_postgresql(table)


def _changes(table: Covered, dialect: str) -> Mapping[str, str]:
    """Return what follows from each kind of change of a row."""
    where = f"source = '{table.name}' AND key = {table.key_of('OLD')}"
    fresh_key, fresh_digest = table.key_of("NEW"), table.digest_of("NEW", dialect)
    fill = f"INTO digests (source, key, digest) VALUES ('{table.name}', {fresh_key}, {fresh_digest})"
    # A digest without its row, left by damage, stops no writer.
    insert = (
        f"INSERT OR REPLACE {fill}"
        if dialect == "sqlite"
        else f"INSERT {fill} ON CONFLICT (source, key) DO UPDATE SET digest = EXCLUDED.digest"
    )
    return {
        "INSERT": insert,
        "UPDATE": f"UPDATE digests SET key = {fresh_key}, digest = {fresh_digest} WHERE {where}",  # noqa: S608
        "DELETE": f"DELETE FROM digests WHERE {where}",  # noqa: S608
    }


def _triggers_on_sqlite(table: Covered) -> list[str]:
    statements = []
    for verb, change in _changes(table, "sqlite").items():
        name = f"{table.name}_digest_{verb.lower()}"
        statements.append(f"DROP TRIGGER IF EXISTS {name}")
        statements.append(f"CREATE TRIGGER {name} AFTER {verb} ON {table.name} BEGIN {change}; END")
    return statements


def _triggers_on_postgresql(table: Covered) -> list[str]:
    name = f"{table.name}_digest"
    cases = " ".join(
        f"{'IF' if verb == 'INSERT' else 'ELSIF'} TG_OP = '{verb}' THEN {change};"
        for verb, change in _changes(table, "postgresql").items()
    )
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {cases} END IF; RETURN NULL; END $$",
        f"DROP TRIGGER IF EXISTS {name} ON {table.name}",
        f"CREATE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table.name} "
        f"FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


@dataclass(frozen=True)
class Digests:
    """The check of rows against their digests."""

    database: Database

    def find_damage(self) -> Iterator[Damage]:
        """
        Yield every row that is not what was stored, and on SQLite what is wrong with the file's pages.

        Reads all rows, a table in a transaction.
        """
        path = self.database.location.path
        if path is not None:
            yield from self._check_pages(f"database {path.name}")
        for table in METADATA.sorted_tables:
            if table is not DIGESTS:
                yield from self._check_table(Covered.of(table))

    def _check_pages(self, name: str) -> Iterator[Damage]:
        try:
            with self.database.begin_read() as connection:
                lines = list(connection.exec_driver_sql("PRAGMA integrity_check").scalars())
        except (BoliError, DBAPIError) as error:
            lines = [_first_line(error)]
        yield from (Damage(item=name, message=str(line)) for line in lines if line != "ok")

    def _check_table(self, table: Covered) -> Iterator[Damage]:
        try:
            with self.database.begin_read() as connection:
                changed = set(_read_keys(connection, _CHANGED, table))
                lost = set(_read_keys(connection, _LOST, table)) - changed
                damages = [
                    *(_describe(connection, table, key, "is not what was stored") for key in sorted(changed)),
                    *(_describe(connection, table, key, "is gone") for key in sorted(lost)),
                ]
        except (BoliError, DBAPIError) as error:
            damages = [Damage(item=f"table {table.name}", message=f"cannot be read: {_first_line(error)}")]
        yield from damages


#: Rows that are not what their digest says, or have none.
_CHANGED: Final = (
    "SELECT {key} FROM {name} AS r LEFT JOIN digests AS d ON d.source = '{name}' AND d.key = {plain} "
    "WHERE d.digest IS NULL OR d.digest <> {digest}"
)
#: Digests whose rows are gone.
_LOST: Final = (
    "SELECT {stored_key} FROM "
    "(SELECT key FROM digests WHERE source = '{name}' EXCEPT SELECT {plain} FROM {name} AS r) AS k"
)


def _read_keys(connection: Connection, statement: str, table: Covered) -> list[str]:
    dialect = connection.dialect.name
    plain = table.key_of("r")
    # A key on a damaged page may be no UTF-8, which the driver refuses to read as text.
    key, stored_key = (f"CAST({plain} AS BLOB)", "CAST(key AS BLOB)") if dialect == "sqlite" else (plain, "key")
    digest = table.digest_of("r", dialect, is_stored=True)
    filled = statement.format(key=key, stored_key=stored_key, plain=plain, name=table.name, digest=digest)
    keys = connection.exec_driver_sql(filled).scalars()
    return [key.decode(errors="replace") if isinstance(key, bytes) else str(key) for key in keys]


def _describe(connection: Connection, table: Covered, key: str, message: str) -> Damage:
    """Name a row by its table and key, and by the recording and the segment that it belongs to."""
    names = [f"{table.name} {key}"]
    try:
        names += _find_owners(connection, table, key)
    except DBAPIError:
        names.append("its recording cannot be read")
    return Damage(item=", ".join(names), message=message)


def _find_owners(connection: Connection, table: Covered, key: str) -> list[str]:
    segment = "no" if table.name == "segments" else "segment"
    recording = "no" if table.name == "recordings" else "recording"
    wanted = ", ".join(column if column in table.columns else "NULL" for column in (segment, recording))
    query = f"SELECT {wanted} FROM {table.name} AS r WHERE {table.key_of('r')} = :key"  # noqa: S608
    row = connection.execute(text(query), {"key": key}).first()
    if row is None:
        return []
    of_segment = select(SEGMENTS.c.id, SEGMENTS.c.recording).where(SEGMENTS.c.no == row[0])
    owner = connection.execute(of_segment).first()
    number = row[1] if owner is None else owner.recording
    path = connection.execute(select(RECORDINGS.c.path).where(RECORDINGS.c.no == number)).scalar()
    return [
        *([f"recording {path}"] if path is not None else []),
        *([f"segment {owner.id}"] if owner is not None else []),
    ]


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0]
