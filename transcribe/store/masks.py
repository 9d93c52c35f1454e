"""Stretches of recordings that nobody may hear or read, and texts without what was said there."""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, insert, select, update

from transcribe.desk_records import Mask
from transcribe.errors import InputError
from transcribe.masking import Span, Terms, hide_text, hide_words, within
from transcribe.records import Correction, Milliseconds, Word
from transcribe.store.auditing import note
from transcribe.store.corrections import Corrections
from transcribe.store.database import insert_into
from transcribe.store.desk_tables import MASK_SCANS, MASKS, PEOPLE
from transcribe.store.grouping import Grouping
from transcribe.store.prepared import Among
from transcribe.store.recordings import number_of
from transcribe.store.rows import words_of
from transcribe.store.tables import DONE, DRAFTS, RECORDINGS, SEGMENTS

_LIFTED = MASKS.c.lifted_at.is_not(None)
_SPANS = Among(
    select(MASKS.c.recording, MASKS.c.start_ms, MASKS.c.end_ms)
    .where(~_LIFTED)
    .order_by(MASKS.c.start_ms, MASKS.c.end_ms),
    MASKS.c.recording,
)


class Masks(Corrections, Grouping):
    """The part of the store that knows what is masked."""

    def add_mask(self, recording: str, start: Milliseconds, end: Milliseconds, *, person: str | None = None) -> Mask:
        """
        Let nobody hear or read *recording* from *start* to *end*, from now on.

        Args:
            person: Who says so; ``None``: the command line.

        Raises:
            InputError: If there is no such recording, or no such stretch in it.
        """
        with self.writing() as connection:
            number = number_of(connection, recording)
            length = connection.execute(select(RECORDINGS.c.duration_ms).where(RECORDINGS.c.no == number)).scalar_one()
            if not 0 <= start < end or start >= length:
                raise InputError(
                    f"{start} to {end} ms of a recording of {length} ms was to be masked",
                    code="E_SPAN",
                    hint="give 0 <= start < end inside the recording, in milliseconds",
                )
            id = _add(connection, number, (start, end), self.now(), person)
            note(connection, self.now(), person, "masked", detail={"mask": id, "recording": recording})
            return _mask(connection.execute(_masks().where(MASKS.c.id == id)).one())

    def lift_mask(self, id: str, *, person: str | None = None) -> bool:
        """Let people hear and read a masked stretch again. Whether it was masked."""
        with self.writing() as connection:
            lifted = update(MASKS).where(MASKS.c.id == id, ~_LIFTED).values(lifted_at=self.now())
            found = connection.execute(lifted).rowcount > 0
            if found:
                note(connection, self.now(), person, "unmasked", detail={"mask": id})
        return found

    def masks(self, *, recording: str | None = None) -> Iterator[Mask]:
        """What is masked, of *recording* or of all, by recording and time. Streams."""
        found = _masks().where(~_LIFTED)
        if recording is not None:
            found = found.where(RECORDINGS.c.id == recording)
        for row in self.paged(found, [MASKS.c.recording, MASKS.c.start_ms, MASKS.c.id]):
            yield _mask(row)

    def mask_terms(self, terms: Terms) -> int:
        """
        Mask every stretch where a draft says one of *terms*, whichever run made it. How many there were that were not
        masked yet.

        Each run is searched once for the same list; what was lifted stays lifted.
        """
        count = 0
        searched = exists().where(MASK_SCANS.c.run == DONE.c.no, MASK_SCANS.c.terms == terms.hash)
        for run in self.paged(select(DONE.c.no, DONE.c.recording).where(~searched), [DONE.c.no]):
            drafted = select(DRAFTS.c.words).where(DRAFTS.c.run == run.no)
            with self.reading() as connection:
                texts = list(connection.execute(drafted).scalars())
            spans = {span for text in texts for span in terms.spans(words_of(text))}
            with self.writing() as connection:
                before = select(MASKS.c.start_ms, MASKS.c.end_ms).where(MASKS.c.recording == run.recording)
                known = [(row.start_ms, row.end_ms) for row in connection.execute(before)]
                fresh = sorted(span for span in spans if not any(a <= span[0] and span[1] <= b for a, b in known))
                for span in fresh:
                    _add(connection, run.recording, span, self.now(), None)
                keep = insert_into(connection, MASK_SCANS).on_conflict_do_nothing()
                connection.execute(keep, {"run": run.no, "terms": terms.hash})
            count += len(fresh)
        return count

    def hidden(self, segment: str, text: str) -> str:
        """A *text* of *segment* without what was said in masked stretches."""
        with self.reading() as connection:
            return hider_of(connection, segment)(text)

    def corrected(self, recording: str) -> Iterator[tuple[Correction, tuple[Word, ...]]]:
        """
        Standing corrections of *recording*, each without what was said in masked stretches, beside the words that the
        newest run drafted there, marks among them. In time order.
        """
        corrections = list(self.corrections(recording=recording, standing=True))
        with self.reading() as connection:
            number = number_of(connection, recording)
            spans = spans_of(connection, [number])[number]
            newest = select(DONE.c.no).where(DONE.c.recording == number).order_by(DONE.c.no.desc()).limit(1)
            found = select(DRAFTS.c.words, SEGMENTS.c.speaker).join(SEGMENTS, DRAFTS.c.segment == SEGMENTS.c.no)
            rows = connection.execute(found.where(DRAFTS.c.run == newest.scalar_subquery())).all()
        spoken = sorted(
            ((word, row.speaker) for row in rows for word in words_of(row.words)), key=lambda each: each[0].start
        )
        middles = [(word.start + word.end) / 2 for word, _ in spoken]
        order = sorted(range(len(spoken)), key=middles.__getitem__)
        middles.sort()
        for each in corrections:
            here = order[bisect_left(middles, each.start) : bisect_left(middles, each.end)]
            words = [spoken[at][0] for at in sorted(here) if each.speaker in (None, spoken[at][1])]
            masked = within(spans, each.start, each.end)
            yield replace(each, text=hide_text(each.text, words, masked)), hide_words(words, masked)


def spans_of(connection: Connection, recordings: Collection[int]) -> dict[int, list[Span]]:
    """Masked spans by the recording's row number, in time order; empty ones for those without."""
    by_recording: dict[int, list[Span]] = defaultdict(list)
    for row in _SPANS.all(connection, sorted(recordings)):
        by_recording[row.recording].append((row.start_ms, row.end_ms))
    return by_recording


def hider_of(connection: Connection, segment: str) -> Callable[[str], str]:
    """What takes out of people's texts of *segment* what was said in masked stretches."""
    row = connection.execute(_segment().where(SEGMENTS.c.id == segment)).one_or_none()
    if row is None:
        return str
    spans = within(spans_of(connection, [row.recording])[row.recording], row.start_ms, row.end_ms)
    words = words_of(row.words) if row.words is not None else ()
    return lambda text: hide_text(text, words, spans)


def _add(connection: Connection, recording: int, span: Span, now: str, person: str | None) -> str:
    id = secrets.token_urlsafe(9)
    values = {"id": id, "recording": recording, "start_ms": span[0], "end_ms": span[1], "person": person}
    connection.execute(insert(MASKS).values(values | {"added_at": now}))
    return id


def _masks() -> Select[Any]:
    columns = (RECORDINGS.c.id.label("recording_id"), PEOPLE.c.name)
    found = select(MASKS, *columns).join(RECORDINGS, MASKS.c.recording == RECORDINGS.c.no)
    return found.outerjoin(PEOPLE, MASKS.c.person == PEOPLE.c.id)


def _segment() -> Select[Any]:
    drafted = and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no)
    columns = (SEGMENTS.c.recording, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, DRAFTS.c.words)
    return select(*columns).outerjoin(DRAFTS, drafted)


def _mask(row: Row[Any]) -> Mask:
    return Mask(
        id=row.id,
        recording=row.recording_id,
        start=row.start_ms,
        end=row.end_ms,
        by=row.name,
        added_at=row.added_at,
    )
