"""The audit log: who listened to which segment, and the check of each segment's history against its hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from transcribe.store.database import Database
from transcribe.store.desk_schema import AUDIT, DESK, VERSIONS
from transcribe.store.rows import chain_hash, encode_json
from transcribe.store.schema import SEGMENTS


@dataclass(frozen=True)
class Audit:
    """The log of who did what."""

    database: Database

    def log_listening(self, person: str, segment: str) -> None:
        """Log that *person* opens the audio of *segment*."""
        number = select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment).scalar_subquery()
        with self.database.begin_write() as connection:
            connection.execute(
                insert(AUDIT).values(at=self.database.now(), person=person, action="heard", segment=number, detail="{}")
            )

    def note(self, person: str | None, action: str, detail: Mapping[str, Any] | None = None) -> None:
        """Write down that *person* did *action*. Nothing of a text may be in *detail*."""
        with self.database.begin_write() as connection:
            note(connection, self.database.now(), person, action, detail=detail)

    def find_broken_history(self) -> str | None:
        """
        Return the first segment and version whose text differs from the one hashed; ``None`` if there is none.

        Each version carries the hash of the one before it, and the desk that of the last one.
        """
        heads = select(DESK.c.segment, SEGMENTS.c.id)
        heads = heads.join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no).where(DESK.c.versions > 0)
        # With the desk's own row in one statement: people may be writing.
        query = select(VERSIONS, DESK.c.chain.label("last_link"), DESK.c.versions.label("highest"))
        query = query.join(DESK, VERSIONS.c.segment == DESK.c.segment).order_by(VERSIONS.c.version)
        for head in self.database.page_rows(heads, [DESK.c.segment]):
            with self.database.begin_read() as connection:
                rows = connection.execute(query.where(VERSIONS.c.segment == head.segment)).all()
            link = ""
            for number, row in enumerate(rows, 1):
                link = chain_hash(link, number, row.kind, row.person, row.text, row.salt, row.added_at)
                if link != row.chain:
                    return f"{head.id} version {number}"
            if not rows or (link, len(rows)) != (rows[-1].last_link, rows[-1].highest):
                return f"{head.id} version {len(rows) + 1}"
        return None


def note(
    connection: Connection, now: str, person: str | None, action: str, *, detail: Mapping[str, Any] | None = None
) -> None:
    """Write down that *person* did *action*. Nothing of a text may be in *detail*."""
    text = encode_json(dict(detail or {}), "an audit's detail")
    connection.execute(insert(AUDIT).values(at=now, person=person, action=action, detail=text))
