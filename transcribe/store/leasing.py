"""
Holds on segments: taken, renewed, given back, and never two on one segment.

A hold that runs out puts the segment back where it was. Whoever had it may still send the text: it counts as long as
nobody has taken the segment since, and is kept as a late one otherwise.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from transcribe.store.desk_tables import DESK, LEASES, VERSIONS
from transcribe.store.grouping import Grouping
from transcribe.store.prepared import Among, Prepared
from transcribe.store.tables import SEGMENTS

Chosen: TypeAlias = Literal["need", "lot", "asked"]

#: States that leave a segment to who wrote its text.
_MINE_AGAIN = ("open", "review", "accepted", "disputed", "returned")


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What somebody wants to work on."""

    count: int
    #: Dialects that they know, the neediest first.
    dialects: Sequence[str]
    offline: bool = False
    #: Segments by id that they wrote before and want again; nothing else is given then.
    again: Sequence[str] = ()


class Leasing(Grouping):
    """The part of the store that hands segments out."""

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
        with self.writing() as connection:
            put_back_overdue(connection, self.now())
            count = min(ask.count, rules.most_leases - _held(connection, person, self.now()))
            if count <= 0:
                return ()
            if ask.again:
                rows = _again(connection, person, ask.again[:count])
                return self._hold(connection, [(row, "asked") for row in rows], person, ask, rules)
            picked = _pick(connection, person, ask, rules, count, draw)
            return self._hold(connection, picked, person, ask, rules)

    def renew(self, lease: str, person: str, rules: DeskRules) -> Lease | None:
        """
        Prolong a hold, from now. ``None`` if *person* has no such hold, or somebody took the segment since.
        """
        with self.writing() as connection:
            row = _open_lease(connection, lease, person)
            if row is None:
                return None
            until = self.later(_length(row.end_ms - row.start_ms, row.offline, rules))
            connection.execute(update(LEASES).where(LEASES.c.id == lease).values(until_at=until))
            connection.execute(update(DESK).where(DESK.c.segment == row.segment).values(until_at=until))
            return _lease(row, until_at=until)

    def give_back(self, lease: str, person: str, *, reason: SkipReason | None = None) -> bool:
        """
        End a hold without a text. Whether there was one.

        Args:
            reason: Why *person* passes the segment on: left to others, or put aside for a reviewer.
        """
        with self.writing() as connection:
            row = _open_lease(connection, lease, person)
            if row is None:
                return False
            aside = reason is not None and reason not in LEFT_TO_OTHERS and row.purpose != "gold"
            state = "aside" if aside else row.came_from
            end_lease(connection, row.segment, row.fence, self.now(), "passed on" if reason else "given back", reason)
            values = {"state": state, "since_at": self.now(), "until_at": None, "reason": reason}
            holder = person if state == "returned" else None
            connection.execute(update(DESK).where(DESK.c.segment == row.segment).values(**values, person=holder))
            return True

    def leases(self, person: str) -> tuple[Lease, ...]:
        """What *person* holds now, the oldest first."""
        found = _leases().where(LEASES.c.person == person, LEASES.c.ended_at.is_(None), LEASES.c.until_at > self.now())
        with self.reading() as connection:
            return tuple(_lease(row) for row in connection.execute(found.order_by(LEASES.c.taken_at, LEASES.c.id)))

    def holds(self, person: str, segment: str) -> Lease | None:
        """The hold that *person* has on *segment* now."""
        live = and_(LEASES.c.ended_at.is_(None), LEASES.c.until_at > self.now())
        found = _leases().where(SEGMENTS.c.id == segment, LEASES.c.person == person, live)
        with self.reading() as connection:
            row = connection.execute(found).one_or_none()
        return None if row is None else _lease(row)

    def wrote(self, person: str, segment: str) -> bool:
        """Whether *person* ever wrote a text of *segment*."""
        found = select(VERSIONS.c.no).join(SEGMENTS, VERSIONS.c.segment == SEGMENTS.c.no)
        with self.reading() as connection:
            mine = found.where(SEGMENTS.c.id == segment, VERSIONS.c.person == person).limit(1)
            return connection.execute(mine).first() is not None

    def later(self, seconds: float) -> str:
        """The moment *seconds* from now."""
        return later(self.now(), seconds)

    def _hold(
        self,
        connection: Connection,
        picked: Sequence[tuple[Row[Any], Chosen]],
        person: str,
        ask: Ask,
        rules: DeskRules,
        *,
        purpose: Purpose | None = None,
    ) -> tuple[Lease, ...]:
        """Give *picked*, free segments, to *person*."""
        now = self.now()
        leases: list[Lease] = []
        holds: list[dict[str, Any]] = []
        places: list[dict[str, Any]] = []
        for row, chosen in picked:
            lease = Lease(
                id=secrets.token_urlsafe(12),
                segment=row.id,
                person=person,
                fence=row.fence + 1,
                purpose=purpose or _purpose(row),
                base=0 if purpose is None and _purpose(row) in ("second", "gold") else row.version,
                offline=ask.offline,
                taken_at=now,
                until_at=later(now, _length(row.end_ms - row.start_ms, ask.offline, rules)),
            )
            hand = min(row.hands + 1, row.wanted) if lease.purpose in ("first", "second") else max(row.hands, 1)
            leases.append(lease)
            holds.append(vars(lease) | {"segment": row.segment, "chosen": chosen, "hand": hand})
            places.append({f"its_{name}": holds[-1][name] for name in _PLACE} | {"its_came": row.state})
        if holds:
            _TAKE.change_all(connection, holds)
            _HELD.change_all(connection, places)
        return tuple(leases)


def later(moment: str, seconds: float) -> str:
    """The moment *seconds* after *moment*."""
    then = datetime.fromisoformat(moment) + timedelta(seconds=seconds)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def put_back_overdue(connection: Connection, now: str) -> None:
    """End the holds that ran out, and put their segments back where they were."""
    if _OVERDUE.one(connection, {"now": now}) is not None:
        _RAN_OUT.change(connection, {"now": now})
        _PUT_BACK.change(connection, {"now": now})


def end_lease(connection: Connection, segment: int, fence: int, now: str, how: str, reason: str | None = None) -> None:
    """End the hold on *segment* that has *fence*, if it is open."""
    mine = and_(LEASES.c.segment == segment, LEASES.c.fence == fence, LEASES.c.ended_at.is_(None))
    connection.execute(update(LEASES).where(mine).values(ended_at=now, ended=how, reason=reason))


def _pick(
    connection: Connection,
    person: str,
    ask: Ask,
    rules: DeskRules,
    count: int,
    draw: Callable[[], float],
) -> list[tuple[Row[Any], Chosen]]:
    """Free segments for *person*, each with how it was chosen."""
    who = {"who": person}
    found: list[tuple[Any, Chosen]] = [(row, "need") for row in _RETURNED.all(connection, who | {"most": count})]
    lots = [draw() for _ in range(count - len(found))]
    golds = sum(lot < rules.gold_share for lot in lots)
    drawn = sum(rules.gold_share <= lot < rules.gold_share + rules.random_share for lot in lots)
    for state, most, chosen in (("gold", golds, "need"), ("open", drawn, "lot")):
        if most:
            rows = _BY_LOT.all(connection, ask.dialects, who | {"where": state, "most": most})
            found += [(row, "lot" if chosen == "lot" else "need") for row in rows]
    # Dialect by dialect, so that each look-up walks its index from the hardest on.
    taken = {row.segment for row, _ in found}
    for dialect in ask.dialects:
        if len(found) >= count:
            break
        # As many more as were drawn by lot, which may be the hardest too.
        rows = _BY_NEED.all(connection, who | {"dialect": dialect, "most": count - len(found) + len(taken)})
        fresh = [row for row in rows if row.segment not in taken]
        found += [(row, "need") for row in fresh[: count - len(found)]]
    return found


def _free() -> Select[Any]:
    columns = (SEGMENTS.c.id, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    return select(DESK, *columns).join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)


def _some(connection: Connection, statement: Select[Any], count: int) -> Sequence[Row[Any]]:
    """At most *count* rows, locked; those that somebody else is just taking are passed over."""
    return connection.execute(statement.limit(count).with_for_update(of=DESK, skip_locked=True)).all()


def _fresh(person: Any) -> ColumnElement[bool]:
    """That *person* neither wrote the segment nor passed it on."""
    wrote = exists().where(VERSIONS.c.segment == DESK.c.segment, VERSIONS.c.person == person)
    passed = exists().where(
        LEASES.c.segment == DESK.c.segment, LEASES.c.person == person, LEASES.c.ended == "passed on"
    )
    return and_(~wrote, ~passed)


def _again(connection: Connection, person: str, segments: Sequence[str]) -> Sequence[Row[Any]]:
    """Those of *segments* whose standing text *person* wrote and that nobody holds or has judged."""
    standing = exists().where(
        VERSIONS.c.segment == DESK.c.segment, VERSIONS.c.version == DESK.c.version, VERSIONS.c.person == person
    )
    found = _free().where(SEGMENTS.c.id.in_(list(segments)), DESK.c.state.in_(_MINE_AGAIN), standing)
    return _some(connection, found.order_by(DESK.c.segment), len(segments))


def _purpose(row: Row[Any]) -> Purpose:
    if row.state == "gold":
        return "gold"
    if row.hands >= row.wanted or row.state != "open":
        return "again"
    return "second" if row.hands else "first"


def _held(connection: Connection, person: str, now: str) -> int:
    return int(_COUNT_HELD.one(connection, {"who": person, "now": now}).held)


def _leases() -> Select[Any]:
    columns = (SEGMENTS.c.id.label("segment_id"), SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    return select(LEASES, *columns).join(SEGMENTS, LEASES.c.segment == SEGMENTS.c.no)


def _open_lease(connection: Connection, lease: str, person: str) -> Row[Any] | None:
    """The hold with its place on the desk, if it is open and of *person*. The desk's row is locked."""
    found = _leases().add_columns(DESK.c.came_from).join(DESK, LEASES.c.segment == DESK.c.segment)
    mine = and_(LEASES.c.id == lease, LEASES.c.person == person, LEASES.c.ended_at.is_(None))
    return connection.execute(found.where(mine).with_for_update(of=DESK)).one_or_none()


def _lease(row: Row[Any], *, until_at: str | None = None) -> Lease:
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


def _length(duration: int, offline: bool, rules: DeskRules) -> float:
    """Seconds that a hold lasts: long enough to hear the segment ten times."""
    return rules.offline_lease_s if offline else max(rules.lease_s, duration / 100)


def _place() -> Select[Any]:
    """Free places with what a hold needs to know, at most so many; those that somebody else takes are passed over."""
    columns = (SEGMENTS.c.id, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    names = ("segment", "state", "fence", "version", "hands", "wanted")
    found = select(*(DESK.c[name] for name in names), *columns).join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
    return found.limit(bindparam("most")).with_for_update(of=DESK, skip_locked=True)


# Built once: a busy server runs them some hundred times a second.
_RETURNED = Prepared(
    _place().where(DESK.c.state == "returned", DESK.c.person == bindparam("who")).order_by(DESK.c.since_at)
)
#: In one state, in the order of the lots, of some dialects.
_BY_LOT = Among(
    _place().where(DESK.c.state == bindparam("where"), _fresh(bindparam("who"))).order_by(DESK.c.draw), DESK.c.dialect
)
_BY_NEED = Prepared(
    _place()
    .where(DESK.c.state == "open", DESK.c.dialect == bindparam("dialect"), _fresh(bindparam("who")))
    .order_by(DESK.c.ease, DESK.c.draw)
)
_COUNT_HELD = Prepared(
    select(func.count().label("held"))
    .select_from(LEASES)
    .where(LEASES.c.person == bindparam("who"), LEASES.c.ended_at.is_(None), LEASES.c.until_at > bindparam("now"))
)
_LATE = and_(DESK.c.state == "held", DESK.c.until_at < bindparam("now"))
_OVERDUE = Prepared(select(DESK.c.segment).where(_LATE).limit(1))
_RAN_OUT = Prepared(
    update(LEASES)
    .where(LEASES.c.segment.in_(select(DESK.c.segment).where(_LATE)), LEASES.c.ended_at.is_(None))
    .values(ended_at=LEASES.c.until_at, ended="ran out")
)
_PUT_BACK = Prepared(
    update(DESK)
    .where(_LATE)
    .values(
        state=DESK.c.came_from,
        since_at=bindparam("now"),
        until_at=None,
        person=case((DESK.c.came_from == "returned", DESK.c.person), else_=None),
    )
)
_LEASE_COLUMNS = [column.name for column in LEASES.columns if column.name not in ("ended_at", "ended", "reason")]
_TAKE = Prepared(insert(LEASES), *_LEASE_COLUMNS)
_PLACE = ("segment", "taken_at", "fence", "person", "until_at")
_HELD = Prepared(
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
