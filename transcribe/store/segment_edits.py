"""
The splits, merges and moves of segments by who holds them, each step kept, and undone by another.

Nothing that was written is touched: only segments that nobody has written yet, that one person writes alone. A step
retires its segments and lays new ones in their place, to which the drafted words go by their times.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, insert, select, update

from transcribe.desk_records import DeskRules, Lease, Reshape, Reshaped
from transcribe.records import Milliseconds, Segment, Word
from transcribe.store.database import Database
from transcribe.store.desk import OFF_DESK, SEGMENT_FACTS
from transcribe.store.desk_schema import DESK, LEASES, RESHAPES
from transcribe.store.leases import Ask, create_leases, end_lease
from transcribe.store.rows import check_key, encode_json, words_of, words_text
from transcribe.store.schema import DRAFTS, RECORDINGS, SEGMENTS
from transcribe.store.word_assignment import Span

#: Shortest and longest segment that a step may make; a recogniser hears no more at a time.
SHORTEST: Milliseconds = 100
LONGEST: Milliseconds = 28_000


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The rows that a step takes away and the spans that it puts there, in time order."""

    rows: Sequence[Row[Any]]
    spans: Sequence[Span]


class _Refused(Exception):
    """A step that cannot be taken, with a stable word for why."""


@dataclass(frozen=True)
class SegmentEdits:
    """The steps that move the boundaries of segments."""

    database: Database

    def apply(self, person: str, request: Reshape, rules: DeskRules) -> Reshaped:
        """
        Take one step of *person*, once.

        Returns:
            ``applied`` with the new leases and the segments that they replace; ``duplicate`` with the same for the
            same step again; ``rejected`` with why: ``unknown_lease``, ``late`` (somebody took the segment since),
            ``fixed`` (it is written twice or checks people), ``written``, ``bad_time``, ``too_long``, ``no_next``,
            ``next_held``, ``unknown_step``, ``changed`` (of an undo: what came of the step was worked on since),
            ``key_reused``.
        """
        with self.database.begin_write() as connection:
            previous = connection.execute(select(RESHAPES).where(RESHAPES.c.op_id == request.op_id)).one_or_none()
            if previous is not None:
                if (previous.person, previous.body) != (person, request.body):
                    return Reshaped(op_id=request.op_id, status="rejected", reason="key_reused")
                return _build_answer(connection, person, request, "duplicate", previous)
            try:
                plan = _PLANS[request.kind](connection, person, request)
            except _Refused as refused:
                return Reshaped(op_id=request.op_id, status="rejected", reason=str(refused))
            now = self.database.now()
            after = _replace_segments(connection, person, plan, rules, now)
            values = {
                "op_id": check_key(request.op_id, "a step's id"),
                "body": request.body,
                "kind": request.kind,
                "person": person,
                "before": encode_json([[row.id, row.start_ms, row.end_ms] for row in plan.rows], "a step"),
                "after": encode_json(after, "a step"),
                "added_at": now,
            }
            connection.execute(insert(RESHAPES).values(values))
            step = connection.execute(select(RESHAPES).where(RESHAPES.c.op_id == request.op_id)).one()
            return _build_answer(connection, person, request, "applied", step)


def _build_answer(connection: Connection, person: str, request: Reshape, status: Any, step: Row[Any]) -> Reshaped:
    ids = [id for id, *_ in json.loads(step.after)]
    query = select(LEASES, SEGMENTS.c.id.label("segment_id")).join(SEGMENTS, LEASES.c.segment == SEGMENTS.c.no)
    open_leases = query.where(SEGMENTS.c.id.in_(ids), LEASES.c.person == person, LEASES.c.ended_at.is_(None))
    rows = connection.execute(open_leases.order_by(SEGMENTS.c.start_ms)).all()
    names = ("id", "person", "fence", "purpose", "base", "offline", "taken_at", "until_at")
    return Reshaped(
        op_id=request.op_id,
        status=status,
        leases=tuple(Lease(segment=row.segment_id, **{name: getattr(row, name) for name in names}) for row in rows),
        removed=tuple(id for id, *_ in json.loads(step.before)),
    )


def _replace_segments(
    connection: Connection, person: str, plan: _Plan, rules: DeskRules, now: str
) -> list[list[object]]:
    """Put segments of the plan's spans in place of its rows, and return id and times of each."""
    words = sorted(
        (word for row in plan.rows for word in (words_of(row.words) if row.words else ())),
        key=lambda word: (word.start, word.end),
    )
    for row in plan.rows:
        _retire_segment(connection, row, now)
    parts = _divide_words(words, plan.spans)
    made = [
        _insert_segment(connection, plan.rows, span, part, now) for span, part in zip(plan.spans, parts, strict=True)
    ]
    fresh = {row.id: row for row in connection.execute(_select_places(SEGMENTS.c.id.in_([id for id, *_ in made])))}
    for id, start, end in made:
        source = _find_source(plan.rows, start, end)
        if source is None:
            continue
        ask = Ask(count=1, dialects=(), offline=source.offline)
        [lease] = create_leases(connection, now, [(fresh[id], source.chosen)], person, ask, rules)
        # The time that went into it before the step is work too.
        since = update(LEASES).where(LEASES.c.id == lease.id).values(taken_at=source.taken_at)
        connection.execute(since)
    return [list(segment) for segment in made]


def _plan_split(connection: Connection, person: str, request: Reshape) -> _Plan:
    row = _find_own_segment(connection, person, request)
    cut = request.start or 0
    if not row.start_ms + SHORTEST <= cut <= row.end_ms - SHORTEST:
        raise _Refused("bad_time")
    return _Plan(rows=[row], spans=[(row.start_ms, cut), (cut, row.end_ms)])


def _plan_merge(connection: Connection, person: str, request: Reshape) -> _Plan:
    row = _find_own_segment(connection, person, request)
    later = and_(_is_neighbour(row), SEGMENTS.c.start_ms >= row.start_ms)
    following = connection.execute(_select_places(later).order_by(SEGMENTS.c.start_ms, SEGMENTS.c.no).limit(1)).first()
    if following is None:
        raise _Refused("no_next")
    _check_free(following, person)
    end = max(row.end_ms, following.end_ms)
    if end - row.start_ms > LONGEST:
        raise _Refused("too_long")
    return _Plan(rows=[row, following], spans=[(row.start_ms, end)])


def _plan_move(connection: Connection, person: str, request: Reshape) -> _Plan:
    row = _find_own_segment(connection, person, request)
    start = row.start_ms if request.start is None else request.start
    end = row.end_ms if request.end is None else request.end
    if not 0 <= start <= end - SHORTEST or end > row.duration_ms or (start, end) == (row.start_ms, row.end_ms):
        raise _Refused("bad_time")
    if end - start > LONGEST:
        raise _Refused("too_long")
    over = and_(_is_neighbour(row), SEGMENTS.c.start_ms < end, SEGMENTS.c.end_ms > start)
    # What lay under it before lies under it still.
    apart = (SEGMENTS.c.end_ms <= row.start_ms) | (SEGMENTS.c.start_ms >= row.end_ms)
    rows, spans = [row], [(start, end)]
    for other in connection.execute(_select_places(over & apart).order_by(SEGMENTS.c.start_ms)).all():
        _check_free(other, person)
        remainder = (other.start_ms, start) if other.start_ms < row.start_ms else (end, other.end_ms)
        if remainder[1] - remainder[0] < SHORTEST:
            raise _Refused("bad_time")
        rows.append(other)
        spans.append(remainder)
    order = sorted(range(len(rows)), key=lambda position: spans[position])
    return _Plan(rows=[rows[position] for position in order], spans=[spans[position] for position in order])


def _plan_undo(connection: Connection, person: str, request: Reshape) -> _Plan:
    step = connection.execute(select(RESHAPES).where(RESHAPES.c.op_id == request.of)).one_or_none()
    if step is None or step.person != person:
        raise _Refused("unknown_step")
    ids = [id for id, *_ in json.loads(step.after)]
    rows = connection.execute(_select_places(SEGMENTS.c.id.in_(ids)).order_by(SEGMENTS.c.start_ms)).all()
    if len(rows) != len(ids) or any(row.state in OFF_DESK or row.versions for row in rows):
        raise _Refused("changed")
    for row in rows:
        _check_free(row, person, otherwise="changed")
    spans: list[Span] = [(start, end) for _, start, end in json.loads(step.before)]
    now: list[Span] = [(row.start_ms, row.end_ms) for row in rows]
    # The same spans may have come about again by other steps, beside neighbours that have grown since.
    for other in connection.execute(_select_places(_is_neighbour(rows[0]) & SEGMENTS.c.id.not_in(ids))).all():
        if _touches_any(other, spans) and not _touches_any(other, now):
            raise _Refused("changed")
    return _Plan(rows=rows, spans=spans)


def _touches_any(row: Row[Any], spans: Sequence[Span]) -> bool:
    return any(row.start_ms < end and row.end_ms > start for start, end in spans)


_PLANS = {"split": _plan_split, "merge": _plan_merge, "move": _plan_move, "undo": _plan_undo}


def _select_places(which: ColumnElement[bool]) -> Select[Any]:
    """Select rows of the desk with their segments, newest drafts and open leases, and lock them."""
    lease = (LEASES.c.purpose, LEASES.c.offline, LEASES.c.chosen, LEASES.c.taken_at)
    draft = (DRAFTS.c.words, DRAFTS.c.log_probability, DRAFTS.c.flags)
    drafted = and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no)
    return (
        select(DESK, *SEGMENT_FACTS, SEGMENTS.c.channel, RECORDINGS.c.duration_ms, *lease, *draft)
        .join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .outerjoin(LEASES, and_(LEASES.c.segment == DESK.c.segment, LEASES.c.ended_at.is_(None)))
        .outerjoin(DRAFTS, drafted)
        .where(which)
        .with_for_update(of=DESK)
    )


def _is_neighbour(row: Row[Any]) -> ColumnElement[bool]:
    """The condition for other segments of the same speaker in the same run that lie on the desk."""
    channel = SEGMENTS.c.channel.is_(None) if row.channel is None else SEGMENTS.c.channel == row.channel
    same = and_(SEGMENTS.c.recording == row.recording, SEGMENTS.c.run == row.run, SEGMENTS.c.speaker == row.speaker)
    return and_(same, channel, SEGMENTS.c.no != row.segment, DESK.c.state.not_in(OFF_DESK))


def _find_own_segment(connection: Connection, person: str, request: Reshape) -> Row[Any]:
    """Return the segment that a step is about, if *person* may move it."""
    row = connection.execute(_select_places(SEGMENTS.c.id == request.segment)).one_or_none()
    if row is None or row.person != person or row.state != "held" or row.withheld is not None:
        raise _Refused("unknown_lease")
    if row.fence != request.fence:
        raise _Refused("late")
    if row.wanted != 1 or row.purpose not in ("first", "again"):
        raise _Refused("fixed")
    if row.versions:
        raise _Refused("written")
    return row


def _check_free(row: Row[Any], person: str, *, otherwise: str = "next_held") -> None:
    """Refuse to touch a neighbour that somebody else holds, wrote, or is to write beside another."""
    is_own = row.state == "held" and row.person == person and row.purpose == "first"
    if not (is_own or row.state == "open") or row.versions or row.wanted != 1:
        raise _Refused(otherwise)


def _retire_segment(connection: Connection, row: Row[Any], now: str) -> None:
    end_lease(connection, row.segment, row.fence, now, "reshaped")
    off = {"state": "reshaped", "since_at": now, "person": None, "until_at": None, "fence": row.fence + 1}
    connection.execute(update(DESK).where(DESK.c.segment == row.segment).values(off))
    # Of one run a word is in one draft.
    connection.execute(delete(DRAFTS).where(DRAFTS.c.run == row.run, DRAFTS.c.segment == row.segment))


def _find_source(rows: Sequence[Row[Any]], start: Milliseconds, end: Milliseconds) -> Row[Any] | None:
    """Return the held one of *rows* that a new segment goes on from: most of it, or all of that one, lies there."""
    most = max(rows, key=lambda row: min(row.end_ms, end) - max(row.start_ms, start))
    inside = [row for row in rows if start <= row.start_ms and row.end_ms <= end]
    return next((row for row in (most, *inside) if row.state == "held"), None)


def _divide_words(words: Sequence[Word], spans: Sequence[Span]) -> list[list[Word]]:
    """Divide *words* by the span that holds their middle, else the nearest one, so that none is lost."""
    parts: list[list[Word]] = [[] for _ in spans]
    for word in words:
        middle = (word.start + word.end) / 2
        nearest = min(range(len(spans)), key=lambda index: max(spans[index][0] - middle, middle - spans[index][1], 0.0))
        inside = (index for index, (start, end) in enumerate(spans) if start <= middle < end)
        parts[next(inside, nearest)].append(word)
    return parts


def _insert_segment(
    connection: Connection, sources: Sequence[Row[Any]], span: Span, words: Sequence[Word], now: str
) -> tuple[str, int, int]:
    """Insert a segment of *span*, open on the desk, with *words* as its draft, and return its id and times."""
    first = sources[0]
    start, end = span
    segment = Segment(
        recording=first.recording_id,
        speaker=first.speaker,
        start=start,
        end=end,
        dialect=first.segment_dialect,
        channel=first.channel,
    )
    facts = {"recording": first.recording, "run": first.run, "speaker": first.speaker, "start_ms": start}
    facts |= {"end_ms": end, "dialect": first.segment_dialect, "channel": first.channel}
    number = connection.execute(select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment.id)).scalar_one_or_none()
    if number is None:
        made = insert(SEGMENTS).values(id=segment.id, **facts).returning(SEGMENTS.c.no)
        number = int(connection.execute(made).scalar_one())
    else:
        connection.execute(update(SEGMENTS).where(SEGMENTS.c.no == number).values(run=first.run))
    values = {"state": "open", "came_from": "open", "since_at": now, "person": None, "until_at": None, "reason": None}
    again = update(DESK).where(DESK.c.segment == number).values(values)
    if not connection.execute(again).rowcount:
        counts = dict.fromkeys(("fence", "version", "versions", "hands", "loose", "rounds"), 0)
        order = {"dialect": first.dialect, "wanted": 1, "ease": first.ease, "draw": first.draw, "chain": ""}
        connection.execute(insert(DESK).values(segment=number, **values, **counts, **order))
    if any(row.words is not None for row in sources):
        sure = [row.log_probability for row in sources if row.log_probability is not None]
        flags = sorted({flag for row in sources for flag in json.loads(row.flags or "[]")})
        draft = {
            "words": words_text(words, "a draft"),
            "flags": encode_json(flags, "a flag"),
            "log_probability": sum(sure) / len(sure) if sure else None,
        }
        connection.execute(delete(DRAFTS).where(DRAFTS.c.run == first.run, DRAFTS.c.segment == number))
        connection.execute(insert(DRAFTS).values(run=first.run, segment=number, **draft))
    return segment.id, start, end
