"""What a dataset is frozen from: each recording with the texts that stand in it and the speech nobody wrote down."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from transcribe.masking import Terms
from transcribe.records import Correction, Recording, Segment
from transcribe.store.corrections import Corrections
from transcribe.store.desk_tables import PEOPLE, VERDICTS
from transcribe.store.growing import with_accepted
from transcribe.store.hiding import spans_of
from transcribe.store.rows import recording_of, segment_of
from transcribe.store.scoring import Span, joined
from transcribe.store.tables import CORRECTIONS, DONE, SEGMENTS

#: What the desk puts before an operation's id to name the correction that came of it.
_FROM_DESK = "desk-"


@dataclass(frozen=True, kw_only=True)
class Written:
    """A correction that stands, with what is known of how it came about."""

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


class Freezing(Corrections):
    """The part of the store that datasets are made from."""

    def transcribed(self) -> Iterator[Transcribed]:
        """
        Each recording with corrections that stand, or drafts that count without one, by id. Streams.
        """
        for group in self._corrected(None, None, or_accepted=True):
            with self.reading() as connection:
                segments = _segments(connection, group)
                written = _written(connection, group, segments)
                newest = _newest_runs(connection, group)
                masks = spans_of(connection, [row.no for row in group])
                grown = with_accepted(connection, [row.no for row in group])
            for row in group:
                if written[row.no] or row.no in grown:
                    exact = {(one.correction.start, one.correction.end) for one in written[row.no]}
                    spans, run = joined(exact), newest.get(row.no)
                    # Most segments were corrected as they are.
                    own = [
                        each
                        for each in segments[row.no]
                        if each.run == run and (each.start_ms, each.end_ms) not in exact
                    ]
                    yield Transcribed(
                        recording=recording_of(row),
                        written=tuple(written[row.no]),
                        unwritten=tuple(segment_of(each, row.id) for each in own if _mostly_outside(each, spans)),
                        masked=tuple(sorted({*masks[row.no], *_named(written[row.no], self.terms)})),
                    )


def _named(written: Iterable[Written], terms: Terms) -> Iterator[Span]:
    """Stretches whose text says one of a client's *terms*, wherever the draft heard something else."""
    for one in written:
        if terms.hide(one.correction.text) != one.correction.text:
            yield one.correction.start, one.correction.end


def _mostly_outside(segment: Row[Any], spans: Sequence[Span]) -> bool:
    """Whether less than half of *segment* lies in *spans*, which are apart and in time order."""
    start, end = int(segment.start_ms), int(segment.end_ms)
    at = max(bisect_left(spans, (start, start)) - 1, 0)
    covered = 0
    while at < len(spans) and spans[at][0] < end:
        covered += max(0, min(end, spans[at][1]) - max(start, spans[at][0]))
        at += 1
    return 2 * covered < end - start


def _segments(connection: Connection, group: Sequence[Row[Any]]) -> dict[int, list[Row[Any]]]:
    """All segments by recording, those of older runs too, in time order."""
    found = select(SEGMENTS).where(SEGMENTS.c.recording.in_([row.no for row in group]))
    by_recording: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(found.order_by(SEGMENTS.c.recording, SEGMENTS.c.start_ms)).all():
        by_recording[row.recording].append(row)
    return by_recording


def _newest_runs(connection: Connection, group: Sequence[Row[Any]]) -> dict[int, int]:
    found = select(DONE.c.recording, func.max(DONE.c.no)).where(DONE.c.recording.in_([row.no for row in group]))
    rows = connection.execute(found.group_by(DONE.c.recording)).all()
    return {row[0]: row[1] for row in rows}


def _written(
    connection: Connection, group: Sequence[Row[Any]], segments: Mapping[int, Sequence[Row[Any]]]
) -> dict[int, list[Written]]:
    """What stands in each recording, by start, end and speaker."""
    made_on = {each.no: each for own in segments.values() for each in own}
    reviewers = _reviewers(connection, group)
    ids = {row.no: row.id for row in group}
    found = select(CORRECTIONS).where(CORRECTIONS.c.recording.in_(list(ids)))
    last: dict[tuple[int, int, int, str | None], Row[Any]] = {}
    for row in connection.execute(found.order_by(CORRECTIONS.c.recording, CORRECTIONS.c.start_ms)).all():
        span = (row.recording, row.start_ms, row.end_ms, row.speaker)
        before = last.get(span)
        if before is None or before.no < row.no:
            last[span] = row
    by_recording: dict[int, list[Written]] = defaultdict(list)
    for row in last.values():
        if row.accepted:
            segment = made_on.get(row.segment)
            one = Written(
                correction=_correction(row, ids[row.recording], None if segment is None else segment.id),
                channel=None if segment is None else segment.channel,
                reviewer=reviewers.get(row.id),
            )
            by_recording[row.recording].append(one)
    for own in by_recording.values():
        own.sort(key=lambda one: (one.correction.start, one.correction.end, one.correction.speaker or ""))
    return by_recording


def _reviewers(connection: Connection, group: Sequence[Row[Any]]) -> dict[str, str]:
    """Who accepted what, by the correction that came of it."""
    found = (
        select(VERDICTS.c.op_id, PEOPLE.c.name)
        .join(PEOPLE, VERDICTS.c.person == PEOPLE.c.id)
        .join(SEGMENTS, VERDICTS.c.segment == SEGMENTS.c.no)
        .where(VERDICTS.c.decision == "accept", SEGMENTS.c.recording.in_([row.no for row in group]))
    )
    return {f"{_FROM_DESK}{id}": name for id, name in connection.execute(found)}


def _correction(row: Row[Any], recording: str, segment: str | None) -> Correction:
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
