"""
The redaction of audio and texts: the masked spans of recordings, and a client's terms.

Nobody may hear or read what is masked; texts go out of the store without what was said there.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, insert, select, update

from transcribe.desk_records import Mask
from transcribe.errors import InputError
from transcribe.records import Correction, Milliseconds, Tier, Word, join_words
from transcribe.redaction import MASK, Span, Terms, hide_both, hide_text, hide_words, within
from transcribe.store.audit import note
from transcribe.store.database import Database, PreparedIn
from transcribe.store.desk_schema import MASK_SCANS, MASKS, PEOPLE
from transcribe.store.recordings import number_of
from transcribe.store.rows import insert_into, words_of
from transcribe.store.schema import DONE, DRAFTS, RECORDINGS, SEGMENTS

_LIFTED = MASKS.c.lifted_at.is_not(None)


@dataclass(frozen=True)
class Redaction:
    """The masked spans of recordings."""

    database: Database

    def add_mask(self, recording: str, start: Milliseconds, end: Milliseconds, *, person: str | None = None) -> Mask:
        """
        Let nobody hear or read *recording* from *start* to *end*, from now on.

        Args:
            person: Who says so; ``None``: the command line.

        Raises:
            InputError: If there is no such recording, or no such span in it.
        """
        with self.database.begin_write() as connection:
            number = number_of(connection, recording)
            length = connection.execute(select(RECORDINGS.c.duration_ms).where(RECORDINGS.c.no == number)).scalar_one()
            if not 0 <= start < end or start >= length:
                raise InputError(
                    f"{start} to {end} ms of a recording of {length} ms was to be masked",
                    code="E_SPAN",
                    hint="give 0 <= start < end inside the recording, in milliseconds",
                )
            id = _insert_mask(connection, number, (start, end), self.database.now(), person)
            note(connection, self.database.now(), person, "masked", detail={"mask": id, "recording": recording})
            return _build_mask(connection.execute(_select_masks().where(MASKS.c.id == id)).one())

    def lift_mask(self, id: str, *, person: str | None = None) -> bool:
        """Let people hear and read a masked span again, and tell if it was masked."""
        with self.database.begin_write() as connection:
            lifted = update(MASKS).where(MASKS.c.id == id, ~_LIFTED).values(lifted_at=self.database.now())
            was_masked = connection.execute(lifted).rowcount > 0
            if was_masked:
                note(connection, self.database.now(), person, "unmasked", detail={"mask": id})
        return was_masked

    def fetch_masks(self, *, recording: str | None = None) -> Iterator[Mask]:
        """Yield the masks of *recording* or of all, by recording and time."""
        query = _select_masks().where(~_LIFTED)
        if recording is not None:
            query = query.where(RECORDINGS.c.id == recording)
        for row in self.database.page_rows(query, [MASKS.c.recording, MASKS.c.start_ms, MASKS.c.id]):
            yield _build_mask(row)

    def mask_terms(self, terms: Terms) -> int:
        """
        Mask every span where a draft says one of *terms*, whichever run made it, and count the new ones.

        Each run is searched once for the same list; what was lifted stays lifted.
        """
        count = 0
        searched = exists().where(MASK_SCANS.c.run == DONE.c.no, MASK_SCANS.c.terms == terms.hash)
        for run in self.database.page_rows(select(DONE.c.no, DONE.c.recording).where(~searched), [DONE.c.no]):
            drafted = select(DRAFTS.c.words).where(DRAFTS.c.run == run.no)
            with self.database.begin_read() as connection:
                texts = list(connection.execute(drafted).scalars())
            spans = {span for text in texts for span in terms.spans(words_of(text))}
            with self.database.begin_write() as connection:
                query = select(MASKS.c.start_ms, MASKS.c.end_ms).where(MASKS.c.recording == run.recording)
                masked = [(row.start_ms, row.end_ms) for row in connection.execute(query)]
                fresh = sorted(span for span in spans if not any(a <= span[0] and span[1] <= b for a, b in masked))
                for span in fresh:
                    _insert_mask(connection, run.recording, span, self.database.now(), None)
                keep = insert_into(connection, MASK_SCANS).on_conflict_do_nothing()
                connection.execute(keep, {"run": run.no, "terms": terms.hash})
            count += len(fresh)
        return count


_SPANS = PreparedIn(
    select(MASKS.c.recording, MASKS.c.start_ms, MASKS.c.end_ms)
    .where(MASKS.c.lifted_at.is_(None))
    .order_by(MASKS.c.start_ms, MASKS.c.end_ms),
    MASKS.c.recording,
)


def spans_of(connection: Connection, recordings: Collection[int]) -> dict[int, list[Span]]:
    """Return masked spans by the recording's row number, in time order; empty ones for those without."""
    by_recording: dict[int, list[Span]] = defaultdict(list)
    for row in _SPANS.fetch_all(connection, sorted(recordings)):
        by_recording[row.recording].append((row.start_ms, row.end_ms))
    return by_recording


def make_redactor(connection: Connection, segment: str, terms: Terms) -> Callable[[str], str]:
    """Make a function that redacts people's texts of *segment*: what was said in masked spans, and *terms*."""
    row = connection.execute(_select_segment().where(SEGMENTS.c.id == segment)).one_or_none()
    if row is None:
        return terms.hide
    words = words_of(row.words) if row.words is not None else ()
    masked = (*spans_of(connection, [row.recording])[row.recording], *terms.spans(words))
    spans = within(masked, row.start_ms, row.end_ms)
    return lambda text: terms.hide(hide_text(text, words, spans))


@dataclass(frozen=True)
class SpanRedactor:
    """The redaction of one recording where its texts are compared."""

    spans: Sequence[Span]
    terms: Terms

    def __bool__(self) -> bool:
        return bool(self.spans or self.terms.phrases)

    def redact_words(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Return the drafted *words* of a span, marks in place of what is hidden; as they are where nothing is."""
        if not words:
            return ()
        spans = (*within(self.spans, words[0].start, max(word.end for word in words)), *self.terms.spans(words))
        return hide_words(words, spans) if spans else tuple(words)

    def redact_text(self, text: str, words: Sequence[Word], segment: Span) -> str:
        """Return a *text* of the span *segment*, where *words* were drafted, without what is hidden."""
        return self.terms.hide(hide_text(text, words, (*within(self.spans, *segment), *self.terms.spans(words))))

    def redact_pair(self, correction: Correction, words: Sequence[Word], tier: Tier) -> tuple[str, str]:
        """Return the text of *correction* that *tier* names and *words* drafted there, the same hidden in either."""
        wanted = correction.normalised if tier == "normalised" else None
        text = self.terms.hide(correction.text if wanted is None else wanted)
        spans = (*within(self.spans, correction.start, correction.end), *self.terms.spans(words))
        if spans or MASK in text:
            return hide_both(text, words, spans)
        return text, join_words(words)


class CorrectionRedactor:
    """The redaction of one recording's corrections, by the words that its newest run drafted there."""

    def __init__(self, connection: Connection, number: int, terms: Terms) -> None:
        self._terms = terms
        newest = select(DONE.c.no).where(DONE.c.recording == number).order_by(DONE.c.no.desc()).limit(1)
        query = select(DRAFTS.c.words, SEGMENTS.c.speaker).join(SEGMENTS, DRAFTS.c.segment == SEGMENTS.c.no)
        rows = connection.execute(query.where(DRAFTS.c.run == newest.scalar_subquery())).all()
        spoken = [(word, row.speaker) for row in rows for word in words_of(row.words)]
        self._spoken = sorted(spoken, key=lambda pair: pair[0].start + pair[0].end)
        self._middles = [(word.start + word.end) / 2 for word, _ in self._spoken]
        by_start = sorted((word for word, _ in spoken), key=lambda word: word.start)
        self._spans = (*spans_of(connection, [number])[number], *terms.spans(by_start))

    def redact(self, correction: Correction) -> Correction:
        """Return *correction* with both of its texts without what was said in masked spans, and without terms."""
        spans = within(self._spans, correction.start, correction.end)
        if not spans and not self._terms.phrases:
            return correction
        words = self._find_drafted_words(correction)
        first, second = (
            None if text is None else self._terms.hide(hide_text(text, words, spans))
            for text in (correction.text, correction.normalised)
        )
        return replace(correction, text=first or "", normalised=second)

    def drafted_words(self, correction: Correction) -> tuple[Word, ...]:
        """Return the words that were drafted there, marks among them."""
        return hide_words(self._find_drafted_words(correction), within(self._spans, correction.start, correction.end))

    def _find_drafted_words(self, correction: Correction) -> list[Word]:
        nearby = self._spoken[bisect_left(self._middles, correction.start) : bisect_left(self._middles, correction.end)]
        return sorted((word for word, who in nearby if correction.speaker in (None, who)), key=lambda word: word.start)


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


def _select_segment() -> Select[Any]:
    drafted = and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no)
    columns = (SEGMENTS.c.recording, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, DRAFTS.c.words)
    return select(*columns).outerjoin(DRAFTS, drafted)
