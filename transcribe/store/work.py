"""What is left to do, and what did not work out: a query over marks, never a flag."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, true

from transcribe.errors import Failure
from transcribe.records import Milliseconds, Recording
from transcribe.store.database import Database, insert_into
from transcribe.store.recordings import number_of
from transcribe.store.rows import checked, key, recording_of
from transcribe.store.tables import ATTEMPTS, DONE, FAILURES, RECORDINGS
from transcribe.store.written import waits

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
        The recordings that `boli run` with these *settings* has still to do, longest first. Streams.

        Those that a process died over come last: they may be the reason, and the others need not wait behind them.

        Left out are those that failed, unless *retry_failed*, and always those that took the process down
        `TRIES` times; `clear_failure` brings these back.

        Args:
            ids: Only of these recordings.
            waiting: Leave out what was drafted before, by whatever model, and is written down throughout since.
        """
        with self.reading() as connection:
            suspects = list(connection.execute(select(ATTEMPTS.c.recording)).scalars())
        by_length = [RECORDINGS.c.duration_ms, RECORDINGS.c.id]
        suspected = RECORDINGS.c.no.in_(suspects)
        for some in (~suspected, suspected):
            found = select(RECORDINGS).where(_is_pending(settings, retry_failed, ids, waiting), some)
            yield from map(recording_of, self.paged(found, by_length, descending=True))

    def pending_size(
        self,
        settings: str,
        *,
        retry_failed: bool = False,
        ids: Collection[str] | None = None,
        waiting: bool = False,
    ) -> tuple[int, Milliseconds]:
        """How many recordings `pending` gives, and how long they are together."""
        found = select(func.count(), func.coalesce(func.sum(RECORDINGS.c.duration_ms), 0))
        with self.reading() as connection:
            count, duration = connection.execute(found.where(_is_pending(settings, retry_failed, ids, waiting))).one()
        return count, int(duration)

    def undone(self, settings: str, ids: Collection[str]) -> tuple[str, ...]:
        """Those of *ids* that were not drafted with *settings*, sorted; recordings that are not there among them."""
        found = select(RECORDINGS.c.id).join(DONE).where(DONE.c.settings == settings, RECORDINGS.c.id.in_(sorted(ids)))
        with self.reading() as connection:
            done = set(connection.execute(found).scalars())
        return tuple(sorted(set(ids) - done))

    def begin_attempt(self, recording: str) -> int:
        """
        Mark that work on *recording* begins, before it does; `save_drafted`, `fail` and `end_attempt` take the
        mark away.

        Returns:
            Which attempt this is, from 1. Marks that stay were left by processes that died.

        Raises:
            InputError: If there is no such recording.
        """
        with self.writing() as connection:
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
        with self.writing() as connection:
            connection.execute(delete(ATTEMPTS).where(_attempt_on(recording)))

    def fail(self, item: str, stage: str, failure: Failure) -> None:
        """
        Keep *failure* as why *item* did not get through *stage*, in place of an older one.

        Args:
            item: What the program knows it by: a recording's id for ``run``, a path or a line elsewhere.
        """
        values = {
            "stage": key(stage, "a stage"),
            "item": key(item, "a failed item"),
            "shown": checked(failure.item, "a failed item"),
            "code": checked(failure.code, "a failure's code"),
            "message": checked(failure.message, "a failure's message"),
            "failed_at": self.now(),
        }
        with self.writing() as connection:
            keep = insert_into(connection, FAILURES).values(values)
            renewed = {name: keep.excluded[name] for name in ("shown", "code", "message", "failed_at")}
            connection.execute(keep.on_conflict_do_update(index_elements=["stage", "item"], set_=renewed))
            if stage == RUN:
                connection.execute(delete(ATTEMPTS).where(_attempt_on(item)))

    def failures(self, stage: str | None = None) -> tuple[Failure, ...]:
        """What did not work out, in *stage* or in all, ordered by stage and item. Parked recordings are among it."""
        kept = select(FAILURES.c.stage, FAILURES.c.item, FAILURES.c.shown, FAILURES.c.code, FAILURES.c.message)
        parked = select(RECORDINGS.c.id, RECORDINGS.c.path).join(ATTEMPTS).where(ATTEMPTS.c.begun >= TRIES)
        if stage is not None:
            kept = kept.where(FAILURES.c.stage == stage)
        with self.reading() as connection:
            rows = connection.execute(kept).all()
            dead = connection.execute(parked).all() if stage in (None, RUN) else []
        found = [(row.stage, row.item, _failure(row.shown, row.code, row.message)) for row in rows]
        found += [(RUN, row.id, _parked(row.path)) for row in dead]
        return tuple(failure for _, _, failure in sorted(found, key=lambda each: each[:2]))

    def clear_failure(self, item: str, stage: str) -> bool:
        """Forget that *item* failed in *stage*, so that it is tried again. Whether there was something to forget."""
        with self.writing() as connection:
            forgotten = connection.execute(delete(FAILURES).where(FAILURES.c.stage == stage, FAILURES.c.item == item))
            count = forgotten.rowcount
            if stage == RUN:
                count += connection.execute(delete(ATTEMPTS).where(_attempt_on(item))).rowcount
        return count > 0


def is_failed(*, retry_failed: bool = False) -> ColumnElement[bool]:
    """The condition that a recording is kept from being drafted."""
    parked = exists().where(ATTEMPTS.c.recording == RECORDINGS.c.no, ATTEMPTS.c.begun >= TRIES)
    if retry_failed:
        return parked
    return parked | exists().where(FAILURES.c.stage == RUN, FAILURES.c.item == RECORDINGS.c.id)


def _is_pending(settings: str, retry_failed: bool, ids: Collection[str] | None, waiting: bool) -> ColumnElement[bool]:
    done = exists().where(DONE.c.recording == RECORDINGS.c.no, DONE.c.settings == settings)
    asked = true() if ids is None else RECORDINGS.c.id.in_(sorted(ids))
    return and_(~done, ~is_failed(retry_failed=retry_failed), asked, waits() if waiting else true())


def _attempt_on(recording: str) -> ColumnElement[bool]:
    return ATTEMPTS.c.recording.in_(select(RECORDINGS.c.no).where(RECORDINGS.c.id == recording))


def _failure(item: str, code: str, message: str) -> Failure:
    return Failure(item=item, code=code, message=message)


def _parked(path: str) -> Failure:
    return _failure(
        path,
        "E_CRASHED",
        f"work on it was begun {TRIES} times and took the process down each time; look at the file, make more memory"
        " free, then have it tried again",
    )
