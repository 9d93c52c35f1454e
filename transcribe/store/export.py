"""The store's content as lines that two stores share, byte for byte, if they did the same work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from transcribe.masking import MASK, within
from transcribe.store.database import Database
from transcribe.store.hiding import Hidden, Read, spans_of
from transcribe.store.rows import compact, correction_of, words_of, words_text
from transcribe.store.tables import ACCEPTANCES, CORRECTIONS, DIARISATIONS, DONE, DRAFTS, MODELS, RECORDINGS, SEGMENTS

#: Columns of a recording that say what it is.
_FACTS = (
    *("duration_ms", "rate_hz", "channels", "channel_mode", "dialect", "language", "speaker", "session"),
    *("consent", "licence", "source", "num_speakers", "split"),
)


class Export(Database):
    """The part of the store that writes itself down."""

    def canonical(self) -> Iterator[str]:
        """
        Everything that follows from the recordings and the work, as JSON lines without their newlines. Streams.

        First each recording by id, with its diarisations, runs, segments, drafts and corrections, then the models.
        Where something is masked, a mark stands in its place.
        What depends on the machine, the hour or the number of tries is left out: row numbers, times, failures, and
        the places where recordings and models lay.
        """
        for recording in self.paged(select(RECORDINGS), [RECORDINGS.c.id]):
            with self.reading() as connection:
                hidden = Hidden(spans_of(connection, [recording.no])[recording.no], self.terms)
                lines = [compact(each, "a line") for each in _recording(connection, recording, hidden)]
            yield from lines
        with self.reading() as connection:
            models = connection.execute(select(MODELS).order_by(MODELS.c.id)).all()
        for row in models:
            model = {"id": row.id, "name": row.name, "state": row.state, "window_ms": row.window_ms}
            # The lines of recognisers are as they were before there were others.
            does = {} if row.kind == "recogniser" else {"model_kind": row.kind}
            yield compact({"kind": "model"} | model | does, "a line")


def _recording(connection: Connection, row: Row[Any], hidden: Hidden) -> Iterator[Mapping[str, object]]:
    yield {
        "kind": "recording",
        "id": row.id,
        **{name: getattr(row, name) for name in _FACTS},
        **{name: json.loads(getattr(row, name)) for name in ("facts", "warnings")},
        "declared": [_declared(turn, hidden) for turn in json.loads(row.declared)],
    }
    yield from _diarisations(connection, row)
    yield from _runs(connection, row)
    yield from _segments(connection, row)
    yield from _drafts(connection, row, hidden)
    yield from _corrections(connection, row, hidden)
    yield from _acceptances(connection, row)


def _declared(turn: Sequence[Any], hidden: Hidden) -> Sequence[Any]:
    """A turn as it came; where one touches what is masked nobody knows which of its words were said there."""
    start, end, *who, text = turn
    if text is None or not hidden:
        return turn
    return [start, end, *who, MASK if within(hidden.spans, start, end) else hidden.terms.hide(text)]


def _diarisations(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    found = select(DIARISATIONS).where(DIARISATIONS.c.recording == recording.no).order_by(DIARISATIONS.c.settings)
    for row in connection.execute(found):
        yield {
            "kind": "diarisation",
            "recording": recording.id,
            "settings": row.settings,
            "turns": json.loads(row.turns),
            "exclusive": json.loads(row.exclusive),
        }


def _runs(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    found = select(DONE).where(DONE.c.recording == recording.no).order_by(DONE.c.settings)
    for row in connection.execute(found):
        yield {
            "kind": "run",
            "recording": recording.id,
            "settings": row.settings,
            "diarisation": row.diarisation,
            "model": row.model,
            "warnings": json.loads(row.warnings),
        }


def _segments(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    found = select(SEGMENTS).where(SEGMENTS.c.recording == recording.no)
    for row in connection.execute(found.order_by(SEGMENTS.c.start_ms, SEGMENTS.c.id)):
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


def _drafts(connection: Connection, recording: Row[Any], hidden: Hidden) -> Iterator[Mapping[str, object]]:
    segment = (SEGMENTS.c.id.label("segment_id"), SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    found = (
        select(DRAFTS, DONE.c.settings, DONE.c.model, *segment)
        .select_from(DRAFTS.join(DONE).join(SEGMENTS, DRAFTS.c.segment == SEGMENTS.c.no))
        .where(DONE.c.recording == recording.no)
        .order_by(DONE.c.settings, SEGMENTS.c.start_ms, SEGMENTS.c.id)
    )
    for row in connection.execute(found):
        yield {
            "kind": "draft",
            "segment": row.segment_id,
            "model": row.model,
            "settings": row.settings,
            "words": json.loads(words_text(hidden.words(words_of(row.words)), "a draft") if hidden else row.words),
            "log_probability": row.log_probability,
            "flags": json.loads(row.flags),
            **_alternative(row, hidden),
        }


def _alternative(row: Row[Any], hidden: Hidden) -> Mapping[str, object]:
    """The second opinion beside a draft, where there is one."""
    if row.alternative is None:
        return {}
    text = hidden.text(row.alternative, words_of(row.words), (row.start_ms, row.end_ms)) if hidden else row.alternative
    return {"alternative": text}


def _acceptances(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    found = (
        select(ACCEPTANCES, SEGMENTS.c.id.label("segment_id"), DONE.c.model, DONE.c.settings)
        .select_from(ACCEPTANCES.join(SEGMENTS, ACCEPTANCES.c.segment == SEGMENTS.c.no))
        .join(DONE, ACCEPTANCES.c.run == DONE.c.no)
        .where(SEGMENTS.c.recording == recording.no)
        .order_by(SEGMENTS.c.start_ms, SEGMENTS.c.id, ACCEPTANCES.c.no)
    )
    names = ("model", "settings", "dialect", "accepted", "doubt", "risk", "allowed", "audit", "reason")
    for row in connection.execute(found):
        yield {"kind": "acceptance", "segment": row.segment_id} | {name: getattr(row, name) for name in names}


def _corrections(connection: Connection, recording: Row[Any], hidden: Hidden) -> Iterator[Mapping[str, object]]:
    found = (
        select(CORRECTIONS, SEGMENTS.c.id.label("segment_id"))
        .outerjoin(SEGMENTS, CORRECTIONS.c.segment == SEGMENTS.c.no)
        .where(CORRECTIONS.c.recording == recording.no)
        # Of one span the order in which corrections came is content: the last one counts.
        .order_by(CORRECTIONS.c.start_ms, CORRECTIONS.c.end_ms, CORRECTIONS.c.no)
    )
    names = ("id", "start_ms", "end_ms", "text", "speaker", "dialect", "model", "author", "accepted")
    read = Read(connection, recording.no, hidden.terms) if hidden else None
    for row in connection.execute(found):
        values = {name: getattr(row, name) for name in (*names, "normalised")}
        if read is not None:
            shown = read.shown(correction_of(row, recording.id))
            values |= {"text": shown.text, "normalised": shown.normalised}
        if values["normalised"] is None:
            del values["normalised"]
        yield {"kind": "correction", "recording": recording.id, "segment": row.segment_id} | values
