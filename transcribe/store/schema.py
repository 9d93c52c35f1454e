"""
The tables, as the newest migration leaves them. A test keeps the two equal.

Inside the database rows refer to each other by number, because a recording's id alone has 64 characters; outside
there are only ids. Times of the sound are milliseconds (``…_ms``), times of the clock UTC text (``…_at``).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

METADATA = MetaData()

#: Compared and sorted by its bytes, so that both databases give the same order in every locale.
Words = Text().with_variant(Text(collation="C"), "postgresql")
#: Row numbers. SQLite counts up by itself in columns of exactly this type only.
Number = BigInteger().with_variant(Integer(), "sqlite")

RECORDINGS = Table(
    "recordings",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("path", Words, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("rate_hz", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("channel_mode", Words, nullable=False),
    Column("dialect", Words),
    Column("language", Words),
    Column("speaker", Words),
    Column("session", Words),
    Column("consent", Words),
    Column("licence", Words),
    Column("source", Words),
    Column("num_speakers", Integer),
    Column("split", Words, nullable=False),
    #: ``refused`` or ``withdrawn``, by the consent; else NULL.
    Column("withheld", Words),
    Column("facts", Words, nullable=False),
    Column("declared", Words, nullable=False),
    Column("warnings", Words, nullable=False),
    Column("added_at", Words, nullable=False),
    # The measured quality; all empty where it was never measured.
    Column("level_dbfs", Double),
    Column("snr_db", Double),
    Column("clipped_share", Double),
    Column("bandwidth_hz", Integer),
    Column("cancelled_ms", BigInteger),
    Column("dead_ms", BigInteger),
    Index("recordings_by_duration", "duration_ms", "id"),
    Index("recordings_by_session", "session"),
)

#: The one condition that a recording may be heard, read, drafted, scored, learnt from and given out: its speakers'
#: consent is neither refused nor withdrawn. Every such read of the store has it.
USABLE: ColumnElement[bool] = RECORDINGS.c.withheld.is_(None)

#: Append-only: who said what of a recording, when, and what held before. An erasure empties rows.
FACT_CHANGES = Table(
    "fact_changes",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("recording", ForeignKey("recordings.no"), nullable=False),
    Column("name", Words, nullable=False),
    Column("before", Words),
    Column("after", Words),
    #: The manifest, or where a person had it from.
    Column("source", Words),
    Column("reason", Words),
    #: From when on it holds, as it was said.
    Column("stated_at", Words, nullable=False),
    Column("added_at", Words, nullable=False),
    Index("fact_changes_by_recording", "recording", "no"),
)

#: What `rows.quality_of` reads.
QUALITY_COLUMNS = tuple(
    RECORDINGS.c[name] for name in ("level_dbfs", "snr_db", "clipped_share", "bandwidth_hz", "cancelled_ms", "dead_ms")
)

#: Every path that a recording was ever ingested under: the same bytes may lie in two places.
PATHS = Table(
    "paths",
    METADATA,
    Column("path", Words, primary_key=True),
    Column("recording", ForeignKey("recordings.no"), nullable=False),
)

#: Who is declared to speak in a recording: what splits are drawn by.
SPEAKERS = Table(
    "speakers",
    METADATA,
    Column("speaker", Words, primary_key=True),
    Column("recording", ForeignKey("recordings.no"), primary_key=True),
)

#: What a diariser heard, kept so that another recogniser need not diarise again.
DIARISATIONS = Table(
    "diarisations",
    METADATA,
    Column("recording", ForeignKey("recordings.no"), primary_key=True),
    Column("settings", Words, primary_key=True),
    Column("turns", Words, nullable=False),
    Column("exclusive", Words, nullable=False),
)

#: The mean embedding of each speaker of the newest diarisation: biometric data, in no export. Erased with the speaker.
VOICES = Table(
    "voices",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("recording", ForeignKey("recordings.no"), nullable=False),
    Column("speaker", Words, nullable=False),
    Column("channel", Integer),
    #: Little-endian float32 of unit length.
    Column("vector", LargeBinary, nullable=False),
    Column("speech_ms", BigInteger, nullable=False),
    #: Id of what made the vector.
    Column("maker", Words, nullable=False),
    Index("voices_by_recording", "recording"),
    Index("voices_by_speaker", "speaker"),
)

#: What people said of two speakers, one or two people. *id* is made of both names; the last word counts.
SPEAKER_LINKS = Table(
    "speaker_links",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("first", Words, nullable=False),
    Column("second", Words, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("decided_by", Words),
    Column("decided_at", Words, nullable=False),
)

#: The mark that a recording is done with these settings. The highest number is the newest.
DONE = Table(
    "done",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("recording", ForeignKey("recordings.no"), nullable=False),
    Column("settings", Words, nullable=False),
    Column("diarisation", Words, nullable=False),
    Column("model", Words, nullable=False),
    Column("warnings", Words, nullable=False),
    Column("done_at", Words, nullable=False),
    Index("done_by_recording", "recording", "settings", unique=True),
    Index("done_by_model", "model", "recording"),
)

#: *run* is the newest one that made this segment; older segments stay, for the corrections made on them.
SEGMENTS = Table(
    "segments",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("recording", ForeignKey("recordings.no"), nullable=False),
    Column("run", ForeignKey("done.no"), nullable=False),
    Column("speaker", Words, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("dialect", Words),
    Column("channel", Integer),
    Index("segments_by_time", "recording", "start_ms"),
    CheckConstraint("start_ms >= 0 AND end_ms >= start_ms", name="segments_span"),
)

#: Keyed by run first, so that a recording's drafts lie side by side however many there are.
DRAFTS = Table(
    "drafts",
    METADATA,
    Column("run", ForeignKey("done.no"), primary_key=True),
    Column("segment", ForeignKey("segments.no"), primary_key=True),
    Column("words", Words, nullable=False),
    Column("log_probability", Double),
    Column("flags", Words, nullable=False),
    Column("alternative", Words),
    sqlite_with_rowid=False,
)

#: Append-only: triggers refuse UPDATE and DELETE.
CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("recording", ForeignKey("recordings.no"), nullable=False),
    Column("segment", ForeignKey("segments.no")),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("text", Words, nullable=False),
    Column("speaker", Words),
    Column("dialect", Words),
    Column("model", Words),
    Column("author", Words),
    Column("accepted", Boolean, nullable=False),
    Column("added_at", Words, nullable=False),
    #: The same in the usual spelling, where somebody wrote it.
    Column("normalised", Words),
    Index("corrections_by_time", "recording", "start_ms"),
    CheckConstraint("start_ms >= 0 AND end_ms >= start_ms", name="corrections_span"),
)

#: Append-only, as corrections: drafts that were accepted without a person, and taken back. A segment's last row counts.
ACCEPTANCES = Table(
    "acceptances",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("run", ForeignKey("done.no"), nullable=False),
    Column("segment", ForeignKey("segments.no"), nullable=False),
    Column("dialect", Words, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("doubt", Double, nullable=False),
    Column("risk", Double, nullable=False),
    Column("allowed", Double, nullable=False),
    #: Whether a person is to write it again, blindly.
    Column("audit", Boolean, nullable=False),
    Column("reason", Words),
    Column("added_at", Words, nullable=False),
    Index("acceptances_by_segment", "segment", "no"),
)

MODELS = Table(
    "models",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("place", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("window_ms", BigInteger, nullable=False),
    Column("added_at", Words, nullable=False),
    #: ``recogniser`` or ``diariser``.
    Column("kind", Words, nullable=False, server_default="recogniser"),
    Index(
        "models_one_promoted",
        "kind",
        unique=True,
        # The migration gives PostgreSQL the same; said here it would import that dialect for every command.
        sqlite_where=text("state = 'promoted'"),
    ),
)

#: What a tuned model was made of, and what was decided about it; both as JSON.
LINEAGES = Table(
    "lineages",
    METADATA,
    Column("model", ForeignKey("models.no"), primary_key=True, autoincrement=False),
    Column("lineage", Words, nullable=False),
    Column("decision", Words),
)

#: Which model drafted from when on, which one it took over from, and why.
PROMOTIONS = Table(
    "promotions",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("model", ForeignKey("models.no"), nullable=False),
    Column("before", ForeignKey("models.no")),
    Column("why", Words, nullable=False),
    Column("at", Words, nullable=False),
    Index("promotions_by_model", "model"),
)

#: Work that was begun and has not ended: three of these without an end, and the recording is parked.
ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("recording", ForeignKey("recordings.no"), primary_key=True, autoincrement=False),
    Column("begun", Integer, nullable=False),
    Column("begun_at", Words, nullable=False),
)

#: *item* is what the program knows it by, *shown* what the user does.
FAILURES = Table(
    "failures",
    METADATA,
    Column("stage", Words, primary_key=True),
    Column("item", Words, primary_key=True),
    Column("shown", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("message", Words, nullable=False),
    Column("failed_at", Words, nullable=False),
)
