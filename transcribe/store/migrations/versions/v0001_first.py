"""The first schema: recordings, runs, corrections, models."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Integer,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    _create_recordings()
    _create_runs()
    _create_corrections()
    _create_models()
    _create_failures()
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_postgresql()
    else:
        _guard_on_sqlite()


def _create_recordings() -> None:
    op.create_table(
        "recordings",
        Column("no", Number, primary_key=True),
        Column("id", Words, nullable=False, unique=True),
        Column("path", Words, nullable=False),
        Column("duration_ms", BigInteger, nullable=False),
        Column("rate_hz", Integer, nullable=False),
        Column("channels", Integer, nullable=False),
        Column("channel_mode", Words, nullable=False),
        *(Column(name, Words) for name in ("dialect", "language", "speaker", "session")),
        *(Column(name, Words) for name in ("consent", "licence", "source")),
        Column("num_speakers", Integer),
        *(Column(name, Words, nullable=False) for name in ("split", "facts", "declared", "warnings", "added_at")),
    )
    op.create_index("recordings_by_duration", "recordings", ["duration_ms", "id"])
    op.create_index("recordings_by_session", "recordings", ["session"])
    op.create_table(
        "paths",
        Column("path", Words, primary_key=True),
        Column("recording", Number, ForeignKey("recordings.no"), nullable=False),
    )
    op.create_table(
        "speakers",
        Column("speaker", Words, primary_key=True),
        Column("recording", Number, ForeignKey("recordings.no"), primary_key=True),
    )


def _create_runs() -> None:
    op.create_table(
        "diarisations",
        Column("recording", Number, ForeignKey("recordings.no"), primary_key=True),
        Column("settings", Words, primary_key=True),
        Column("turns", Words, nullable=False),
        Column("exclusive", Words, nullable=False),
    )
    op.create_table(
        "done",
        Column("no", Number, primary_key=True),
        Column("recording", Number, ForeignKey("recordings.no"), nullable=False),
        *(Column(name, Words, nullable=False) for name in ("settings", "diarisation", "model", "warnings", "done_at")),
    )
    op.create_index("done_by_recording", "done", ["recording", "settings"], unique=True)
    op.create_index("done_by_model", "done", ["model", "recording"])
    op.create_table(
        "segments",
        Column("no", Number, primary_key=True),
        Column("id", Words, nullable=False, unique=True),
        Column("recording", Number, ForeignKey("recordings.no"), nullable=False),
        Column("run", Number, ForeignKey("done.no"), nullable=False),
        Column("speaker", Words, nullable=False),
        Column("start_ms", BigInteger, nullable=False),
        Column("end_ms", BigInteger, nullable=False),
        Column("dialect", Words),
        Column("channel", Integer),
        CheckConstraint("start_ms >= 0 AND end_ms >= start_ms", name="segments_span"),
    )
    op.create_index("segments_by_time", "segments", ["recording", "start_ms"])
    op.create_table(
        "drafts",
        Column("run", Number, ForeignKey("done.no"), primary_key=True),
        Column("segment", Number, ForeignKey("segments.no"), primary_key=True),
        Column("words", Words, nullable=False),
        Column("log_probability", Double),
        Column("flags", Words, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_corrections() -> None:
    op.create_table(
        "corrections",
        Column("no", Number, primary_key=True),
        Column("id", Words, nullable=False, unique=True),
        Column("recording", Number, ForeignKey("recordings.no"), nullable=False),
        Column("segment", Number, ForeignKey("segments.no")),
        Column("start_ms", BigInteger, nullable=False),
        Column("end_ms", BigInteger, nullable=False),
        Column("text", Words, nullable=False),
        *(Column(name, Words) for name in ("speaker", "dialect", "model", "author")),
        Column("accepted", Boolean, nullable=False),
        Column("added_at", Words, nullable=False),
        CheckConstraint("start_ms >= 0 AND end_ms >= start_ms", name="corrections_span"),
    )
    op.create_index("corrections_by_time", "corrections", ["recording", "start_ms"])


def _create_models() -> None:
    op.create_table(
        "models",
        Column("no", Number, primary_key=True),
        Column("id", Words, nullable=False, unique=True),
        *(Column(name, Words, nullable=False) for name in ("place", "name", "state")),
        Column("window_ms", BigInteger, nullable=False),
        Column("added_at", Words, nullable=False),
    )
    promoted = text("state = 'promoted'")
    op.create_index(
        "models_one_promoted", "models", ["state"], unique=True, sqlite_where=promoted, postgresql_where=promoted
    )


def _create_failures() -> None:
    op.create_table(
        "attempts",
        Column("recording", Number, ForeignKey("recordings.no"), primary_key=True, autoincrement=False),
        Column("begun", Integer, nullable=False),
        Column("begun_at", Words, nullable=False),
    )
    op.create_table(
        "failures",
        Column("stage", Words, primary_key=True),
        Column("item", Words, primary_key=True),
        *(Column(name, Words, nullable=False) for name in ("shown", "code", "message", "failed_at")),
    )


def _guard_on_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER corrections_no_{verb.lower()} BEFORE {verb} ON corrections "
            f"BEGIN SELECT RAISE(ABORT, 'corrections are append-only: {verb} refused'); END"
        )
    # REPLACE deletes without asking the triggers for DELETE. A row whose key is taken is passed over instead.
    op.execute(
        "CREATE TRIGGER corrections_no_replace BEFORE INSERT ON corrections "
        "WHEN EXISTS (SELECT 1 FROM corrections WHERE id = NEW.id OR no = NEW.no) BEGIN SELECT RAISE(IGNORE); END"
    )


def _guard_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% are append-only: % refused', TG_TABLE_NAME, TG_OP; END $$"
    )
    # For each statement: an UPDATE that meets no row is refused too, and TRUNCATE has no rows to ask about.
    op.execute(
        "CREATE TRIGGER corrections_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON corrections "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
