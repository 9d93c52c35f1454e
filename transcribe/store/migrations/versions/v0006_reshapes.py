"""The splits, merges and moves of segments by people."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reshapes",
        Column("no", Number, primary_key=True),
        Column("op_id", Words, nullable=False, unique=True),
        *(Column(name, Words, nullable=False) for name in ("body", "kind")),
        Column("person", Words, ForeignKey("people.id"), nullable=False),
        *(Column(name, Words, nullable=False) for name in ("before", "after", "added_at")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER reshapes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reshapes "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER reshapes_no_{verb.lower()} BEFORE {verb} ON reshapes "
            f"BEGIN SELECT RAISE(ABORT, 'reshapes are append-only: {verb} refused'); END"
        )
    op.execute(
        "CREATE TRIGGER reshapes_no_replace BEFORE INSERT ON reshapes "
        "WHEN EXISTS (SELECT 1 FROM reshapes WHERE no = NEW.no OR op_id = NEW.op_id) BEGIN SELECT RAISE(IGNORE); END"
    )
