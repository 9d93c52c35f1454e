"""What goes wrong in a driver, said in our own errors. The only place that knows the drivers' words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from transcribe.errors import BoliError, ConfigError, UnfitError, UnreachableError
from transcribe.store.place import Place


@contextmanager
def translated(place: Place) -> Iterator[None]:
    """Raise what a driver raises inside as a `BoliError`, where a user can do something about it."""
    try:
        yield
    except BoliError:
        raise
    except PoolTimeout as error:
        raise UnfitError(f"all connections to {place.shown} are in use", code="E_BUSY", hint="try again") from error
    except Exception as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        ours = _of_postgresql(place, cause) if place.path is None else _of_sqlite(place, cause)
        if ours is None:
            raise
        raise ours from error


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


def _of_sqlite(place: Place, error: BaseException | None) -> BoliError | None:
    # Extended result codes keep the primary one in their low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in _SQLITE:
        return None
    word, found, hint = _SQLITE[code]
    return UnfitError(f"{place.shown} {found}", code=word, hint=hint, item=place.shown)


def _of_postgresql(place: Place, error: BaseException | None) -> BoliError | None:
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    said = place.masked(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
    # Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html. No state: no server answered.
    state = error.sqlstate or ("08000" if isinstance(error, psycopg.OperationalError) else "")
    if state.startswith(("08", "28", "57P", "3D000", "53300")):
        hint = "check the host, the name and the password in store.url, and that the server runs"
        return UnreachableError(f"{place.shown} cannot be reached: {said}", hint=hint, item=place.shown)
    if state == "53100":
        return UnfitError(f"{place.shown} is full: {said}", code="E_DISK_FULL", hint="make room", item=place.shown)
    if state in ("25006", "42501"):
        hint = "give this user the right to write"
        return UnfitError(f"{place.shown} refuses to be written: {said}", code="E_READ_ONLY", hint=hint)
    if state in ("55P03", "40001", "40P01"):
        return UnfitError(f"{place.shown} is being written by another process: {said}", code="E_LOCKED")
    if state.startswith("XX"):
        return UnfitError(f"{place.shown} is damaged: {said}", code="E_DAMAGED", hint="restore a backup")
    return None


def schema_newer(place: Place) -> ConfigError:
    """The error of a database that a newer program has migrated."""
    return ConfigError(
        f"{place.shown} was made by a newer version of boli",
        code="E_SCHEMA_NEWER",
        hint="update boli; a newer database is never changed back",
        item=place.shown,
    )
