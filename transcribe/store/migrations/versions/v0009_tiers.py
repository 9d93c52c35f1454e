"""The second text of a correction, in the usual spelling; it is erased with the first."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

#: What an erasure leaves as it is.
_KEPT = ("no", "id", "recording", "segment", "start_ms", "end_ms", "dialect", "model", "author", "added_at")
_IS_ERASURE = "NEW.text = '' AND NOT NEW.accepted AND NEW.normalised IS NULL"


def upgrade() -> None:
    op.add_column("corrections", Column("normalised", Words))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER corrections_no_update ON corrections")
        op.execute(
            "CREATE TRIGGER corrections_no_update BEFORE UPDATE ON corrections FOR EACH ROW "
            f"WHEN (NOT ({_condition('IS NOT DISTINCT FROM')})) EXECUTE FUNCTION refuse_change()"
        )
        return
    op.execute("DROP TRIGGER corrections_no_update")
    op.execute(
        f"CREATE TRIGGER corrections_no_update BEFORE UPDATE ON corrections WHEN NOT ({_condition('IS')}) "
        "BEGIN SELECT RAISE(ABORT, 'corrections are append-only: UPDATE refused'); END"
    )


def _condition(same: str) -> str:
    return " AND ".join([_IS_ERASURE, *(f"NEW.{name} {same} OLD.{name}" for name in _KEPT)])
