"""The consent that withholds a recording, the history of facts, and corrections whose facts are mended."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")

#: What a mended fact, and an erasure, leave as they are in a correction.
_KEPT = ("no", "id", "recording", "segment", "start_ms", "end_ms", "model", "author", "added_at")
_IS_ERASURE = "NEW.text = '' AND NOT NEW.accepted AND NEW.normalised IS NULL AND NEW.dialect {same} OLD.dialect"
_IS_MENDED = "NEW.text = OLD.text AND NEW.accepted = OLD.accepted AND NEW.normalised {same} OLD.normalised"
#: What an erasure leaves as it is in the history of facts.
_KEPT_OF_CHANGE = ("no", "recording", "name", "stated_at", "added_at")
_IS_EMPTIED = "NEW.before IS NULL AND NEW.after IS NULL AND NEW.source IS NULL AND NEW.reason IS NULL"


def upgrade() -> None:
    op.add_column("recordings", Column("withheld", Words))
    op.create_table(
        "fact_changes",
        Column("no", Number, primary_key=True),
        Column("recording", Number, ForeignKey("recordings.no"), nullable=False),
        Column("name", Words, nullable=False),
        Column("before", Words),
        Column("after", Words),
        Column("source", Words),
        Column("reason", Words),
        Column("stated_at", Words, nullable=False),
        Column("added_at", Words, nullable=False),
    )
    op.create_index("fact_changes_by_recording", "fact_changes", ["recording", "no"])
    _fill()
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_postgresql()
    else:
        _guard_on_sqlite()


def _fill() -> None:
    """Withhold what says so by the words that kept it out of datasets, and begin the histories."""
    said = "lower(trim(consent))"
    op.execute(f"UPDATE recordings SET withheld = 'withdrawn' WHERE {said} = 'withdrawn'")  # noqa: S608 - no value of others
    op.execute(f"UPDATE recordings SET withheld = 'refused' WHERE {said} IN ('refused', 'none', 'no')")  # noqa: S608
    for name in ("consent", "licence"):
        op.execute(
            "INSERT INTO fact_changes (recording, name, after, stated_at, added_at) "  # noqa: S608
            f"SELECT no, '{name}', {name}, added_at, added_at FROM recordings WHERE {name} IS NOT NULL ORDER BY no"
        )


def _guard_on_postgresql() -> None:
    same = "IS NOT DISTINCT FROM"
    op.execute("DROP TRIGGER corrections_no_update ON corrections")
    for table, condition in (("corrections", _may_change_correction(same)), ("fact_changes", _may_empty(same))):
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW "
            f"WHEN (NOT ({condition})) EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER fact_changes_append_only BEFORE DELETE OR TRUNCATE ON fact_changes "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _guard_on_sqlite() -> None:
    op.execute("DROP TRIGGER corrections_no_update")
    for table, condition in (("corrections", _may_change_correction("IS")), ("fact_changes", _may_empty("IS"))):
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN NOT ({condition}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} are append-only: UPDATE refused'); END"
        )
    op.execute(
        "CREATE TRIGGER fact_changes_no_delete BEFORE DELETE ON fact_changes "
        "BEGIN SELECT RAISE(ABORT, 'fact_changes are append-only: DELETE refused'); END"
    )
    op.execute(
        "CREATE TRIGGER fact_changes_no_replace BEFORE INSERT ON fact_changes "
        "WHEN EXISTS (SELECT 1 FROM fact_changes WHERE no = NEW.no) BEGIN SELECT RAISE(IGNORE); END"
    )


def _may_change_correction(same: str) -> str:
    kept = " AND ".join(f"NEW.{name} {same} OLD.{name}" for name in _KEPT)
    return f"(({_IS_ERASURE}) OR ({_IS_MENDED})) AND {kept}".format(same=same)


def _may_empty(same: str) -> str:
    return " AND ".join([_IS_EMPTIED, *(f"NEW.{name} {same} OLD.{name}" for name in _KEPT_OF_CHANGE)])
