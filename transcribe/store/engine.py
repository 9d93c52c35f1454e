"""
The engine of a database: checked, made where there is none, migrated to the newest schema, and set up for its driver.

On SQLite the journal is WAL only where the library has the fix of https://www.sqlite.org/wal.html#walresetbug.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from transcribe.errors import MissingError, UnfitError
from transcribe.store import digests
from transcribe.store.database import Database, begin_in_words
from transcribe.store.database_url import DatabaseLocation
from transcribe.store.driver_errors import newer_schema_error, translate_errors
from transcribe.store.locks import role_lock
from transcribe.store.migrations import Schema, migrate, schema_of
from transcribe.store.preflight import refuse_unfit
from transcribe.store.snapshot import copy_before_migration, sync_folder

#: How long SQLite waits for another writer, in seconds. Our own transactions stay under 0.2 s.
PATIENCE_S = 5.0
#: How long to wait for a process that is just making or migrating the same database, in seconds.
_MIGRATION_PATIENCE_S = 30.0


def open_engine(location: DatabaseLocation, *, clock: Callable[[], datetime], workspace: Path | None = None) -> Engine:
    """
    Open an engine on a database that is ours and has the newest schema; an older one is copied before it is migrated.

    Args:
        workspace: Where the copy of a PostgreSQL database goes; ``None``: none is made of it.

    Raises:
        UnfitError: If the file or its folder cannot carry an SQLite database, or holds somebody else's.
        ConfigError: If a newer program has migrated it.
        UnreachableError: If PostgreSQL does not answer or refuses the password.
    """
    if location.path is not None:
        refuse_unfit(location.path)
        if not location.path.exists():
            _make_file(location, location.path, clock)
    engine = engine_for(location)
    try:
        _migrate_if_older(Database(location, engine, clock=clock), workspace)
        if location.path is not None:
            _set_journal(location, engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _migrate_if_older(database: Database, workspace: Path | None) -> None:
    location = database.location
    with database.begin_read() as connection:
        schema = schema_of(connection)
    if schema is Schema.CURRENT:
        return
    if schema is Schema.NEWER:
        raise newer_schema_error(location)
    if schema is Schema.ABSENT and location.path is not None:
        raise UnfitError(
            f"{location.display_name} is an SQLite database of another program",
            code="E_NOT_A_DATABASE",
            hint="name another file, or move this one away and run boli init",
            item=location.display_name,
        )
    with role_lock(location, database.engine, "migrate", patience_s=_MIGRATION_PATIENCE_S):
        # Asked again under the lock: the process that held it may have done the work.
        with database.begin_read() as connection:
            schema = schema_of(connection)
        if schema is Schema.OLDER:
            copy_before_migration(database, workspace)
        if schema in (Schema.ABSENT, Schema.OLDER):
            with database.begin_write() as connection:
                migrate(connection)


def _make_file(location: DatabaseLocation, path: Path, clock: Callable[[], datetime]) -> None:
    """Make the database under another name and rename it, so that no crash leaves half of one under its own."""
    fresh_path = path.with_name(f"{path.name}.new")
    fresh_location = DatabaseLocation(url=location.url.set(database=str(fresh_path)), path=fresh_path)
    engine = engine_for(fresh_location, create=True)
    with translate_errors(location), role_lock(location, engine, "migrate", patience_s=_MIGRATION_PATIENCE_S):
        if path.exists():
            return
        for ending in ("", "-journal", "-wal", "-shm"):
            fresh_path.with_name(f"{fresh_path.name}{ending}").unlink(missing_ok=True)
        # SQLite gives its journals the rights of the file.
        os.close(os.open(fresh_path, os.O_WRONLY | os.O_CREAT, 0o600))
        try:
            with Database(location, engine, clock=clock).begin_write() as connection:
                migrate(connection)
        finally:
            engine.dispose()
        fresh_path.rename(path)
        sync_folder(path.parent)


def _set_journal(location: DatabaseLocation, engine: Engine) -> None:
    with translate_errors(location), engine.connect() as connection:
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            set_journal(driver, journal_mode(sqlite3.sqlite_version_info), location)


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
        digests.register(connection)
        return connection

    engine = create_engine(location.url, creator=connect, poolclass=QueuePool, max_overflow=20, hide_parameters=True)
    event.listen(engine, "begin", begin_in_words)
    return engine


def _make_postgresql_engine(url: URL) -> Engine:
    # The name is how a refused lock can say which process holds it. PostgreSQL keeps 63 bytes of it.
    name = f"boli {os.getpid()} {socket.gethostname()}"[:63]
    try:
        return create_engine(
            url,
            pool_pre_ping=True,
            max_overflow=20,
            hide_parameters=True,
            connect_args={"application_name": name, "connect_timeout": 10},
        )
    except ModuleNotFoundError as error:
        raise MissingError(
            "store.url names PostgreSQL, and its driver is not installed",
            hint="pip install 'psycopg[binary]'",
        ) from error
