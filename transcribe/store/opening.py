"""Opens a database: finds it fit, makes it where there is none, brings it to the newest schema."""

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
from transcribe.store.place import Place
from transcribe.store.trouble import schema_newer, translated

#: How long to wait for a process that is just making or migrating the same database, in seconds.
_PATIENCE_S = 30.0


def opened(place: Place, *, clock: Callable[[], datetime]) -> Engine:
    """
    An engine on a database that is ours and has the newest schema.

    Raises:
        UnfitError: If the file or its folder cannot carry an SQLite database, or holds somebody else's.
        ConfigError: If a newer program has migrated it.
        UnreachableError: If PostgreSQL does not answer or refuses the password.
    """
    if place.path is not None:
        refuse_unfit(place.path)
        if not place.path.exists():
            _make_file(place, place.path, clock)
    engine = engine_for(place)
    try:
        _bring_up(Database(place, engine, clock=clock))
        if place.path is not None:
            _set_journal(place, engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _bring_up(database: Database) -> None:
    place = database.place
    with database.reading() as connection:
        schema = schema_of(connection)
    if schema is Schema.CURRENT:
        return
    if schema is Schema.NEWER:
        raise schema_newer(place)
    if schema is Schema.ABSENT and place.path is not None:
        raise UnfitError(
            f"{place.shown} is an SQLite database of another program",
            code="E_NOT_A_DATABASE",
            hint="name another file, or move this one away and run boli init",
            item=place.shown,
        )
    with role_lock(place, database.engine, "migrate", patience_s=_PATIENCE_S), database.writing() as connection:
        # Asked again under the lock: the process that held it may have done the work.
        if schema_of(connection) in (Schema.ABSENT, Schema.OLDER):
            migrate(connection)


def _make_file(place: Place, path: Path, clock: Callable[[], datetime]) -> None:
    """Make the database beside its place and rename it there, so that no crash leaves half of one under its name."""
    fresh_path = path.with_name(f"{path.name}.new")
    fresh = Place(url=place.url.set(database=str(fresh_path)), path=fresh_path)
    engine = engine_for(fresh, create=True)
    with translated(place), role_lock(place, engine, "migrate", patience_s=_PATIENCE_S):
        if path.exists():
            return
        for ending in ("", "-journal", "-wal", "-shm"):
            fresh_path.with_name(f"{fresh_path.name}{ending}").unlink(missing_ok=True)
        try:
            with Database(place, engine, clock=clock).writing() as connection:
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


def _set_journal(place: Place, engine: Engine) -> None:
    with translated(place), engine.connect() as connection:
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            set_journal(driver, journal_mode(sqlite3.sqlite_version_info), place)
