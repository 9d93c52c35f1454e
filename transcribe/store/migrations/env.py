"""The script that Alembic runs: the migrations, in the transaction that the store hands over."""

from __future__ import annotations

from alembic import context

from transcribe.store.migrations import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    # Both databases undo table changes with the rest; Alembic assumes otherwise of SQLite.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
