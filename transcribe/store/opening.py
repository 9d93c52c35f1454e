"""The opening of a database: checks it, makes it where there is none, migrates it to the newest schema."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from transcribe.errors import UnfitError
from transcribe.store.database import Database, engine_for, journal_mode, set_journal
from transcribe.store.fitness import refuse_unfit
from transcribe.store.locks import role_lock
from transcribe.store.migrations import Schema, migrate, schema_of
from transcribe.store.place import DatabaseLocation
from transcribe.store.trouble import newer_schema_error, translate_errors

#: How long to wait for a process that is just making or migrating the same database, in seconds.
_PATIENCE_S = 30.0


def open_engine(location: DatabaseLocation, *, clock: Callable[[], datetime]) -> Engine:
    """
    Open an engine on a database that is ours and has the newest schema.

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
        _migrate_if_older(Database(location, engine, clock=clock))
        if location.path is not None:
            _set_journal(location, engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _migrate_if_older(database: Database) -> None:
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
    with role_lock(location, database.engine, "migrate", patience_s=_PATIENCE_S), database.begin_write() as connection:
        # Asked again under the lock: the process that held it may have done the work.
        if schema_of(connection) in (Schema.ABSENT, Schema.OLDER):
            migrate(connection)


def _make_file(location: DatabaseLocation, path: Path, clock: Callable[[], datetime]) -> None:
    """Make the database under another name and rename it, so that no crash leaves half of one under its own."""
    fresh_path = path.with_name(f"{path.name}.new")
    fresh_location = DatabaseLocation(url=location.url.set(database=str(fresh_path)), path=fresh_path)
    engine = engine_for(fresh_location, create=True)
    with translate_errors(location), role_lock(location, engine, "migrate", patience_s=_PATIENCE_S):
        if path.exists():
            return
        for ending in ("", "-journal", "-wal", "-shm"):
            fresh_path.with_name(f"{fresh_path.name}{ending}").unlink(missing_ok=True)
        try:
            with Database(location, engine, clock=clock).begin_write() as connection:
                migrate(connection)
        finally:
            engine.dispose()
        fresh_path.rename(path)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _set_journal(location: DatabaseLocation, engine: Engine) -> None:
    with translate_errors(location), engine.connect() as connection:
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            set_journal(driver, journal_mode(sqlite3.sqlite_version_info), location)
