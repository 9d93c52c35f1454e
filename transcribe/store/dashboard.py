"""The dashboard of a lead: how far each dialect is and how fast, who listened, which spellings are right too."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, case, exists, func, literal, select

from transcribe.records import Milliseconds
from transcribe.store.database import Database
from transcribe.store.desk import OFF_DESK
from transcribe.store.desk_schema import AUDIT, DESK, PEOPLE, VERDICTS, VERSIONS
from transcribe.store.redaction import make_redactor
from transcribe.store.schema import DRAFTS, RECORDINGS, SEGMENTS, USABLE


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """The progress of one dialect, in milliseconds of audio."""

    dialect: str
    segments: Mapping[str, int]
    #: Audio by state.
    sound: Mapping[str, Milliseconds]
    #: Since when the oldest one in a queue waits, by state.
    oldest: Mapping[str, str]
    #: Audio with a draft, with a person's text, and accepted by a reviewer's decision.
    drafted: Milliseconds
    written: Milliseconds
    reviewed: Milliseconds
    #: Audio that was written and accepted at the desk since the moment asked for.
    lately: Milliseconds
    #: When the first of that was accepted.
    lately_from: str | None


@dataclass(frozen=True, kw_only=True)
class Listening:
    """One opening of a segment's audio. *no* grows with time."""

    no: int
    at: str
    name: str
    recording: str
    path: str
    segment: str
    start: Milliseconds
    end: Milliseconds


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """A spelling that a reviewer accepted as well as the one written."""

    dialect: str
    written: str
    other: str
    segment: str
    name: str
    at: str


@dataclass(frozen=True)
class Dashboard:
    """The figures that leads look at."""

    database: Database

    def fetch_outlooks(self, *, since: str) -> tuple[Outlook, ...]:
        """Return how far each dialect is, by tag; *since* is when ``lately`` begins."""
        by_dialect: dict[str, list[Row[Any]]] = defaultdict(list)
        with self.database.begin_read() as connection:
            for row in connection.execute(_select_counts(since)):
                by_dialect[row.dialect].append(row)
        return tuple(_build_outlook(dialect, rows) for dialect, rows in sorted(by_dialect.items()))

    def fetch_listenings(
        self, *, person: str | None = None, recording: str | None = None, before_no: int | None = None, count: int = 100
    ) -> Sequence[Listening]:
        """
        Return who opened which segment's audio, the newest first, *count* at most.

        Args:
            person: Only of the person with this name.
            recording: Only of the recording with this id.
            before_no: Only those with a lower number.
        """
        query = (
            select(
                AUDIT.c.no,
                AUDIT.c.at,
                PEOPLE.c.name,
                RECORDINGS.c.id.label("recording"),
                RECORDINGS.c.path,
                SEGMENTS.c.id.label("segment"),
                SEGMENTS.c.start_ms.label("start"),
                SEGMENTS.c.end_ms.label("end"),
            )
            .join(SEGMENTS, AUDIT.c.segment == SEGMENTS.c.no)
            .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
            .join(PEOPLE, AUDIT.c.person == PEOPLE.c.id)
            .where(AUDIT.c.action == "heard")
        )
        if person is not None:
            query = query.where(PEOPLE.c.name == person)
        if recording is not None:
            query = query.where(RECORDINGS.c.id == recording)
        if before_no is not None:
            query = query.where(AUDIT.c.no < before_no)
        with self.database.begin_read() as connection:
            rows = connection.execute(query.order_by(AUDIT.c.no.desc()).limit(count)).all()
        return tuple(Listening(**row._mapping) for row in rows)

    def fetch_spellings(self, *, dialect: str | None = None, segment: str | None = None) -> tuple[Spelling, ...]:
        """
        Return the spellings that reviewers accepted too, the first one first; of *dialect*, of *segment*, or of all.
        """
        query = (
            select(VERDICTS, DESK.c.dialect, SEGMENTS.c.id.label("segment_id"), PEOPLE.c.name)
            .join(DESK, VERDICTS.c.segment == DESK.c.segment)
            .join(SEGMENTS, VERDICTS.c.segment == SEGMENTS.c.no)
            .join(PEOPLE, VERDICTS.c.person == PEOPLE.c.id)
            .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
            .where(VERDICTS.c.variants != "[]", USABLE)
        )
        if dialect is not None:
            query = query.where(DESK.c.dialect == dialect)
        if segment is not None:
            query = query.where(SEGMENTS.c.id == segment)
        with self.database.begin_read() as connection:
            rows = connection.execute(query.order_by(VERDICTS.c.no)).all()
        return tuple(
            Spelling(
                dialect=row.dialect,
                written=written,
                other=other,
                segment=row.segment_id,
                name=row.name,
                at=row.added_at,
            )
            for row in rows
            for written, other in json.loads(row.variants)
            if self.database.terms.hide(written) == written and self.database.terms.hide(other) == other
        )

    def fetch_decisions(self, person: str, *, count: int = 50) -> tuple[dict[str, Any], ...]:
        """
        Return the decisions about texts of *person*, the newest first, without who decided.

        Each has their own text and the one that a reviewer put in its place, both without what is masked.
        """
        judged, result = VERSIONS.alias("own"), VERSIONS.alias("result")
        query = (
            select(
                VERDICTS.c.decision,
                VERDICTS.c.reasons,
                VERDICTS.c.note,
                VERDICTS.c.added_at,
                VERDICTS.c.version,
                VERDICTS.c.result,
                SEGMENTS.c.id,
                DESK.c.dialect,
                judged.c.text.label("own_text"),
                result.c.text.label("result_text"),
            )
            .join(SEGMENTS, VERDICTS.c.segment == SEGMENTS.c.no)
            .join(DESK, VERDICTS.c.segment == DESK.c.segment)
            .join(judged, (judged.c.segment == VERDICTS.c.segment) & (judged.c.version == VERDICTS.c.version))
            .outerjoin(result, (result.c.segment == VERDICTS.c.segment) & (result.c.version == VERDICTS.c.result))
            .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
            .where(VERDICTS.c.author == person, USABLE)
            .order_by(VERDICTS.c.no.desc())
            .limit(count)
        )
        with self.database.begin_read() as connection:
            rows = connection.execute(query).all()
            return tuple(
                _build_decision(row._mapping, make_redactor(connection, row.id, self.database.terms)) for row in rows
            )


def _select_counts(since: str) -> Select[Any]:
    length = SEGMENTS.c.end_ms - SEGMENTS.c.start_ms
    drafted = exists().where(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no)
    judged = exists().where(VERDICTS.c.segment == DESK.c.segment, VERDICTS.c.decision == "accept")
    accepted, by_hand = DESK.c.state == "accepted", DESK.c.versions > 0
    late = accepted & by_hand & (DESK.c.since_at >= since)

    def sound(condition: Any) -> Any:
        return func.sum(case((condition, length), else_=literal(0)))

    return (
        select(
            DESK.c.dialect,
            DESK.c.state,
            func.count().label("segments"),
            func.sum(length).label("ms"),
            func.min(DESK.c.since_at).label("oldest"),
            sound(drafted).label("drafted"),
            sound(by_hand).label("written"),
            sound(accepted & judged).label("reviewed"),
            sound(late).label("lately"),
            func.min(case((late, DESK.c.since_at))).label("lately_from"),
        )
        .join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .where(DESK.c.state.not_in(OFF_DESK), USABLE)
        .group_by(DESK.c.dialect, DESK.c.state)
    )


def _build_outlook(dialect: str, rows: Sequence[Row[Any]]) -> Outlook:
    def whole(name: str) -> Milliseconds:
        return sum(int(getattr(row, name)) for row in rows)

    return Outlook(
        dialect=dialect,
        segments={row.state: row.segments for row in rows},
        sound={row.state: int(row.ms) for row in rows},
        oldest={row.state: row.oldest for row in rows if row.state not in ("accepted", "unclear", "gold", "held")},
        drafted=whole("drafted"),
        written=whole("written"),
        reviewed=whole("reviewed"),
        lately=whole("lately"),
        lately_from=min((row.lately_from for row in rows if row.lately_from is not None), default=None),
    )


def _build_decision(row: Mapping[Any, Any], hide: Callable[[str], str]) -> dict[str, Any]:
    changed = row["decision"] == "accept" and row["result"] != row["version"]
    return {
        "segment": row["id"],
        "dialect": row["dialect"],
        "at": row["added_at"],
        "decision": row["decision"],
        "reasons": json.loads(row["reasons"]),
        "note": row["note"],
        "text": hide(row["own_text"]),
        "became": hide(row["result_text"]) if changed else None,
    }
