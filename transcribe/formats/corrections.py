"""Corrections made elsewhere: from CSV, JSONL or STM to records for the store."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from dialects.dialect import Catalogue, load_catalogue
from dialects.errors import DialectError
from transcribe.ingest.sidecars import TOLERANCE, make_correction
from transcribe.ingest.timed import COLUMNS, TimedText, line_fault, read_stm, span
from transcribe.records import Correction, Milliseconds, Recording, Segment
from transcribe.store import Store
from transcribe.tables import Row, Table, from_milliseconds

CODE: Final = "E_CORRECTION"


def read_corrections(path: Path, *, store: Store, catalogue: Catalogue | None = None) -> Iterator[Correction]:
    """
    Read the corrections in *path*, one at a time.

    Rows have either ``segment, text[, speaker, dialect]`` or ``recording, start_ms, end_ms, speaker, dialect, text``,
    where the recording is the path as ingested or the hash; either may have ``normalised``, the second tier. STM
    lines are of the second kind. Reading the same file twice gives the same ids.

    Args:
        store: Knows recordings and segments.
        catalogue: Knows dialects; default is the one of the package.

    Raises:
        InputError: E_CORRECTION with row and column, E_JSON, E_DIALECT.
    """
    desk = _Reader(path, store, catalogue or load_catalogue())
    yield from desk.lines() if path.suffix.lower() == ".stm" else desk.rows()


class _Reader:
    def __init__(self, path: Path, store: Store, catalogue: Catalogue) -> None:
        self._table = Table(file=path, any_of=("segment", "recording"), columns=COLUMNS, code=CODE)
        self._author = path.name
        self._catalogue = catalogue
        self._store = store
        # Rows of a recording stand together.
        self._recording = lru_cache(maxsize=256)(self._find_recording)

    def rows(self) -> Iterator[Correction]:
        for row in self._table.rows():
            text = row.cells.get("text", "")
            if not text.strip():
                hint = "leave the row out, or write what marks unintelligible speech"
                raise self._table.fault(row.line, "an empty text", column="text", hint=hint)
            if "\0" in text:
                raise self._table.fault(row.line, "a NUL character", column="text", hint="remove it")
            yield self._read_segment_row(row, text) if row.cells.get("segment") else self._read_span_row(row, text)

    def lines(self) -> Iterator[Correction]:
        fault = line_fault(self._table.file, CODE)
        for placed in read_stm(self._table.file, code=CODE):
            stretch, row = placed.stretch, Row(placed.line, {})
            if not (stretch.text or "").strip():
                raise fault(placed.line, "it has no text", "leave the line out")
            yield self._correction_in(row, self._recording_of(row, stretch.recording), stretch, stretch.text or "")

    def _read_segment_row(self, row: Row, text: str) -> Correction:
        name = row.cells["segment"].strip()
        segment: Segment | None = self._store.drafts.find_segment(name)
        if segment is None:
            hint = "write the id of a segment of this workspace, or recording, start_ms and end_ms"
            raise self._table.fault(row.line, f"no segment {name[:64]!r}", column="segment", hint=hint)
        return make_correction(
            recording=segment.recording,
            start=segment.start,
            end=segment.end,
            text=text,
            speaker=row.cells.get("speaker", "").strip() or segment.speaker,
            dialect=self._dialect_of(row) or segment.dialect,
            segment=name,
            author=self._author,
            normalised=_normalised_of(row),
        )

    def _read_span_row(self, row: Row, text: str) -> Correction:
        name = row.cells.get("recording", "")
        if not name.strip():
            hint = "each row names a segment, or a recording with start_ms and end_ms"
            raise self._table.fault(row.line, "neither segment nor recording", column="recording", hint=hint)
        stretch = TimedText(
            recording=name,
            start=self._time_of(row, "start_ms"),
            end=self._time_of(row, "end_ms"),
            speaker=row.cells.get("speaker", "").strip() or None,
            dialect=self._dialect_of(row),
        )
        return self._correction_in(row, self._recording_of(row, name), stretch, text)

    def _correction_in(self, row: Row, recording: Recording, stretch: TimedText, text: str) -> Correction:
        try:
            start, end = span(stretch.start, stretch.end)
            if end > recording.duration + TOLERANCE or start >= recording.duration or start == end:
                raise ValueError(f"{start} to {end} ms is no stretch of a recording of {recording.duration} ms")
        except ValueError as error:
            raise self._table.fault(row.line, str(error), column="end_ms", hint="mend the times") from None
        return make_correction(
            recording=recording.id,
            start=start,
            end=min(end, recording.duration),
            text=text,
            speaker=stretch.speaker,
            dialect=stretch.dialect,
            author=self._author,
            normalised=_normalised_of(row),
        )

    def _recording_of(self, row: Row, name: str) -> Recording:
        recording = self._recording(name)
        if recording is None:
            hint = "write its path as it was ingested, or its hash; `boli ingest` comes first"
            raise self._table.fault(row.line, f"no recording {name[:200]!r}", column="recording", hint=hint)
        return recording

    def _find_recording(self, name: str) -> Recording | None:
        return self._store.recordings.find_by_path(name) or self._store.recordings.find(name.strip())

    def _time_of(self, row: Row, column: str) -> Milliseconds:
        try:
            return from_milliseconds(row.cells.get(column, ""))
        except ValueError as error:
            hint = "write whole milliseconds from the start of the recording"
            raise self._table.fault(row.line, str(error), column=column, hint=hint) from None

    def _dialect_of(self, row: Row) -> str | None:
        tag = row.cells.get("dialect", "").strip()
        try:
            return self._catalogue.find(tag).tag if tag else None
        except DialectError as error:
            hint = error.hint or "write a BCP 47 tag"
            raise self._table.fault(row.line, error.message, column="dialect", hint=hint, code=error.code) from None


def _normalised_of(row: Row) -> str | None:
    """Return the normalised tier; an empty cell says that nobody wrote one."""
    text = row.cells.get("normalised", "")
    return text if text.strip() else None
