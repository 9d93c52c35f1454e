"""The drafts accepted without a person: accepting and taking back are rows, and a segment's last one counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, insert, select, update

from transcribe.errors import InputError
from transcribe.records import Acceptance
from transcribe.store.database import Database
from transcribe.store.desk_schema import DESK
from transcribe.store.rows import batches, check_key, check_optional_key
from transcribe.store.schema import ACCEPTANCES, CORRECTIONS, DONE, RECORDINGS, SEGMENTS, USABLE

#: What an acceptance is of, by name.
_SEGMENT, _RECORDING = SEGMENTS.c.id.label("segment_id"), RECORDINGS.c.id.label("recording_id")
#: Where a segment of the desk stands whose draft was accepted: nobody is asked for it.
GROWN = "grown"


@dataclass(frozen=True)
class PseudoLabels:
    """The drafts that count without a person. Rows are only ever added."""

    database: Database

    def accept(self, acceptances: Iterable[Acceptance]) -> int:
        """
        Let drafts count until somebody writes the segment; those that stand accepted already stay as they are.

        On the desk nobody is asked for them, but for those that are to be audited: these come first, without the draft.

        Returns:
            How many were new.

        Raises:
            InputError: If one is of the test split, or of a segment or a run that is not there.
        """
        count = 0
        for batch in batches(acceptances):
            with self.database.begin_write() as connection:
                rows = [_make_row(connection, acceptance, self.database.now()) for acceptance in batch]
                _refuse_withheld(connection, rows)
                standing = _find_standing(connection, [row["segment"] for row in rows])
                fresh = [row for row in rows if row["segment"] not in standing]
                if fresh:
                    connection.execute(insert(ACCEPTANCES), fresh)
                settle(connection)
            count += len(fresh)
        return count

    def fetch(
        self,
        *,
        dialect: str | None = None,
        model: str | None = None,
        recording: str | None = None,
        withheld: bool = False,
    ) -> Iterator[Acceptance]:
        """
        Yield the acceptances that stand, by recording and time; only those of what is named.

        Args:
            withheld: Those too of recordings that nobody may hear or read.
        """
        query = _select_acceptances() if withheld else _select_acceptances().where(USABLE)
        if recording is not None:
            query = query.where(RECORDINGS.c.id == recording)
        if dialect is not None:
            query = query.where(ACCEPTANCES.c.dialect == dialect)
        if model is not None:
            query = query.where(DONE.c.model == model)
        for row in self.database.page_rows(query, [_RECORDING, SEGMENTS.c.start_ms, _SEGMENT]):
            yield _build_acceptance(row)

    def withdraw(self, dialect: str, model: str, *, reason: str, but: Collection[str] = ()) -> int:
        """
        Withdraw the acceptances of *dialect* from drafts of *model*, and count them.

        Args:
            but: Segments that stay.
        """
        withdrawn = [
            acceptance
            for acceptance in self.fetch(dialect=dialect, model=model, withheld=True)
            if acceptance.segment not in set(but)
        ]
        with self.database.begin_write() as connection:
            rows = [
                _make_row(connection, acceptance, self.database.now())
                | {"accepted": False, "reason": check_optional_key(reason, "a reason")}
                for acceptance in withdrawn
            ]
            if rows:
                connection.execute(insert(ACCEPTANCES), rows)
            settle(connection)
        return len(rows)


def _make_row(connection: Connection, acceptance: Acceptance, now: str) -> dict[str, Any]:
    segment = select(SEGMENTS.c.no, SEGMENTS.c.recording, RECORDINGS.c.split).join(RECORDINGS)
    row = connection.execute(segment.where(SEGMENTS.c.id == acceptance.segment)).one_or_none()
    if row is None or row.split == "test":
        why = "which is not there" if row is None else "which is tested on"
        raise InputError(
            f"the draft of segment {acceptance.segment[:40]} was to be accepted, {why}",
            code="E_SEGMENT",
            item=acceptance.segment,
        )
    run = select(DONE.c.no).where(DONE.c.recording == row.recording, DONE.c.settings == acceptance.settings)
    number = connection.execute(run.where(DONE.c.model == acceptance.model)).scalar_one_or_none()
    if number is None:
        raise InputError(
            f"the draft of segment {acceptance.segment[:40]} was to be accepted; its run is not there",
            code="E_SEGMENT",
            item=acceptance.segment,
        )
    return {
        "run": number,
        "segment": row.no,
        "dialect": check_key(acceptance.dialect, "a dialect"),
        "accepted": True,
        "doubt": round(acceptance.doubt, 6),
        "risk": round(acceptance.risk, 6),
        "allowed": round(acceptance.allowed, 6),
        "audit": acceptance.audit,
        "reason": None,
        "added_at": now,
    }


def _refuse_withheld(connection: Connection, rows: list[dict[str, Any]]) -> None:
    query = select(SEGMENTS.c.id).join(RECORDINGS).where(~USABLE, SEGMENTS.c.no.in_([row["segment"] for row in rows]))
    withheld = connection.execute(query.limit(1)).scalar_one_or_none()
    if withheld is not None:
        message = f"the draft of segment {withheld[:40]} was to be accepted, whose recording is withheld"
        raise InputError(message, code="E_SEGMENT", item=withheld)


def settle(connection: Connection) -> None:
    """
    Bring the desk in line with the acceptances.

    Nobody is asked for what a model wrote and nobody is to look at; who audits writes as a second hand, which sees
    neither draft nor first hand, before all else.
    """
    last = _select_newest().subquery()
    newest = and_(ACCEPTANCES.c.no == last.c.no, ACCEPTANCES.c.segment == DESK.c.segment, ACCEPTANCES.c.accepted)
    silent, audit = (exists().where(newest, ACCEPTANCES.c.audit.is_(audited)) for audited in (False, True))
    untouched = and_(DESK.c.state == "open", DESK.c.hands == 0)
    connection.execute(update(DESK).where(untouched, audit).values(hands=1, wanted=2, ease=0.0))
    connection.execute(update(DESK).where(untouched, silent).values(state=GROWN))
    connection.execute(update(DESK).where(DESK.c.state == GROWN, ~silent).values(state="open"))


def find_recordings_with_accepted(connection: Connection, recordings: Collection[int]) -> set[int]:
    """Return those of *recordings*, by row number, of which a draft counts now and is not to be written again."""
    query = select(SEGMENTS.c.recording).join(ACCEPTANCES, ACCEPTANCES.c.segment == SEGMENTS.c.no).distinct()
    silent = and_(ACCEPTANCES.c.no.in_(_select_newest()), ACCEPTANCES.c.accepted, ~ACCEPTANCES.c.audit)
    return set(connection.execute(query.where(silent, SEGMENTS.c.recording.in_(recordings))).scalars())


def _select_newest() -> Select[Any]:
    return select(func.max(ACCEPTANCES.c.no).label("no")).group_by(ACCEPTANCES.c.segment)


def _select_acceptances() -> Select[Any]:
    columns = (_SEGMENT, _RECORDING, SEGMENTS.c.start_ms, DONE.c.model, DONE.c.settings)
    written = exists().where(CORRECTIONS.c.segment == ACCEPTANCES.c.segment, ~ACCEPTANCES.c.audit)
    return (
        select(ACCEPTANCES, *columns)
        .join(SEGMENTS, ACCEPTANCES.c.segment == SEGMENTS.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .join(DONE, ACCEPTANCES.c.run == DONE.c.no)
        .where(ACCEPTANCES.c.no.in_(_select_newest()), ACCEPTANCES.c.accepted, ~written)
    )


def _find_standing(connection: Connection, segments: list[int]) -> set[int]:
    query = select(ACCEPTANCES.c.segment).where(ACCEPTANCES.c.no.in_(_select_newest()), ACCEPTANCES.c.accepted)
    return set(connection.execute(query.where(ACCEPTANCES.c.segment.in_(segments))).scalars())


def _build_acceptance(row: Row[Any]) -> Acceptance:
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
