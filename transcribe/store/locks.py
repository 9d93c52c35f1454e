"""
The locks that allow one process of a role at a time: a `serve`, a `run`, a `migrate`, a `backup`.

On SQLite a role is an flock(2) on a side file, on PostgreSQL a session's advisory lock; both end with the process
that holds them, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from transcribe.errors import UnfitError
from transcribe.store.database_url import DatabaseLocation
from transcribe.store.driver_errors import translate_errors

Role: TypeAlias = Literal["serve", "run", "migrate", "backup"]

#: First half of the advisory locks' keys, "boli" in ASCII: other programs may lock in the same database.
_CLASS = 0x626F6C69
_NUMBERS: dict[Role, int] = {"serve": 1, "run": 2, "migrate": 3, "backup": 4}
_POLL_S = 0.1


@contextmanager
def role_lock(location: DatabaseLocation, engine: Engine, role: Role, *, patience_s: float = 0.0) -> Iterator[None]:
    """
    Hold *role* at *location* while the body runs.

    Raises:
        UnfitError: If another process still holds it after *patience_s*; the sentence names its process id where
            that is known.
    """
    with translate_errors(location):
        if location.path is not None:
            lock = _lock_file(location, location.path.with_name(f"{location.path.name}.{role}.lock"), role, patience_s)
        else:
            lock = _lock_advisory(location, engine, role, patience_s)
        with lock:
            yield


@contextmanager
def _lock_file(location: DatabaseLocation, side: Path, role: Role, patience_s: float) -> Iterator[None]:
    try:
        handle = os.open(side, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UnfitError(
            f"{side} cannot be made: {error.strerror}", code="E_READ_ONLY", hint="give this user the right to write"
        ) from error
    try:
        if not _retry_until(lambda: _try_flock(handle), patience_s):
            raise _locked_error(location, role, os.pread(handle, 20, 0).decode("ascii", "replace").strip())
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        # The file stays: removing it would let two processes hold locks on two files of one name.
        os.close(handle)


def _try_flock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _lock_advisory(location: DatabaseLocation, engine: Engine, role: Role, patience_s: float) -> Iterator[None]:
    keys = {"class": _CLASS, "role": _NUMBERS[role]}
    # A connection of its own, outside any transaction: an idle transaction would keep old rows alive for hours.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        take = text("SELECT pg_try_advisory_lock(:class, :role)")
        if not _retry_until(lambda: bool(connection.execute(take, keys).scalar()), patience_s):
            raise _locked_error(location, role, _find_holder(connection, keys))
        try:
            yield
        finally:
            try:
                connection.execute(text("SELECT pg_advisory_unlock(:class, :role)"), keys)
            except DBAPIError:
                # The session is gone, and the lock with it.
                connection.invalidate()


def _find_holder(connection: Connection, keys: dict[str, int]) -> str:
    """Return the process id in the name of the holder's connection; empty where it may not be seen."""
    name = connection.execute(
        text(
            "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE granted"
            " AND locktype = 'advisory' AND classid = :class AND objid = :role AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        keys,
    ).scalar()
    words = (name or "").split(" ", 2)
    return f"{words[1]} on {words[2]}" if len(words) == 3 and words[0] == "boli" else ""


def _retry_until(take: Callable[[], bool], patience_s: float) -> bool:
    end = time.monotonic() + patience_s
    while not take():
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL_S)
    return True


def _locked_error(location: DatabaseLocation, role: Role, holder: str) -> UnfitError:
    who = f"process {holder}" if holder else "another process"
    return UnfitError(
        f"{role} is already at work on {location.display_name}, by {who}",
        code="E_LOCKED",
        hint=f"wait for it or stop it: one {role} works on a workspace at a time",
        item=location.display_name,
    )
