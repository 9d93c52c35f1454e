"""The masked spans, and histories whose texts can be erased without breaking their chain."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")

#: By table: what an erasure may change, and the condition that it is one.
_ERASED = {
    "corrections": (("text", "speaker", "accepted"), "NEW.text = '' AND NOT NEW.accepted"),
    "versions": (
        ("body", "text", "tags", "more", "salt"),
        "NEW.text = '' AND NEW.body = '' AND NEW.tags = '[]' AND NEW.more = '{}' AND NEW.salt LIKE 'erased:%'",
    ),
    "verdicts": (("body", "note", "variants"), "NEW.note = '' AND NEW.body = '' AND NEW.variants = '[]'"),
}
_COLUMNS = {
    "corrections": (
        *("no", "id", "recording", "segment", "start_ms", "end_ms", "text", "speaker", "dialect", "model", "author"),
        *("accepted", "added_at"),
    ),
    "versions": (
        *("no", "op_id", "body", "segment", "version", "kind", "person", "lease", "hand", "base", "text", "tags"),
        *("more", "model", "active_ms", "client_time", "seq", "salt", "chain", "added_at"),
    ),
    "verdicts": (
        *("no", "op_id", "body", "segment", "version", "author", "person", "decision", "result", "reasons", "note"),
        *("variants", "played_ms", "added_at"),
    ),
}


def upgrade() -> None:
    op.create_table(
        "masks",
        Column("id", Words, primary_key=True),
        Column("recording", Number, ForeignKey("recordings.no"), nullable=False),
        Column("start_ms", BigInteger, nullable=False),
        Column("end_ms", BigInteger, nullable=False),
        Column("person", Words, ForeignKey("people.id")),
        Column("added_at", Words, nullable=False),
        Column("lifted_at", Words),
    )
    op.create_index("masks_by_time", "masks", ["recording", "start_ms"])
    op.create_table(
        "mask_scans",
        Column("run", Number, ForeignKey("done.no"), primary_key=True, autoincrement=False),
        Column("terms", Words, primary_key=True),
    )
    guard = _guard_on_postgresql if op.get_bind().dialect.name == "postgresql" else _guard_on_sqlite
    for table in _ERASED:
        guard(table)


def _is_erasure(table: str, same: str) -> str:
    changing, condition = _ERASED[table]
    columns = [f"NEW.{name} {same} OLD.{name}" for name in _COLUMNS[table] if name not in changing]
    return " AND ".join([condition, *columns])


def _guard_on_sqlite(table: str) -> None:
    op.execute(f"DROP TRIGGER {table}_no_update")
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN NOT ({_is_erasure(table, 'IS')}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} are append-only: UPDATE refused'); END"
    )


def _guard_on_postgresql(table: str) -> None:
    op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW "
        f"WHEN (NOT ({_is_erasure(table, 'IS NOT DISTINCT FROM')})) EXECUTE FUNCTION refuse_change()"
    )
