"""
The work that is left to do, attempts and failures: a query over marks, never a flag.

The rule by which a segment counts as written is the same for the desk and for what is drafted again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, case, delete, exists, false, func, or_, select, true

from transcribe.errors import Failure
from transcribe.records import Milliseconds, Recording
from transcribe.store.database import Database
from transcribe.store.recordings import is_usable, number_of
from transcribe.store.rows import check_key, check_text, insert_into, recording_of
from transcribe.store.schema import ATTEMPTS, CORRECTIONS, DONE, FAILURES, RECORDINGS, SEGMENTS, USABLE

#: Times that work on a recording may take the process down before the recording is parked.
#: More than two or three, because a machine that is switched off takes down whatever was under way.
TRIES = 5
#: Part of a segment that corrections must share for it to count as written: they end where speech does.
DONE_SHARE: Final = 0.8
#: The stage whose failures keep a recording from being drafted.
RUN = "run"
#: What the settings of a run begin with that was imported.
IMPORTED: Final = "imported:"


@dataclass(frozen=True)
class Attempts:
    """The recordings that are pending, begun and failed."""

    database: Database

    def fetch_pending(
        self,
        settings: str,
        *,
        retry_failed: bool = False,
        ids: Collection[str] | None = None,
        waiting: bool = False,
    ) -> Iterator[Recording]:
        """
        Yield the recordings that `boli run` with these *settings* has still to do, longest first.

        Those that a process died over come last: they may be the reason, and the others need not wait behind them.

        Left out are those that failed or took the process down `TRIES` times, unless *retry_failed*, and withheld ones
        always.

        Args:
            ids: Only of these recordings.
            waiting: Leave out what was drafted before, by whatever model, and is written down throughout since.
        """
        with self.database.begin_read() as connection:
            suspects = list(connection.execute(select(ATTEMPTS.c.recording)).scalars())
        by_length = [RECORDINGS.c.duration_ms, RECORDINGS.c.id]
        suspected = RECORDINGS.c.no.in_(suspects)
        for condition in (~suspected, suspected):
            query = select(RECORDINGS).where(_is_pending(settings, retry_failed, ids, waiting), condition)
            yield from map(recording_of, self.database.page_rows(query, by_length, descending=True))

    def count_pending(
        self,
        settings: str,
        *,
        retry_failed: bool = False,
        ids: Collection[str] | None = None,
        waiting: bool = False,
    ) -> tuple[int, Milliseconds]:
        """Count the recordings that `pending` gives, and their milliseconds."""
        query = select(func.count(), func.coalesce(func.sum(RECORDINGS.c.duration_ms), 0))
        with self.database.begin_read() as connection:
            count, duration = connection.execute(query.where(_is_pending(settings, retry_failed, ids, waiting))).one()
        return count, int(duration)

    def find_undrafted(self, settings: str, ids: Collection[str]) -> tuple[str, ...]:
        """
        Return those of *ids* that were not drafted with *settings*, sorted; recordings that are not there among them.
        """
        query = select(RECORDINGS.c.id).join(DONE).where(DONE.c.settings == settings, RECORDINGS.c.id.in_(sorted(ids)))
        with self.database.begin_read() as connection:
            done = set(connection.execute(query).scalars())
        return tuple(sorted(set(ids) - done))

    def begin(self, recording: str) -> int:
        """
        Mark that work on *recording* begins, before it does.

        `save_drafted`, `fail` and `end_attempt` take the mark away.

        Returns:
            Which attempt this is, from 1. Marks that stay were left by processes that died. 0, and no mark, where it
            is withheld since.

        Raises:
            InputError: If there is no such recording.
        """
        with self.database.begin_write() as connection:
            number = number_of(connection, recording, lock=True)
            if not is_usable(connection, number):
                return 0
            connection.execute(delete(FAILURES).where(FAILURES.c.stage == RUN, FAILURES.c.item == recording))
            begin = insert_into(connection, ATTEMPTS).values(recording=number, begun=1, begun_at=self.database.now())
            begin = begin.on_conflict_do_update(
                index_elements=["recording"],
                set_={"begun": ATTEMPTS.c.begun + 1, "begun_at": begin.excluded.begun_at},
            )
            return int(connection.execute(begin.returning(ATTEMPTS.c.begun)).scalar_one())

    def end(self, recording: str) -> None:
        """Take the mark of `begin_attempt` away where work stopped in the open, by its user say, without a result."""
        with self.database.begin_write() as connection:
            connection.execute(delete(ATTEMPTS).where(_is_attempt_on(recording)))

    def save_failure(self, item: str, stage: str, failure: Failure) -> None:
        """
        Save *failure* as why *item* did not get through *stage*, in place of an older one.

        Args:
            item: What the program knows it by: a recording's id for ``run``, a path or a line elsewhere.
        """
        values = {
            "stage": check_key(stage, "a stage"),
            "item": check_key(item, "a failed item"),
            "shown": check_text(failure.item, "a failed item"),
            "code": check_text(failure.code, "a failure's code"),
            "message": check_text(failure.message, "a failure's message"),
            "failed_at": self.database.now(),
        }
        with self.database.begin_write() as connection:
            keep = insert_into(connection, FAILURES).values(values)
            renewed = {name: keep.excluded[name] for name in ("shown", "code", "message", "failed_at")}
            connection.execute(keep.on_conflict_do_update(index_elements=["stage", "item"], set_=renewed))
            if stage == RUN:
                connection.execute(delete(ATTEMPTS).where(_is_attempt_on(item)))

    def fetch_failures(self, stage: str | None = None) -> tuple[Failure, ...]:
        """Return failures, in *stage* or in all, by stage and item; parked recordings are among them."""
        query = select(FAILURES.c.stage, FAILURES.c.item, FAILURES.c.shown, FAILURES.c.code, FAILURES.c.message)
        parked = select(RECORDINGS.c.id, RECORDINGS.c.path).join(ATTEMPTS).where(ATTEMPTS.c.begun >= TRIES)
        if stage is not None:
            query = query.where(FAILURES.c.stage == stage)
        with self.database.begin_read() as connection:
            rows = connection.execute(query).all()
            dead = connection.execute(parked).all() if stage in (None, RUN) else []
        failures = [(row.stage, row.item, Failure(item=row.shown, code=row.code, message=row.message)) for row in rows]
        failures += [(RUN, row.id, _parked_failure(row.path)) for row in dead]
        return tuple(failure for _, _, failure in sorted(failures, key=lambda failure_key: failure_key[:2]))

    def clear_failure(self, item: str, stage: str) -> bool:
        """Delete the failure of *item* in *stage*, so that it is tried again, and tell if there was one."""
        with self.database.begin_write() as connection:
            forgotten = connection.execute(delete(FAILURES).where(FAILURES.c.stage == stage, FAILURES.c.item == item))
            count = forgotten.rowcount
            if stage == RUN:
                count += connection.execute(delete(ATTEMPTS).where(_is_attempt_on(item))).rowcount
        return count > 0


def is_failed(*, retry_failed: bool = False) -> ColumnElement[bool]:
    """The condition that a recording is kept from being drafted."""
    if retry_failed:
        return false()
    parked = exists().where(ATTEMPTS.c.recording == RECORDINGS.c.no, ATTEMPTS.c.begun >= TRIES)
    return parked | exists().where(FAILURES.c.stage == RUN, FAILURES.c.item == RECORDINGS.c.id)


def _is_pending(settings: str, retry_failed: bool, ids: Collection[str] | None, waiting: bool) -> ColumnElement[bool]:
    done = exists().where(DONE.c.recording == RECORDINGS.c.no, DONE.c.settings == settings)
    among = true() if ids is None else RECORDINGS.c.id.in_(sorted(ids))
    return and_(USABLE, ~done, ~is_failed(retry_failed=retry_failed), among, is_waiting() if waiting else true())


def _is_attempt_on(recording: str) -> ColumnElement[bool]:
    return ATTEMPTS.c.recording.in_(select(RECORDINGS.c.no).where(RECORDINGS.c.id == recording))


def _parked_failure(path: str) -> Failure:
    return Failure(
        item=path,
        code="E_CRASHED",
        message=f"work on it was begun {TRIES} times and took the process down each time; look at the file, make more"
        " memory free, then have it tried again with boli run --retry-failed",
    )


def is_written() -> ColumnElement[bool]:
    """The condition that accepted corrections of its speaker, or of everybody, cover a row of SEGMENTS."""
    texts = CORRECTIONS.c
    last = case((texts.end_ms < SEGMENTS.c.end_ms, texts.end_ms), else_=SEGMENTS.c.end_ms)
    first = case((texts.start_ms > SEGMENTS.c.start_ms, texts.start_ms), else_=SEGMENTS.c.start_ms)
    shared = (
        select(func.coalesce(func.sum(last - first), 0))
        .where(
            texts.recording == SEGMENTS.c.recording,
            texts.start_ms < SEGMENTS.c.end_ms,
            texts.end_ms > SEGMENTS.c.start_ms,
            or_(texts.speaker.is_(None), texts.speaker == SEGMENTS.c.speaker),
            texts.accepted,
        )
        .correlate(SEGMENTS)
        .scalar_subquery()
    )
    covered: ColumnElement[bool] = shared >= DONE_SHARE * (SEGMENTS.c.end_ms - SEGMENTS.c.start_ms)
    return covered


def is_waiting() -> ColumnElement[bool]:
    """
    The condition that a row of RECORDINGS was never drafted, or has a segment that nobody has written down.

    Transcripts that somebody imported as drafts are not drafted over.
    """
    newest = select(func.max(DONE.c.no)).where(DONE.c.recording == RECORDINGS.c.no).correlate(RECORDINGS)
    drafted = exists().where(DONE.c.recording == RECORDINGS.c.no)
    unwritten = exists().where(
        SEGMENTS.c.recording == RECORDINGS.c.no,
        SEGMENTS.c.run == newest.scalar_subquery(),
        SEGMENTS.c.end_ms > SEGMENTS.c.start_ms,
        ~is_written(),
    )
    imported = exists().where(DONE.c.no == newest.scalar_subquery(), DONE.c.settings.startswith(IMPORTED))
    return or_(~drafted, and_(unwritten, ~imported))
