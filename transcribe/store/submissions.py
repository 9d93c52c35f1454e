"""
The submission of texts: each is kept, once, whatever became of the lease it was written under.

    the lease is the newest, the version the one it was given  applied: it stands
    the lease is the newest, the version is another            conflict: kept beside, two texts
    somebody took the segment since                            late: kept beside, for a reviewer
    the recording was withheld since                           late, withheld: kept, and nobody reads it
    the same operation again                                   duplicate, or conflict again: the first answer
    the same id with other content                             rejected, key_reused
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from transcribe.desk_records import DeskRules, Operation, Outcome, Status
from transcribe.records import Milliseconds
from transcribe.redaction import Terms
from transcribe.store.database import Database, Prepared, change_together
from transcribe.store.desk import SEGMENT_FACTS
from transcribe.store.desk_schema import DESK, LEASES, PEOPLE, VERSIONS
from transcribe.store.leases import WITHHELD
from transcribe.store.recordings import is_usable
from transcribe.store.redaction import make_redactor
from transcribe.store.rows import chain_hash, check_key, check_optional_key, check_span, check_text, encode_json
from transcribe.store.schema import CORRECTIONS, DONE, RECORDINGS, SEGMENTS

#: How far two people's texts differ, by the dialect's rules: errors over words. ``None``: neither has a word.
Differ: TypeAlias = Callable[[str | None, str, str], float | None]
#: A change that nothing waits for, with its values.
Step: TypeAlias = "tuple[Prepared, Mapping[str, Any]]"


@dataclass(frozen=True)
class Submissions:
    """The texts that people submit."""

    database: Database

    def save(
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
        values = _make_version_row(operation)
        with self.database.begin_write() as connection:
            now = self.database.now()
            parameters = {"id": operation.segment, "given_fence": operation.fence, "given_op": operation.op_id}
            row = _LEASE.fetch_first(connection, parameters)
            if row is not None and row.state == "erased":
                return _reject(operation, "erased")
            if row is None or row.told is not None:
                previous = _OPERATION.fetch_first(connection, {"op": operation.op_id})
                if previous is not None:
                    return _repeat_outcome(connection, previous, person, operation, self.database.terms)
            if row is None or row.holder != person:
                return _reject(operation, "unknown_lease")
            kind = _choose_kind(row, operation)
            # Planned first: a span that no database can hold is refused before anything is written.
            new_values, steps = _plan_changes(connection, row, kind, operation, rules, differ, draw, now)
            outcome = _build_outcome(connection, row, kind, operation, self.database.terms)
            link = _insert_version(connection, row, person, kind, values, now)
            if link is None:
                # Another process took the same operation meanwhile.
                previous = _OPERATION.fetch_first(connection, {"op": operation.op_id})
                return _repeat_outcome(connection, previous, person, operation, self.database.terms)
            changes = {name: getattr(row, name) for name in _DESK_FIELDS} | new_values
            move = changes | {"at": row.segment, "versions": row.versions + 1, "chain": link}
            change_together(connection, [*steps, (_UPDATE_DESK, move)])
            return outcome

    def has_written(self, person: str, segment: str) -> bool:
        """Tell if *person* ever wrote a text of *segment*."""
        query = select(VERSIONS.c.no).join(SEGMENTS, VERSIONS.c.segment == SEGMENTS.c.no)
        with self.database.begin_read() as connection:
            texts = query.where(SEGMENTS.c.id == segment, VERSIONS.c.person == person).limit(1)
            return connection.execute(texts).first() is not None


def _plan_changes(
    connection: Connection,
    row: Row[Any],
    kind: str,
    operation: Operation,
    rules: DeskRules,
    differ: Differ,
    draw: Callable[[], float],
    now: str,
) -> tuple[dict[str, Any], list[Step]]:
    """Return what a new text of this *kind*, not inserted yet, changes in the desk's row and in other tables."""
    number = row.versions + 1
    free = {"since_at": now, "person": None, "until_at": None, "reason": None}
    if kind == "applied":
        ended = _end_lease_step(row, now, number)
        state = _choose_next_state(connection, row, operation.text, rules, differ, draw)
        changes = free | {"state": state, "version": number, "hands": max(row.hands, row.hand)}
        if state != "accepted":
            return changes, [ended]
        values_of_text = {"text": operation.text, "author": row.name, "model": _shown_model(row)}
        id = f"desk-{operation.op_id}"
        correction = _make_correction_row(row, operation.more) | values_of_text | {"id": id, "added_at": now}
        return changes | {"correction": id}, [ended, (_INSERT_CORRECTION, correction)]
    if kind == "gold" and row.fence == operation.fence:
        return free | {"state": "gold"}, [_end_lease_step(row, now, row.base)]
    if kind == "gold" or text_of(connection, row.segment, row.version) == operation.text:
        return {}, []
    disputed = {"state": "disputed", "since_at": now} if row.state in ("accepted", "review", "unclear") else {}
    return disputed | ({"loose": row.loose + 1} if kind == "late" else {}), []


def _choose_next_state(
    connection: Connection,
    row: Row[Any],
    text: str,
    rules: DeskRules,
    differ: Differ,
    draw: Callable[[], float],
) -> str:
    """Return the state of a segment that has a new text which stands."""
    if row.purpose == "first" and row.hand < row.wanted:
        return "open"
    if row.loose > 0:
        return "disputed"
    if row.purpose == "second":
        other = _read_first_hand(connection, row.segment)
        rate = None if other is None else differ(row.dialect, other, text)
        if rate is not None and rate > rules.dispute_over:
            return "disputed"
    looked_at = row.rounds > 0 or row.came_from in ("review", "disputed")
    return "review" if looked_at or draw() < rules.review_share else "accepted"


def _insert_version(
    connection: Connection, row: Row[Any], person: str, kind: str, values: dict[str, Any], now: str
) -> str | None:
    """Insert the version, bound to the one before, and return its link; ``None`` if its id is taken."""
    number, salt = row.versions + 1, secrets.token_hex(16)
    facts = {
        "segment": row.segment,
        "version": number,
        "kind": kind,
        "person": person,
        "lease": row.lease,
        "hand": row.hand,
        "model": _shown_model(row),
        "active_ms": min(values["active_ms"], _milliseconds_between(row.taken_at, now)),
        "salt": salt,
        "added_at": now,
    }
    facts["chain"] = link = chain_hash(row.chain, number, kind, person, values["text"], salt, now)
    return link if _INSERT_VERSION[connection.dialect.name].change(connection, values | facts) else None


def _end_lease_step(row: Row[Any], now: str, base: int) -> Step:
    """Return the step that ends the lease: its text is in, and *base* is what may still be changed under it."""
    return _END_LEASE, {"lease_id": row.lease, "now_base": base, "now": now}


def accept(connection: Connection, row: Row[Any], version: int, now: str, *, id: str) -> str:
    """
    Save *version* of a segment as its right text, a correction that scores and trains, and return its id.

    Args:
        id: That of the decision.
    """
    query = select(VERSIONS, PEOPLE.c.name).join(PEOPLE, VERSIONS.c.person == PEOPLE.c.id)
    text = connection.execute(query.where(VERSIONS.c.segment == row.segment, VERSIONS.c.version == version)).one()
    correction = f"desk-{id}"
    values = _make_correction_row(row, json.loads(text.more)) | {
        "text": text.text,
        "model": text.model,
        "author": text.name,
    }
    _INSERT_CORRECTION.change(connection, values | {"id": correction, "added_at": now})
    return correction


def withdraw(connection: Connection, row: Row[Any], now: str, *, id: str) -> None:
    """Withdraw the accepted text of a segment: it turned out to be unclear."""
    query = select(CORRECTIONS).where(CORRECTIONS.c.id == row.correction)
    previous = dict(connection.execute(query).one()._mapping)
    previous.pop("no")
    connection.execute(insert(CORRECTIONS).values(previous | {"id": f"desk-{id}", "accepted": False, "added_at": now}))


def _make_correction_row(row: Row[Any], details: Mapping[str, Any]) -> dict[str, Any]:
    start, end = check_span(
        details.get("start_ms", row.start_ms), details.get("end_ms", row.end_ms), f"segment {row.id}"
    )
    return {
        "recording": row.recording,
        "segment": row.segment,
        "start_ms": start,
        "end_ms": end,
        "speaker": check_optional_key(details.get("speaker", row.speaker), "a speaker"),
        "normalised": check_optional_key(details.get("normalised"), "a normalised text"),
        "dialect": row.segment_dialect,
    }


def text_of(connection: Connection, segment: int, version: int) -> str | None:
    """Return the text of one version of a segment, by row number; ``None`` if it has no such version."""
    query = select(VERSIONS.c.text).where(VERSIONS.c.segment == segment, VERSIONS.c.version == version)
    text: str | None = connection.execute(query).scalar_one_or_none()
    return text


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text as typed, by which a browser knows that the server has the same."""
    return hashlib.sha256(text.encode()).hexdigest()


def _select_lease() -> Select[Any]:
    lease = (
        LEASES.c.id.label("lease"),
        LEASES.c.person.label("holder"),
        LEASES.c.purpose,
        LEASES.c.base,
        LEASES.c.hand,
        LEASES.c.taken_at,
        PEOPLE.c.name,
    )
    earlier = VERSIONS.alias("told")
    held = and_(LEASES.c.segment == DESK.c.segment, LEASES.c.fence == bindparam("given_fence"))
    return (
        select(DESK, *SEGMENT_FACTS, *lease, DONE.c.model, earlier.c.no.label("told"))
        .join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
        .join(DONE, SEGMENTS.c.run == DONE.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .join(LEASES, held)
        .join(PEOPLE, LEASES.c.person == PEOPLE.c.id)
        .outerjoin(earlier, earlier.c.op_id == bindparam("given_op"))
        .where(SEGMENTS.c.id == bindparam("id"))
        .with_for_update(of=DESK)
    )


def _select_operation() -> Select[Any]:
    columns = (SEGMENTS.c.id.label("segment_id"), SEGMENTS.c.recording)
    query = select(VERSIONS, *columns).join(SEGMENTS, VERSIONS.c.segment == SEGMENTS.c.no)
    return query.where(VERSIONS.c.op_id == bindparam("op"))


# All built once: a busy server runs them some hundred times a second, and building costs more than running.
_LEASE = Prepared(_select_lease())
_OPERATION = Prepared(_select_operation())
_VERSION_COLUMNS = [column.name for column in VERSIONS.columns if column.name != "no"]
_INSERT_VERSION = {
    "sqlite": Prepared(sqlite.insert(VERSIONS).on_conflict_do_nothing(index_elements=["op_id"]), *_VERSION_COLUMNS),
    "postgresql": Prepared(
        postgresql.insert(VERSIONS).on_conflict_do_nothing(index_elements=["op_id"]), *_VERSION_COLUMNS
    ),
}
_INSERT_CORRECTION = Prepared(
    insert(CORRECTIONS).values(accepted=True), *(column.name for column in CORRECTIONS.columns if column.name != "no")
)
#: What of the desk's row may change with a new text.
_DESK_FIELDS = ("state", "since_at", "person", "until_at", "reason", "version", "hands", "loose", "correction")
_UPDATE_DESK = Prepared(
    update(DESK)
    .where(DESK.c.segment == bindparam("at"))
    .values({name: bindparam(name) for name in (*_DESK_FIELDS, "versions", "chain")})
)
_END_LEASE = Prepared(
    update(LEASES)
    .where(LEASES.c.id == bindparam("lease_id"))
    .values(
        base=bindparam("now_base"),
        ended_at=func.coalesce(LEASES.c.ended_at, bindparam("now")),
        ended=func.coalesce(LEASES.c.ended, "done"),
    )
)


def _make_version_row(operation: Operation) -> dict[str, Any]:
    what = f"operation {operation.op_id[:40]}"
    return {
        "op_id": check_key(operation.op_id, "an operation's id"),
        "body": operation.body,
        "base": operation.base_version,
        "text": check_text(operation.text, f"the text of {what}"),
        "tags": encode_json(list(operation.tags), f"a tag of {what}"),
        "more": encode_json(dict(operation.more), what),
        "client_time": check_optional_key(operation.client_time, f"the time of {what}"),
        "seq": operation.seq,
        "active_ms": operation.active,
    }


def _choose_kind(row: Row[Any], operation: Operation) -> str:
    if row.purpose == "gold":
        return "gold"
    if (
        row.withheld is not None
        or row.fence != operation.fence
        or row.state in ("aside", "gold", "gone")
        or row.purpose == "review"
    ):
        return "late"
    return "applied" if operation.base_version == row.base else "conflict"


def _shown_model(row: Row[Any]) -> str | None:
    """Return the model whose draft the holder saw; ``None`` where the text will measure models or people."""
    model: str = row.model
    return model if row.split != "test" and row.wanted == 1 else None


def _build_outcome(connection: Connection, row: Row[Any], kind: str, operation: Operation, terms: Terms) -> Outcome:
    digest = text_hash(operation.text)
    if kind == "conflict":
        return Outcome(
            op_id=operation.op_id,
            status="conflict",
            version=row.base,
            text_sha256=digest,
            server_text=_hide_text(connection, row.id, text_of(connection, row.segment, row.base), terms),
        )
    status: Status = "late" if kind == "late" else "applied"
    reason = None if row.withheld is None else WITHHELD
    return Outcome(op_id=operation.op_id, status=status, version=row.versions + 1, text_sha256=digest, reason=reason)


def _repeat_outcome(
    connection: Connection, previous: Row[Any], person: str, operation: Operation, terms: Terms
) -> Outcome:
    """Repeat the answer to an operation that was taken before: its first reply may have been lost."""
    if (previous.person, previous.body, previous.segment_id) != (person, operation.body, operation.segment):
        return _reject(operation, "key_reused")
    digest = text_hash(previous.text)
    if previous.kind != "conflict":
        return Outcome(op_id=operation.op_id, status="duplicate", version=previous.version, text_sha256=digest)
    if not is_usable(connection, previous.recording):
        return Outcome(op_id=operation.op_id, status="late", text_sha256=digest, reason=WITHHELD)
    held = select(LEASES.c.base).where(LEASES.c.id == previous.lease)
    base = connection.execute(held).scalar_one()
    server = _hide_text(connection, previous.segment_id, text_of(connection, previous.segment, base), terms)
    return Outcome(op_id=operation.op_id, status="conflict", version=base, text_sha256=digest, server_text=server)


def _hide_text(connection: Connection, segment: str, text: str | None, terms: Terms) -> str | None:
    """Redact a text for people to read."""
    return None if text is None else make_redactor(connection, segment, terms)(text)


def _reject(operation: Operation, reason: str) -> Outcome:
    return Outcome(op_id=operation.op_id, status="rejected", reason=reason)


def _read_first_hand(connection: Connection, segment: int) -> str | None:
    query = select(VERSIONS.c.text).where(
        VERSIONS.c.segment == segment, VERSIONS.c.hand == 1, VERSIONS.c.kind == "applied"
    )
    text: str | None = connection.execute(query.order_by(VERSIONS.c.version.desc()).limit(1)).scalar_one_or_none()
    return text


def _milliseconds_between(then: str, now: str) -> Milliseconds:
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(then)
    return max(0, round(passed.total_seconds() * 1_000))
