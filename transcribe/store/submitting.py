"""
Texts on their way in: each is kept, once, whatever became of the hold it was written under.

    the hold is the newest, the version the one it was given   applied: it stands
    the hold is the newest, the version is another             conflict: kept beside, two texts
    somebody took the segment since                            late: kept beside, for a reviewer
    the same operation again                                   duplicate, or conflict again: the first answer
    the same id with other content                             rejected, key_reused
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from transcribe.desk_records import DeskRules, Operation, Outcome, Status
from transcribe.masking import Terms
from transcribe.records import Milliseconds
from transcribe.store.auditing import chained
from transcribe.store.desk import SEGMENT_FACTS, draft_shows
from transcribe.store.desk_tables import DESK, LEASES, PEOPLE, VERSIONS
from transcribe.store.grouping import Grouping
from transcribe.store.hiding import hider_of
from transcribe.store.prepared import Prepared, change_together
from transcribe.store.rows import checked, compact, key, optional, span
from transcribe.store.tables import CORRECTIONS, DONE, RECORDINGS, SEGMENTS

#: How far two people's texts differ, by the dialect's rules: errors over words. ``None``: neither has a word.
Differ: TypeAlias = Callable[[str | None, str, str], float | None]
#: A change that nothing waits for, with its values.
Step: TypeAlias = "tuple[Prepared, Mapping[str, Any]]"


class Submitting(Grouping):
    """The part of the store that takes texts in."""

    def submit(
        self,
        person: str,
        operation: Operation,
        rules: DeskRules,
        differ: Differ,
        *,
        draw: Callable[[], float] = random.random,
    ) -> Outcome:
        """
        Take one text of *person*, in one transaction: afterwards it is kept, with all that follows from it.

        Raises:
            InputError: If no database can hold the text; nothing is kept.
        """
        values = _values(operation)
        with self.writing() as connection:
            asked = {"id": operation.segment, "given_fence": operation.fence, "given_op": operation.op_id}
            row = _FOUND.one(connection, asked)
            if row is not None and row.state == "erased":
                return _rejected(operation, "erased")
            if row is None or row.told is not None:
                before = _BEFORE.one(connection, {"op": operation.op_id})
                if before is not None:
                    return _replayed(connection, before, person, operation, self.terms)
            if row is None or row.holder != person:
                return _rejected(operation, "unknown_lease")
            kind, now = _kind(row, operation), self.now()
            link = _keep(connection, row, person, kind, values, now)
            if link is None:
                # Another process took the same operation meanwhile.
                before = _BEFORE.one(connection, {"op": operation.op_id})
                return _replayed(connection, before, person, operation, self.terms)
            moved, steps = self._moved(connection, row, kind, operation, values, rules, differ, draw)
            changes = {name: getattr(row, name) for name in _MOVES} | moved
            move = changes | {"at": row.segment, "versions": row.versions + 1, "chain": link}
            change_together(connection, [*steps, (_MOVE, move)])
            return _told(connection, row, kind, operation, self.terms)

    def _moved(
        self,
        connection: Connection,
        row: Row[Any],
        kind: str,
        operation: Operation,
        values: Mapping[str, Any],
        rules: DeskRules,
        differ: Differ,
        draw: Callable[[], float],
    ) -> tuple[dict[str, Any], list[Step]]:
        """What of the desk's row, and beside it, a new text of this *kind* changes, which is written down already."""
        now, number = self.now(), row.versions + 1
        free = {"since_at": now, "person": None, "until_at": None, "reason": None}
        if kind == "applied":
            ended = _ended(row, now, number)
            state = _next_state(connection, row, operation.text, rules, differ, draw)
            found = free | {"state": state, "version": number, "hands": max(row.hands, row.hand)}
            if state != "accepted":
                return found, [ended]
            said = {"text": operation.text, "author": row.name, "model": _model(row)}
            id = f"desk-{operation.op_id}"
            correction = _correction(row, operation.more) | said | {"id": id, "added_at": now}
            return found | {"correction": id}, [ended, (_ACCEPT, correction)]
        if kind == "gold" and row.fence == operation.fence:
            return free | {"state": "gold"}, [_ended(row, now, row.base)]
        if kind == "gold" or text_of(connection, row.segment, row.version) == operation.text:
            return {}, []
        disputed = {"state": "disputed", "since_at": now} if row.state in ("accepted", "review", "unclear") else {}
        return disputed | ({"loose": row.loose + 1} if kind == "late" else {}), []


def _next_state(
    connection: Connection,
    row: Row[Any],
    text: str,
    rules: DeskRules,
    differ: Differ,
    draw: Callable[[], float],
) -> str:
    """Where a segment goes that has a new text which stands."""
    if row.purpose == "first" and row.hand < row.wanted:
        return "open"
    if row.loose > 0:
        return "disputed"
    if row.purpose == "second":
        other = _first_hand(connection, row.segment)
        rate = None if other is None else differ(row.dialect, other, text)
        if rate is not None and rate > rules.dispute_over:
            return "disputed"
    looked_at = row.rounds > 0 or row.came_from in ("review", "disputed")
    return "review" if looked_at or draw() < rules.review_share else "accepted"


def _keep(
    connection: Connection, row: Row[Any], person: str, kind: str, values: dict[str, Any], now: str
) -> str | None:
    """Write the version down, bound to the one before. Its link of the chain; ``None`` if its id is taken."""
    number, salt = row.versions + 1, secrets.token_hex(16)
    link = chained(row.chain, number, kind, person, values["text"], salt, now)
    facts = {
        "segment": row.segment,
        "version": number,
        "kind": kind,
        "person": person,
        "lease": row.lease,
        "hand": row.hand,
        "model": _model(row),
        "active_ms": min(values["active_ms"], _since(row.taken_at, now)),
        "salt": salt,
        "chain": link,
        "added_at": now,
    }
    return link if _KEEP[connection.dialect.name].change(connection, values | facts) else None


def _ended(row: Row[Any], now: str, base: int) -> Step:
    """The hold is done with: its text is in, and *base* is what may still be changed under it."""
    return _END, {"hold": row.lease, "now_base": base, "now": now}


def accept(connection: Connection, row: Row[Any], version: int, now: str, *, id: str) -> str:
    """
    Let *version* of a segment count as its right text: a correction that scores and trains. Gives its id.

    Args:
        id: That of the decision.
    """
    found = select(VERSIONS, PEOPLE.c.name).join(PEOPLE, VERSIONS.c.person == PEOPLE.c.id)
    text = connection.execute(found.where(VERSIONS.c.segment == row.segment, VERSIONS.c.version == version)).one()
    correction = f"desk-{id}"
    values = _correction(row, json.loads(text.more)) | {"text": text.text, "model": text.model, "author": text.name}
    _ACCEPT.change(connection, values | {"id": correction, "added_at": now})
    return correction


def withdraw(connection: Connection, row: Row[Any], now: str, *, id: str) -> None:
    """Let the accepted text of a segment count no more: it turned out to be unclear."""
    kept = select(CORRECTIONS).where(CORRECTIONS.c.id == row.correction)
    before = dict(connection.execute(kept).one()._mapping)
    before.pop("no")
    connection.execute(insert(CORRECTIONS).values(before | {"id": f"desk-{id}", "accepted": False, "added_at": now}))


def _correction(row: Row[Any], said: Mapping[str, Any]) -> dict[str, Any]:
    start, end = span(said.get("start_ms", row.start_ms), said.get("end_ms", row.end_ms), f"segment {row.id}")
    return {
        "recording": row.recording,
        "segment": row.segment,
        "start_ms": start,
        "end_ms": end,
        "speaker": optional(said.get("speaker", row.speaker), "a speaker"),
        "normalised": optional(said.get("normalised"), "a normalised text"),
        "dialect": row.segment_dialect,
    }


def text_of(connection: Connection, segment: int, version: int) -> str | None:
    """The text of one version of a segment, by row number; ``None`` if it has no such version."""
    found = select(VERSIONS.c.text).where(VERSIONS.c.segment == segment, VERSIONS.c.version == version)
    text: str | None = connection.execute(found).scalar_one_or_none()
    return text


def text_hash(text: str) -> str:
    """SHA-256 of a text as typed, by which a browser knows that the server has the same."""
    return hashlib.sha256(text.encode()).hexdigest()


def _find() -> Select[Any]:
    lease = (
        LEASES.c.id.label("lease"),
        LEASES.c.person.label("holder"),
        LEASES.c.purpose,
        LEASES.c.base,
        LEASES.c.hand,
        LEASES.c.taken_at,
        PEOPLE.c.name,
    )
    told = VERSIONS.alias("told")
    held = and_(LEASES.c.segment == DESK.c.segment, LEASES.c.fence == bindparam("given_fence"))
    return (
        select(DESK, *SEGMENT_FACTS, *lease, DONE.c.model, told.c.no.label("told"))
        .join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
        .join(DONE, SEGMENTS.c.run == DONE.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .join(LEASES, held)
        .join(PEOPLE, LEASES.c.person == PEOPLE.c.id)
        .outerjoin(told, told.c.op_id == bindparam("given_op"))
        .where(SEGMENTS.c.id == bindparam("id"))
        .with_for_update(of=DESK)
    )


def _find_before() -> Select[Any]:
    found = select(VERSIONS, SEGMENTS.c.id.label("segment_id")).join(SEGMENTS, VERSIONS.c.segment == SEGMENTS.c.no)
    return found.where(VERSIONS.c.op_id == bindparam("op"))


# All built once: a busy server runs them some hundred times a second, and building costs more than running.
_FOUND = Prepared(_find())
_BEFORE = Prepared(_find_before())
_KEPT = [column.name for column in VERSIONS.columns if column.name != "no"]
_KEEP = {
    "sqlite": Prepared(sqlite.insert(VERSIONS).on_conflict_do_nothing(index_elements=["op_id"]), *_KEPT),
    "postgresql": Prepared(postgresql.insert(VERSIONS).on_conflict_do_nothing(index_elements=["op_id"]), *_KEPT),
}
_ACCEPT = Prepared(
    insert(CORRECTIONS).values(accepted=True), *(column.name for column in CORRECTIONS.columns if column.name != "no")
)
#: What of the desk's row may change with a new text.
_MOVES = ("state", "since_at", "person", "until_at", "reason", "version", "hands", "loose", "correction")
_MOVE = Prepared(
    update(DESK)
    .where(DESK.c.segment == bindparam("at"))
    .values({name: bindparam(name) for name in (*_MOVES, "versions", "chain")})
)
_END = Prepared(
    update(LEASES)
    .where(LEASES.c.id == bindparam("hold"))
    .values(
        base=bindparam("now_base"),
        ended_at=func.coalesce(LEASES.c.ended_at, bindparam("now")),
        ended=func.coalesce(LEASES.c.ended, "done"),
    )
)


def _values(operation: Operation) -> dict[str, Any]:
    what = f"operation {operation.op_id[:40]}"
    return {
        "op_id": key(operation.op_id, "an operation's id"),
        "body": operation.body,
        "base": operation.base_version,
        "text": checked(operation.text, f"the text of {what}"),
        "tags": compact(list(operation.tags), f"a tag of {what}"),
        "more": compact(dict(operation.more), what),
        "client_time": optional(operation.client_time, f"the time of {what}"),
        "seq": operation.seq,
        "active_ms": operation.active,
    }


def _kind(row: Row[Any], operation: Operation) -> str:
    if row.purpose == "gold":
        return "gold"
    if row.fence != operation.fence or row.state in ("aside", "gold", "gone") or row.purpose == "review":
        return "late"
    return "applied" if operation.base_version == row.base else "conflict"


def _model(row: Row[Any]) -> str | None:
    """The model whose draft the holder saw; ``None`` where none was shown."""
    model: str = row.model
    return model if draft_shows(row.split, row.wanted) else None


def _told(connection: Connection, row: Row[Any], kind: str, operation: Operation, terms: Terms) -> Outcome:
    said = text_hash(operation.text)
    if kind == "conflict":
        return Outcome(
            op_id=operation.op_id,
            status="conflict",
            version=row.base,
            text_sha256=said,
            server_text=_shown(connection, row.id, text_of(connection, row.segment, row.base), terms),
        )
    status: Status = "late" if kind == "late" else "applied"
    return Outcome(op_id=operation.op_id, status=status, version=row.versions + 1, text_sha256=said)


def _replayed(connection: Connection, before: Row[Any], person: str, operation: Operation, terms: Terms) -> Outcome:
    """The answer to an operation that was taken before: its first reply may have been lost."""
    if (before.person, before.body, before.segment_id) != (person, operation.body, operation.segment):
        return _rejected(operation, "key_reused")
    said = text_hash(before.text)
    if before.kind != "conflict":
        return Outcome(op_id=operation.op_id, status="duplicate", version=before.version, text_sha256=said)
    held = select(LEASES.c.base).where(LEASES.c.id == before.lease)
    base = connection.execute(held).scalar_one()
    server = _shown(connection, before.segment_id, text_of(connection, before.segment, base), terms)
    return Outcome(op_id=operation.op_id, status="conflict", version=base, text_sha256=said, server_text=server)


def _shown(connection: Connection, segment: str, text: str | None, terms: Terms) -> str | None:
    """A text as people may read it."""
    return None if text is None else hider_of(connection, segment, terms)(text)


def _rejected(operation: Operation, reason: str) -> Outcome:
    return Outcome(op_id=operation.op_id, status="rejected", reason=reason)


def _first_hand(connection: Connection, segment: int) -> str | None:
    found = select(VERSIONS.c.text).where(
        VERSIONS.c.segment == segment, VERSIONS.c.hand == 1, VERSIONS.c.kind == "applied"
    )
    text: str | None = connection.execute(found.order_by(VERSIONS.c.version.desc()).limit(1)).scalar_one_or_none()
    return text


def _since(then: str, now: str) -> Milliseconds:
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(then)
    return max(0, round(passed.total_seconds() * 1_000))
