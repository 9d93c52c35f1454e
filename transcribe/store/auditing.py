"""Who heard what, and whether the history of each segment is still the one that was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from transcribe.store.desk_tables import AUDIT, DESK, PEOPLE, VERSIONS
from transcribe.store.grouping import Grouping
from transcribe.store.rows import compact
from transcribe.store.tables import RECORDINGS, SEGMENTS

#: What a salt begins with whose text was erased.
ERASED_SALT = "erased:"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One opening of a segment's sound."""

    at: str
    person: str
    recording: str
    segment: str


class Audit(Grouping):
    """The part of the store that remembers who did what."""

    def heard(self, person: str, segment: str) -> None:
        """Remember that *person* opens the sound of *segment*."""
        number = select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment).scalar_subquery()
        with self.writing() as connection:
            connection.execute(
                insert(AUDIT).values(at=self.now(), person=person, action="heard", segment=number, detail="{}")
            )

    def note(self, person: str | None, action: str, detail: Mapping[str, Any] | None = None) -> None:
        """Write down that *person* did *action*. Nothing of a text may be in *detail*."""
        with self.writing() as connection:
            note(connection, self.now(), person, action, detail=detail)

    def who_heard(self, *, recording: str | None = None) -> Iterator[Heard]:
        """Every opening of a segment's sound, of *recording* or of all, as they came. Streams."""
        found = (
            select(AUDIT.c.no, AUDIT.c.at, PEOPLE.c.name, RECORDINGS.c.id, SEGMENTS.c.id.label("segment_id"))
            .join(SEGMENTS, AUDIT.c.segment == SEGMENTS.c.no)
            .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
            .join(PEOPLE, AUDIT.c.person == PEOPLE.c.id)
            .where(AUDIT.c.action == "heard")
        )
        if recording is not None:
            found = found.where(RECORDINGS.c.id == recording)
        for row in self.paged(found, [AUDIT.c.no]):
            yield Heard(at=row.at, person=row.name, recording=row.id, segment=row.segment_id)

    def broken_history(self) -> str | None:
        """
        The first segment whose texts are not those that were written, with the version; ``None`` if all are.

        Each version carries the hash of the one before it, and the desk that of the last one.
        """
        heads = select(DESK.c.segment, DESK.c.chain, DESK.c.versions, SEGMENTS.c.id)
        heads = heads.join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no).where(DESK.c.versions > 0)
        for head in self.paged(heads, [DESK.c.segment]):
            found = select(VERSIONS).where(VERSIONS.c.segment == head.segment).order_by(VERSIONS.c.version)
            with self.reading() as connection:
                rows = connection.execute(found).all()
            link = ""
            for number, row in enumerate(rows, 1):
                link = chained(link, number, row.kind, row.person, row.text, row.salt, row.added_at)
                if link != row.chain:
                    return f"{head.id} version {number}"
            if link != head.chain or len(rows) != head.versions:
                return f"{head.id} version {len(rows) + 1}"
        return None


def note(
    connection: Connection, now: str, person: str | None, action: str, *, detail: Mapping[str, Any] | None = None
) -> None:
    """Write down that *person* did *action*. Nothing of a text may be in *detail*."""
    told = compact(dict(detail or {}), "an audit's detail")
    connection.execute(insert(AUDIT).values(at=now, person=person, action=action, detail=told))


def chained(before: str, version: int, kind: str, person: str, text: str, salt: str, at: str) -> str:
    """The hash that binds a version to the one *before* it. The text is in it as a salted hash, so it may be erased."""
    said = said_hash(text, salt)
    return hashlib.sha256(json.dumps([before, version, kind, person, said, at]).encode()).hexdigest()


def said_hash(text: str, salt: str) -> str:
    """What the chain holds of a text. Where the text was erased, it stands in place of the salt."""
    if salt.startswith(ERASED_SALT):
        return salt.removeprefix(ERASED_SALT)
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()
