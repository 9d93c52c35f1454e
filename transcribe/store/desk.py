"""The desk itself: which segments lie on it, how each stands, and how it looks to who holds it."""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    and_,
    exists,
    func,
    insert,
    select,
    update,
)

from transcribe.desk_records import DeskRules, DialectProgress, View
from transcribe.masking import Span, Terms, hide_text, hide_words, within
from transcribe.records import Milliseconds, join_words
from transcribe.store.database import PAGE
from transcribe.store.desk_tables import DESK, GOLDS, VERSIONS
from transcribe.store.grouping import Grouping
from transcribe.store.growing import settle
from transcribe.store.hiding import spans_of
from transcribe.store.prepared import Among
from transcribe.store.rows import checked, words_of
from transcribe.store.tables import DONE, DRAFTS, RECORDINGS, SEGMENTS
from transcribe.store.written import is_written

#: What stands where nobody named a dialect: "undetermined", BCP 47.
UNKNOWN = "und"
#: What stands where a speaker's name was.
ERASED = "(erased)"
#: States of segments that nobody is given and nobody counts.
OFF_DESK = ("gone", "erased", "reshaped")
#: How far before the hardest segments those lie that were put first: ease is a probability less what flags take off.
_FIRST = 10.0
#: A flag makes a segment as hard as so much less probability.
_FLAG_WEIGHT = 0.25
#: Masked spans that near a segment are told with it: its clip has a little sound around it.
_AROUND: Milliseconds = 1_000


class Desk(Grouping):
    """The part of the store that knows where each segment stands."""

    def newest_run(self) -> int:
        """A number that grows whenever a run ends: where it is the same, `lay_out` has nothing to do."""
        with self.reading() as connection:
            return int(connection.execute(select(func.coalesce(func.max(DONE.c.no), 0))).scalar_one())

    def lay_out(self, rules: DeskRules, *, upto: int | None = None, draw: Callable[[], float] = random.random) -> int:
        """
        Put the segments of the newest runs on the desk, and take off those that no newest run has and nobody touched.

        A segment of which four fifths lie in accepted corrections of its speaker, or of the whole recording, counts as
        done: somebody wrote it elsewhere.

        Args:
            upto: Only runs up to this number: those that were searched for what is to be masked.
            draw: Gives lots from 0 to 1; two for each segment.

        Returns:
            How many were put there for the first time.
        """
        count, unlaid = 0, _unlaid()
        if upto is not None:
            unlaid = unlaid.where(SEGMENTS.c.run <= upto)
        while True:
            with self.writing() as connection:
                rows = connection.execute(unlaid.limit(PAGE)).all()
                if rows:
                    fresh = [_laid(row, rules, draw, self.now()) for row in rows]
                    connection.execute(insert(DESK), fresh)
            count += len(rows)
            if len(rows) < PAGE:
                break
        with self.writing() as connection:
            kept = exists().where(SEGMENTS.c.no == DESK.c.segment, SEGMENTS.c.run.in_(select(_newest().c.run)))
            untouched = and_(DESK.c.state == "open", DESK.c.hands == 0)
            connection.execute(update(DESK).where(untouched, ~kept).values(state="gone"))
            connection.execute(update(DESK).where(DESK.c.state == "gone", kept).values(state="open"))
            connection.execute(update(DESK).where(DESK.c.state == "reshaped", kept, ~_replaced()).values(state="open"))
            settle(connection)
            if count and connection.dialect.name == "postgresql":
                # Else it takes the desk for empty until it looks by itself, and reads all of it for each hold.
                connection.exec_driver_sql("ANALYZE desk, segments, drafts, recordings, done")
        return count

    def views(self, segments: Collection[str], *, reviewing: bool = False) -> dict[str, View]:
        """
        How each of *segments* looks, by id; those that are not on the desk are left out.

        The draft is hidden of the test split, whose texts must not lean on what they will measure, and, unless
        *reviewing*, of segments that two people write. What is masked is in no text, nor are the client's terms
        wherever a draft says them, marked before or not.
        """
        with self.reading() as connection:
            rows = _VIEWS.all(connection, sorted(set(segments)))
            spans = spans_of(connection, {row.recording for row in rows})
        return {row.id: _view(row, spans[row.recording], self.terms, reviewing) for row in rows}

    def put_first(self, segments: Sequence[str]) -> int:
        """
        Let people be asked for *segments* before all others of their dialects, in this order. How many lay there open.
        """
        count = 0
        with self.writing() as connection:
            for rank, id in enumerate(segments):
                number = select(SEGMENTS.c.no).where(SEGMENTS.c.id == id).scalar_subquery()
                mine = and_(DESK.c.segment == number, DESK.c.state == "open")
                place = update(DESK).where(mine).values(ease=rank / len(segments) - _FIRST)
                count += connection.execute(place).rowcount
        return count

    def progress(self) -> tuple[DialectProgress, ...]:
        """How far each dialect is, by tag."""
        length = SEGMENTS.c.end_ms - SEGMENTS.c.start_ms
        counted = (
            select(
                DESK.c.dialect,
                DESK.c.state,
                func.count().label("segments"),
                func.sum(length).label("ms"),
                func.min(DESK.c.since_at).label("oldest"),
            )
            .join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
            .where(DESK.c.state.not_in(OFF_DESK))
            .group_by(DESK.c.dialect, DESK.c.state)
        )
        by_dialect: dict[str, list[Row[Any]]] = defaultdict(list)
        with self.reading() as connection:
            for row in connection.execute(counted):
                by_dialect[row.dialect].append(row)
        return tuple(
            DialectProgress(
                dialect=dialect,
                segments={row.state: row.segments for row in rows},
                sound=sum(int(row.ms) for row in rows),
                accepted=sum(int(row.ms) for row in rows if row.state == "accepted"),
                oldest={row.state: row.oldest for row in rows if row.state not in ("accepted", "unclear", "gold")},
            )
            for dialect, rows in sorted(by_dialect.items())
        )

    def set_gold(self, texts: Mapping[str, str]) -> int:
        """
        Keep segments for checking people, with their right texts by segment. How many were there to be kept.

        Whoever is given one finds nothing that tells it from others; what is written there counts nowhere else.
        """
        kept = 0
        with self.writing() as connection:
            for segment, text in texts.items():
                number = connection.execute(select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment)).scalar_one_or_none()
                if number is None:
                    continue
                free = (DESK.c.segment == number) & DESK.c.state.in_(("open", "accepted"))
                changed = connection.execute(update(DESK).where(free).values(state="gold", since_at=self.now()))
                if changed.rowcount:
                    keep = insert(GOLDS).values(segment=number, text=checked(text, "a gold text"), added_at=self.now())
                    connection.execute(keep)
                    kept += 1
        return kept


#: What is asked of a segment beside its place on the desk.
SEGMENT_FACTS = (
    SEGMENTS.c.id,
    SEGMENTS.c.start_ms,
    SEGMENTS.c.end_ms,
    SEGMENTS.c.speaker,
    SEGMENTS.c.run,
    SEGMENTS.c.dialect.label("segment_dialect"),
    SEGMENTS.c.recording,
    RECORDINGS.c.id.label("recording_id"),
    RECORDINGS.c.split,
)


def draft_shows(split: str, wanted: int) -> bool:
    """Whether a transcriber may see the draft: not where the text will measure models or people."""
    return split != "test" and wanted == 1


def _newest() -> Any:
    return select(func.max(DONE.c.no).label("run")).group_by(DONE.c.recording).subquery()


def _unlaid() -> Any:
    newest = _newest()
    return (
        select(
            SEGMENTS.c.no,
            func.coalesce(SEGMENTS.c.dialect, RECORDINGS.c.dialect, UNKNOWN).label("dialect"),
            DRAFTS.c.log_probability,
            DRAFTS.c.flags,
            is_written().label("covered"),
        )
        .join(newest, SEGMENTS.c.run == newest.c.run)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .outerjoin(DRAFTS, and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no))
        .where(~exists().where(DESK.c.segment == SEGMENTS.c.no), SEGMENTS.c.end_ms > SEGMENTS.c.start_ms)
        .where(SEGMENTS.c.speaker != ERASED)
        .order_by(SEGMENTS.c.no)
    )


def _laid(row: Row[Any], rules: DeskRules, draw: Callable[[], float], now: str) -> dict[str, object]:
    return {
        "segment": row.no,
        "dialect": row.dialect,
        **dict.fromkeys(("state", "came_from"), "accepted" if row.covered else "open"),
        "since_at": now,
        **dict.fromkeys(("fence", "version", "versions", "hands", "loose", "rounds"), 0),
        "wanted": 2 if draw() < rules.second_share else 1,
        "ease": ease(row.log_probability, json.loads(row.flags) if row.flags else ()),
        "draw": draw(),
        "chain": "",
    }


def ease(log_probability: float | None, flags: Collection[str]) -> float:
    """
    How easy a draft is to put right, lower for what is harder. A segment without a draft is as hard as any.

    >>> ease(0.0, ()), ease(0.0, ["loop"]), ease(None, ())
    (1.0, 0.75, 0.0)
    """
    sure = 0.0 if log_probability is None else math.exp(min(log_probability, 0.0))
    return round(sure - _FLAG_WEIGHT * len(flags), 4) + 0.0


def _views() -> Any:
    standing = VERSIONS.alias("standing")
    return (
        select(
            DESK,
            *SEGMENT_FACTS,
            SEGMENTS.c.channel,
            RECORDINGS.c.dialect.label("recording_dialect"),
            DRAFTS.c.words,
            DRAFTS.c.flags,
            DRAFTS.c.alternative,
            DONE.c.model,
            standing.c.text.label("standing_text"),
            standing.c.more.label("standing_more"),
            _neighbour(before=True).label("before"),
            _neighbour(before=False).label("after"),
        )
        .join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .join(DONE, SEGMENTS.c.run == DONE.c.no)
        .outerjoin(DRAFTS, and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no))
        .outerjoin(standing, and_(standing.c.segment == DESK.c.segment, standing.c.version == DESK.c.version))
    )


def _replaced() -> ColumnElement[bool]:
    """That other segments of the same voice lie where this one was."""
    mine, other, place = SEGMENTS.alias(), SEGMENTS.alias(), DESK.alias()
    same = and_(other.c.recording == mine.c.recording, other.c.speaker == mine.c.speaker, other.c.no != mine.c.no)
    there = and_(other.c.start_ms < mine.c.end_ms, other.c.end_ms > mine.c.start_ms)
    live = and_(place.c.segment == other.c.no, place.c.state.not_in(OFF_DESK))
    return exists().where(mine.c.no == DESK.c.segment, same, there, live)


def _neighbour(*, before: bool) -> ScalarSelect[Any]:
    """Words drafted just before or after a segment in the same run."""
    other, drafted = SEGMENTS.alias(), DRAFTS.alias()
    beside, order = (other.c.start_ms < SEGMENTS.c.start_ms, other.c.start_ms.desc())
    if not before:
        beside, order = (other.c.start_ms > SEGMENTS.c.start_ms, other.c.start_ms.asc())
    same = (other.c.recording == SEGMENTS.c.recording) & (other.c.run == SEGMENTS.c.run)
    # The neighbour first, by the index on times, then its draft by its key: joined, all drafts of a run were sorted.
    its = DRAFTS.alias()
    has = exists().where(its.c.run == other.c.run, its.c.segment == other.c.no).correlate(other)
    nearest = select(other.c.no).where(same, beside, has).order_by(order).limit(1).correlate(SEGMENTS).scalar_subquery()
    found = select(drafted.c.words).where(drafted.c.run == SEGMENTS.c.run, drafted.c.segment == nearest)
    return found.correlate(SEGMENTS).scalar_subquery()


_VIEWS = Among(_views(), SEGMENTS.c.id)


def _view(row: Row[Any], spans: Collection[Span], terms: Terms, reviewing: bool) -> View:
    shows = row.split != "test" and (reviewing or row.wanted == 1)
    drafted = words_of(row.words) if row.words is not None else ()
    masks = (*within(spans, row.start_ms - _AROUND, row.end_ms + _AROUND), *terms.spans(drafted))
    inside = within(masks, row.start_ms, row.end_ms)
    normalised = json.loads(row.standing_more or "{}").get("normalised")

    def hide(text: str) -> str:
        return terms.hide(hide_text(text, drafted, inside))

    return View(
        segment=row.id,
        recording=row.recording_id,
        speaker=row.speaker,
        start=row.start_ms,
        end=row.end_ms,
        dialect=row.segment_dialect or row.recording_dialect,
        channel=row.channel,
        split=row.split,
        state=row.state,
        fence=row.fence,
        version=row.version,
        text=None if row.standing_text is None else hide(row.standing_text),
        normalised=None if normalised is None else hide(normalised),
        words=hide_words(drafted, inside) if shows and row.words is not None else None,
        model=row.model if shows and row.words is not None else None,
        flags=tuple(json.loads(row.flags)) if shows and row.flags else (),
        alternative=hide(row.alternative) if shows and row.alternative is not None else None,
        masks=masks,
        before=_said(row.before, spans, terms) if shows else None,
        after=_said(row.after, spans, terms) if shows else None,
    )


def _said(text: str | None, spans: Collection[Span], terms: Terms) -> str | None:
    """Words drafted beside a segment, without what is masked."""
    if text is None:
        return None
    words = words_of(text)
    if words and spans:
        words = hide_words(words, within(spans, words[0].start, max(word.end for word in words)))
    return terms.hide(join_words(words))
