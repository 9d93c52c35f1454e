"""The objections to pay statements, and the answers of leads; a line of a statement is a segment."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Row, Select, and_, exists, insert, select, update

from transcribe.store.audit import note
from transcribe.store.database import Database
from transcribe.store.desk_schema import OBJECTIONS, PEOPLE, VERSIONS
from transcribe.store.rows import check_text
from transcribe.store.schema import SEGMENTS

#: Whether the lead finds that the person is right.
ObjectionOutcome: TypeAlias = Literal["right", "stays"]


@dataclass(frozen=True, kw_only=True)
class Objection:
    """One person's objection to one line of their pay."""

    id: str
    person: str
    name: str
    segment: str
    note: str
    made_at: str
    #: ``None`` as long as nobody answered.
    outcome: ObjectionOutcome | None
    answer: str | None
    answered_at: str | None


@dataclass(frozen=True)
class PayDisputes:
    """The objections to pay statements."""

    database: Database

    def add(self, person: str, segment: str, why: str) -> Objection | None:
        """
        Keep an objection of *person* to the line of *segment*. One that nobody answered yet gives way to the new one.

        Returns:
            ``None`` if *person* never wrote a text there.
        """
        now, id = self.database.now(), secrets.token_urlsafe(12)
        number = select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment).scalar_subquery()
        wrote = select(exists().where(VERSIONS.c.segment == number, VERSIONS.c.person == person))
        values = {"person": person, "note": check_text(why, "an objection"), "made_at": now}
        with self.database.begin_write() as connection:
            if not connection.execute(wrote).scalar_one():
                return None
            waits = and_(
                OBJECTIONS.c.person == person, OBJECTIONS.c.segment == number, OBJECTIONS.c.answered_at.is_(None)
            )
            open_id = connection.execute(select(OBJECTIONS.c.id).where(waits)).scalar_one_or_none()
            if open_id is None:
                connection.execute(insert(OBJECTIONS).values(**values, id=id, segment=number))
            else:
                connection.execute(update(OBJECTIONS).where(OBJECTIONS.c.id == open_id).values(values))
            note(connection, now, person, "objected", detail={"objection": open_id or id})
            return _build_objection(
                connection.execute(_select_objections().where(OBJECTIONS.c.id == (open_id or id))).one()
            )

    def fetch(self, *, person: str | None = None, waiting: bool = False) -> Sequence[Objection]:
        """
        Return objections, the newest first.

        Args:
            person: Only of the person with this id.
            waiting: Only those without an answer.
        """
        query = _select_objections().order_by(OBJECTIONS.c.made_at.desc(), OBJECTIONS.c.id)
        if person is not None:
            query = query.where(OBJECTIONS.c.person == person)
        if waiting:
            query = query.where(OBJECTIONS.c.answered_at.is_(None))
        with self.database.begin_read() as connection:
            return tuple(map(_build_objection, connection.execute(query)))

    def answer(self, id: str, outcome: ObjectionOutcome, answer: str, *, by: str) -> Objection | None:
        """
        Answer an objection, once; ``None`` if there is none that *by* may answer.

        Nobody answers their own.
        """
        now = self.database.now()
        free = and_(OBJECTIONS.c.id == id, OBJECTIONS.c.answered_at.is_(None), OBJECTIONS.c.person != by)
        values = {"outcome": outcome, "answer": check_text(answer, "an answer"), "answered_by": by, "answered_at": now}
        with self.database.begin_write() as connection:
            if not connection.execute(update(OBJECTIONS).where(free).values(values)).rowcount:
                return None
            note(connection, now, by, "answered an objection", detail={"objection": id, "outcome": outcome})
            return _build_objection(connection.execute(_select_objections().where(OBJECTIONS.c.id == id)).one())


def _select_objections() -> Select[Any]:
    return (
        select(OBJECTIONS, PEOPLE.c.name, SEGMENTS.c.id.label("segment_id"))
        .join(PEOPLE, OBJECTIONS.c.person == PEOPLE.c.id)
        .join(SEGMENTS, OBJECTIONS.c.segment == SEGMENTS.c.no)
    )


def _build_objection(row: Row[Any]) -> Objection:
    names = ("id", "person", "name", "note", "made_at", "outcome", "answer", "answered_at")
    return Objection(**{name: getattr(row, name) for name in names}, segment=row.segment_id)
