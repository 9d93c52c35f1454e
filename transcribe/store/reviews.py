"""The reviews: texts to review, texts that differ, segments that were put aside, and the decisions on them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, insert, select, update

from transcribe.desk_records import DeskRules, Lease, Outcome, Verdict, Version
from transcribe.store.database import Database
from transcribe.store.desk import OFF_DESK, SEGMENT_FACTS
from transcribe.store.desk_schema import DESK, LEASES, VERDICTS, VERSIONS
from transcribe.store.leases import Ask, create_leases, end_lease, put_back_overdue
from transcribe.store.redaction import make_redactor
from transcribe.store.rows import chain_hash, check_key, check_text, encode_json, insert_into
from transcribe.store.schema import DONE, RECORDINGS, SEGMENTS, USABLE
from transcribe.store.submissions import accept, text_hash, withdraw

#: What waits for a reviewer, the most pressing first.
_WAITING = ("disputed", "review", "aside")


@dataclass(frozen=True, kw_only=True)
class ReviewState:
    """The state in which a segment waited for the reviewer who holds it."""

    state: str
    #: Why it was put aside.
    reason: str | None
    #: How often it was sent back.
    rounds: int


@dataclass(frozen=True)
class Reviews:
    """The texts that wait for a reviewer, and what reviewers decided."""

    database: Database

    def take(self, person: str, rules: DeskRules, *, dialects: Sequence[str] | None = None) -> Lease | None:
        """
        Lease the next segment for *person* to decide on.

        First come texts that differ, then texts to review, then what was put aside, each the oldest first. What they
        hold already comes again.

        Args:
            dialects: Only of these.

        Returns:
            ``None`` if nothing waits, or nothing but texts of their own.
        """
        with self.database.begin_write() as connection:
            now = self.database.now()
            put_back_overdue(connection, now)
            held = connection.execute(_select_held_review(person)).first()
            if held is not None:
                return _build_lease(held)
            wrote = exists().where(VERSIONS.c.segment == DESK.c.segment, VERSIONS.c.person == person)
            columns = (SEGMENTS.c.id, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
            free = select(DESK, *columns).join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no).where(~wrote)
            free = free.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(USABLE)
            if dialects is not None:
                free = free.where(DESK.c.dialect.in_(list(dialects)))
            for state in _WAITING:
                oldest = free.where(DESK.c.state == state).order_by(DESK.c.since_at, DESK.c.segment).limit(1)
                row = connection.execute(oldest.with_for_update(of=DESK, skip_locked=True)).first()
                if row is not None:
                    ask = Ask(count=1, dialects=())
                    return create_leases(connection, now, [(row, "need")], person, ask, rules, purpose="review")[0]
        return None

    def find_state(self, segment: str) -> ReviewState:
        """Return the state of a held segment before; its *reason* is that of the last one who passed it on."""
        number = select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment).scalar_subquery()
        passed = select(LEASES.c.reason).where(LEASES.c.segment == number, LEASES.c.reason.is_not(None))
        with self.database.begin_read() as connection:
            row = connection.execute(select(DESK).where(DESK.c.segment == number)).one()
            reason = connection.execute(passed.order_by(LEASES.c.fence.desc()).limit(1)).scalar_one_or_none()
        return ReviewState(state=row.came_from, reason=reason if row.came_from == "aside" else None, rounds=row.rounds)

    def fetch_versions(self, segment: str) -> tuple[Version, ...]:
        """Return every text of *segment*, the first one first, without what was said where it is masked."""
        query = select(VERSIONS).join(SEGMENTS, VERSIONS.c.segment == SEGMENTS.c.no).where(SEGMENTS.c.id == segment)
        query = query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(USABLE)
        with self.database.begin_read() as connection:
            rows = connection.execute(query.order_by(VERSIONS.c.version)).all()
            hide = make_redactor(connection, segment, self.database.terms)
        return tuple(_build_version(row, segment, hide) for row in rows)

    def fetch_verdicts(self, segment: str) -> tuple[dict[str, Any], ...]:
        """Return the decisions about *segment*, the first one first, without who decided."""
        query = select(VERDICTS).join(SEGMENTS, VERDICTS.c.segment == SEGMENTS.c.no).where(SEGMENTS.c.id == segment)
        query = query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(USABLE)
        with self.database.begin_read() as connection:
            rows = connection.execute(query.order_by(VERDICTS.c.no)).all()
        return tuple(_build_verdict(row) for row in rows)

    def decide(self, person: str, verdict: Verdict, rules: DeskRules) -> Outcome:
        """
        Take one decision of *person*, once.

        Returns:
            ``applied``; ``duplicate`` for the same again; ``late`` if somebody took the segment, or its recording was
            withheld since, and nothing is decided; ``rejected`` with why: ``unknown_lease``, ``key_reused``,
            ``unknown_version``, ``own_text``, ``not_heard``, ``rounds`` (sent back often enough), ``no_text``.
        """
        with self.database.begin_write() as connection:
            row = connection.execute(_REVIEW_LEASE, {"id": verdict.segment, "given": verdict.fence}).one_or_none()
            previous = connection.execute(select(VERDICTS).where(VERDICTS.c.op_id == verdict.op_id)).one_or_none()
            if previous is not None:
                same = (previous.person, previous.body) == (person, verdict.body)
                return _build_outcome(
                    verdict, "duplicate" if same else "key_reused", previous.result or previous.version
                )
            if row is None or row.holder != person:
                return _build_outcome(verdict, "unknown_lease")
            if row.fence != verdict.fence or row.state != "held" or row.withheld is not None:
                return _build_outcome(verdict, "late", row.version)
            judged = _find_judged_version(connection, row, verdict.version)
            reason = _find_refusal(row, judged, person, verdict, rules)
            if reason is not None:
                return _build_outcome(verdict, reason)
            return _apply_verdict(connection, self.database.now(), row, judged, person, verdict)

    def reopen(self, segment: str) -> bool:
        """Put a segment back among those to write, whatever was decided, and tell if it lay on the desk, free."""
        number = select(SEGMENTS.c.no).where(SEGMENTS.c.id == segment).scalar_subquery()
        free = and_(DESK.c.segment == number, DESK.c.state.not_in(("held", "gold", *OFF_DESK)))
        with self.database.begin_write() as connection:
            values = {"state": "open", "since_at": self.database.now(), "person": None, "reason": None}
            again = update(DESK).where(free).values(**values, hands=0, rounds=0, fence=DESK.c.fence + 1)
            return connection.execute(again).rowcount > 0


def _apply_verdict(
    connection: Connection, now: str, row: Row[Any], judged: Row[Any] | None, person: str, verdict: Verdict
) -> Outcome:
    changes: dict[str, Any] = {"since_at": now, "until_at": None, "person": None, "reason": None, "loose": 0}
    result = verdict.version
    if verdict.decision == "accept":
        if judged is None or _differs_from(verdict, judged):
            result = row.versions + 1
            link = _insert_own_version(connection, row, judged, person, verdict, now)
            changes |= {"versions": result, "chain": link}
        correction = accept(connection, row, result, now, id=verdict.op_id)
        changes |= {"state": "accepted", "version": result, "correction": correction}
    elif verdict.decision == "send_back":
        author = judged.person if judged is not None else None
        changes |= {"state": "returned", "person": author, "rounds": row.rounds + 1, "version": verdict.version}
    elif verdict.decision == "unclear":
        if row.correction is not None:
            withdraw(connection, row, now, id=verdict.op_id)
        changes |= {"state": "unclear", "correction": None}
    else:
        changes |= {"state": "open", "hands": 0}
    end_lease(connection, row.segment, row.fence, now, "done")
    # The fence grows, so that whoever wrote before cannot change what was decided.
    done = update(DESK).where(DESK.c.segment == row.segment).values(**changes, fence=row.fence + 1)
    connection.execute(done)
    connection.execute(insert(VERDICTS).values(_make_verdict_row(row, judged, person, verdict, result, now)))
    return _build_outcome(verdict, "applied", result, verdict.text or (judged.text if judged is not None else None))


def _find_refusal(
    row: Row[Any], judged: Row[Any] | None, person: str, verdict: Verdict, rules: DeskRules
) -> str | None:
    """Return the reason why a decision cannot be taken; ``None`` if it can."""
    if judged is None and verdict.version != 0:
        return "unknown_version"
    if judged is not None and judged.person == person:
        return "own_text"
    if verdict.decision == "accept":
        if judged is None and verdict.text is None:
            return "no_text"
        if verdict.played < rules.heard_share * (row.end_ms - row.start_ms):
            return "not_heard"
    if verdict.decision == "send_back":
        if judged is None:
            return "no_text"
        if row.rounds >= rules.rounds:
            return "rounds"
    return None


def _insert_own_version(
    connection: Connection, row: Row[Any], judged: Row[Any] | None, person: str, verdict: Verdict, now: str
) -> str:
    """Save the reviewer's own text as a version, and return its link of the chain."""
    more = _merge_details(verdict, judged)
    own_text = verdict.text if verdict.text is not None or judged is None else judged.text
    text = check_text(own_text or "", "the text of a verdict")
    number, salt = row.versions + 1, secrets.token_hex(16)
    link = chain_hash(row.chain, number, "review", person, text, salt, now)
    keep = insert_into(connection, VERSIONS).values(
        op_id=f"verdict-{verdict.op_id}",
        body=verdict.body,
        segment=row.segment,
        version=number,
        kind="review",
        person=person,
        lease=row.lease,
        hand=0,
        base=verdict.version,
        text=text,
        tags=encode_json(list(verdict.tags), "a tag"),
        more=encode_json(more, "a verdict"),
        model=judged.model if judged is not None else None,
        active_ms=0,
        seq=0,
        salt=salt,
        chain=link,
        added_at=now,
    )
    connection.execute(keep)
    return link


def _differs_from(verdict: Verdict, judged: Row[Any]) -> bool:
    """Tell if the reviewer wrote something else than *judged* has, in either tier."""
    second = json.loads(judged.more).get("normalised")
    return verdict.text not in (None, judged.text) or verdict.normalised not in (None, second)


def _merge_details(verdict: Verdict, judged: Row[Any] | None) -> dict[str, Any]:
    """Return the details of the reviewer's text: the writer's, but for a second tier of another text."""
    more: dict[str, Any] = json.loads(judged.more) if judged is not None else {}
    if judged is None or verdict.text not in (None, judged.text):
        more.pop("normalised", None)
    return more if verdict.normalised is None else more | {"normalised": verdict.normalised}


def _make_verdict_row(
    row: Row[Any], judged: Row[Any] | None, person: str, verdict: Verdict, result: int, now: str
) -> dict[str, Any]:
    return {
        "op_id": check_key(verdict.op_id, "a verdict's id"),
        "body": verdict.body,
        "segment": row.segment,
        "version": verdict.version,
        "author": judged.person if judged is not None else None,
        "person": person,
        "decision": verdict.decision,
        "result": result,
        "reasons": encode_json(list(verdict.reasons), "a reason"),
        "note": check_text(verdict.note, "a note"),
        "variants": encode_json([list(pair) for pair in verdict.variants], "a spelling"),
        "played_ms": verdict.played,
        "added_at": now,
    }


def _select_for_review() -> Select[Any]:
    held = and_(LEASES.c.segment == DESK.c.segment, LEASES.c.fence == bindparam("given"))
    return (
        select(DESK, *SEGMENT_FACTS, LEASES.c.id.label("lease"), LEASES.c.person.label("holder"), DONE.c.model)
        .join(SEGMENTS, DESK.c.segment == SEGMENTS.c.no)
        .join(DONE, SEGMENTS.c.run == DONE.c.no)
        .join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
        .join(LEASES, held)
        .where(SEGMENTS.c.id == bindparam("id"), LEASES.c.purpose == "review")
        .with_for_update(of=DESK)
    )


_REVIEW_LEASE = _select_for_review()


def _select_held_review(person: str) -> Select[Any]:
    columns = (SEGMENTS.c.id.label("segment_id"), SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    condition = and_(LEASES.c.person == person, LEASES.c.purpose == "review", LEASES.c.ended_at.is_(None))
    query = select(LEASES, *columns).join(SEGMENTS, LEASES.c.segment == SEGMENTS.c.no).where(condition, USABLE)
    query = query.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no)
    return query.order_by(LEASES.c.taken_at).limit(1)


def _build_lease(row: Row[Any]) -> Lease:
    facts = {name: getattr(row, name) for name in ("id", "person", "fence", "purpose", "base", "offline")}
    return Lease(**facts, segment=row.segment_id, taken_at=row.taken_at, until_at=row.until_at)


def _find_judged_version(connection: Connection, row: Row[Any], version: int) -> Row[Any] | None:
    query = select(VERSIONS).where(VERSIONS.c.segment == row.segment, VERSIONS.c.version == version)
    return connection.execute(query.where(VERSIONS.c.kind != "gold")).one_or_none()


def _build_version(row: Row[Any], segment: str, hide: Callable[[str], str]) -> Version:
    more = json.loads(row.more)
    return Version(
        segment=segment,
        version=row.version,
        kind=row.kind,
        person=row.person,
        text=hide(row.text),
        tags=tuple(json.loads(row.tags)),
        hand=row.hand,
        added_at=row.added_at,
        more=more | {name: hide(more[name]) for name in ("normalised",) if name in more},
    )


def _build_verdict(row: Row[Any]) -> dict[str, Any]:
    return {
        "version": row.version,
        "decision": row.decision,
        "result": row.result,
        "reasons": json.loads(row.reasons),
        "note": row.note,
        "at": row.added_at,
    }


def _build_outcome(verdict: Verdict, status: str, version: int | None = None, text: str | None = None) -> Outcome:
    """Build the outcome: *status* itself where it is one, else a rejection for that reason."""
    if status in ("applied", "duplicate", "late"):
        digest = None if text is None else text_hash(text)
        return Outcome(op_id=verdict.op_id, status=status, version=version, text_sha256=digest)  # type: ignore[arg-type]
    return Outcome(op_id=verdict.op_id, status="rejected", reason=status)
