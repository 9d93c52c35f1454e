"""The results of `boli run` on a recording: turns, segments, drafts, and the mark that it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from transcribe.errors import InputError
from transcribe.records import Draft, Drafted, Segment, Turn
from transcribe.store.attempts import RUN
from transcribe.store.database import Database
from transcribe.store.recordings import is_usable, number_of
from transcribe.store.rows import (
    check_key,
    check_optional_key,
    check_span,
    check_text,
    draft_of,
    encode_json,
    insert_into,
    insert_rows,
    round_probability,
    segment_of,
    turns_of,
    turns_text,
    words_text,
)
from transcribe.store.schema import ATTEMPTS, DIARISATIONS, DONE, DRAFTS, FAILURES, RECORDINGS, SEGMENTS, USABLE
from transcribe.store.speakers import replace_voices

_DRAFT_COLUMNS = ("run", "segment", "words", "log_probability", "flags", "alternative")
_TIME_ORDER = (SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, SEGMENTS.c.speaker, SEGMENTS.c.no)


@dataclass(frozen=True)
class Drafts:
    """The turns, segments and drafts that models made of recordings."""

    database: Database

    def save(self, drafted: Drafted) -> bool:
        """
        Save all that was made of one recording in one transaction: a crash leaves all of it or nothing.

        Probabilities are kept to four digits. A segment that an earlier run made too is the same segment.

        Returns:
            Whether it was new. A recording that is done with these settings, or withheld by now, stays as it is.

        Raises:
            InputError: If there is no such recording, or if the parts do not belong together.
        """
        rows = _make_rows(drafted)
        with self.database.begin_write() as connection:
            recording = number_of(connection, drafted.recording, lock=True)
            connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.recording == recording))
            connection.execute(delete(FAILURES).where(FAILURES.c.stage == RUN, FAILURES.c.item == drafted.recording))
            done = select(DONE.c.no).where(DONE.c.recording == recording, DONE.c.settings == drafted.settings)
            if connection.execute(done).first() is not None or not is_usable(connection, recording):
                return False
            if _insert_diarisation(connection, recording, drafted.diarisation, rows):
                replace_voices(connection, recording, drafted.voices)
            run = _insert_run(connection, recording, drafted, rows.warnings, self.database.now())
            numbers = _insert_segments(connection, recording, run, rows.segments)
            drafts = [(run, numbers[segment], *values) for segment, *values in rows.drafts]
            insert_rows(connection, DRAFTS, _DRAFT_COLUMNS, drafts)
        return True

    def fetch_turns(self, recording: str, diarisation: str) -> tuple[tuple[Turn, ...], tuple[Turn, ...]] | None:
        """
        Return the turns and exclusive turns that this *diarisation* made of *recording*; ``None`` if it never ran.
        """
        query = (
            select(DIARISATIONS.c.turns, DIARISATIONS.c.exclusive)
            .join(RECORDINGS)
            .where(RECORDINGS.c.id == recording, DIARISATIONS.c.settings == diarisation, USABLE)
        )
        with self.database.begin_read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (turns_of(row.turns, recording), turns_of(row.exclusive, recording))

    def fetch_turns_of_model(self, recording: str, model: str) -> tuple[tuple[Turn, ...], tuple[Turn, ...]] | None:
        """
        Return the turns and exclusive turns of the newest run of *model* on *recording*; ``None`` if it never ran.
        """
        newest = select(DONE.c.diarisation).join(RECORDINGS).order_by(DONE.c.no.desc()).limit(1)
        with self.database.begin_read() as connection:
            diarisation = connection.execute(
                newest.where(RECORDINGS.c.id == recording, DONE.c.model == model, USABLE)
            ).scalar_one_or_none()
        return None if diarisation is None else self.fetch_turns(recording, diarisation)

    def fetch_segments(self, recording: str) -> Iterator[Segment]:
        """Yield the segments of the newest run on *recording*, in time order; none if none ran."""
        newest = select(func.max(DONE.c.no)).join(RECORDINGS).where(RECORDINGS.c.id == recording)
        query = select(SEGMENTS).where(
            SEGMENTS.c.recording.in_(select(RECORDINGS.c.no).where(RECORDINGS.c.id == recording, USABLE)),
            SEGMENTS.c.run == newest.scalar_subquery(),
        )
        with self.database.begin_read() as connection:
            rows = connection.execute(query.order_by(*_TIME_ORDER)).all()
        for row in rows:
            yield segment_of(row, recording)

    def find_segment(self, id: str) -> Segment | None:
        """Return the segment with this *id*, of whatever run; ``None`` if there is none."""
        query = (
            select(SEGMENTS, RECORDINGS.c.id.label("recording_id")).join(RECORDINGS).where(SEGMENTS.c.id == id, USABLE)
        )
        with self.database.begin_read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else segment_of(row, row.recording_id)

    def fetch(self, recording: str, model: str, *, settings: str | None = None) -> Iterator[Draft]:
        """Yield the drafts of `drafted_segments` without their segments."""
        for _, draft in self.fetch_with_segments(recording, model, settings=settings):
            yield draft

    def fetch_with_segments(
        self, recording: str, model: str, *, settings: str | None = None
    ) -> Iterator[tuple[Segment, Draft]]:
        """
        Yield what *model* drafted in its newest run on *recording*, or in that with *settings*, in time order.

        Empty if there was no such run.
        """
        runs = select(DONE.c.no, DONE.c.settings).join(RECORDINGS).order_by(DONE.c.no.desc()).limit(1)
        runs = runs.where(RECORDINGS.c.id == recording, DONE.c.model == model, USABLE)
        if settings is not None:
            runs = runs.where(DONE.c.settings == settings)
        with self.database.begin_read() as connection:
            run = connection.execute(runs).one_or_none()
            if run is None:
                return
            query = select(SEGMENTS, DRAFTS.c.words, DRAFTS.c.log_probability, DRAFTS.c.flags, DRAFTS.c.alternative)
            query = query.select_from(DRAFTS.join(SEGMENTS))
            rows = connection.execute(query.where(DRAFTS.c.run == run.no).order_by(*_TIME_ORDER)).all()
        for row in rows:
            yield segment_of(row, recording), draft_of(row, model=model, settings=run.settings)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The values of a Drafted, made before the lock is taken; segments and drafts begin with the segment's id."""

    turns: str
    exclusive: str
    warnings: str
    segments: tuple[tuple[str, str, int, int, str | None, int | None], ...]
    drafts: tuple[tuple[str, str, float | None, str, str | None], ...]


def _make_rows(drafted: Drafted) -> _Rows:
    what = f"recording {drafted.recording[:12]}"
    parts = (drafted.turns, drafted.exclusive, drafted.segments, drafted.voices)
    strangers = {record.recording for part in parts for record in part}
    if strangers - {drafted.recording}:
        raise _inconsistent_work(drafted, "turns, segments or voices of another recording")
    segments = tuple(_make_segment_row(segment, what) for segment in drafted.segments)
    ids = {row[0] for row in segments}
    if len(ids) < len(segments):
        raise _inconsistent_work(drafted, "a segment twice")
    if any(draft.model != drafted.model or draft.settings != drafted.settings for draft in drafted.drafts):
        raise _inconsistent_work(drafted, "drafts of another model or other settings")
    drafts = tuple(_make_draft_row(draft, what) for draft in drafted.drafts)
    if len({row[0] for row in drafts}) < len(drafts) or not ids.issuperset(row[0] for row in drafts):
        raise _inconsistent_work(drafted, "two drafts of a segment, or one of a segment that is not there")
    return _Rows(
        turns=turns_text(drafted.turns, what),
        exclusive=turns_text(drafted.exclusive, what),
        warnings=encode_json(list(drafted.warnings), f"a warning of {what}"),
        segments=segments,
        drafts=drafts,
    )


def _make_segment_row(segment: Segment, what: str) -> tuple[str, str, int, int, str | None, int | None]:
    start, end = check_span(segment.start, segment.end, f"a segment of {what}")
    speaker = check_key(segment.speaker, f"a speaker of {what}")
    return segment.id, speaker, start, end, check_optional_key(segment.dialect, f"a dialect of {what}"), segment.channel


def _make_draft_row(draft: Draft, what: str) -> tuple[str, str, float | None, str, str | None]:
    words = words_text(draft.words, f"a draft of {what}")
    sure = None if draft.log_probability is None else round_probability(draft.log_probability, f"a draft of {what}")
    alternative = check_optional_key(draft.alternative, f"a second opinion of {what}")
    return draft.segment, words, sure, encode_json(list(draft.flags), f"a flag of {what}"), alternative


def _inconsistent_work(drafted: Drafted, problem: str) -> InputError:
    return InputError(f"the work on recording {drafted.recording[:12]} holds {problem}", code="E_DRAFTED")


def _insert_diarisation(connection: Connection, recording: int, settings: str, rows: _Rows) -> bool:
    """Insert the turns unless they are there already, and tell if they were not."""
    values = {
        "recording": recording,
        "settings": check_key(settings, "a diarisation's settings"),
        "turns": rows.turns,
        "exclusive": rows.exclusive,
    }
    keep = insert_into(connection, DIARISATIONS).values(values).on_conflict_do_nothing()
    return connection.execute(keep.returning(DIARISATIONS.c.recording)).first() is not None


def _insert_run(connection: Connection, recording: int, drafted: Drafted, warnings: str, now: str) -> int:
    keep = insert(DONE).values(
        recording=recording,
        settings=check_key(drafted.settings, "a run's settings"),
        diarisation=check_text(drafted.diarisation, "a diarisation's settings"),
        model=check_key(drafted.model, "a model's id"),
        warnings=warnings,
        done_at=now,
    )
    return int(connection.execute(keep.returning(DONE.c.no)).scalar_one())


def _insert_segments(
    connection: Connection,
    recording: int,
    run: int,
    segments: tuple[tuple[str, str, int, int, str | None, int | None], ...],
) -> dict[str, int]:
    """Insert the new segments, hand the existing ones over to *run*, and return the row numbers of all."""
    numbered = select(SEGMENTS.c.id, SEGMENTS.c.no).where(SEGMENTS.c.recording == recording)
    numbers = {row.id: row.no for row in connection.execute(numbered)}
    again = [{"at": numbers[row[0]], "now": run, "spoken": row[4]} for row in segments if row[0] in numbers]
    if again:
        hand_over = update(SEGMENTS).where(SEGMENTS.c.no == bindparam("at"))
        connection.execute(hand_over.values(run=bindparam("now"), dialect=bindparam("spoken")), again)
    fresh = [(*row, recording, run) for row in segments if row[0] not in numbers]
    columns = ("id", "speaker", "start_ms", "end_ms", "dialect", "channel", "recording", "run")
    insert_rows(connection, SEGMENTS, columns, fresh)
    return {row.id: row.no for row in connection.execute(numbered)} if fresh else numbers
