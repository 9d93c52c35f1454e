"""Leads and machines: progress, quality, pay, objections, listenings, spellings, settings, health and metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from dialects.errors import DialectError
from transcribe.desk import forecast
from transcribe.desk.auth import Collector, Manager, Overseer, Reviewer, ServiceOf
from transcribe.desk.middleware import CONTENT_TYPE, Refused
from transcribe.desk.quality import quality
from transcribe.desk.reports import Rates, format_csv, pay, productivity, read_rates
from transcribe.desk.schemas.common import HealthOut
from transcribe.desk.schemas.lead import (
    AnswerIn,
    HeardPage,
    ObjectionOut,
    PayOut,
    ProductivityOut,
    ProgressOut,
    QualityOut,
    SettingsOut,
    SpellingOut,
)
from transcribe.desk.settings import change, list_choices
from transcribe.desk.state import Json, Service
from transcribe.errors import BoliError
from transcribe.store.dashboard import Listening
from transcribe.store.pay_disputes import Objection

router = APIRouter(tags=["lead"])

#: A day or a moment, UTC.
Moment = Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{3})?Z)?$", max_length=24)]
#: ``csv`` gives a file instead of JSON.
Format = Annotated[str | None, Query(pattern=r"^(json|csv)$")]
#: Most rows of a page of listenings.
_PAGE = 200
_NO_RATES = Rates(currency="", minute=0.0, dialects={})
settings_router = APIRouter(prefix="/api/v1", tags=["settings"])


@router.get("/api/v1/progress", response_model=ProgressOut)
async def progress(caller: Overseer, service: ServiceOf) -> Json:
    """Report each dialect's progress: sound by state, since when the oldest wait, and how long the rest takes."""
    return await run_in_threadpool(_progress, service)


@router.get("/api/v1/quality", response_model=QualityOut)
async def get_quality(caller: Overseer, service: ServiceOf, since: Moment = None, until: Moment = None) -> Json:
    """Report each dialect's quality: agreement of two hands with its interval, gold texts, verdicts."""
    return await run_in_threadpool(_quality, service, since, until)


@router.get("/api/v1/productivity", response_model=ProductivityOut)
async def get_productivity(
    caller: Manager, service: ServiceOf, since: Moment = None, until: Moment = None, format: Format = None
) -> Any:
    """Report sound written and active time by person and dialect, each in alphabetical order."""
    report = await run_in_threadpool(_productivity, service, since, until)
    return _file("productivity", report["people"]) if format == "csv" else report


@router.get("/api/v1/pay", response_model=PayOut)
async def get_pay(
    caller: Manager, service: ServiceOf, since: Moment = None, until: Moment = None, format: Format = None
) -> Any:
    """Report what is due to whom, a line a segment, by the rates of the workspace."""
    statement = await run_in_threadpool(pay_of, service, None, since, until)
    return _file("pay", statement["lines"]) if format == "csv" else statement


@router.get("/api/v1/objections", response_model=list[ObjectionOut])
async def objections(caller: Manager, service: ServiceOf, waiting: bool = False) -> list[Json]:
    """List objections to pay, the newest first."""
    rows = await run_in_threadpool(lambda: service.store.pay_disputes.fetch(waiting=waiting))
    return [objection_out(objection) for objection in rows]


@router.post("/api/v1/objections/{id}", response_model=ObjectionOut)
async def answer(id: Annotated[str, Path(max_length=64)], body: AnswerIn, caller: Manager, service: ServiceOf) -> Json:
    """Answer an objection, once. Nobody answers their own."""
    objection = await service.writer.do(
        lambda: service.store.pay_disputes.answer(id, body.outcome, body.answer, by=caller.person.id)
    )
    if objection is None:
        raise Refused(404, "E_OBJECTION", "no such objection waits for your answer", hint="load the page again")
    return objection_out(objection)


@router.get("/api/v1/heard", response_model=HeardPage)
async def list_listenings(
    caller: Manager,
    service: ServiceOf,
    person: Annotated[str | None, Query(max_length=200)] = None,
    recording: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    count: Annotated[int, Query(ge=1, le=_PAGE)] = 50,
    format: Format = None,
) -> Any:
    """List who heard which segment, the newest first; by name, by recording. ``csv`` gives all pages at once."""
    filters = {"person": person, "recording": recording}
    await service.writer.do(lambda: service.store.audit.note(caller.person.id, "looked who heard what"))
    if format == "csv":
        return StreamingResponse(
            _csv_of_listenings(service, filters), media_type="text/csv", headers=_attachment("heard")
        )
    page = await run_in_threadpool(
        lambda: service.store.dashboard.fetch_listenings(**filters, before_no=before, count=count)
    )
    return {
        "listenings": [_listening_out(listening) for listening in page],
        "before": page[-1].no if len(page) == count else None,
    }


@router.get("/api/v1/spellings", response_model=list[SpellingOut])
async def spellings(
    caller: Reviewer, service: ServiceOf, dialect: Annotated[str | None, Query(max_length=64)] = None
) -> list[Json]:
    """List spellings that reviewers found right too. The workspace's folder ``variants`` has them for scoring."""
    rows = await run_in_threadpool(lambda: service.store.dashboard.fetch_spellings(dialect=dialect))
    return [vars(spelling) for spelling in rows]


@router.get("/healthz", response_model=HealthOut)
async def healthz(service: ServiceOf) -> Json:
    """Check that the desk can read its store."""
    try:
        await run_in_threadpool(service.store.desk.find_newest_run)
    except BoliError as error:
        raise Refused(503, error.code, "the store does not answer", retry_after=5) from error
    return {"status": "ok"}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(caller: Collector, service: ServiceOf) -> Response:
    """Return metrics for Prometheus; its token needs the scope ``metrics``."""
    return Response(await run_in_threadpool(_collect, service), media_type=CONTENT_TYPE)


def pay_of(service: Service, person: str | None, since: str | None, until: str | None) -> Json:
    """Return the statement of *person*, or of everybody. Without a file of rates amounts are 0, in no currency."""
    file = service.workspace / service.settings.rates
    rates = _NO_RATES
    if file.is_file():
        rates = read_rates(file)
    statement = pay(service.store.work_items.fetch(person=person, since=since, until=until), rates)
    return statement | {"currency": rates.currency or None}


def objection_out(objection: Objection) -> Json:
    names = ("id", "name", "segment", "note", "made_at", "outcome", "answer", "answered_at")
    return {name: getattr(objection, name) for name in names}


def name_of(service: Service, dialect: str) -> str:
    """Return a dialect's name; its tag where the catalogue knows none."""
    try:
        return service.catalogue.find(dialect).name
    except DialectError:
        return dialect


def _progress(service: Service) -> Json:
    store = service.store
    outlooks = store.dashboard.fetch_outlooks(since=store.database.later(-forecast.PACE_DAYS * 86_400))
    now = store.database.now()
    rows = [forecast.row(outlook, name=name_of(service, outlook.dialect), now=now) for outlook in outlooks]
    return {
        "dialects": rows,
        "sound_ms": sum(row["sound_ms"] for row in rows),
        "accepted_ms": sum(row["accepted_ms"] for row in rows),
        "server_time": now,
        "definitions": dict(forecast.DEFINITIONS),
    }


def _productivity(service: Service, since: str | None, until: str | None) -> Json:
    report = productivity(service.store.work_items.fetch(since=since, until=until))
    rows = [row | {"name": name_of(service, row["dialect"])} for row in report["dialects"]]
    return report | {"dialects": rows}


def _quality(service: Service, since: str | None, until: str | None) -> Json:
    pieces = list(service.store.work_items.fetch(since=since, until=until))
    report = quality(pieces, service.store.work_items.fetch_pairs(), service.catalogue, service.differ)
    rows = [
        row | {"name": name_of(service, row["dialect"]), "doubts": _doubts(service, row["dialect"])}
        for row in report["dialects"]
    ]
    return report | {"dialects": rows}


def _doubts(service: Service, dialect: str) -> Json | None:
    marking = service.shadings.dialects.get(dialect)
    if marking is None:
        return None
    (shaded, shaded_errors), (plain, plain_errors) = marking.shaded, marking.plain
    return {
        "words": marking.words,
        "calibrated": marking.is_calibrated,
        "shaded_words": shaded,
        "shaded_errors": shaded_errors,
        "plain_words": plain,
        "plain_errors": plain_errors,
    }


def _file(name: str, rows: Sequence[Mapping[str, Any]]) -> Response:
    return Response(format_csv(rows), media_type="text/csv", headers=_attachment(name))


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}.csv"'}


def _csv_of_listenings(service: Service, filters: Mapping[str, Any]) -> Iterator[str]:
    """Yield every listening as lines of CSV, a page of them at a time; the head once."""
    oldest: int | None = None
    while True:
        page = service.store.dashboard.fetch_listenings(**filters, before_no=oldest, count=_PAGE)
        text = format_csv([_listening_out(listening) for listening in page])
        yield text if oldest is None else text.partition("\n")[2]
        if len(page) < _PAGE:
            return
        oldest = page[-1].no


def _listening_out(listening: Listening) -> Json:
    names = ("no", "at", "name", "recording", "path", "segment")
    return {name: getattr(listening, name) for name in names} | {"start_ms": listening.start, "end_ms": listening.end}


def _collect(service: Service) -> bytes:
    service.metrics.waiting.set(service.writer.waiting)
    return service.metrics.text(service.store.desk.count_progress())


@settings_router.get("/settings", response_model=SettingsOut)
async def settings(caller: Manager, service: ServiceOf) -> Json:
    """List each setting with its value, its default and its bounds."""
    return {"settings": await run_in_threadpool(list_choices, service.workspace, service.settings)}


@settings_router.patch("/settings", response_model=SettingsOut)
async def change_settings(changes: dict[str, Any], caller: Manager, service: ServiceOf) -> Json:
    """Change some settings, for what is decided and handed out from now on. They are written to ``boli.toml``."""
    await run_in_threadpool(_apply, service, changes)
    names = sorted(changes)
    await service.writer.do(lambda: service.store.audit.note(caller.person.id, "settings changed", {"names": names}))
    return {"settings": await run_in_threadpool(list_choices, service.workspace, service.settings)}


def _apply(service: Service, changes: dict[str, Any]) -> None:
    service.set(change(service.workspace, service.settings, changes))
