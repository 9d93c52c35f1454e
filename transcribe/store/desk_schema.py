"""
The tables of the correction desk, as the newest migration leaves them.

People, leases and tokens have ids of their own, because scripts and browsers name them. Keys of sessions and tokens
are kept as hashes only.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, Table, UniqueConstraint, text

from transcribe.store.schema import METADATA, Number, Words

PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False, unique=True),
    Column("password", Words),
    Column("roles", Words, nullable=False),
    Column("dialects", Words, nullable=False),
    Column("disabled_at", Words),
    Column("added_at", Words, nullable=False),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("key", Words, primary_key=True),
    Column("person", Words, ForeignKey("people.id"), nullable=False),
    Column("begun_at", Words, nullable=False),
    Column("used_at", Words, nullable=False),
    Column("until_at", Words, nullable=False),
    Index("sessions_by_person", "person"),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("key", Words, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("person", Words, ForeignKey("people.id"), nullable=False),
    Column("name", Words, nullable=False),
    Column("scopes", Words, nullable=False),
    Column("made_at", Words, nullable=False),
    Column("until_at", Words),
    Column("ended_at", Words),
)

#: Where each segment stands. *ease* is low for what is hard, *draw* a lot drawn once.
DESK = Table(
    "desk",
    METADATA,
    Column("segment", ForeignKey("segments.no"), primary_key=True, autoincrement=False),
    Column("dialect", Words, nullable=False),
    Column("state", Words, nullable=False),
    #: Where it stood before somebody took it: where it goes if nothing comes of that.
    Column("came_from", Words, nullable=False),
    Column("since_at", Words, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("person", Words, ForeignKey("people.id")),
    Column("until_at", Words),
    #: The version that stands, and the highest number that was given.
    Column("version", Integer, nullable=False),
    Column("versions", Integer, nullable=False),
    #: Hands that have written, and hands that are to.
    Column("hands", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    #: Texts that nobody has judged and that are not the one that stands.
    Column("loose", Integer, nullable=False),
    Column("rounds", Integer, nullable=False),
    Column("ease", Double, nullable=False),
    Column("draw", Double, nullable=False),
    Column("reason", Words),
    Column("correction", Words),
    Column("chain", Words, nullable=False),
    Index("desk_by_need", "state", "dialect", "ease", "draw"),
    Index("desk_by_lot", "state", "draw"),
    Index("desk_by_age", "state", "since_at"),
    Index("desk_by_until", "state", "until_at"),
    Index("desk_by_person", "person", "state"),
)

#: Every lease there ever was. An index keeps two from being open on one segment.
LEASES = Table(
    "leases",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("segment", ForeignKey("segments.no"), nullable=False),
    Column("person", Words, ForeignKey("people.id"), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("purpose", Words, nullable=False),
    #: How the segment was chosen: ``need``, ``lot`` or ``asked``. What was drawn by lot measures without bias.
    Column("chosen", Words, nullable=False),
    Column("base", Integer, nullable=False),
    Column("hand", Integer, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("taken_at", Words, nullable=False),
    Column("until_at", Words, nullable=False),
    Column("ended_at", Words),
    Column("ended", Words),
    Column("reason", Words),
    UniqueConstraint("segment", "fence", name="leases_fence"),
    Index(
        "leases_one_live",
        "segment",
        unique=True,
        # The migration gives PostgreSQL the same; said here it would import that dialect for every command.
        sqlite_where=text("ended_at IS NULL"),
    ),
    Index("leases_by_person", "person", "ended_at"),
)

#: Append-only: triggers refuse DELETE, and UPDATE that does anything but erase a text.
VERSIONS = Table(
    "versions",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("op_id", Words, nullable=False, unique=True),
    Column("body", Words, nullable=False),
    Column("segment", ForeignKey("segments.no"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Words, nullable=False),
    Column("person", Words, ForeignKey("people.id"), nullable=False),
    Column("lease", Words, ForeignKey("leases.id"), nullable=False),
    Column("hand", Integer, nullable=False),
    Column("base", Integer, nullable=False),
    Column("text", Words, nullable=False),
    Column("tags", Words, nullable=False),
    Column("more", Words, nullable=False),
    Column("model", Words),
    Column("active_ms", BigInteger, nullable=False),
    Column("client_time", Words),
    Column("seq", BigInteger, nullable=False),
    Column("salt", Words, nullable=False),
    Column("chain", Words, nullable=False),
    Column("added_at", Words, nullable=False),
    UniqueConstraint("segment", "version", name="versions_number"),
    Index("versions_by_person", "person", "added_at"),
)

#: Append-only, as versions.
VERDICTS = Table(
    "verdicts",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("op_id", Words, nullable=False, unique=True),
    Column("body", Words, nullable=False),
    Column("segment", ForeignKey("segments.no"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("author", Words, ForeignKey("people.id")),
    Column("person", Words, ForeignKey("people.id"), nullable=False),
    Column("decision", Words, nullable=False),
    Column("result", Integer),
    Column("reasons", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("variants", Words, nullable=False),
    Column("played_ms", BigInteger, nullable=False),
    Column("added_at", Words, nullable=False),
    Index("verdicts_by_segment", "segment"),
    Index("verdicts_by_author", "author", "added_at"),
)

#: Append-only: who listened to what, who signed in, who changed whose rights.
AUDIT = Table(
    "audit",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("at", Words, nullable=False),
    Column("person", Words),
    Column("action", Words, nullable=False),
    Column("segment", ForeignKey("segments.no")),
    Column("detail", Words, nullable=False),
    Index("audit_by_segment", "segment", "at"),
    Index("audit_by_person", "person", "at"),
    Index("audit_by_action", "action"),
)

#: Segments whose right text is known, to see how people do.
GOLDS = Table(
    "golds",
    METADATA,
    Column("segment", ForeignKey("segments.no"), primary_key=True, autoincrement=False),
    Column("text", Words, nullable=False),
    Column("added_at", Words, nullable=False),
)

#: Single-use keys: whoever has one chooses a password of their own. Kept as hashes.
INVITATIONS = Table(
    "invitations",
    METADATA,
    Column("key", Words, primary_key=True),
    Column("person", Words, ForeignKey("people.id"), nullable=False),
    Column("made_by", Words, ForeignKey("people.id")),
    Column("made_at", Words, nullable=False),
    Column("until_at", Words, nullable=False),
    #: When it was used, or another took its place.
    Column("ended_at", Words),
    Index("invitations_by_person", "person"),
)

#: What people object to in their pay statement, a line each, and what a lead answered.
OBJECTIONS = Table(
    "objections",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("person", Words, ForeignKey("people.id"), nullable=False),
    Column("segment", ForeignKey("segments.no"), nullable=False),
    Column("note", Words, nullable=False),
    Column("made_at", Words, nullable=False),
    Column("outcome", Words),
    Column("answer", Words),
    Column("answered_by", Words, ForeignKey("people.id")),
    Column("answered_at", Words),
    Index("objections_by_person", "person", "segment"),
)

#: Spans of a recording that nobody may hear or read. Without *person*: found by a client's terms.
MASKS = Table(
    "masks",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("recording", ForeignKey("recordings.no"), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("person", Words, ForeignKey("people.id")),
    Column("added_at", Words, nullable=False),
    Column("lifted_at", Words),
    Index("masks_by_time", "recording", "start_ms"),
)

#: Runs whose drafts were searched for a list of terms, by the list's hash.
MASK_SCANS = Table(
    "mask_scans",
    METADATA,
    Column("run", ForeignKey("done.no"), primary_key=True, autoincrement=False),
    Column("terms", Words, primary_key=True),
)

#: Append-only: how segments became others. *before* and *after* are lists of id, start and end.
RESHAPES = Table(
    "reshapes",
    METADATA,
    Column("no", Number, primary_key=True),
    Column("op_id", Words, nullable=False, unique=True),
    Column("body", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("person", Words, ForeignKey("people.id"), nullable=False),
    Column("before", Words, nullable=False),
    Column("after", Words, nullable=False),
    Column("added_at", Words, nullable=False),
)
