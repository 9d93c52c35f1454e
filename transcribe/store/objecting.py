"""What people object to in a statement of their pay, and what a lead answered. A line is a segment."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Row, Select, and_, exists, insert, select, update

from transcribe.store.auditing import note
from transcribe.store.desk_tables import OBJECTIONS, PEOPLE, VERSIONS
from transcribe.store.grouping import Grouping
from transcribe.store.rows import checked
from transcribe.store.tables import SEGMENTS

#: Whether the lead finds that the person is right.
Answered: TypeAlias = Literal["right", "stays"]


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
    outcome: Answered | None
    answer: str | None
    answered_at: str | None


class Objecting(Grouping):
    """The part of the store that knows what people object to."""

    def object_to(self, person: str, segment: str, why: str) -> Objection | None:
        """
        Keep an objection of *person* to the line of *segment*. One that nobody answered yet gives way to the new one.

        Returns:
            ``None`` if *person* never wrote a text there.
        """
        now, id = self.now(), secrets.token_urlsafe(12)
        number = select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment).scalar_subquery()
        wrote = select(exists().where(VERSIONS.c.segment == number, VERSIONS.c.person == person))
        values = {"person": person, "note": checked(why, "an objection"), "made_at": now}
        with self.writing() as connection:
            if not connection.execute(wrote).scalar_one():
                return None
            waits = and_(
                OBJECTIONS.c.person == person, OBJECTIONS.c.segment == number, OBJECTIONS.c.answered_at.is_(None)
            )
            kept = connection.execute(select(OBJECTIONS.c.id).where(waits)).scalar_one_or_none()
            if kept is None:
                connection.execute(insert(OBJECTIONS).values(**values, id=id, segment=number))
            else:
                connection.execute(update(OBJECTIONS).where(OBJECTIONS.c.id == kept).values(values))
            note(connection, now, person, "objected", detail={"objection": kept or id})
            return _objection(connection.execute(_found().where(OBJECTIONS.c.id == (kept or id))).one())

    def objections(self, *, person: str | None = None, waiting: bool = False) -> Sequence[Objection]:
        """
        What people object to, the newest first.

        Args:
            person: Only of the person with this id.
            waiting: Only those without an answer.
        """
        found = _found().order_by(OBJECTIONS.c.made_at.desc(), OBJECTIONS.c.id)
        if person is not None:
            found = found.where(OBJECTIONS.c.person == person)
        if waiting:
            found = found.where(OBJECTIONS.c.answered_at.is_(None))
        with self.reading() as connection:
            return tuple(map(_objection, connection.execute(found)))

    def answer_objection(self, id: str, outcome: Answered, answer: str, *, by: str) -> Objection | None:
        """Answer an objection, once; nobody answers their own. ``None`` if there is none that *by* may answer."""
        now = self.now()
        free = and_(OBJECTIONS.c.id == id, OBJECTIONS.c.answered_at.is_(None), OBJECTIONS.c.person != by)
        values = {"outcome": outcome, "answer": checked(answer, "an answer"), "answered_by": by, "answered_at": now}
        with self.writing() as connection:
            if not connection.execute(update(OBJECTIONS).where(free).values(values)).rowcount:
                return None
            note(connection, now, by, "answered an objection", detail={"objection": id, "outcome": outcome})
            return _objection(connection.execute(_found().where(OBJECTIONS.c.id == id)).one())


def _found() -> Select[Any]:
    return (
        select(OBJECTIONS, PEOPLE.c.name, SEGMENTS.c.id.label("segment_id"))
        .join(PEOPLE, OBJECTIONS.c.person == PEOPLE.c.id)
        .join(SEGMENTS, OBJECTIONS.c.segment == SEGMENTS.c.no)
    )


def _objection(row: Row[Any]) -> Objection:
    names = ("id", "person", "name", "note", "made_at", "outcome", "answer", "answered_at")
    return Objection(**{name: getattr(row, name) for name in names}, segment=row.segment_id)
