"""The translation of drivers' errors into our own; the only place that knows the drivers' words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from transcribe.errors import BoliError, ConfigError, UnfitError, UnreachableError
from transcribe.store.database_url import DatabaseLocation


@contextmanager
def translate_errors(location: DatabaseLocation) -> Iterator[None]:
    """Raise what a driver raises inside as a `BoliError`, where a user can do something about it."""
    try:
        yield
    except Exception as error:
        ours = translate_error(location, error)
        if ours is None:
            raise
        raise ours from error


def translate_error(location: DatabaseLocation, error: BaseException) -> BoliError | None:
    """Return a driver's *error* in our words; ``None`` for our own, and where a user can do nothing about it."""
    if isinstance(error, BoliError) or not isinstance(error, Exception):
        return None
    if isinstance(error, PoolTimeout):
        return UnfitError(f"all connections to {location.display_name} are in use", code="E_BUSY", hint="try again")
    cause = error.orig if isinstance(error, DBAPIError) else error
    return _translate_postgresql(location, cause) if location.path is None else _translate_sqlite(location, cause)


#: Primary result codes (https://www.sqlite.org/rescode.html) as code, what was found, and what to do.
_SQLITE = {
    sqlite3.SQLITE_BUSY: ("E_LOCKED", "is being written by another process", "run it again in a moment"),
    sqlite3.SQLITE_LOCKED: ("E_LOCKED", "is being written by another process", "run it again in a moment"),
    sqlite3.SQLITE_FULL: ("E_DISK_FULL", "does not fit: the disk is full", "make room; what was saved is safe"),
    sqlite3.SQLITE_READONLY: ("E_READ_ONLY", "is read-only", "give this user the right to write there"),
    sqlite3.SQLITE_PERM: ("E_READ_ONLY", "is read-only", "give this user the right to write there"),
    sqlite3.SQLITE_CANTOPEN: ("E_READ_ONLY", "cannot be opened", "check that the file and its folder can be written"),
    sqlite3.SQLITE_IOERR: ("E_DISK", "cannot be read or written: the disk reports an error", "check the disk"),
    sqlite3.SQLITE_CORRUPT: ("E_DAMAGED", "is damaged", "restore a backup"),
    sqlite3.SQLITE_NOTADB: ("E_DAMAGED", "is no SQLite database, or its header is damaged", "restore a backup"),
}


def _translate_sqlite(location: DatabaseLocation, error: BaseException | None) -> BoliError | None:
    # Extended result codes keep the primary one in their low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in _SQLITE:
        return None
    word, problem, hint = _SQLITE[code]
    return UnfitError(f"{location.display_name} {problem}", code=word, hint=hint, item=location.display_name)


def _translate_postgresql(location: DatabaseLocation, error: BaseException | None) -> BoliError | None:
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    message = location.hide_password(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
    # Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html. No state: no server answered.
    state = error.sqlstate or ("08000" if isinstance(error, psycopg.OperationalError) else "")
    if state.startswith(("08", "28", "57P", "3D000", "53300")):
        hint = "check the host, the name and the password in store.url, and that the server runs"
        return UnreachableError(
            f"{location.display_name} cannot be reached: {message}", hint=hint, item=location.display_name
        )
    if state == "53100":
        return UnfitError(
            f"{location.display_name} is full: {message}",
            code="E_DISK_FULL",
            hint="make room",
            item=location.display_name,
        )
    if state in ("25006", "42501"):
        hint = "give this user the right to write"
        return UnfitError(f"{location.display_name} refuses to be written: {message}", code="E_READ_ONLY", hint=hint)
    if state in ("55P03", "40001", "40P01"):
        return UnfitError(f"{location.display_name} is being written by another process: {message}", code="E_LOCKED")
    if state.startswith("XX"):
        return UnfitError(f"{location.display_name} is damaged: {message}", code="E_DAMAGED", hint="restore a backup")
    return None


def newer_schema_error(location: DatabaseLocation) -> ConfigError:
    """Build the error of a database that a newer program has migrated."""
    return ConfigError(
        f"{location.display_name} was made by a newer version of boli",
        code="E_SCHEMA_NEWER",
        hint="update boli; a newer database is never changed back",
        item=location.display_name,
    )
