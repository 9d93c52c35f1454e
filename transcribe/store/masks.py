"""The masked spans of recordings, which nobody may hear or read, and texts without what was said there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, insert, select, update

from transcribe.desk_records import Mask
from transcribe.errors import InputError
from transcribe.records import Correction, Milliseconds, Word
from transcribe.redaction import Span, Terms
from transcribe.store.auditing import note
from transcribe.store.corrections import Corrections
from transcribe.store.database import insert_into
from transcribe.store.desk_tables import MASK_SCANS, MASKS, PEOPLE
from transcribe.store.grouping import Grouping
from transcribe.store.hiding import CorrectionRedactor
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
            InputError: If there is no such recording, or no such span in it.
        """
        with self.begin_write() as connection:
            number = number_of(connection, recording)
            length = connection.execute(select(RECORDINGS.c.duration_ms).where(RECORDINGS.c.no == number)).scalar_one()
            if not 0 <= start < end or start >= length:
                raise InputError(
                    f"{start} to {end} ms of a recording of {length} ms was to be masked",
                    code="E_SPAN",
                    hint="give 0 <= start < end inside the recording, in milliseconds",
                )
            id = _insert_mask(connection, number, (start, end), self.now(), person)
            note(connection, self.now(), person, "masked", detail={"mask": id, "recording": recording})
            return _build_mask(connection.execute(_select_masks().where(MASKS.c.id == id)).one())

    def lift_mask(self, id: str, *, person: str | None = None) -> bool:
        """Let people hear and read a masked span again, and tell if it was masked."""
        with self.begin_write() as connection:
            lifted = update(MASKS).where(MASKS.c.id == id, ~_LIFTED).values(lifted_at=self.now())
            was_masked = connection.execute(lifted).rowcount > 0
            if was_masked:
                note(connection, self.now(), person, "unmasked", detail={"mask": id})
        return was_masked

    def masks(self, *, recording: str | None = None) -> Iterator[Mask]:
        """Yield the masks of *recording* or of all, by recording and time."""
        query = _select_masks().where(~_LIFTED)
        if recording is not None:
            query = query.where(RECORDINGS.c.id == recording)
        for row in self.page_rows(query, [MASKS.c.recording, MASKS.c.start_ms, MASKS.c.id]):
            yield _build_mask(row)

    def mask_terms(self, terms: Terms) -> int:
        """
        Mask every span where a draft says one of *terms*, whichever run made it, and count the new ones.

        Each run is searched once for the same list; what was lifted stays lifted.
        """
        count = 0
        searched = exists().where(MASK_SCANS.c.run == DONE.c.no, MASK_SCANS.c.terms == terms.hash)
        for run in self.page_rows(select(DONE.c.no, DONE.c.recording).where(~searched), [DONE.c.no]):
            drafted = select(DRAFTS.c.words).where(DRAFTS.c.run == run.no)
            with self.begin_read() as connection:
                texts = list(connection.execute(drafted).scalars())
            spans = {span for text in texts for span in terms.spans(words_of(text))}
            with self.begin_write() as connection:
                query = select(MASKS.c.start_ms, MASKS.c.end_ms).where(MASKS.c.recording == run.recording)
                masked = [(row.start_ms, row.end_ms) for row in connection.execute(query)]
                fresh = sorted(span for span in spans if not any(a <= span[0] and span[1] <= b for a, b in masked))
                for span in fresh:
                    _insert_mask(connection, run.recording, span, self.now(), None)
                keep = insert_into(connection, MASK_SCANS).on_conflict_do_nothing()
                connection.execute(keep, {"run": run.no, "terms": terms.hash})
            count += len(fresh)
        return count

    def corrections_with_words(self, recording: str) -> Iterator[tuple[Correction, tuple[Word, ...]]]:
        """
        Yield standing corrections of *recording*, redacted, with the redacted words of the newest run, in time order.
        """
        corrections = list(self.corrections(recording=recording, standing=True))
        with self.begin_read() as connection:
            redactor = CorrectionRedactor(connection, number_of(connection, recording), self.terms)
        yield from ((redactor.redact(correction), redactor.drafted_words(correction)) for correction in corrections)


def _insert_mask(connection: Connection, recording: int, span: Span, now: str, person: str | None) -> str:
    id = secrets.token_urlsafe(9)
    values = {"id": id, "recording": recording, "start_ms": span[0], "end_ms": span[1], "person": person}
    connection.execute(insert(MASKS).values(values | {"added_at": now}))
    return id


def _select_masks() -> Select[Any]:
    columns = (RECORDINGS.c.id.label("recording_id"), PEOPLE.c.name)
    query = select(MASKS, *columns).join(RECORDINGS, MASKS.c.recording == RECORDINGS.c.no)
    return query.outerjoin(PEOPLE, MASKS.c.person == PEOPLE.c.id)


def _build_mask(row: Row[Any]) -> Mask:
    return Mask(
        id=row.id,
        recording=row.recording_id,
        start=row.start_ms,
        end=row.end_ms,
        by=row.name,
        added_at=row.added_at,
    )
