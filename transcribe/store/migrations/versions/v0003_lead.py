"""The tables of leads: invitations instead of mailed passwords, and objections to lines of a pay statement."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "invitations",
        Column("key", Words, primary_key=True),
        _person("person"),
        _person("made_by", nullable=True),
        Column("made_at", Words, nullable=False),
        Column("until_at", Words, nullable=False),
        Column("ended_at", Words),
    )
    op.create_index("invitations_by_person", "invitations", ["person"])
    op.create_table(
        "objections",
        Column("id", Words, primary_key=True),
        _person("person"),
        Column("segment", Number, ForeignKey("segments.no"), nullable=False),
        Column("note", Words, nullable=False),
        Column("made_at", Words, nullable=False),
        Column("outcome", Words),
        Column("answer", Words),
        _person("answered_by", nullable=True),
        Column("answered_at", Words),
    )
    op.create_index("objections_by_person", "objections", ["person", "segment"])


def _person(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Words, ForeignKey("people.id"), nullable=nullable)
