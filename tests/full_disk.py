"""A disk that is full for the store alone: the database's own error, at every write, until the disk is emptied."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from transcribe.store import Store
from transcribe.store.desk_schema import METADATA  # of this module, which adds the desk's tables to it

_NO_LIMIT = 1_073_741_823


@contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """
    Let no write of *store* find room while the body runs.

    On SQLite every write needs pages beyond the most that the file may have. PostgreSQL raises its error for a full
    disk by name, at every write.
    """
    fill = _fill_sqlite if store.database.location.path is not None else _fill_postgresql
    with fill(store):
        yield


@contextmanager
def _fill_sqlite(store: Store) -> Iterator[None]:
    triggers = [(table, verb) for table in METADATA.tables for verb in ("INSERT", "UPDATE", "DELETE")]
    with store.database.begin_write() as connection:
        connection.exec_driver_sql("CREATE TABLE filler (content BLOB)")
        for table, verb in triggers:
            connection.exec_driver_sql(
                f"CREATE TRIGGER full_{table}_{verb} BEFORE {verb} ON {table}"
                " BEGIN INSERT INTO filler VALUES (zeroblob(200000)); END"
            )
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(driver: sqlite3.Connection, *_: Any) -> None:
        driver.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(store.database.engine, "checkout", limit)
    try:
        yield
    finally:
        event.remove(store.database.engine, "checkout", limit)
        event.listen(store.database.engine, "checkout", _lift)
        with store.database.begin_write() as connection:
            for table, verb in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER full_{table}_{verb}")
            connection.exec_driver_sql("DROP TABLE filler")


def _lift(driver: sqlite3.Connection, *_: Any) -> None:
    driver.execute(f"PRAGMA max_page_count = {_NO_LIMIT}")


@contextmanager
def _fill_postgresql(store: Store) -> Iterator[None]:
    with store.database.begin_write() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$"
        )
        for table in METADATA.tables:
            connection.exec_driver_sql(
                f"CREATE TRIGGER full_{table} BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION fill()"
            )
    try:
        yield
    finally:
        with store.database.begin_write() as connection:
            connection.exec_driver_sql("DROP FUNCTION fill CASCADE")
