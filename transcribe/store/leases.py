"""
The leases on segments: taken, renewed, given back, and never two on one segment.

A lease that runs out puts the segment back where it was. Whoever had it may still send the text: it counts as long as
nobody has taken the segment since, and is kept as a late one otherwise.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    select,
    update,
)

from transcribe.desk_records import LEFT_TO_OTHERS, DeskRules, Lease, Purpose, SkipReason
from transcribe.store.database import Database, Prepared, PreparedIn, later
from transcribe.store.desk_schema import DESK, LEASES, VERSIONS
from transcribe.store.schema import RECORDINGS, SEGMENTS, USABLE

#: Seconds that a lease on the longest segment lasts at least.
_LONGEST_HEARD_S = 600

Chosen: TypeAlias = Literal["need", "lot", "asked"]

#: How a lease ends whose recording is withheld.
WITHHELD = "withheld"
#: The row of the desk as it was before somebody took the segment.
_PLACE_BEFORE: dict[str, Any] = {
    "state": DESK.c.came_from,
    "until_at": None,
    "person": case((DESK.c.came_from == "returned", DESK.c.person), else_=None),
}
#: States that leave a segment to who wrote its text.
_REWRITABLE = ("open", "review", "accepted", "disputed", "returned")


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request for segments to work on."""

    count: int
    #: Dialects that they know, the neediest first.
    dialects: Sequence[str]
    offline: bool = False
    #: Segments by id that they wrote before and want again; nothing else is given then.
    again: Sequence[str] = ()


@dataclass(frozen=True)
class Leases:
    """The leases of people on segments of the desk."""

    database: Database

    def take(
        self, person: str, ask: Ask, rules: DeskRules, *, draw: Callable[[], float] = random.random
    ) -> tuple[Lease, ...]:
        """
        Give *person* segments to write: first what was sent back to them, then by gold, lot and need.

        Nobody is given a segment that they wrote or passed on before. Each *draw* is a lot from 0 to 1
        that makes one of them gold, by lot or by need; what the first two cannot fill goes to need.

        Returns:
            At most ``ask.count``; fewer where there is no more, or where *person* holds ``rules.most_leases``.
        """
        with self.database.begin_write() as connection:
            now = self.database.now()
            put_back_overdue(connection, now)
            count = min(ask.count, rules.most_leases - _count_leases(connection, person, now))
            if count <= 0:
                return ()
            if ask.again:
                rows = _find_own_segments(connection, person, ask.again[:count])
                return create_leases(connection, now, [(row, "asked") for row in rows], person, ask, rules)
            picked = _pick_segments(connection, person, ask, rules, count, draw)
            return create_leases(connection, now, picked, person, ask, rules)

    def renew(self, lease: str, person: str, rules: DeskRules) -> Lease | None:
        """
        Prolong a lease, from now.

        ``None`` if *person* has no such lease, or somebody took the segment since.
        """
        with self.database.begin_write() as connection:
            row = _find_open_lease(connection, lease, person)
            if row is None:
                return None
            until = self.database.later(_lease_seconds(row.end_ms - row.start_ms, row.offline, rules))
            connection.execute(update(LEASES).where(LEASES.c.id == lease).values(until_at=until))
            connection.execute(update(DESK).where(DESK.c.segment == row.segment).values(until_at=until))
            return _build_lease(row, until_at=until)

    def shorten(self, rules: DeskRules) -> int:
        """
        Let no open lease last longer than one that is taken now, and count those that would have.

        They were taken while the clock was ahead, and would be held for as long as it was.
        """
        limits = [(False, max(rules.lease_s, _LONGEST_HEARD_S)), (True, rules.offline_lease_s)]
        count = 0
        with self.database.begin_write() as connection:
            for offline, seconds in limits:
                until = self.database.later(seconds)
                open_lease = LEASES.c.ended_at.is_(None) & (LEASES.c.offline == offline) & (LEASES.c.until_at > until)
                shortened = update(LEASES).where(open_lease).values(until_at=until).returning(LEASES.c.segment)
                segments = list(connection.execute(shortened).scalars())
                held = (DESK.c.state == "held") & DESK.c.segment.in_(segments)
                connection.execute(update(DESK).where(held).values(until_at=until))
                count += len(segments)
        return count

    def give_back(self, lease: str, person: str, *, reason: SkipReason | None = None) -> bool:
        """
        End a lease without a text, and tell if there was one.

        Args:
            reason: Why *person* passes the segment on: left to others, or put aside for a reviewer.
        """
        with self.database.begin_write() as connection:
            row = _find_open_lease(connection, lease, person)
            if row is None:
                return False
            aside = reason is not None and reason not in LEFT_TO_OTHERS and row.purpose != "gold"
            state = "aside" if aside else row.came_from
            now = self.database.now()
            end_lease(connection, row.segment, row.fence, now, "passed on" if reason else "given back", reason)
            values = {"state": state, "since_at": now, "until_at": None, "reason": reason}
            holder = person if state == "returned" else None
            connection.execute(update(DESK).where(DESK.c.segment == row.segment).values(**values, person=holder))
            return True

    def fetch(self, person: str) -> tuple[Lease, ...]:
        """Return the open leases of *person*, the oldest first."""
        query = _select_leases().where(
            LEASES.c.person == person, LEASES.c.ended_at.is_(None), LEASES.c.until_at > self.database.now()
        )
        with self.database.begin_read() as connection:
            return tuple(
                _build_lease(row) for row in connection.execute(query.order_by(LEASES.c.taken_at, LEASES.c.id))
            )

    def is_withheld(self, person: str, *, lease: str = "", segment: str = "") -> bool:
        """Tell if *person* had that lease, or one on *segment*, when its recording was withheld, as it still is."""
        query = select(LEASES.c.id).join(SEGMENTS, LEASES.c.segment == SEGMENTS.c.no)
        query = query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(
            ~USABLE, LEASES.c.person == person
        )
        had = query.where((LEASES.c.id == lease) | (SEGMENTS.c.id == segment), LEASES.c.ended == WITHHELD)
        with self.database.begin_read() as connection:
            return connection.execute(had.limit(1)).first() is not None

    def find(self, person: str, segment: str) -> Lease | None:
        """Return the lease that *person* has on *segment* now."""
        live = and_(LEASES.c.ended_at.is_(None), LEASES.c.until_at > self.database.now())
        query = _select_leases().where(SEGMENTS.c.id == segment, LEASES.c.person == person, live)
        with self.database.begin_read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _build_lease(row)


def end_withheld(connection: Connection, recording: int, now: str) -> None:
    """End the leases on a recording that is withheld from now on, and put its segments back where they were."""
    segments = select(SEGMENTS.c.no).where(SEGMENTS.c.recording == recording)
    live = LEASES.c.segment.in_(segments) & LEASES.c.ended_at.is_(None)
    connection.execute(update(LEASES).where(live).values(ended_at=now, ended=WITHHELD))
    held = DESK.c.segment.in_(segments) & (DESK.c.state == "held")
    connection.execute(update(DESK).where(held).values(_PLACE_BEFORE | {"since_at": now}))


def create_leases(
    connection: Connection,
    now: str,
    picked: Sequence[tuple[Row[Any], Chosen]],
    person: str,
    ask: Ask,
    rules: DeskRules,
    *,
    purpose: Purpose | None = None,
) -> tuple[Lease, ...]:
    """Lease *picked*, free segments, to *person*."""
    leases: list[Lease] = []
    rows: list[dict[str, Any]] = []
    desk_rows: list[dict[str, Any]] = []
    for row, chosen in picked:
        lease = Lease(
            id=secrets.token_urlsafe(12),
            segment=row.id,
            person=person,
            fence=row.fence + 1,
            purpose=purpose or _choose_purpose(row),
            base=0 if purpose is None and _choose_purpose(row) in ("second", "gold") else row.version,
            offline=ask.offline,
            taken_at=now,
            until_at=later(now, _lease_seconds(row.end_ms - row.start_ms, ask.offline, rules)),
        )
        hand = min(row.hands + 1, row.wanted) if lease.purpose in ("first", "second") else max(row.hands, 1)
        leases.append(lease)
        rows.append(vars(lease) | {"segment": row.segment, "chosen": chosen, "hand": hand})
        desk_rows.append({f"its_{name}": rows[-1][name] for name in _DESK_FIELDS} | {"its_came": row.state})
    if rows:
        _INSERT_LEASES.change_all(connection, rows)
        _UPDATE_DESK.change_all(connection, desk_rows)
    return tuple(leases)


def put_back_overdue(connection: Connection, now: str) -> None:
    """End the leases that ran out, and put their segments back where they were."""
    if _OVERDUE.fetch_first(connection, {"now": now}) is not None:
        _END_OVERDUE.change(connection, {"now": now})
        _PUT_BACK.change(connection, {"now": now})


def end_lease(connection: Connection, segment: int, fence: int, now: str, how: str, reason: str | None = None) -> None:
    """End the lease on *segment* that has *fence*, if it is open."""
    lease = and_(LEASES.c.segment == segment, LEASES.c.fence == fence, LEASES.c.ended_at.is_(None))
    connection.execute(update(LEASES).where(lease).values(ended_at=now, ended=how, reason=reason))


def _pick_segments(
    connection: Connection,
    person: str,
    ask: Ask,
    rules: DeskRules,
    count: int,
    draw: Callable[[], float],
) -> list[tuple[Row[Any], Chosen]]:
    """Pick free segments for *person*, each with how it was chosen."""
    who = {"who": person}
    picked: list[tuple[Any, Chosen]] = [(row, "need") for row in _RETURNED.fetch_all(connection, who | {"most": count})]
    lots = [draw() for _ in range(count - len(picked))]
    golds = sum(lot < rules.gold_share for lot in lots)
    drawn = sum(rules.gold_share <= lot < rules.gold_share + rules.random_share for lot in lots)
    for state, most, chosen in (("gold", golds, "need"), ("open", drawn, "lot")):
        if most:
            rows = _BY_LOT.fetch_all(connection, ask.dialects, who | {"where": state, "most": most})
            picked += [(row, "lot" if chosen == "lot" else "need") for row in rows]
    # Dialect by dialect, so that each look-up walks its index from the hardest on.
    taken = {row.segment for row, _ in picked}
    for dialect in ask.dialects:
        if len(picked) >= count:
            break
        # As many more as were drawn by lot, which may be the hardest too.
        rows = _BY_NEED.fetch_all(connection, who | {"dialect": dialect, "most": count - len(picked) + len(taken)})
        fresh = [row for row in rows if row.segment not in taken]
        picked += [(row, "need") for row in fresh[: count - len(picked)]]
    return picked


def _select_desk() -> Select[Any]:
    columns = (SEGMENTS.c.id, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    query = select(DESK, *columns).join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
    return query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(USABLE)


def _lock_rows(connection: Connection, statement: Select[Any], count: int) -> Sequence[Row[Any]]:
    """Read at most *count* rows, locked; those that somebody else is just taking are passed over."""
    return connection.execute(statement.limit(count).with_for_update(of=DESK, skip_locked=True)).all()


def _is_new_to(person: Any) -> ColumnElement[bool]:
    """The condition that *person* neither wrote the segment nor passed it on."""
    wrote = exists().where(VERSIONS.c.segment == DESK.c.segment, VERSIONS.c.person == person)
    passed = exists().where(
        LEASES.c.segment == DESK.c.segment, LEASES.c.person == person, LEASES.c.ended == "passed on"
    )
    return and_(~wrote, ~passed)


def _find_own_segments(connection: Connection, person: str, segments: Sequence[str]) -> Sequence[Row[Any]]:
    """Read those of *segments* whose standing text *person* wrote and that nobody holds or has judged."""
    standing = exists().where(
        VERSIONS.c.segment == DESK.c.segment, VERSIONS.c.version == DESK.c.version, VERSIONS.c.person == person
    )
    query = _select_desk().where(SEGMENTS.c.id.in_(list(segments)), DESK.c.state.in_(_REWRITABLE), standing)
    return _lock_rows(connection, query.order_by(DESK.c.segment), len(segments))


def _choose_purpose(row: Row[Any]) -> Purpose:
    if row.state == "gold":
        return "gold"
    if row.hands >= row.wanted or row.state != "open":
        return "again"
    return "second" if row.hands else "first"


def _count_leases(connection: Connection, person: str, now: str) -> int:
    return int(_COUNT_LEASES.fetch_first(connection, {"who": person, "now": now}).held)


def _select_leases() -> Select[Any]:
    columns = (SEGMENTS.c.id.label("segment_id"), SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    query = select(LEASES, *columns).join(SEGMENTS, LEASES.c.segment == SEGMENTS.c.no)
    return query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(USABLE)


def _find_open_lease(connection: Connection, lease: str, person: str) -> Row[Any] | None:
    """Read the lease with its row of the desk, which is locked, if it is open and of *person*."""
    query = _select_leases().add_columns(DESK.c.came_from).join(DESK, LEASES.c.segment == DESK.c.segment)
    condition = and_(LEASES.c.id == lease, LEASES.c.person == person, LEASES.c.ended_at.is_(None))
    return connection.execute(query.where(condition).with_for_update(of=DESK)).one_or_none()


def _build_lease(row: Row[Any], *, until_at: str | None = None) -> Lease:
    return Lease(
        id=row.id,
        segment=row.segment_id,
        person=row.person,
        fence=row.fence,
        purpose=row.purpose,
        base=row.base,
        offline=row.offline,
        taken_at=row.taken_at,
        until_at=until_at or row.until_at,
    )


def _lease_seconds(duration: int, offline: bool, rules: DeskRules) -> float:
    """Return the seconds that a lease lasts: long enough to hear the segment ten times."""
    return rules.offline_lease_s if offline else max(rules.lease_s, duration / 100)


def _select_free() -> Select[Any]:
    """Select free rows of the desk with what a lease needs, and pass over those that somebody else takes."""
    columns = (SEGMENTS.c.id, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    names = ("segment", "state", "fence", "version", "hands", "wanted")
    query = select(*(DESK.c[name] for name in names), *columns).join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
    query = query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(USABLE)
    return query.limit(bindparam("most")).with_for_update(of=DESK, skip_locked=True)


# Built once: a busy server runs them some hundred times a second.
_RETURNED = Prepared(
    _select_free().where(DESK.c.state == "returned", DESK.c.person == bindparam("who")).order_by(DESK.c.since_at)
)
#: In one state, in the order of the lots, of some dialects.
_BY_LOT = PreparedIn(
    _select_free().where(DESK.c.state == bindparam("where"), _is_new_to(bindparam("who"))).order_by(DESK.c.draw),
    DESK.c.dialect,
)
_BY_NEED = Prepared(
    _select_free()
    .where(DESK.c.state == "open", DESK.c.dialect == bindparam("dialect"), _is_new_to(bindparam("who")))
    .order_by(DESK.c.ease, DESK.c.draw)
)
_COUNT_LEASES = Prepared(
    select(func.count().label("held"))
    .select_from(LEASES)
    .where(LEASES.c.person == bindparam("who"), LEASES.c.ended_at.is_(None), LEASES.c.until_at > bindparam("now"))
)
_LATE = and_(DESK.c.state == "held", DESK.c.until_at < bindparam("now"))
_OVERDUE = Prepared(select(DESK.c.segment).where(_LATE).limit(1))
_END_OVERDUE = Prepared(
    update(LEASES)
    .where(LEASES.c.segment.in_(select(DESK.c.segment).where(_LATE)), LEASES.c.ended_at.is_(None))
    .values(ended_at=LEASES.c.until_at, ended="ran out")
)
_PUT_BACK = Prepared(update(DESK).where(_LATE).values(_PLACE_BEFORE | {"since_at": bindparam("now")}))
_LEASE_COLUMNS = [column.name for column in LEASES.columns if column.name not in ("ended_at", "ended", "reason")]
_INSERT_LEASES = Prepared(insert(LEASES), *_LEASE_COLUMNS)
_DESK_FIELDS = ("segment", "taken_at", "fence", "person", "until_at")
_UPDATE_DESK = Prepared(
    update(DESK)
    .where(DESK.c.segment == bindparam("its_segment"))
    .values(
        state="held",
        came_from=bindparam("its_came"),
        since_at=bindparam("its_taken_at"),
        fence=bindparam("its_fence"),
        person=bindparam("its_person"),
        until_at=bindparam("its_until_at"),
    )
)
