"""Transcribers: segments out, texts in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from transcribe.desk.auth import Caller, Link, ServiceOf, Worker
from transcribe.desk.middleware import Refused
from transcribe.desk.outbox import accept_text
from transcribe.desk.schemas.segments import (
    MOST_OPERATIONS,
    CorrectionIn,
    Heartbeat,
    LeaseAsk,
    LeaseOut,
    OutcomeOut,
    ReshapeIn,
    ReshapeOut,
    SkipReason,
    operation_of,
    outcome_out,
    reshape_of,
    segment_out,
)
from transcribe.desk.state import Json, Service
from transcribe.desk_records import Lease, View
from transcribe.store.leases import Ask

router = APIRouter(prefix="/api/v1", tags=["work"])

LeaseId = Annotated[str, Path(max_length=64, description="A hold's id.")]


@router.post("/leases", response_model=list[LeaseOut])
async def take(body: LeaseAsk, caller: Worker, service: ServiceOf) -> Response:
    """Take segments to write: first what was sent back, then what is needed most."""
    wanted = tuple(body.dialects) if body.dialects else None
    dialects = service.rank_dialects_at_once(caller.person, wanted)
    if dialects is None:
        dialects = await run_in_threadpool(service.rank_dialects, caller.person, wanted)
    ask = Ask(count=body.count, dialects=dialects, offline=body.offline, again=tuple(body.segments or ()))

    def take_leases() -> list[Json]:
        return leases_out(service, caller, service.store.leases.take(caller.person.id, ask, service.rules))

    return JSONResponse(await service.writer.do(take_leases, long=True))


@router.get("/leases", response_model=list[LeaseOut])
async def list_leases(caller: Worker, service: ServiceOf) -> Response:
    """List what one holds to write, the oldest first: for another device, or one that forgot."""
    return JSONResponse(await run_in_threadpool(_list_leases, service, caller))


@router.put("/leases/{id}", response_model=Heartbeat)
async def renew(id: LeaseId, caller: Worker, service: ServiceOf) -> Json:
    """Say that the segment is still worked on."""
    lease = await service.writer.do(lambda: service.store.leases.renew(id, caller.person.id, service.rules))
    if lease is None:
        if await run_in_threadpool(service.store.leases.is_withheld, caller.person.id, lease=id):
            raise withheld()
        raise _no_lease(id)
    return heartbeat(lease)


@router.delete("/leases/{id}", status_code=204)
async def give_back(
    id: LeaseId, caller: Worker, service: ServiceOf, reason: Annotated[SkipReason | None, Query()] = None
) -> Response:
    """Give a segment back, or pass it on with a reason that decides who sees it next."""
    if not await service.writer.do(lambda: service.store.leases.give_back(id, caller.person.id, reason=reason)):
        raise _no_lease(id)
    return Response(status_code=204)


@router.post("/corrections", response_model=list[OutcomeOut], response_model_exclude_none=True)
async def submit(
    body: Annotated[list[CorrectionIn], Body(min_length=1, max_length=MOST_OPERATIONS)],
    caller: Worker,
    service: ServiceOf,
) -> Response:
    """
    Take texts in. Each is answered for itself, in their order, after all of them are saved; each may be sent again.
    """
    operations = map(operation_of, body)
    answers = [
        service.writer.ask(
            partial(accept_text, service.store, caller.person.id, operation, service.rules, service.differ)
        )
        for operation in operations
    ]
    outcomes = []
    for answer in answers:
        outcome = await answer
        service.metrics.texts.labels(outcome.status).inc()
        outcomes.append(outcome_out(outcome))
    return JSONResponse(outcomes)


@router.post("/reshapes", response_model=ReshapeOut)
async def reshape(body: ReshapeIn, caller: Worker, service: ServiceOf) -> Response:
    """
    Split a segment that one holds and has not sent yet, put it together with the next one, move its boundaries, or
    take such a step back. May be sent again.
    """
    step = reshape_of(body)
    reshaped = await service.writer.do(lambda: service.store.segment_edits.apply(caller.person.id, step, service.rules))
    leases = await run_in_threadpool(leases_out, service, caller, reshaped.leases)
    answer = {"op_id": reshaped.op_id, "status": reshaped.status, "reason": reshaped.reason}
    return JSONResponse(answer | {"leases": leases, "removed": list(reshaped.removed)})


def _list_leases(service: Service, caller: Caller) -> list[Json]:
    leases = service.store.leases.fetch(caller.person.id)
    return leases_out(service, caller, [lease for lease in leases if lease.purpose != "review"])


def leases_out(service: Service, caller: Caller, leases: Sequence[Lease], *, reviewing: bool = False) -> list[Json]:
    """Return holds with their segments, as their holder sees them."""
    views = service.views([lease.segment for lease in leases], reviewing=reviewing)
    # What is withheld since has no view.
    return [_lease_out(service, caller, lease, views[lease.segment]) for lease in leases if lease.segment in views]


def heartbeat(lease: Lease) -> Json:
    return {"id": lease.id, "fence": lease.fence, "until": lease.until_at}


def audio_url(service: Service, segment: str, person: str, lease: str) -> str:
    """Sign an address of a segment's sound, good for *person* under *lease* for ten minutes."""
    signed = service.signer.sign(Link(segment=segment, person=person, lease=lease))
    return f"/api/v1/segments/{segment}/audio?signed={signed}"


def _lease_out(service: Service, caller: Caller, lease: Lease, view: View) -> Json:
    url = audio_url(service, view.segment, caller.person.id, lease.id)
    # What is known already and what is written twice look like everything else.
    fields: Any = segment_out(view, audio_url=url, blind=lease.purpose in ("first", "second", "gold"))
    purpose = lease.purpose if lease.purpose in ("again", "review") else "write"
    lease_fields = heartbeat(lease) | {"purpose": purpose, "offline": lease.offline}
    rejection = last_rejection(service, view.segment) if lease.purpose == "again" else None
    return {**fields, **lease_fields, "version": lease.base, "sent_back": rejection}


def last_rejection(service: Service, segment: str) -> Json | None:
    """Return the last decision on a segment, where it sent the text back."""
    verdicts = service.store.reviews.fetch_verdicts(segment)
    if not verdicts or verdicts[-1]["decision"] != "send_back":
        return None
    return {name: verdicts[-1][name] for name in ("reasons", "note", "version")}


def withheld() -> Refused:
    """Return the refusal for who held a segment of a recording whose consent was withdrawn."""
    message = "consent to this recording was withdrawn, so nobody hears or writes it any more"
    return Refused(410, "E_WITHHELD", message, hint="go on with the next segment; what you sent is kept and paid")


def _no_lease(id: str) -> Refused:
    return Refused(404, "E_LEASE", "you hold no such segment", hint="what you wrote is still taken: send it")
