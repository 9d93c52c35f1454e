"""Reviewers: segments that wait for a decision, and the decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from transcribe.desk import spellings
from transcribe.desk.access import Caller, Reviewer
from transcribe.desk.routes_segments import version_out
from transcribe.desk.routes_work import leases_out
from transcribe.desk.service import Json, Refused, Service, ServiceOf
from transcribe.desk.wire import OutcomeOut, ReviewOut, VerdictIn, outcome_out, verdict_of
from transcribe.desk_records import Lease, Verdict, Version
from transcribe.errors import InputError

router = APIRouter(prefix="/api/v1", tags=["review"])


@router.get("/review/next", response_model=ReviewOut)
async def get_next(caller: Reviewer, service: ServiceOf) -> Json:
    """Take the next segment to decide on; the same one until it is decided. Texts that differ come without names."""
    dialects = None
    if caller.person.dialects:
        dialects = await run_in_threadpool(service.rank_dialects, caller.person, None)
    lease = await service.writer.do(lambda: _take_review(service, caller.person.id, dialects))
    if lease is None:
        return {"waiting": False}
    return await run_in_threadpool(_review_out, service, caller, lease)


@router.post("/verdicts", response_model=OutcomeOut, response_model_exclude_none=True)
async def decide(body: VerdictIn, caller: Reviewer, service: ServiceOf) -> Json:
    """Decide: accept (with one's own text where it differs), send back, unclear, or open again. May be sent again."""
    verdict = verdict_of(body)
    try:
        outcome = await service.writer.do(lambda: service.store.decide(caller.person.id, verdict, service.rules))
    except InputError as error:
        raise Refused(422, error.code, error.message, hint=error.hint) from error
    if outcome.reason == "own_text":
        raise Refused(403, "E_OWN_TEXT", "nobody decides on a text of their own", hint="leave it to another reviewer")
    service.metrics.texts.labels(f"verdict {outcome.status}").inc()
    if outcome.status == "applied" and verdict.variants:
        await run_in_threadpool(_add_spellings, service, verdict)
    return outcome_out(outcome)


def _take_review(service: Service, person: str, dialects: Sequence[str] | None) -> Lease | None:
    """Take or renew the lease of what *person* is to decide on: asking again is a sign of life."""
    lease = service.store.take_review(person, service.rules, dialects=dialects)
    return None if lease is None else service.store.renew(lease.id, person, service.rules) or lease


def _review_out(service: Service, caller: Caller, lease: Lease) -> Json:
    [lease_fields] = leases_out(service, caller, [lease], reviewing=True)
    status = service.store.review_state(lease.segment)
    versions = [version for version in service.store.versions(lease.segment) if version.kind != "gold"]
    if status.state == "disputed":
        # In an order that tells nothing of who came first; the machine's words only for who asks for the segment.
        versions.sort(key=lambda version: _order_key(version, lease))
        lease_fields["draft"] = None
    blind = status.state == "disputed"
    return {
        "waiting": True,
        "kind": status.state,
        "reason": status.reason,
        "lease": lease_fields,
        "versions": [version_out(version, caller) | ({"at": None} if blind else {}) for version in versions],
        "heard_share": service.rules.heard_share,
        "rounds_left": max(0, service.rules.rounds - status.rounds),
    }


def _add_spellings(service: Service, verdict: Verdict) -> None:
    """Add the verdict's spellings to the variants of scoring. The decision is saved already, and stands without."""
    segment_spellings = service.store.spellings(segment=verdict.segment)
    with suppress(OSError):
        spellings.add(
            service.workspace / spellings.FOLDER, segment_spellings[-len(verdict.variants) :], service.catalogue
        )


def _order_key(version: Version, lease: Lease) -> str:
    return hashlib.sha256(f"{lease.id} {version.version}".encode()).hexdigest()
