"""The store's content as lines that two stores share, byte for byte, if they did the same work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from transcribe.store.database import Database
from transcribe.store.rows import compact
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
        What depends on the machine, the hour or the number of tries is left out: row numbers, times, failures, and
        the places where recordings and models lay.
        """
        for recording in self.paged(select(RECORDINGS), [RECORDINGS.c.id]):
            with self.reading() as connection:
                lines = [compact(each, "a line") for each in _recording(connection, recording)]
            yield from lines
        with self.reading() as connection:
            models = connection.execute(select(MODELS).order_by(MODELS.c.id)).all()
        for row in models:
            model = {"id": row.id, "name": row.name, "state": row.state, "window_ms": row.window_ms}
            yield compact({"kind": "model"} | model, "a line")


def _recording(connection: Connection, row: Row[Any]) -> Iterator[Mapping[str, object]]:
    yield {
        "kind": "recording",
        "id": row.id,
        **{name: getattr(row, name) for name in _FACTS},
        **{name: json.loads(getattr(row, name)) for name in ("facts", "declared", "warnings")},
    }
    yield from _diarisations(connection, row)
    yield from _runs(connection, row)
    yield from _segments(connection, row)
    yield from _drafts(connection, row)
    yield from _corrections(connection, row)
    yield from _acceptances(connection, row)


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


def _drafts(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    found = (
        select(DRAFTS, DONE.c.settings, DONE.c.model, SEGMENTS.c.id.label("segment_id"))
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
            "words": json.loads(row.words),
            "log_probability": row.log_probability,
            "flags": json.loads(row.flags),
        }


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


def _corrections(connection: Connection, recording: Row[Any]) -> Iterator[Mapping[str, object]]:
    found = (
        select(CORRECTIONS, SEGMENTS.c.id.label("segment_id"))
        .outerjoin(SEGMENTS, CORRECTIONS.c.segment == SEGMENTS.c.no)
        .where(CORRECTIONS.c.recording == recording.no)
        # Of one span the order in which corrections came is content: the last one counts.
        .order_by(CORRECTIONS.c.start_ms, CORRECTIONS.c.end_ms, CORRECTIONS.c.no)
    )
    names = ("id", "start_ms", "end_ms", "text", "speaker", "dialect", "model", "author", "accepted")
    for row in connection.execute(found):
        values = {name: getattr(row, name) for name in names}
        yield {"kind": "correction", "recording": recording.id, "segment": row.segment_id} | values
