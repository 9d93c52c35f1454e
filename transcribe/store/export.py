"""The export of a store as lines that two stores share, byte for byte, if they did the same work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from transcribe.redaction import MASK, within
from transcribe.store.database import Database
from transcribe.store.redaction import CorrectionRedactor, SpanRedactor, spans_of
from transcribe.store.rows import correction_of, encode_json, words_of, words_text
from transcribe.store.schema import (
    ACCEPTANCES,
    CORRECTIONS,
    DIARISATIONS,
    DONE,
    DRAFTS,
    MODELS,
    RECORDINGS,
    SEGMENTS,
    USABLE,
)

#: Columns of a recording that say what it is.
_FACTS = (
    *("duration_ms", "rate_hz", "channels", "channel_mode", "dialect", "language", "speaker", "session"),
    *("consent", "licence", "source", "num_speakers", "split"),
)


@dataclass(frozen=True)
class Export:
    """The canonical lines of all content."""

    database: Database

    def fetch_lines(self) -> Iterator[str]:
        """
        Yield all that follows from the recordings and the work, as JSON lines without their newlines.

        First each recording by id, with its diarisations, runs, segments, drafts and corrections, then the models.
        Where something is masked, a mark stands in its place; withheld recordings are left out.
        What depends on the machine, the hour or the number of tries is left out: row numbers, times, failures, and
        the places where recordings and models lay.
        """
        for recording in self.database.page_rows(select(RECORDINGS).where(USABLE), [RECORDINGS.c.id]):
            with self.database.begin_read() as connection:
                redactor = SpanRedactor(spans_of(connection, [recording.no])[recording.no], self.database.terms)
                lines = [encode_json(line, "a line") for line in _export_recording(connection, recording, redactor)]
            yield from lines
        with self.database.begin_read() as connection:
            models = connection.execute(select(MODELS).order_by(MODELS.c.id)).all()
        for row in models:
            model = {"id": row.id, "name": row.name, "state": row.state, "window_ms": row.window_ms}
            # The lines of recognisers are as they were before there were others.
            does = {} if row.kind == "recogniser" else {"model_kind": row.kind}
            yield encode_json({"kind": "model"} | model | does, "a line")


def _export_recording(connection: Connection, row: Row[Any], redactor: SpanRedactor) -> Iterator[Mapping[str, object]]:
    yield {
        "kind": "recording",
        "id": row.id,
        **{name: getattr(row, name) for name in _FACTS},
        **{name: json.loads(getattr(row, name)) for name in ("facts", "warnings")},
        "declared": [_hide_declared(turn, redactor) for turn in json.loads(row.declared)],
    }
    yield from _export_diarisations(connection, row)
    yield from _export_runs(connection, row)
    yield from _export_segments(connection, row)
    yield from _export_drafts(connection, row, redactor)
    yield from _export_corrections(connection, row, redactor)
    yield from _export_acceptances(connection, row)


def _hide_declared(turn: Sequence[Any], redactor: SpanRedactor) -> Sequence[Any]:
    """Hide the text of a turn that touches what is masked: nobody knows which of its words were said there."""
    start, end, *who, text = turn
    if text is None or not redactor:
        return turn
    return [start, end, *who, MASK if within(redactor.spans, start, end) else redactor.terms.hide(text)]


def _export_diarisations(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    query = select(DIARISATIONS).where(DIARISATIONS.c.recording == recording.no).order_by(DIARISATIONS.c.settings)
    for row in connection.execute(query):
        yield {
            "kind": "diarisation",
            "recording": recording.id,
            "settings": row.settings,
            "turns": json.loads(row.turns),
            "exclusive": json.loads(row.exclusive),
        }


def _export_runs(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    query = select(DONE).where(DONE.c.recording == recording.no).order_by(DONE.c.settings)
    for row in connection.execute(query):
        yield {
            "kind": "run",
            "recording": recording.id,
            "settings": row.settings,
            "diarisation": row.diarisation,
            "model": row.model,
            "warnings": json.loads(row.warnings),
        }


def _export_segments(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    query = select(SEGMENTS).where(SEGMENTS.c.recording == recording.no)
    for row in connection.execute(query.order_by(SEGMENTS.c.start_ms, SEGMENTS.c.id)):
        yield {
            "kind": "segment",
            "recording": recording.id,
            "id": row.id,
            "speaker": row.speaker,
            "start_ms": row.start_ms,
            "end_ms": row.end_ms,
            "dialect": row.dialect,
            "channel": row.channel,
        }


def _export_drafts(
    connection: Connection, recording: Row[Any], redactor: SpanRedactor
) -> Iterator[Mapping[str, object]]:
    segment = (SEGMENTS.c.id.label("segment_id"), SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    query = (
        select(DRAFTS, DONE.c.settings, DONE.c.model, *segment)
        .select_from(DRAFTS.join(DONE).join(SEGMENTS, DRAFTS.c.segment == SEGMENTS.c.no))
        .where(DONE.c.recording == recording.no)
        .order_by(DONE.c.settings, SEGMENTS.c.start_ms, SEGMENTS.c.id)
    )
    for row in connection.execute(query):
        yield {
            "kind": "draft",
            "segment": row.segment_id,
            "model": row.model,
            "settings": row.settings,
            "words": json.loads(
                words_text(redactor.redact_words(words_of(row.words)), "a draft") if redactor else row.words
            ),
            "log_probability": row.log_probability,
            "flags": json.loads(row.flags),
            **_export_alternative(row, redactor),
        }


def _export_alternative(row: Row[Any], redactor: SpanRedactor) -> Mapping[str, object]:
    """Export the second opinion of a draft, where there is one."""
    if row.alternative is None:
        return {}
    text = (
        redactor.redact_text(row.alternative, words_of(row.words), (row.start_ms, row.end_ms))
        if redactor
        else row.alternative
    )
    return {"alternative": text}


def _export_acceptances(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    query = (
        select(ACCEPTANCES, SEGMENTS.c.id.label("segment_id"), DONE.c.model, DONE.c.settings)
        .select_from(ACCEPTANCES.join(SEGMENTS, ACCEPTANCES.c.segment == SEGMENTS.c.no))
        .join(DONE, ACCEPTANCES.c.run == DONE.c.no)
        .where(SEGMENTS.c.recording == recording.no)
        .order_by(SEGMENTS.c.start_ms, SEGMENTS.c.id, ACCEPTANCES.c.no)
    )
    names = ("model", "settings", "dialect", "accepted", "doubt", "risk", "allowed", "audit", "reason")
    for row in connection.execute(query):
        yield {"kind": "acceptance", "segment": row.segment_id} | {name: getattr(row, name) for name in names}


def _export_corrections(
    connection: Connection, recording: Row[Any], redactor: SpanRedactor
) -> Iterator[Mapping[str, object]]:
    query = (
        select(CORRECTIONS, SEGMENTS.c.id.label("segment_id"))
        .outerjoin(SEGMENTS, CORRECTIONS.c.segment == SEGMENTS.c.no)
        .where(CORRECTIONS.c.recording == recording.no)
        # Of one span the order in which corrections came is content: the last one counts.
        .order_by(CORRECTIONS.c.start_ms, CORRECTIONS.c.end_ms, CORRECTIONS.c.no)
    )
    names = ("id", "start_ms", "end_ms", "text", "speaker", "dialect", "model", "author", "accepted")
    corrections_redactor = CorrectionRedactor(connection, recording.no, redactor.terms) if redactor else None
    for row in connection.execute(query):
        values = {name: getattr(row, name) for name in (*names, "normalised")}
        if corrections_redactor is not None:
            readable = corrections_redactor.redact(correction_of(row, recording.id))
            values |= {"text": readable.text, "normalised": readable.normalised}
        if values["normalised"] is None:
            del values["normalised"]
        yield {"kind": "correction", "recording": recording.id, "segment": row.segment_id} | values
