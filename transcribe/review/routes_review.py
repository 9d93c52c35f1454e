"""Reviewers: what waits for a second pair of eyes, and what they decided."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from transcribe.desk_records import Lease, Verdict, Version
from transcribe.errors import InputError
from transcribe.review import spellings
from transcribe.review.access import Caller, Reviewer
from transcribe.review.routes_segments import version_out
from transcribe.review.routes_work import leases_out
from transcribe.review.service import Json, Refused, Service, ServiceOf
from transcribe.review.wire import OutcomeOut, ReviewOut, VerdictIn, outcome_out, verdict_of

router = APIRouter(prefix="/api/v1", tags=["review"])


@router.get("/review/next", response_model=ReviewOut)
async def following(caller: Reviewer, service: ServiceOf) -> Json:
    """The next segment to decide on; the same one again until it is decided. Texts that differ come without names."""
    dialects = None
    if caller.person.dialects:
        dialects = await run_in_threadpool(service.asked_for, caller.person, None)
    lease = await service.writer.do(lambda: _taken(service, caller.person.id, dialects))
    if lease is None:
        return {"waiting": False}
    return await run_in_threadpool(_shown, service, caller, lease)


@router.post("/verdicts", response_model=OutcomeOut, response_model_exclude_none=True)
async def decide(given: VerdictIn, caller: Reviewer, service: ServiceOf) -> Json:
    """Decide: accept (with one's own text where it differs), send back, unclear, or open again. May be sent again."""
    verdict = verdict_of(given)
    try:
        outcome = await service.writer.do(lambda: service.store.decide(caller.person.id, verdict, service.rules))
    except InputError as error:
        raise Refused(422, error.code, error.message, hint=error.hint) from error
    if outcome.reason == "own_text":
        raise Refused(403, "E_OWN_TEXT", "nobody decides on a text of their own", hint="leave it to another reviewer")
    service.metrics.texts.labels(f"verdict {outcome.status}").inc()
    if outcome.status == "applied" and verdict.variants:
        await run_in_threadpool(_keep_spellings, service, verdict)
    return outcome_out(outcome)


def _taken(service: Service, person: str, dialects: Sequence[str] | None) -> Lease | None:
    """What *person* is to decide on; asking again is a sign of life, and prolongs the hold."""
    lease = service.store.take_review(person, service.rules, dialects=dialects)
    return None if lease is None else service.store.renew(lease.id, person, service.rules) or lease


def _shown(service: Service, caller: Caller, lease: Lease) -> Json:
    [held] = leases_out(service, caller, [lease], reviewing=True)
    waits = service.store.waiting_as(lease.segment)
    versions = [each for each in service.store.versions(lease.segment) if each.kind != "gold"]
    if waits.state == "disputed":
        # In an order that tells nothing of who came first; the machine's words only for who asks for the segment.
        versions.sort(key=lambda each: _lot(each, lease))
        held["draft"] = None
    blind = waits.state == "disputed"
    return {
        "waiting": True,
        "kind": waits.state,
        "reason": waits.reason,
        "lease": held | {"version": held["version"]},
        "versions": [version_out(each, caller) | ({"at": None} if blind else {}) for each in versions],
        "heard_share": service.rules.heard_share,
        "rounds_left": max(0, service.rules.rounds - waits.rounds),
    }


def _keep_spellings(service: Service, verdict: Verdict) -> None:
    """Put what was found right too where scoring looks for it. The decision is saved already, and stands without."""
    found = service.store.spellings(segment=verdict.segment)
    with suppress(OSError):
        spellings.keep(service.workspace / spellings.FOLDER, found[-len(verdict.variants) :], service.catalogue)


def _lot(version: Version, lease: Lease) -> str:
    return hashlib.sha256(f"{lease.id} {version.version}".encode()).hexdigest()
