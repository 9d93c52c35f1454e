from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from transcribe.store import Store
from transcribe.store.migrations import HEAD, VERSION_TABLE, revisions
from transcribe.store.schema import METADATA


def test_the_newest_migration_is_the_one_the_program_asks_for() -> None:
    assert revisions()[0] == HEAD


def test_migrations_lead_to_the_tables_of_the_program(store: Store) -> None:
    with store.database.engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
