"""
A snapshot of a database while others write to it, and its way back into an empty database of the same kind.

SQLite gives a file, by its backup API in one step, while writers of other processes wait. PostgreSQL gives a file a
table, by COPY in one transaction that sees one moment, while nobody waits; no program of its own is needed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, text

from transcribe.errors import InputError, UnfitError
from transcribe.store.database import Database
from transcribe.store.database_url import DatabaseLocation
from transcribe.store.driver_errors import translate_errors
from transcribe.store.migrations import VERSION_TABLE, migrate, read_revision

#: The name of an SQLite snapshot, and the ending of a table's file.
SQLITE_FILE: Final = "boli.db"
TABLE_ENDING: Final = ".copy"
_BLOCK: Final = 1 << 20


def write_snapshot(database: Database, folder: Path) -> tuple[str, list[Path]]:
    """
    Write what *database* holds at one moment to files in *folder*, and return its schema's revision with them.

    Everything that was acknowledged before the call is in it.
    """
    with translate_errors(database.location):
        if database.location.path is not None:
            return _write_file(database, folder / SQLITE_FILE)
        return _write_tables(database, folder)


def load_snapshot(database: Database, revision: str, files: Sequence[Path], *, mark: str) -> None:
    """
    Load a snapshot of PostgreSQL into an empty *database*, all of it or nothing.

    Args:
        revision: That of the snapshot's schema.
        files: As `write_snapshot` named them.
        mark: Left on the database, so that a caller who was killed afterwards is not told that it is not empty.

    Raises:
        InputError: E_NOT_EMPTY if there is anything in the database.
    """
    with database.begin_write() as connection:
        if _read_mark(connection) == mark:
            return
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
        count = connection.execute(text(tables)).scalar_one()
        if count:
            name = database.location.display_name
            raise InputError(
                f"{name} was to be restored into, and holds {count} tables",
                code="E_NOT_EMPTY",
                hint="name an empty database with --database",
                item=name,
            )
        migrate(connection, revision)
        _fill_tables(connection, {file.name.removesuffix(TABLE_ENDING): file for file in files})
        connection.exec_driver_sql(f"COMMENT ON TABLE {VERSION_TABLE} IS '{mark}'")


def kind_of(location: DatabaseLocation) -> str:
    """Return the kind of the database at *location*: ``sqlite`` or ``postgresql``."""
    return "postgresql" if location.path is None else "sqlite"


def _write_file(database: Database, target: Path) -> tuple[str, list[Path]]:
    """Copy an SQLite database to *target*."""
    source: Any = database.engine.raw_connection()
    try:
        copy = sqlite3.connect(target)
        try:
            copy.execute("PRAGMA synchronous = OFF")
            # In one step: between two a writer of another process would make it begin again, for ever under load.
            source.driver_connection.backup(copy, pages=-1)
            revision = copy.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()[0]  # noqa: S608
        finally:
            copy.close()
    finally:
        source.close()
    sync_file(target)
    return str(revision), [target]


def _write_tables(database: Database, folder: Path) -> tuple[str, list[Path]]:
    isolated = database.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with isolated.connect() as connection, connection.begin():
        revision, files = str(read_revision(connection)), []
        for table in _reflect_tables(connection):
            file = folder / f"{table.name}{TABLE_ENDING}"
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            order = ", ".join(f'"{key.name}"' for key in table.primary_key)
            # In order, so that equal rows give equal bytes, which a backup keeps once.
            query = f"COPY (SELECT {columns} FROM {table.name} ORDER BY {order}) TO STDOUT"  # noqa: S608
            with _driver_of(connection).cursor() as cursor, cursor.copy(query) as rows, file.open("wb") as stream:
                stream.write(f"{columns}\n".encode())
                for block in rows:
                    stream.write(block)
            sync_file(file)
            files.append(file)
    return revision, files


def _fill_tables(connection: Connection, files: dict[str, Path]) -> None:
    """Fill the tables of an empty schema; digests come from the files too, so that damage on the way is found."""
    tables = _reflect_tables(connection)
    missing = {table.name for table in tables} ^ files.keys()
    if missing:
        raise InputError(f"the snapshot lacks or has beside its schema: {', '.join(sorted(missing))}", code="E_BACKUP")
    for table in tables:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
    for table in tables:
        with files[table.name].open("rb") as stream, _driver_of(connection).cursor() as cursor:
            columns = stream.readline().decode(errors="replace").strip()
            if sorted(columns.split(", ")) != sorted(f'"{column.name}"' for column in table.columns):
                raise InputError(f"the snapshot of {table.name} has other columns than its schema", code="E_BACKUP")
            with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
                while block := stream.read(_BLOCK):
                    copy.write(block)
    for table in tables:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")
        _set_sequences(connection, table)


def _set_sequences(connection: Connection, table: Table) -> None:
    """Let numbers go on after the highest one."""
    for column in table.primary_key:
        find = text("SELECT pg_get_serial_sequence(:table, :column)")
        sequence = connection.execute(find, {"table": table.name, "column": column.name}).scalar()
        if sequence is not None:
            connection.exec_driver_sql(
                f"SELECT setval('{sequence}', coalesce(max({column.name}), 1), max({column.name}) IS NOT NULL) "  # noqa: S608
                f"FROM {table.name}"
            )


def _reflect_tables(connection: Connection) -> list[Table]:
    """Return the tables as they are, whatever their revision, in an order in which each follows those it refers to."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != VERSION_TABLE]


def _read_mark(connection: Connection) -> str | None:
    query = text("SELECT obj_description(to_regclass(:table), 'pg_class')")
    mark = connection.execute(query, {"table": VERSION_TABLE}).scalar()
    return None if mark is None else str(mark)


def clear_mark(database: Database) -> None:
    """Take away what `load_snapshot` left on a database."""
    with database.begin_write() as connection:
        connection.exec_driver_sql(f"COMMENT ON TABLE {VERSION_TABLE} IS NULL")


def copy_before_migration(database: Database, folder: Path | None) -> Path | None:
    """
    Copy a database of an older schema beside it, as ``boli.db.REVISION.TIME``, and return where to.

    Args:
        folder: Where PostgreSQL's tables go, in a folder of that name; ``None``: it is not copied.

    Raises:
        UnfitError: E_NO_ROOM if the disk has no room for it; nothing was changed.
    """
    path = database.location.path
    home = folder if path is None else path.parent
    if home is None:
        return None
    with database.begin_read() as connection:
        revision = read_revision(connection)
        size = _read_size(connection) if path is None else path.stat().st_size
    if revision is None:
        # The making of it was killed: nothing of ours is there.
        return None
    free = shutil.disk_usage(home).free
    # Twice: the migration itself writes a journal.
    if free < 2 * size:
        raise UnfitError(
            f"{database.location.display_name} is to be migrated, and {home} has room for {free >> 20} MB, where"
            f" a copy and the journal need {2 * size >> 20} MB",
            code="E_NO_ROOM",
            hint="make room; nothing was changed",
            item=str(home),
        )
    stem = SQLITE_FILE if path is None else path.name
    target = home / f"{stem}.{revision}.{database.now().replace(':', '').replace('-', '')}"
    part = home / f"{stem}.copying"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    _, files = write_snapshot(database, part)
    for file in files:
        file.chmod(0o600)
    if path is None:
        part.rename(target)
    else:
        files[0].rename(target)
        part.rmdir()
    sync_folder(home)
    return target


def _read_size(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def list_copies(location: DatabaseLocation, folder: Path) -> list[Path]:
    """Return the copies that migrations left of the database at *location*, whose workspace is *folder*."""
    home, stem = (folder, SQLITE_FILE) if location.path is None else (location.path.parent, location.path.name)
    return sorted(home.glob(f"{stem}.[0-9][0-9][0-9][0-9].*Z"))


def sync_file(file: Path) -> None:
    """Wait until *file* is on the disk."""
    _sync(file, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Wait until the names in *folder* are on the disk."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection
