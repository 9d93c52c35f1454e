"""The desk: which segments lie on it, the state of each, and how it looks to the person who holds it."""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
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
from transcribe.records import Milliseconds, join_words
from transcribe.redaction import Span, Terms, hide_text, hide_words, within
from transcribe.store.attempts import is_written
from transcribe.store.database import PAGE, Database, PreparedIn
from transcribe.store.desk_schema import DESK, GOLDS, VERSIONS
from transcribe.store.pseudo_labels import settle
from transcribe.store.redaction import spans_of
from transcribe.store.rows import check_text, quality_of, words_of
from transcribe.store.schema import DONE, DRAFTS, QUALITY_COLUMNS, RECORDINGS, SEGMENTS, USABLE

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
#: Masked spans that near a segment are shown with it: its clip has a little audio around it.
_AROUND: Milliseconds = 1_000


@dataclass(frozen=True)
class Desk:
    """The segments on the desk."""

    database: Database

    def find_newest_run(self) -> int:
        """Return a number that grows whenever a run ends: where it is the same, `lay_out` has nothing to do."""
        with self.database.begin_read() as connection:
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
        count, unlaid = 0, _select_unlaid()
        if upto is not None:
            unlaid = unlaid.where(SEGMENTS.c.run <= upto)
        while True:
            with self.database.begin_write() as connection:
                rows = connection.execute(unlaid.limit(PAGE)).all()
                if rows:
                    fresh = [_make_desk_row(row, rules, draw, self.database.now()) for row in rows]
                    connection.execute(insert(DESK), fresh)
            count += len(rows)
            if len(rows) < PAGE:
                break
        with self.database.begin_write() as connection:
            has_newest_run = exists().where(
                SEGMENTS.c.no == DESK.c.segment, SEGMENTS.c.run.in_(select(_select_newest_runs().c.run))
            )
            untouched = and_(DESK.c.state == "open", DESK.c.hands == 0)
            connection.execute(update(DESK).where(untouched, ~has_newest_run).values(state="gone"))
            connection.execute(update(DESK).where(DESK.c.state == "gone", has_newest_run).values(state="open"))
            connection.execute(
                update(DESK).where(DESK.c.state == "reshaped", has_newest_run, ~_is_replaced()).values(state="open")
            )
            settle(connection)
            if count and connection.dialect.name == "postgresql":
                # Else it takes the desk for empty until it looks by itself, and reads all of it for each lease.
                connection.exec_driver_sql("ANALYZE desk, segments, drafts, recordings, done")
        return count

    def fetch_views(self, segments: Collection[str], *, reviewing: bool = False) -> dict[str, View]:
        """
        Return how each of *segments* looks, by id; left out are those not on the desk and of withheld recordings.

        The draft is hidden of the test split, whose texts must not lean on what they will measure, and, unless
        *reviewing*, of segments that two people write. What is masked is in no text, nor are the client's terms
        wherever a draft says them, marked before or not.
        """
        with self.database.begin_read() as connection:
            rows = _VIEWS.fetch_all(connection, sorted(set(segments)))
            spans = spans_of(connection, {row.recording for row in rows})
        return {row.id: _build_view(row, spans[row.recording], self.database.terms, reviewing) for row in rows}

    def put_first(self, segments: Sequence[str]) -> int:
        """Put *segments* before all others of their dialects, in this order, and count those that were open."""
        count = 0
        with self.database.begin_write() as connection:
            for rank, id in enumerate(segments):
                number = select(SEGMENTS.c.no).where(SEGMENTS.c.id == id).scalar_subquery()
                target = and_(DESK.c.segment == number, DESK.c.state == "open")
                change = update(DESK).where(target).values(ease=rank / len(segments) - _FIRST)
                count += connection.execute(change).rowcount
        return count

    def fetch_open(self) -> frozenset[str]:
        """Return ids of the segments that are open to be written."""
        query = select(SEGMENTS.c.id).join(DESK, DESK.c.segment == SEGMENTS.c.no).where(DESK.c.state == "open")
        query = query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(USABLE)
        with self.database.begin_read() as connection:
            return frozenset(connection.execute(query).scalars())

    def count_progress(self) -> tuple[DialectProgress, ...]:
        """Return how far each dialect is, by tag."""
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
            .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
            .where(DESK.c.state.not_in(OFF_DESK), USABLE)
            .group_by(DESK.c.dialect, DESK.c.state)
        )
        by_dialect: dict[str, list[Row[Any]]] = defaultdict(list)
        with self.database.begin_read() as connection:
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
        Set segments aside for checking people, with their right texts by segment, and count those that could be.

        Nobody who is given one can tell it from others; what is written there counts nowhere else.
        """
        count = 0
        with self.database.begin_write() as connection:
            for segment, text in texts.items():
                number = connection.execute(select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment)).scalar_one_or_none()
                if number is None:
                    continue
                free = (DESK.c.segment == number) & DESK.c.state.in_(("open", "accepted"))
                changed = connection.execute(
                    update(DESK).where(free).values(state="gold", since_at=self.database.now())
                )
                if changed.rowcount:
                    keep = insert(GOLDS).values(
                        segment=number, text=check_text(text, "a gold text"), added_at=self.database.now()
                    )
                    connection.execute(keep)
                    count += 1
        return count


#: Columns that describe a segment, besides those of its row on the desk.
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
    RECORDINGS.c.withheld,
)


def _select_newest_runs() -> Any:
    return select(func.max(DONE.c.no).label("run")).group_by(DONE.c.recording).subquery()


def _select_unlaid() -> Any:
    newest = _select_newest_runs()
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


def _make_desk_row(row: Row[Any], rules: DeskRules, draw: Callable[[], float], now: str) -> dict[str, object]:
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
    Return how easy a draft is to correct, at most 1 and lower for what is harder; 0 without a draft.

    >>> ease(0.0, ()), ease(0.0, ["loop"]), ease(None, ())
    (1.0, 0.75, 0.0)
    """
    sure = 0.0 if log_probability is None else math.exp(min(log_probability, 0.0))
    return round(sure - _FLAG_WEIGHT * len(flags), 4) + 0.0


def _select_views() -> Any:
    standing = VERSIONS.alias("standing")
    return (
        select(
            DESK,
            *SEGMENT_FACTS,
            SEGMENTS.c.channel,
            RECORDINGS.c.dialect.label("recording_dialect"),
            *QUALITY_COLUMNS,
            DRAFTS.c.words,
            DRAFTS.c.flags,
            DRAFTS.c.alternative,
            DONE.c.model,
            standing.c.text.label("standing_text"),
            standing.c.more.label("standing_more"),
            _select_neighbour(earlier=True).label("before"),
            _select_neighbour(earlier=False).label("after"),
        )
        .join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .join(DONE, SEGMENTS.c.run == DONE.c.no)
        .outerjoin(DRAFTS, and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no))
        .outerjoin(standing, and_(standing.c.segment == DESK.c.segment, standing.c.version == DESK.c.version))
        .where(USABLE)
    )


def _is_replaced() -> ColumnElement[bool]:
    """The condition that other segments of the same speaker lie where this one was."""
    segment, other, desk = SEGMENTS.alias(), SEGMENTS.alias(), DESK.alias()
    same = and_(
        other.c.recording == segment.c.recording, other.c.speaker == segment.c.speaker, other.c.no != segment.c.no
    )
    overlaps = and_(other.c.start_ms < segment.c.end_ms, other.c.end_ms > segment.c.start_ms)
    live = and_(desk.c.segment == other.c.no, desk.c.state.not_in(OFF_DESK))
    return exists().where(segment.c.no == DESK.c.segment, same, overlaps, live)


def _select_neighbour(*, earlier: bool) -> ScalarSelect[Any]:
    """Select the words drafted just before or after a segment in the same run."""
    other, drafted = SEGMENTS.alias(), DRAFTS.alias()
    on_that_side, order = (other.c.start_ms < SEGMENTS.c.start_ms, other.c.start_ms.desc())
    if not earlier:
        on_that_side, order = (other.c.start_ms > SEGMENTS.c.start_ms, other.c.start_ms.asc())
    same = (other.c.recording == SEGMENTS.c.recording) & (other.c.run == SEGMENTS.c.run)
    # The neighbour first, by the index on times, then its draft by its key: joined, all drafts of a run were sorted.
    its = DRAFTS.alias()
    has = exists().where(its.c.run == other.c.run, its.c.segment == other.c.no).correlate(other)
    nearest = (
        select(other.c.no).where(same, on_that_side, has).order_by(order).limit(1).correlate(SEGMENTS).scalar_subquery()
    )
    query = select(drafted.c.words).where(drafted.c.run == SEGMENTS.c.run, drafted.c.segment == nearest)
    return query.correlate(SEGMENTS).scalar_subquery()


_VIEWS = PreparedIn(_select_views(), SEGMENTS.c.id)


def _build_view(row: Row[Any], spans: Collection[Span], terms: Terms, reviewing: bool) -> View:
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
        before=_hide_words_nearby(row.before, spans, terms) if shows else None,
        after=_hide_words_nearby(row.after, spans, terms) if shows else None,
        quality=quality_of(row),
    )


def _hide_words_nearby(text: str | None, spans: Collection[Span], terms: Terms) -> str | None:
    """Join the words drafted next to a segment, without what is masked."""
    if text is None:
        return None
    words = words_of(text)
    if words and spans:
        words = hide_words(words, within(spans, words[0].start, max(word.end for word in words)))
    return terms.hide(join_words(words))
