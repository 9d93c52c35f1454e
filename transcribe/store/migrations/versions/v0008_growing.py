"""The drafts that were accepted without a person, and taken back."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, Text
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "acceptances",
        Column("no", Number, primary_key=True),
        Column("run", Number, ForeignKey("done.no"), nullable=False),
        Column("segment", Number, ForeignKey("segments.no"), nullable=False),
        Column("dialect", Words, nullable=False),
        Column("accepted", Boolean, nullable=False),
        Column("doubt", Double, nullable=False),
        Column("risk", Double, nullable=False),
        Column("allowed", Double, nullable=False),
        Column("audit", Boolean, nullable=False),
        Column("reason", Words),
        Column("added_at", Words, nullable=False),
    )
    op.create_index("acceptances_by_segment", "acceptances", ["segment", "no"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER acceptances_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON acceptances "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER acceptances_no_{verb.lower()} BEFORE {verb} ON acceptances "
            f"BEGIN SELECT RAISE(ABORT, 'acceptances are append-only: {verb} refused'); END"
        )
    op.execute(
        "CREATE TRIGGER acceptances_no_replace BEFORE INSERT ON acceptances "
        "WHEN EXISTS (SELECT 1 FROM acceptances WHERE no = NEW.no) BEGIN SELECT RAISE(IGNORE); END"
    )
