"""The work items of each person, one a segment: statements of time, pay and quality are made of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, select

from transcribe.records import Milliseconds, join_words
from transcribe.store.database import Database
from transcribe.store.desk_schema import DESK, GOLDS, LEASES, PEOPLE, VERDICTS, VERSIONS
from transcribe.store.rows import words_of
from transcribe.store.schema import DRAFTS, RECORDINGS, SEGMENTS, USABLE


@dataclass(frozen=True, kw_only=True)
class WorkItem:
    """One person's work on one segment: their last text there, and what became of it."""

    person: str
    name: str
    segment: str
    recording: str
    session: str | None
    speaker: str
    dialect: str
    sound: Milliseconds
    #: Sum over all their texts, none longer than the time that passed.
    active: Milliseconds
    first_at: str
    last_at: str
    #: ``first``, ``second``, ``again`` or ``gold``; ``late`` where it came too late to stand.
    purpose: str
    hand: int
    version: int
    text: str
    #: The draft that was shown; ``None`` where none was.
    draft: str | None
    #: Where the segment stands now.
    state: str
    #: Whether this very text is the one that stands.
    stands: bool
    #: Decisions about their texts, the first one first.
    verdicts: tuple[str, ...]
    #: Whether a reviewer put other words in their place. Another form of the dialect is no other word.
    reworded: bool
    #: Reasons that came with texts sent back.
    reasons: tuple[str, ...]
    #: The right text, of a segment kept for checking.
    gold: str | None


@dataclass(frozen=True)
class WorkItems:
    """The work items of all people."""

    database: Database

    def fetch(
        self, *, person: str | None = None, since: str | None = None, until: str | None = None
    ) -> Iterator[WorkItem]:
        """
        Yield every work item last touched from *since* to before *until*, by name, then by time.

        Args:
            person: Only those of the person with this id.
        """
        with self.database.begin_read() as connection:
            people = connection.execute(select(PEOPLE.c.id, PEOPLE.c.name).order_by(PEOPLE.c.name)).all()
        for person_row in people:
            if person in (None, person_row.id):
                yield from self._read_of_person(person_row.id, person_row.name, since, until)

    def find_returned(self, person: str) -> tuple[str, ...]:
        """Return the segments that were sent back to *person* and wait for them, the oldest first."""
        query = select(SEGMENTS.c.id).join(DESK, DESK.c.segment == SEGMENTS.c.no)
        query = query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(USABLE)
        of_person = query.where(DESK.c.state == "returned", DESK.c.person == person)
        with self.database.begin_read() as connection:
            return tuple(connection.execute(of_person.order_by(DESK.c.since_at)).scalars())

    def fetch_pairs(self) -> Iterator[tuple[WorkItem, WorkItem]]:
        """Yield the two hands of every segment that two people wrote blindly."""
        waiting: dict[str, WorkItem] = {}
        for item in self.fetch():
            if item.purpose in ("first", "second") and item.draft is None and item.text:
                other = waiting.pop(item.segment, None)
                if other is None:
                    waiting[item.segment] = item
                elif other.hand != item.hand:
                    yield (other, item) if other.hand < item.hand else (item, other)

    def _read_of_person(self, person: str, name: str, since: str | None, until: str | None) -> Iterator[WorkItem]:
        by_segment: dict[int, list[Row[Any]]] = defaultdict(list)
        for row in self.database.page_rows(_select_texts(person), [VERSIONS.c.no]):
            by_segment[row.segment].append(row)
        touched = [rows for rows in by_segment.values() if _is_within(rows[-1].added_at, since, until)]
        with self.database.begin_read() as connection:
            decided = connection.execute(
                select(VERDICTS).where(VERDICTS.c.author == person).order_by(VERDICTS.c.no)
            ).all()
        verdicts: dict[int, list[Row[Any]]] = defaultdict(list)
        for row in decided:
            verdicts[row.segment].append(row)
        for rows in sorted(touched, key=lambda texts: texts[-1].added_at):
            yield _build_item(person, name, rows, verdicts[rows[0].segment])


def _select_texts(person: str) -> Any:
    drafted = and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no)
    return (
        select(
            *(VERSIONS.c[name] for name in ("no", "segment", "version", "kind", "hand", "text", "active_ms", "model")),
            VERSIONS.c.added_at,
            LEASES.c.purpose,
            SEGMENTS.c.id.label("segment_id"),
            SEGMENTS.c.start_ms,
            SEGMENTS.c.end_ms,
            SEGMENTS.c.speaker,
            RECORDINGS.c.id.label("recording_id"),
            RECORDINGS.c.session,
            RECORDINGS.c.withheld,
            DESK.c.dialect,
            DESK.c.state,
            DESK.c.version.label("standing"),
            DRAFTS.c.words,
            GOLDS.c.text.label("gold"),
        )
        .join(LEASES, VERSIONS.c.lease == LEASES.c.id)
        .join(SEGMENTS, VERSIONS.c.segment == SEGMENTS.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .join(DESK, DESK.c.segment == SEGMENTS.c.no)
        .outerjoin(DRAFTS, drafted)
        .outerjoin(GOLDS, GOLDS.c.segment == SEGMENTS.c.no)
        .where(VERSIONS.c.person == person, VERSIONS.c.kind != "review")
    )


def _is_within(moment: str, since: str | None, until: str | None) -> bool:
    return (since is None or moment >= since) and (until is None or moment < until)


def _build_item(person: str, name: str, rows: Sequence[Row[Any]], verdicts: Sequence[Row[Any]]) -> WorkItem:
    # What came too late is the person's text only where nothing of theirs came in time.
    last = next((row for row in reversed(rows) if row.kind in ("applied", "gold")), rows[-1])
    # Time and pay stay when a recording is withheld; what was said in it does not.
    is_readable = last.withheld is None
    draft_shown = is_readable and last.model is not None and last.words is not None
    return WorkItem(
        person=person,
        name=name,
        segment=last.segment_id,
        recording=last.recording_id,
        session=last.session,
        speaker=last.speaker,
        dialect=last.dialect,
        sound=last.end_ms - last.start_ms,
        active=sum(row.active_ms for row in rows),
        first_at=rows[0].added_at,
        last_at=rows[-1].added_at,
        purpose="late" if last.kind == "late" else rows[0].purpose,
        hand=last.hand,
        version=last.version,
        text=last.text if is_readable else "",
        draft=join_words(words_of(last.words)) if draft_shown else None,
        state=last.state,
        stands=last.standing == last.version,
        verdicts=tuple(row.decision for row in verdicts),
        reworded=any(_is_reworded(row) for row in verdicts),
        reasons=tuple(reason for row in verdicts for reason in json.loads(row.reasons)),
        gold=last.gold if is_readable else None,
    )


def _is_reworded(row: Row[Any]) -> bool:
    other: bool = row.decision == "accept" and row.result != row.version
    return other and json.loads(row.reasons) != ["dialect_form"]
