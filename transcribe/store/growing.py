"""Drafts that were accepted without a person: accepting and taking back are rows, and a segment's last one counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, insert, select, update

from transcribe.errors import InputError
from transcribe.records import Acceptance
from transcribe.store.database import Database, batches
from transcribe.store.desk_tables import DESK
from transcribe.store.rows import key, optional
from transcribe.store.tables import ACCEPTANCES, CORRECTIONS, DONE, RECORDINGS, SEGMENTS

#: What an acceptance is of, by name.
_SEGMENT, _RECORDING = SEGMENTS.c.id.label("segment_id"), RECORDINGS.c.id.label("recording_id")
#: Where a segment of the desk stands whose draft was accepted: nobody is asked for it.
GROWN = "grown"


class Growing(Database):
    """The part of the store that knows which drafts count without a person. Rows are only ever added."""

    def accept_drafts(self, acceptances: Iterable[Acceptance]) -> int:
        """
        Let drafts count until somebody writes the segment. Those that stand accepted already stay as they are.

        On the desk nobody is asked for them, but for those that are to be audited: these come first, without the draft.

        Returns:
            How many were new.

        Raises:
            InputError: If one is of the test split, or of a segment or a run that is not there.
        """
        count = 0
        for batch in batches(acceptances):
            with self.writing() as connection:
                rows = [self._row(connection, one) for one in batch]
                standing = _standing_of(connection, [row["segment"] for row in rows])
                fresh = [row for row in rows if row["segment"] not in standing]
                if fresh:
                    connection.execute(insert(ACCEPTANCES), fresh)
                settle(connection)
            count += len(fresh)
        return count

    def acceptances(
        self, *, dialect: str | None = None, model: str | None = None, recording: str | None = None
    ) -> Iterator[Acceptance]:
        """Those that stand, by recording and time; only those of what is named. Streams."""
        found = _acceptances()
        if recording is not None:
            found = found.where(RECORDINGS.c.id == recording)
        if dialect is not None:
            found = found.where(ACCEPTANCES.c.dialect == dialect)
        if model is not None:
            found = found.where(DONE.c.model == model)
        for row in self.paged(found, [_RECORDING, SEGMENTS.c.start_ms, _SEGMENT]):
            yield _acceptance(row)

    def withdraw_acceptances(self, dialect: str, model: str, *, reason: str, but: Collection[str] = ()) -> int:
        """
        Let what was accepted of *dialect* from drafts of *model* count no more. How many there were.

        Args:
            but: Segments that stay.
        """
        withdrawn = [one for one in self.acceptances(dialect=dialect, model=model) if one.segment not in set(but)]
        with self.writing() as connection:
            rows = [
                self._row(connection, one) | {"accepted": False, "reason": optional(reason, "a reason")}
                for one in withdrawn
            ]
            if rows:
                connection.execute(insert(ACCEPTANCES), rows)
            settle(connection)
        return len(rows)

    def _row(self, connection: Connection, one: Acceptance) -> dict[str, Any]:
        segment = select(SEGMENTS.c.no, SEGMENTS.c.recording, RECORDINGS.c.split).join(RECORDINGS)
        found = connection.execute(segment.where(SEGMENTS.c.id == one.segment)).one_or_none()
        if found is None or found.split == "test":
            why = "which is not there" if found is None else "which is tested on"
            raise InputError(
                f"the draft of segment {one.segment[:40]} was to be accepted, {why}", code="E_SEGMENT", item=one.segment
            )
        run = select(DONE.c.no).where(DONE.c.recording == found.recording, DONE.c.settings == one.settings)
        number = connection.execute(run.where(DONE.c.model == one.model)).scalar_one_or_none()
        if number is None:
            raise InputError(
                f"the draft of segment {one.segment[:40]} was to be accepted; its run is not there",
                code="E_SEGMENT",
                item=one.segment,
            )
        return {
            "run": number,
            "segment": found.no,
            "dialect": key(one.dialect, "a dialect"),
            "accepted": True,
            "doubt": round(one.doubt, 6),
            "risk": round(one.risk, 6),
            "allowed": round(one.allowed, 6),
            "audit": one.audit,
            "reason": None,
            "added_at": self.now(),
        }


def settle(connection: Connection) -> None:
    """
    Let the desk stand as what is accepted says: nobody is asked for what a model wrote and nobody is to look at, and
    who audits writes as a second hand, which sees neither draft nor first hand, before all else.
    """
    last = _last().subquery()
    mine = and_(ACCEPTANCES.c.no == last.c.no, ACCEPTANCES.c.segment == DESK.c.segment, ACCEPTANCES.c.accepted)
    silent, audit = (exists().where(mine, ACCEPTANCES.c.audit.is_(told)) for told in (False, True))
    untouched = and_(DESK.c.state == "open", DESK.c.hands == 0)
    connection.execute(update(DESK).where(untouched, audit).values(hands=1, wanted=2, ease=0.0))
    connection.execute(update(DESK).where(untouched, silent).values(state=GROWN))
    connection.execute(update(DESK).where(DESK.c.state == GROWN, ~silent).values(state="open"))


def with_accepted(connection: Connection, recordings: Collection[int]) -> set[int]:
    """Those of *recordings*, by row number, of which a draft counts now and is not to be written again."""
    found = select(SEGMENTS.c.recording).join(ACCEPTANCES, ACCEPTANCES.c.segment == SEGMENTS.c.no).distinct()
    silent = and_(ACCEPTANCES.c.no.in_(_last()), ACCEPTANCES.c.accepted, ~ACCEPTANCES.c.audit)
    return set(connection.execute(found.where(silent, SEGMENTS.c.recording.in_(recordings))).scalars())


def _last() -> Select[Any]:
    return select(func.max(ACCEPTANCES.c.no).label("no")).group_by(ACCEPTANCES.c.segment)


def _acceptances() -> Select[Any]:
    columns = (_SEGMENT, _RECORDING, SEGMENTS.c.start_ms, DONE.c.model, DONE.c.settings)
    written = exists().where(CORRECTIONS.c.segment == ACCEPTANCES.c.segment, ~ACCEPTANCES.c.audit)
    return (
        select(ACCEPTANCES, *columns)
        .join(SEGMENTS, ACCEPTANCES.c.segment == SEGMENTS.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .join(DONE, ACCEPTANCES.c.run == DONE.c.no)
        .where(ACCEPTANCES.c.no.in_(_last()), ACCEPTANCES.c.accepted, ~written)
    )


def _standing_of(connection: Connection, segments: list[int]) -> set[int]:
    found = select(ACCEPTANCES.c.segment).where(ACCEPTANCES.c.no.in_(_last()), ACCEPTANCES.c.accepted)
    return set(connection.execute(found.where(ACCEPTANCES.c.segment.in_(segments))).scalars())


def _acceptance(row: Row[Any]) -> Acceptance:
    return Acceptance(
        segment=row.segment_id,
        recording=row.recording_id,
        model=row.model,
        settings=row.settings,
        dialect=row.dialect,
        doubt=row.doubt,
        risk=row.risk,
        allowed=row.allowed,
        audit=row.audit,
    )
