"""
The invitations for people who have no password yet, or lost it: each good once, for a while.

Nobody else ever knows the password: a lead hands on a link, and whoever opens it chooses one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from transcribe.desk_records import Person
from transcribe.store.audit import note
from transcribe.store.database import Database
from transcribe.store.desk_schema import INVITATIONS, PEOPLE, SESSIONS
from transcribe.store.people import person_of


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person with the state of their account."""

    person: Person
    added_at: str
    #: Whether they have chosen a password.
    has_password: bool
    #: Until when their newest invitation may be used; ``None``: none is open.
    invited_until: str | None
    #: When a session of theirs was last used, within some minutes; ``None``: none is known.
    seen_at: str | None


@dataclass(frozen=True)
class Invitations:
    """The invitations and accounts of people. Keys come here as hashes only."""

    database: Database

    def add(self, key: str, person: str, *, by: str | None, until_at: str) -> None:
        """Let whoever has the key with the hash *key* choose the password of *person*. Earlier keys end."""
        now = self.database.now()
        with self.database.begin_write() as connection:
            earlier = and_(INVITATIONS.c.person == person, INVITATIONS.c.ended_at.is_(None))
            connection.execute(update(INVITATIONS).where(earlier).values(ended_at=now))
            values = {"key": key, "person": person, "made_by": by, "made_at": now, "until_at": until_at}
            connection.execute(insert(INVITATIONS).values(values))
            note(connection, now, by, "invitation made", detail={"person": person})

    def find_person(self, key: str) -> Person | None:
        """Return the person whom the invitation is for; ``None`` if it is not valid."""
        query = select(PEOPLE).join(INVITATIONS, INVITATIONS.c.person == PEOPLE.c.id).where(self._is_valid(key))
        with self.database.begin_read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else person_of(row)

    def accept(self, key: str, password: str) -> Person | None:
        """
        Give the invited person the password whose hash is *password*, end the invitation and every session.

        Returns:
            Who it was; ``None`` if the invitation is worth nothing, and nothing is changed.
        """
        now = self.database.now()
        query = select(PEOPLE).join(INVITATIONS, INVITATIONS.c.person == PEOPLE.c.id).where(self._is_valid(key))
        with self.database.begin_write() as connection:
            row = connection.execute(query.with_for_update(of=INVITATIONS)).one_or_none()
            if row is None:
                return None
            connection.execute(update(INVITATIONS).where(INVITATIONS.c.key == key).values(ended_at=now))
            connection.execute(update(PEOPLE).where(PEOPLE.c.id == row.id).values(password=password))
            connection.execute(delete(SESSIONS).where(SESSIONS.c.person == row.id))
            note(connection, now, row.id, "invitation used")
            return person_of(row)

    def fetch_accounts(self) -> tuple[Account, ...]:
        """Return everybody's account, by name."""
        now = self.database.now()
        open_ones = and_(INVITATIONS.c.ended_at.is_(None), INVITATIONS.c.until_at > now)
        until = select(INVITATIONS.c.person, func.max(INVITATIONS.c.until_at).label("until_at"))
        invited = until.where(open_ones).group_by(INVITATIONS.c.person).subquery()
        used = select(SESSIONS.c.person, func.max(SESSIONS.c.used_at).label("used_at"))
        last_use = used.group_by(SESSIONS.c.person).subquery()
        query = (
            select(PEOPLE, invited.c.until_at, last_use.c.used_at)
            .outerjoin(invited, invited.c.person == PEOPLE.c.id)
            .outerjoin(last_use, last_use.c.person == PEOPLE.c.id)
            .order_by(PEOPLE.c.name)
        )
        with self.database.begin_read() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Account(
                person=person_of(row),
                added_at=row.added_at,
                has_password=row.password is not None,
                invited_until=row.until_at,
                seen_at=row.used_at,
            )
            for row in rows
        )

    def _is_valid(self, key: str) -> ColumnElement[bool]:
        live = and_(INVITATIONS.c.ended_at.is_(None), INVITATIONS.c.until_at > self.database.now())
        return and_(INVITATIONS.c.key == key, live, PEOPLE.c.disabled_at.is_(None))
