"""A digest beside each row, kept by triggers; filled for the rows that are there."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, LargeBinary, Text, inspect
from sqlalchemy.dialects import postgresql

from transcribe.store.digests import install
from transcribe.store.migrations import VERSION_TABLE

revision = "0016"
down_revision = "0014"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "digests",
        Column("source", Words, primary_key=True),
        Column("key", Words, primary_key=True),
        Column("digest", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    install(connection, sorted(set(inspect(connection).get_table_names()) - {"digests", VERSION_TABLE}))
