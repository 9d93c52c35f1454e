"""The correction desk: people, leases on segments, versions of texts, verdicts, and the audit log."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")

#: Tables whose rows are only ever added.
_HISTORY = {"versions": ("op_id",), "verdicts": ("op_id",), "audit": ()}


def upgrade() -> None:
    _create_people()
    _create_desk()
    _create_leases()
    _create_versions()
    _create_verdicts()
    _create_audit()
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_postgresql()
    else:
        _guard_on_sqlite()


def _words(*names: str, nullable: bool = False) -> list[Column[str]]:
    return [Column(name, Words, nullable=nullable) for name in names]


def _person(name: str = "person", *, nullable: bool = False) -> Column[str]:
    return Column(name, Words, ForeignKey("people.id"), nullable=nullable)


def _segment(*, nullable: bool = False) -> Column[int]:
    return Column("segment", Number, ForeignKey("segments.no"), nullable=nullable)


def _segment_key() -> Column[int]:
    return Column("segment", Number, ForeignKey("segments.no"), primary_key=True, autoincrement=False)


def _create_people() -> None:
    op.create_table(
        "people",
        Column("id", Words, primary_key=True),
        Column("name", Words, nullable=False, unique=True),
        *_words("password", nullable=True),
        *_words("roles", "dialects"),
        *_words("disabled_at", nullable=True),
        *_words("added_at"),
    )
    op.create_table(
        "sessions",
        Column("key", Words, primary_key=True),
        _person(),
        *_words("begun_at", "used_at", "until_at"),
    )
    op.create_index("sessions_by_person", "sessions", ["person"])
    op.create_table(
        "tokens",
        Column("key", Words, primary_key=True),
        Column("id", Words, nullable=False, unique=True),
        _person(),
        *_words("name", "scopes", "made_at"),
        *_words("until_at", "ended_at", nullable=True),
    )


def _create_desk() -> None:
    op.create_table(
        "desk",
        _segment_key(),
        *_words("dialect", "state", "came_from", "since_at"),
        Column("fence", BigInteger, nullable=False),
        _person(nullable=True),
        *_words("until_at", nullable=True),
        *(
            Column(name, Integer, nullable=False)
            for name in ("version", "versions", "hands", "wanted", "loose", "rounds")
        ),
        *(Column(name, Double, nullable=False) for name in ("ease", "draw")),
        *_words("reason", "correction", nullable=True),
        *_words("chain"),
    )
    op.create_index("desk_by_need", "desk", ["state", "dialect", "ease", "draw"])
    op.create_index("desk_by_lot", "desk", ["state", "draw"])
    op.create_index("desk_by_age", "desk", ["state", "since_at"])
    op.create_index("desk_by_until", "desk", ["state", "until_at"])
    op.create_index("desk_by_person", "desk", ["person", "state"])
    op.create_table("golds", _segment_key(), *_words("text", "added_at"))


def _create_leases() -> None:
    op.create_table(
        "leases",
        Column("id", Words, primary_key=True),
        _segment(),
        _person(),
        Column("fence", BigInteger, nullable=False),
        *_words("purpose", "chosen"),
        Column("base", Integer, nullable=False),
        Column("hand", Integer, nullable=False),
        Column("offline", Boolean, nullable=False),
        *_words("taken_at", "until_at"),
        *_words("ended_at", "ended", "reason", nullable=True),
        UniqueConstraint("segment", "fence", name="leases_fence"),
    )
    live = text("ended_at IS NULL")
    op.create_index("leases_one_live", "leases", ["segment"], unique=True, sqlite_where=live, postgresql_where=live)
    op.create_index("leases_by_person", "leases", ["person", "ended_at"])


def _create_versions() -> None:
    op.create_table(
        "versions",
        Column("no", Number, primary_key=True),
        Column("op_id", Words, nullable=False, unique=True),
        *_words("body"),
        _segment(),
        Column("version", Integer, nullable=False),
        *_words("kind"),
        _person(),
        Column("lease", Words, ForeignKey("leases.id"), nullable=False),
        Column("hand", Integer, nullable=False),
        Column("base", Integer, nullable=False),
        *_words("text", "tags", "more"),
        *_words("model", nullable=True),
        Column("active_ms", BigInteger, nullable=False),
        *_words("client_time", nullable=True),
        Column("seq", BigInteger, nullable=False),
        *_words("salt", "chain", "added_at"),
        UniqueConstraint("segment", "version", name="versions_number"),
    )
    op.create_index("versions_by_person", "versions", ["person", "added_at"])


def _create_verdicts() -> None:
    op.create_table(
        "verdicts",
        Column("no", Number, primary_key=True),
        Column("op_id", Words, nullable=False, unique=True),
        *_words("body"),
        _segment(),
        Column("version", Integer, nullable=False),
        _person("author", nullable=True),
        _person(),
        *_words("decision"),
        Column("result", Integer),
        *_words("reasons", "note", "variants"),
        Column("played_ms", BigInteger, nullable=False),
        *_words("added_at"),
    )
    op.create_index("verdicts_by_segment", "verdicts", ["segment"])
    op.create_index("verdicts_by_author", "verdicts", ["author", "added_at"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        Column("no", Number, primary_key=True),
        *_words("at"),
        *_words("person", nullable=True),
        *_words("action"),
        _segment(nullable=True),
        *_words("detail"),
    )
    op.create_index("audit_by_segment", "audit", ["segment", "at"])
    op.create_index("audit_by_person", "audit", ["person", "at"])


def _guard_on_sqlite() -> None:
    for table, keys in _HISTORY.items():
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} are append-only: {verb} refused'); END"
            )
        # REPLACE deletes without asking the triggers for DELETE. A row whose key is taken is passed over instead.
        same = " OR ".join(f"{key} = NEW.{key}" for key in ("no", *keys))
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - our own tables' names
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            "BEGIN SELECT RAISE(IGNORE); END"
        )


def _guard_on_postgresql() -> None:
    for table in _HISTORY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
