"""The work that is left to do, and failures: a query over marks, never a flag."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, true

from transcribe.errors import Failure
from transcribe.records import Milliseconds, Recording
from transcribe.store.database import Database, insert_into
from transcribe.store.recordings import number_of
from transcribe.store.rows import check_key, check_text, recording_of
from transcribe.store.tables import ATTEMPTS, DONE, FAILURES, RECORDINGS
from transcribe.store.written import is_waiting

#: Times that work on a recording may take the process down before the recording is parked.
#: More than two or three, because a machine that is switched off takes down whatever was under way.
TRIES = 5
#: The stage whose failures keep a recording from being drafted.
RUN = "run"


class Work(Database):
    """The part of the store that knows what is pending, begun and failed."""

    def pending(
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

        Left out are those that failed, unless *retry_failed*, and always those that took the process down
        `TRIES` times; `clear_failure` brings these back.

        Args:
            ids: Only of these recordings.
            waiting: Leave out what was drafted before, by whatever model, and is written down throughout since.
        """
        with self.begin_read() as connection:
            suspects = list(connection.execute(select(ATTEMPTS.c.recording)).scalars())
        by_length = [RECORDINGS.c.duration_ms, RECORDINGS.c.id]
        suspected = RECORDINGS.c.no.in_(suspects)
        for condition in (~suspected, suspected):
            query = select(RECORDINGS).where(_is_pending(settings, retry_failed, ids, waiting), condition)
            yield from map(recording_of, self.page_rows(query, by_length, descending=True))

    def pending_size(
        self,
        settings: str,
        *,
        retry_failed: bool = False,
        ids: Collection[str] | None = None,
        waiting: bool = False,
    ) -> tuple[int, Milliseconds]:
        """Count the recordings that `pending` gives, and their milliseconds."""
        query = select(func.count(), func.coalesce(func.sum(RECORDINGS.c.duration_ms), 0))
        with self.begin_read() as connection:
            count, duration = connection.execute(query.where(_is_pending(settings, retry_failed, ids, waiting))).one()
        return count, int(duration)

    def find_undrafted(self, settings: str, ids: Collection[str]) -> tuple[str, ...]:
        """
        Return those of *ids* that were not drafted with *settings*, sorted; recordings that are not there among them.
        """
        query = select(RECORDINGS.c.id).join(DONE).where(DONE.c.settings == settings, RECORDINGS.c.id.in_(sorted(ids)))
        with self.begin_read() as connection:
            done = set(connection.execute(query).scalars())
        return tuple(sorted(set(ids) - done))

    def begin_attempt(self, recording: str) -> int:
        """
        Mark that work on *recording* begins, before it does.

        `save_drafted`, `fail` and `end_attempt` take the mark away.

        Returns:
            Which attempt this is, from 1. Marks that stay were left by processes that died.

        Raises:
            InputError: If there is no such recording.
        """
        with self.begin_write() as connection:
            number = number_of(connection, recording, lock=True)
            connection.execute(delete(FAILURES).where(FAILURES.c.stage == RUN, FAILURES.c.item == recording))
            begin = insert_into(connection, ATTEMPTS).values(recording=number, begun=1, begun_at=self.now())
            begin = begin.on_conflict_do_update(
                index_elements=["recording"],
                set_={"begun": ATTEMPTS.c.begun + 1, "begun_at": begin.excluded.begun_at},
            )
            return int(connection.execute(begin.returning(ATTEMPTS.c.begun)).scalar_one())

    def end_attempt(self, recording: str) -> None:
        """Take the mark of `begin_attempt` away where work stopped in the open, by its user say, without a result."""
        with self.begin_write() as connection:
            connection.execute(delete(ATTEMPTS).where(_is_attempt_on(recording)))

    def fail(self, item: str, stage: str, failure: Failure) -> None:
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
            "failed_at": self.now(),
        }
        with self.begin_write() as connection:
            keep = insert_into(connection, FAILURES).values(values)
            renewed = {name: keep.excluded[name] for name in ("shown", "code", "message", "failed_at")}
            connection.execute(keep.on_conflict_do_update(index_elements=["stage", "item"], set_=renewed))
            if stage == RUN:
                connection.execute(delete(ATTEMPTS).where(_is_attempt_on(item)))

    def failures(self, stage: str | None = None) -> tuple[Failure, ...]:
        """Return failures, in *stage* or in all, by stage and item; parked recordings are among them."""
        query = select(FAILURES.c.stage, FAILURES.c.item, FAILURES.c.shown, FAILURES.c.code, FAILURES.c.message)
        parked = select(RECORDINGS.c.id, RECORDINGS.c.path).join(ATTEMPTS).where(ATTEMPTS.c.begun >= TRIES)
        if stage is not None:
            query = query.where(FAILURES.c.stage == stage)
        with self.begin_read() as connection:
            rows = connection.execute(query).all()
            dead = connection.execute(parked).all() if stage in (None, RUN) else []
        failures = [(row.stage, row.item, Failure(item=row.shown, code=row.code, message=row.message)) for row in rows]
        failures += [(RUN, row.id, _parked_failure(row.path)) for row in dead]
        return tuple(failure for _, _, failure in sorted(failures, key=lambda failure_key: failure_key[:2]))

    def clear_failure(self, item: str, stage: str) -> bool:
        """Delete the failure of *item* in *stage*, so that it is tried again, and tell if there was one."""
        with self.begin_write() as connection:
            forgotten = connection.execute(delete(FAILURES).where(FAILURES.c.stage == stage, FAILURES.c.item == item))
            count = forgotten.rowcount
            if stage == RUN:
                count += connection.execute(delete(ATTEMPTS).where(_is_attempt_on(item))).rowcount
        return count > 0


def is_failed(*, retry_failed: bool = False) -> ColumnElement[bool]:
    """The condition that a recording is kept from being drafted."""
    parked = exists().where(ATTEMPTS.c.recording == RECORDINGS.c.no, ATTEMPTS.c.begun >= TRIES)
    if retry_failed:
        return parked
    return parked | exists().where(FAILURES.c.stage == RUN, FAILURES.c.item == RECORDINGS.c.id)


def _is_pending(settings: str, retry_failed: bool, ids: Collection[str] | None, waiting: bool) -> ColumnElement[bool]:
    done = exists().where(DONE.c.recording == RECORDINGS.c.no, DONE.c.settings == settings)
    among = true() if ids is None else RECORDINGS.c.id.in_(sorted(ids))
    return and_(~done, ~is_failed(retry_failed=retry_failed), among, is_waiting() if waiting else true())


def _is_attempt_on(recording: str) -> ColumnElement[bool]:
    return ATTEMPTS.c.recording.in_(select(RECORDINGS.c.no).where(RECORDINGS.c.id == recording))


def _parked_failure(path: str) -> Failure:
    return Failure(
        item=path,
        code="E_CRASHED",
        message=f"work on it was begun {TRIES} times and took the process down each time; look at the file, make more"
        " memory free, then have it tried again",
    )
