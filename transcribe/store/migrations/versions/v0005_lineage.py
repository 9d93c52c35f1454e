"""The lineage of a tuned model, and the models that drafted one after another."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "lineages",
        Column("model", Number, ForeignKey("models.no"), primary_key=True, autoincrement=False),
        Column("lineage", Words, nullable=False),
        Column("decision", Words),
    )
    op.create_table(
        "promotions",
        Column("no", Number, primary_key=True),
        Column("model", Number, ForeignKey("models.no"), nullable=False),
        Column("before", Number, ForeignKey("models.no")),
        Column("why", Words, nullable=False),
        Column("at", Words, nullable=False),
    )
    op.create_index("promotions_by_model", "promotions", ["model"])
