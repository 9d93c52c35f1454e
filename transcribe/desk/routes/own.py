"""One's own work: how much, what became of it, what is due. Nobody else's is in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from transcribe.desk.auth import AnyCaller, Caller, ServiceOf, Worker
from transcribe.desk.middleware import Refused
from transcribe.desk.reports import DEFINITIONS, sum_work
from transcribe.desk.routes.lead import Moment, objection_out, pay_of
from transcribe.desk.routes.work import heartbeat, last_rejection
from transcribe.desk.schemas.lead import DecidedOut, ObjectionIn, ObjectionOut, OwnPayOut, WorkOut
from transcribe.desk.state import Json, Service
from transcribe.store.work_items import WorkItem

router = APIRouter(prefix="/api/v1/people/me", tags=["own work"])

#: Weeks of one's own past that are shown.
_WEEKS = 8


@router.get("/work", response_model=WorkOut)
async def my_work(
    caller: AnyCaller, service: ServiceOf, offset_min: Annotated[int, Query(ge=-840, le=840)] = 0
) -> Json:
    """
    Add up one's work of today, this week, the weeks before and in all, with what came back and what is held. Days are
    those of a clock that is *offset_min* minutes ahead of UTC.
    """
    return await run_in_threadpool(_my_work, service, caller, timedelta(minutes=offset_min))


@router.get("/decisions", response_model=list[DecidedOut])
async def decisions(caller: AnyCaller, service: ServiceOf) -> Sequence[Json]:
    """List reviewers' decisions on one's texts, the newest first, with the words that they put in their place."""
    return await run_in_threadpool(service.store.dashboard.fetch_decisions, caller.person.id)


@router.get("/pay", response_model=OwnPayOut)
async def my_pay(caller: AnyCaller, service: ServiceOf, since: Moment = None, until: Moment = None) -> Json:
    """Return one's own statement of pay, and what one objected to."""
    statement = await run_in_threadpool(pay_of, service, caller.person.id, since, until)
    objections = await run_in_threadpool(lambda: service.store.pay_disputes.fetch(person=caller.person.id))
    return statement | {"objections": [objection_out(objection) for objection in objections]}


@router.post("/objections", response_model=ObjectionOut)
async def object_to(body: ObjectionIn, caller: Worker, service: ServiceOf) -> Json:
    """Object to a line of one's pay, with words for the lead. Said again before an answer, it replaces the first."""
    objection = await service.writer.do(
        lambda: service.store.pay_disputes.add(caller.person.id, body.segment, body.note)
    )
    if objection is None:
        raise Refused(404, "E_SEGMENT", "there is no such line in your pay", hint="load the page again")
    return objection_out(objection)


def _my_work(service: Service, caller: Caller, offset: timedelta) -> Json:
    store, person = service.store, caller.person.id
    pieces = list(store.work_items.fetch(person=person))
    local_now = datetime.fromisoformat(store.database.now()) + offset
    midnight = local_now.replace(hour=0, minute=0, second=0, microsecond=0) - offset
    monday = midnight - timedelta(days=local_now.weekday())
    returned = [
        {"segment": segment, "sent_back": last_rejection(service, segment)}
        for segment in store.work_items.find_returned(person)
    ]
    return {
        "today": sum_work(pieces, _format_moment(midnight)),
        "week": sum_work(pieces, _format_moment(monday)),
        "all": sum_work(pieces, None),
        "weeks": _weeks(pieces, monday),
        "returned": returned,
        "leases": [heartbeat(lease) for lease in store.leases.fetch(person)],
        "definitions": DEFINITIONS,
    }


def _weeks(pieces: Sequence[WorkItem], monday: datetime) -> list[Json]:
    """Add up each of the last weeks, the oldest first, the one of *monday* at the end."""
    starts = [monday - timedelta(weeks=back) for back in reversed(range(_WEEKS))]
    spans = []
    for start in starts:
        end = _format_moment(start + timedelta(weeks=1))
        spans.append(sum_work([piece for piece in pieces if piece.last_at < end], _format_moment(start)))
    return spans


def _format_moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
