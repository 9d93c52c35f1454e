"""Stretches of recordings that nobody may hear or read, and texts without what was said there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, insert, select, update

from transcribe.desk_records import Mask
from transcribe.errors import InputError
from transcribe.masking import Span, Terms
from transcribe.records import Correction, Milliseconds, Word
from transcribe.store.auditing import note
from transcribe.store.corrections import Corrections
from transcribe.store.database import insert_into
from transcribe.store.desk_tables import MASK_SCANS, MASKS, PEOPLE
from transcribe.store.grouping import Grouping
from transcribe.store.hiding import Read, hider_of
from transcribe.store.recordings import number_of
from transcribe.store.rows import words_of
from transcribe.store.tables import DONE, DRAFTS, RECORDINGS

_LIFTED = MASKS.c.lifted_at.is_not(None)


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
            return hider_of(connection, segment, self.terms)(text)

    def corrected(self, recording: str) -> Iterator[tuple[Correction, tuple[Word, ...]]]:
        """
        Standing corrections of *recording*, each without what was said in masked stretches, beside the words that the
        newest run drafted there, marks among them. In time order.
        """
        corrections = list(self.corrections(recording=recording, standing=True))
        with self.reading() as connection:
            read = Read(connection, number_of(connection, recording), self.terms)
        yield from ((read.shown(each), read.words(each)) for each in corrections)


def _add(connection: Connection, recording: int, span: Span, now: str, person: str | None) -> str:
    id = secrets.token_urlsafe(9)
    values = {"id": id, "recording": recording, "start_ms": span[0], "end_ms": span[1], "person": person}
    connection.execute(insert(MASKS).values(values | {"added_at": now}))
    return id


def _masks() -> Select[Any]:
    columns = (RECORDINGS.c.id.label("recording_id"), PEOPLE.c.name)
    found = select(MASKS, *columns).join(RECORDINGS, MASKS.c.recording == RECORDINGS.c.no)
    return found.outerjoin(PEOPLE, MASKS.c.person == PEOPLE.c.id)


def _mask(row: Row[Any]) -> Mask:
    return Mask(
        id=row.id,
        recording=row.recording_id,
        start=row.start_ms,
        end=row.end_ms,
        by=row.name,
        added_at=row.added_at,
    )
