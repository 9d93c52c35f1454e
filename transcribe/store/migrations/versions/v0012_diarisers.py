"""The models that tell speakers apart: at most one of each kind is promoted."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text, text
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("models", Column("kind", Words, nullable=False, server_default="recogniser"))
    promoted = text("state = 'promoted'")
    op.drop_index("models_one_promoted", "models")
    op.create_index(
        "models_one_promoted", "models", ["kind"], unique=True, sqlite_where=promoted, postgresql_where=promoted
    )
