"""The material of datasets: each recording with its standing texts and the speech that nobody wrote down."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from transcribe.records import Correction, Recording, Segment
from transcribe.redaction import Terms
from transcribe.store.corrections import page_recordings
from transcribe.store.database import Database
from transcribe.store.desk_schema import PEOPLE, VERDICTS
from transcribe.store.pseudo_labels import find_recordings_with_accepted
from transcribe.store.redaction import spans_of
from transcribe.store.rows import recording_of, segment_of
from transcribe.store.schema import CORRECTIONS, DONE, SEGMENTS
from transcribe.store.word_assignment import Span, merge_spans

#: What the desk puts before an operation's id to name the correction that came of it.
_FROM_DESK = "desk-"


@dataclass(frozen=True, kw_only=True)
class Written:
    """A correction that stands, with its channel and reviewer."""

    correction: Correction
    #: Channel of the segment that it was made on; ``None`` for all of them, or where there was no segment.
    channel: int | None
    #: Name of the person who reviewed and accepted it; ``None`` if nobody did.
    reviewer: str | None


@dataclass(frozen=True, kw_only=True)
class Transcribed:
    """One recording that people have corrected."""

    recording: Recording
    #: By start, end and speaker.
    written: tuple[Written, ...]
    #: Segments of the newest run of which corrections cover less than half, in time order.
    unwritten: tuple[Segment, ...]
    #: What nobody may hear or read, in time order.
    masked: tuple[Span, ...] = ()


@dataclass(frozen=True)
class DatasetSource:
    """The material that datasets are made from."""

    database: Database

    def fetch(self) -> Iterator[Transcribed]:
        """Yield each recording with corrections that stand, or drafts that count without one, by id."""
        for group in page_recordings(self.database, None, None, or_accepted=True):
            with self.database.begin_read() as connection:
                segments = _read_segments(connection, group)
                written = _read_standing_texts(connection, group, segments)
                newest = _find_newest_runs(connection, group)
                masks = spans_of(connection, [row.no for row in group])
                accepted = find_recordings_with_accepted(connection, [row.no for row in group])
            for row in group:
                if written[row.no] or row.no in accepted:
                    exact = {(text.correction.start, text.correction.end) for text in written[row.no]}
                    spans, run = merge_spans(exact), newest.get(row.no)
                    # Most segments were corrected as they are.
                    segments_left = [
                        segment
                        for segment in segments[row.no]
                        if segment.run == run and (segment.start_ms, segment.end_ms) not in exact
                    ]
                    yield Transcribed(
                        recording=recording_of(row),
                        written=tuple(written[row.no]),
                        unwritten=tuple(
                            segment_of(segment, row.id)
                            for segment in segments_left
                            if _is_mostly_outside(segment, spans)
                        ),
                        masked=tuple(
                            sorted({*masks[row.no], *_find_spoken_terms(written[row.no], self.database.terms)})
                        ),
                    )


def _find_spoken_terms(written: Iterable[Written], terms: Terms) -> Iterator[Span]:
    """Yield spans whose text says one of a client's *terms*, wherever the draft heard something else."""
    for text in written:
        if terms.hide(text.correction.text) != text.correction.text:
            yield text.correction.start, text.correction.end


def _is_mostly_outside(segment: Row[Any], spans: Sequence[Span]) -> bool:
    """Tell if less than half of *segment* lies in *spans*, which do not touch and are in time order."""
    start, end = int(segment.start_ms), int(segment.end_ms)
    position = max(bisect_left(spans, (start, start)) - 1, 0)
    covered = 0
    while position < len(spans) and spans[position][0] < end:
        covered += max(0, min(end, spans[position][1]) - max(start, spans[position][0]))
        position += 1
    return 2 * covered < end - start


def _read_segments(connection: Connection, group: Sequence[Row[Any]]) -> dict[int, list[Row[Any]]]:
    """Read all segments by recording, those of older runs too, in time order."""
    query = select(SEGMENTS).where(SEGMENTS.c.recording.in_([row.no for row in group]))
    by_recording: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query.order_by(SEGMENTS.c.recording, SEGMENTS.c.start_ms)).all():
        by_recording[row.recording].append(row)
    return by_recording


def _find_newest_runs(connection: Connection, group: Sequence[Row[Any]]) -> dict[int, int]:
    query = select(DONE.c.recording, func.max(DONE.c.no)).where(DONE.c.recording.in_([row.no for row in group]))
    rows = connection.execute(query.group_by(DONE.c.recording)).all()
    return {row[0]: row[1] for row in rows}


def _read_standing_texts(
    connection: Connection, group: Sequence[Row[Any]], segments: Mapping[int, Sequence[Row[Any]]]
) -> dict[int, list[Written]]:
    """Read the texts that stand in each recording, by start, end and speaker."""
    made_on = {segment.no: segment for rows in segments.values() for segment in rows}
    reviewers = _read_reviewers(connection, group)
    ids = {row.no: row.id for row in group}
    query = select(CORRECTIONS).where(CORRECTIONS.c.recording.in_(list(ids)))
    last: dict[tuple[int, int, int, str | None], Row[Any]] = {}
    for row in connection.execute(query.order_by(CORRECTIONS.c.recording, CORRECTIONS.c.start_ms)).all():
        span = (row.recording, row.start_ms, row.end_ms, row.speaker)
        newest = last.get(span)
        if newest is None or newest.no < row.no:
            last[span] = row
    by_recording: dict[int, list[Written]] = defaultdict(list)
    for row in last.values():
        if row.accepted:
            segment = made_on.get(row.segment)
            text = Written(
                correction=_build_correction(row, ids[row.recording], None if segment is None else segment.id),
                channel=None if segment is None else segment.channel,
                reviewer=reviewers.get(row.id),
            )
            by_recording[row.recording].append(text)
    for texts in by_recording.values():
        texts.sort(key=lambda text: (text.correction.start, text.correction.end, text.correction.speaker or ""))
    return by_recording


def _read_reviewers(connection: Connection, group: Sequence[Row[Any]]) -> dict[str, str]:
    """Read who accepted each text, by the correction that came of it."""
    query = (
        select(VERDICTS.c.op_id, PEOPLE.c.name)
        .join(PEOPLE, VERDICTS.c.person == PEOPLE.c.id)
        .join(SEGMENTS, VERDICTS.c.segment == SEGMENTS.c.no)
        .where(VERDICTS.c.decision == "accept", SEGMENTS.c.recording.in_([row.no for row in group]))
    )
    return {f"{_FROM_DESK}{id}": name for id, name in connection.execute(query)}


def _build_correction(row: Row[Any], recording: str, segment: str | None) -> Correction:
    return Correction(
        id=row.id,
        recording=recording,
        start=row.start_ms,
        end=row.end_ms,
        text=row.text,
        speaker=row.speaker,
        dialect=row.dialect,
        segment=segment,
        model=row.model,
        author=row.author,
    )
