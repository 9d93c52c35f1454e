"""The people of the desk: their roles, sessions, and the tokens of scripts that act in their name."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, literal, select, update

from transcribe.desk_records import PERMISSIONS, ROLES, Permission, Person, Role, Token
from transcribe.errors import InputError, UsageError, name_nearest
from transcribe.store.audit import note
from transcribe.store.database import Database, Prepared
from transcribe.store.desk_schema import AUDIT, PEOPLE, SESSIONS, TOKENS
from transcribe.store.rows import check_key, encode_json, insert_into


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The person of a session or a token, and what they may do with it."""

    person: Person
    permissions: frozenset[Permission]
    #: When the session was last used; ``None`` for a token.
    used_at: str | None


@dataclass(frozen=True)
class People:
    """The people of the desk, their sessions and tokens. Passwords and keys come here as hashes only."""

    database: Database

    def add(
        self,
        name: str,
        roles: Sequence[Role],
        *,
        dialects: Sequence[str] = (),
        password: str | None = None,
        by: str | None = None,
    ) -> Person:
        """
        Add a person.

        Args:
            password: Its hash. ``None``: they cannot sign in before an invitation, and work through tokens.
            by: Id of who does it; ``None``: somebody at the server.

        Raises:
            UsageError: Without a role, or with one that is none.
            InputError: If the name is taken or empty.
        """
        _check_roles(roles)
        if not name.strip():
            raise InputError("a person without a name was to be added", hint="give a name", item=name)
        person = Person(
            id=secrets.token_urlsafe(12), name=check_key(name, "a name"), roles=tuple(roles), dialects=tuple(dialects)
        )
        with self.database.begin_write() as connection:
            keep = insert_into(connection, PEOPLE).on_conflict_do_nothing(index_elements=["name"])
            values = {
                "id": person.id,
                "name": name,
                "password": password,
                "roles": encode_json(list(roles), "roles"),
                "dialects": encode_json(list(dialects), "dialects"),
                "added_at": self.database.now(),
            }
            if connection.execute(keep.values(values).returning(PEOPLE.c.id)).first() is None:
                raise InputError(f"{name} is there already", code="E_NAME_TAKEN", hint="choose another name", item=name)
            note(
                connection, self.database.now(), by, "person added", detail={"person": person.id, "roles": list(roles)}
            )
        return person

    def fetch(self) -> tuple[Person, ...]:
        """Return everybody, by name."""
        with self.database.begin_read() as connection:
            return tuple(map(person_of, connection.execute(select(PEOPLE).order_by(PEOPLE.c.name))))

    def find(self, name: str) -> Person:
        """
        Return the person with this name.

        Raises:
            InputError: If there is none.
        """
        with self.database.begin_read() as connection:
            return person_of(_find_person(connection, name))

    def find_password(self, name: str) -> tuple[Person, str | None] | None:
        """Return the person with this name and the hash of the password; ``None`` if unknown or disabled."""
        query = select(PEOPLE).where(PEOPLE.c.name == name, PEOPLE.c.disabled_at.is_(None))
        with self.database.begin_read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (person_of(row), row.password)

    def change(
        self,
        name: str,
        *,
        roles: Sequence[Role] | None = None,
        dialects: Sequence[str] | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        by: str | None = None,
    ) -> Person:
        """
        Change what is given.

        A new password and a disabled person end every session; a disabled one also every token.

        Args:
            by: Id of who does it; ``None``: somebody at the server.

        Raises:
            UsageError: For roles that are none.
            InputError: If there is no such person.
        """
        changes: dict[str, Any] = {}
        if roles is not None:
            _check_roles(roles)
            changes["roles"] = encode_json(list(roles), "roles")
        if dialects is not None:
            changes["dialects"] = encode_json(list(dialects), "dialects")
        if password is not None:
            changes["password"] = password
        if disabled is not None:
            changes["disabled_at"] = self.database.now() if disabled else None
        with self.database.begin_write() as connection:
            person = person_of(_find_person(connection, name))
            if changes:
                connection.execute(update(PEOPLE).where(PEOPLE.c.id == person.id).values(changes))
            if password is not None or disabled:
                connection.execute(delete(SESSIONS).where(SESSIONS.c.person == person.id))
            if disabled:
                live = (TOKENS.c.person == person.id) & TOKENS.c.ended_at.is_(None)
                connection.execute(update(TOKENS).where(live).values(ended_at=self.database.now()))
            detail = {"person": person.id, "changed": sorted(changes)}
            note(connection, self.database.now(), by, "person changed", detail=detail)
            return person_of(_find_person(connection, name))

    def count_changes(self) -> int:
        """Return a number that grows whenever a person is changed or shut out, and whenever a token ends."""
        with self.database.begin_read() as connection:
            return int(_CHANGES.fetch_first(connection, {}).changes)

    def begin_session(self, key: str, person: str, *, until_at: str) -> None:
        """Open a session whose key has the hash *key*, to be used until *until_at* at most."""
        with self.database.begin_write() as connection:
            now = self.database.now()
            connection.execute(delete(SESSIONS).where(SESSIONS.c.until_at < now))
            values = {"key": key, "person": person, "begun_at": now, "used_at": now, "until_at": until_at}
            connection.execute(insert(SESSIONS).values(values))
            note(connection, now, person, "signed in")

    def use_session(self, key: str) -> None:
        """Save that the session was used now."""
        with self.database.begin_write() as connection:
            connection.execute(update(SESSIONS).where(SESSIONS.c.key == key).values(used_at=self.database.now()))

    def end_session(self, key: str) -> None:
        """Close a session; one that is not there is closed."""
        with self.database.begin_write() as connection:
            ended = connection.execute(delete(SESSIONS).where(SESSIONS.c.key == key).returning(SESSIONS.c.person))
            person = ended.scalar_one_or_none()
            if person is not None:
                note(connection, self.database.now(), person, "signed out")

    def identify_session(self, key: str, *, unused_since: str) -> Identity | None:
        """Return who has the session *key*; ``None`` if it is over, or was not used since *unused_since*."""
        live = (
            (SESSIONS.c.key == key) & (SESSIONS.c.until_at > self.database.now()) & (SESSIONS.c.used_at > unused_since)
        )
        query = select(PEOPLE, SESSIONS.c.used_at).join(SESSIONS).where(live, PEOPLE.c.disabled_at.is_(None))
        with self.database.begin_read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        person = person_of(row)
        return Identity(person=person, permissions=person.permissions, used_at=row.used_at)

    def add_token(
        self, key: str, person: Person, name: str, scopes: Sequence[Permission], *, until_at: str | None = None
    ) -> Token:
        """
        Let scripts act for *person* with the token whose hash is *key*, as far as *scopes* and the person's roles go.

        Raises:
            UsageError: For a scope that is none, or that the person has not.
        """
        beyond = [scope for scope in scopes if scope not in person.permissions]
        if beyond or not scopes:
            have = ", ".join(sorted(person.permissions))
            raise UsageError(
                f"scopes {', '.join(scopes) or '(none)'} were asked for, {person.name} has {have}",
                hint=f"scopes are {', '.join(PERMISSIONS)}",
            )
        now = self.database.now()
        token = Token(
            id=secrets.token_urlsafe(9),
            person=person.id,
            name=name,
            scopes=tuple(scopes),
            made_at=now,
            until_at=until_at,
        )
        values = {
            "key": key,
            "id": token.id,
            "person": person.id,
            "name": name,
            "scopes": encode_json(list(scopes), "scopes"),
            "made_at": now,
            "until_at": until_at,
        }
        with self.database.begin_write() as connection:
            connection.execute(insert(TOKENS).values(values))
            note(connection, now, person.id, "token made", detail={"token": token.id, "scopes": list(scopes)})
        return token

    def end_token(self, id: str) -> bool:
        """End a token, and tell if it was valid."""
        with self.database.begin_write() as connection:
            live = (TOKENS.c.id == id) & TOKENS.c.ended_at.is_(None)
            ended = connection.execute(update(TOKENS).where(live).values(ended_at=self.database.now())).rowcount > 0
            if ended:
                note(connection, self.database.now(), None, "token ended", detail={"token": id})
            return ended

    def identify_token(self, key: str) -> Identity | None:
        """Return for whom the token *key* acts; ``None`` if it is not valid."""
        live = (TOKENS.c.key == key) & TOKENS.c.ended_at.is_(None)
        live &= TOKENS.c.until_at.is_(None) | (TOKENS.c.until_at > self.database.now())
        query = select(PEOPLE, TOKENS.c.scopes).join(TOKENS).where(live, PEOPLE.c.disabled_at.is_(None))
        with self.database.begin_read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        person = person_of(row)
        return Identity(person=person, permissions=person.permissions & set(json.loads(row.scopes)), used_at=None)


#: Counted, not the newest: of two that are written at a time on PostgreSQL the older may be saved last.
_CHANGES = Prepared(
    select(func.count().label("changes"))
    .select_from(AUDIT)
    .where(AUDIT.c.action.in_([literal(action) for action in ("person changed", "token ended", "invitation used")]))
)


def person_of(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        roles=tuple(json.loads(row.roles)),
        dialects=tuple(json.loads(row.dialects)),
        disabled=row.disabled_at is not None,
    )


def names_of(connection: Connection, condition: ColumnElement[bool] | None = None) -> dict[str, str]:
    """Return names by id, of those who fulfil *condition*."""
    query = select(PEOPLE.c.id, PEOPLE.c.name)
    return {row.id: row.name for row in connection.execute(query if condition is None else query.where(condition))}


def _find_person(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(PEOPLE).where(PEOPLE.c.name == name)).one_or_none()
    if row is None:
        near = name_nearest(name, connection.execute(select(PEOPLE.c.name)).scalars())
        raise InputError(f"{name} is not among the people{near}", code="E_PERSON", hint="boli people list", item=name)
    return row


def _check_roles(roles: Sequence[str]) -> None:
    if not roles or any(role not in ROLES for role in roles):
        raise UsageError(f"roles {', '.join(roles) or '(none)'} were asked for, the roles are {', '.join(ROLES)}")
