"""Leads and machines: how far the work is, how good it is, what is due to whom, who heard what, whether all is well."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from dialects.errors import DialectError
from transcribe.errors import BoliError, InputError
from transcribe.review import forecast
from transcribe.review.access import Collector, Manager, Overseer, Reviewer
from transcribe.review.metrics import CONTENT_TYPE
from transcribe.review.quality import quality
from transcribe.review.reports import Rates, as_csv, pay, productivity, rates_of
from transcribe.review.service import Json, Refused, Service, ServiceOf
from transcribe.review.wire_lead import (
    AnswerIn,
    HeardPage,
    ObjectionOut,
    PayOut,
    ProductivityOut,
    ProgressOut,
    QualityOut,
    SpellingOut,
)
from transcribe.store.objecting import Objection
from transcribe.store.overseeing import Listening

router = APIRouter(tags=["lead"])

#: A day or a moment, UTC.
Moment = Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{3})?Z)?$", max_length=24)]
#: ``csv`` gives a file instead of JSON.
Format = Annotated[str | None, Query(pattern=r"^(json|csv)$")]
#: Most rows of a page of who heard what.
_PAGE = 200
_NO_RATES = Rates(currency="", minute=0.0, dialects={})


@router.get("/api/v1/progress", response_model=ProgressOut)
async def progress(caller: Overseer, service: ServiceOf) -> Json:
    """How far each dialect is: sound by what became of it, since when the oldest wait, and how long the rest takes."""
    return await run_in_threadpool(_progress, service)


@router.get("/api/v1/quality", response_model=QualityOut)
async def of_quality(caller: Overseer, service: ServiceOf, since: Moment = None, until: Moment = None) -> Json:
    """How good the texts of each dialect are: agreement of two hands with its interval, known texts, verdicts."""
    return await run_in_threadpool(_quality, service, since, until)


@router.get("/api/v1/productivity", response_model=ProductivityOut)
async def of_productivity(
    caller: Manager, service: ServiceOf, since: Moment = None, until: Moment = None, format: Format = None
) -> Any:
    """Sound written and active time by person and dialect, each in alphabetical order."""
    found = await run_in_threadpool(_productivity, service, since, until)
    return _file("productivity", found["people"]) if format == "csv" else found


@router.get("/api/v1/pay", response_model=PayOut)
async def of_pay(
    caller: Manager, service: ServiceOf, since: Moment = None, until: Moment = None, format: Format = None
) -> Any:
    """What is due to whom, a line a segment, by the rates of the workspace."""
    found = await run_in_threadpool(pay_of, service, None, since, until)
    return _file("pay", found["lines"]) if format == "csv" else found


@router.get("/api/v1/objections", response_model=list[ObjectionOut])
async def objections(caller: Manager, service: ServiceOf, waiting: bool = False) -> list[Json]:
    """What people object to in their pay, the newest first."""
    found = await run_in_threadpool(lambda: service.store.objections(waiting=waiting))
    return [objection_out(each) for each in found]


@router.post("/api/v1/objections/{id}", response_model=ObjectionOut)
async def answer(id: Annotated[str, Path(max_length=64)], given: AnswerIn, caller: Manager, service: ServiceOf) -> Json:
    """Answer an objection, once. Nobody answers their own."""
    found = await service.writer.do(
        lambda: service.store.answer_objection(id, given.outcome, given.answer, by=caller.person.id)
    )
    if found is None:
        raise Refused(404, "E_OBJECTION", "no such objection waits for your answer", hint="load the page again")
    return objection_out(found)


@router.get("/api/v1/heard", response_model=HeardPage)
async def heard(
    caller: Manager,
    service: ServiceOf,
    person: Annotated[str | None, Query(max_length=200)] = None,
    recording: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    count: Annotated[int, Query(ge=1, le=_PAGE)] = 50,
    format: Format = None,
) -> Any:
    """Who heard which segment, the newest first; by name, by recording. ``csv`` gives all pages at once."""
    asked = {"person": person, "recording": recording}
    await service.writer.do(lambda: service.store.note(caller.person.id, "looked who heard what"))
    if format == "csv":
        return StreamingResponse(_heard_lines(service, asked), media_type="text/csv", headers=_attached("heard"))
    found = await run_in_threadpool(lambda: service.store.listenings(**asked, before=before, count=count))
    return {
        "listenings": [_listening(each) for each in found],
        "before": found[-1].no if len(found) == count else None,
    }


@router.get("/api/v1/spellings", response_model=list[SpellingOut])
async def spellings(
    caller: Reviewer, service: ServiceOf, dialect: Annotated[str | None, Query(max_length=64)] = None
) -> list[Json]:
    """What reviewers found right too. The workspace's folder ``variants`` has it for scoring."""
    found = await run_in_threadpool(lambda: service.store.spellings(dialect=dialect))
    return [vars(each) for each in found]


@router.get("/healthz", response_model=dict[str, str])
async def healthz(service: ServiceOf) -> Json:
    """Whether the desk can read what it holds."""
    try:
        await run_in_threadpool(service.store.newest_run)
    except BoliError as error:
        raise Refused(503, error.code, "the store does not answer", retry_after=5) from error
    return {"status": "ok"}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(caller: Collector, service: ServiceOf) -> Response:
    """Numbers for Prometheus; its token needs the scope ``metrics``."""
    return Response(await run_in_threadpool(_numbers, service), media_type=CONTENT_TYPE)


def pay_of(service: Service, person: str | None, since: str | None, until: str | None) -> Json:
    """The statement of *person*, or of everybody. Without a file of rates amounts are 0, and no currency is named."""
    file = service.workspace / service.settings.rates
    rates = _NO_RATES
    if file.is_file():
        try:
            rates = rates_of(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(
                f"{file.name} cannot be read as TOML", code="E_RATES", hint="mend the file of rates", item=file.name
            ) from error
    found = pay(service.store.pieces(person=person, since=since, until=until), rates)
    return found | {"currency": rates.currency or None}


def objection_out(objection: Objection) -> Json:
    names = ("id", "name", "segment", "note", "made_at", "outcome", "answer", "answered_at")
    return {name: getattr(objection, name) for name in names}


def name_of(service: Service, dialect: str) -> str:
    """What people call a dialect; its tag where the catalogue knows no name."""
    try:
        return service.catalogue.find(dialect).name
    except DialectError:
        return dialect


def _progress(service: Service) -> Json:
    store = service.store
    found, now = store.outlook(since=store.later(-forecast.PACE_DAYS * 86_400)), store.now()
    rows = [forecast.row(each, name=name_of(service, each.dialect), now=now) for each in found]
    return {
        "dialects": rows,
        "sound_ms": sum(row["sound_ms"] for row in rows),
        "accepted_ms": sum(row["accepted_ms"] for row in rows),
        "server_time": now,
        "definitions": dict(forecast.DEFINITIONS),
    }


def _productivity(service: Service, since: str | None, until: str | None) -> Json:
    found = productivity(service.store.pieces(since=since, until=until))
    rows = [row | {"name": name_of(service, row["dialect"])} for row in found["dialects"]]
    return found | {"dialects": rows}


def _quality(service: Service, since: str | None, until: str | None) -> Json:
    pieces = list(service.store.pieces(since=since, until=until))
    found = quality(pieces, service.store.pairs(), service.catalogue, service.differ)
    rows = [
        row | {"name": name_of(service, row["dialect"]), "doubts": _doubts(service, row["dialect"])}
        for row in found["dialects"]
    ]
    return found | {"dialects": rows}


def _doubts(service: Service, dialect: str) -> Json | None:
    found = service.shadings.dialects.get(dialect)
    if found is None:
        return None
    (shaded, shaded_errors), (plain, plain_errors) = found.shaded, found.plain
    return {
        "words": found.words,
        "calibrated": found.is_calibrated,
        "shaded_words": shaded,
        "shaded_errors": shaded_errors,
        "plain_words": plain,
        "plain_errors": plain_errors,
    }


def _file(name: str, rows: Sequence[Mapping[str, Any]]) -> Response:
    return Response(as_csv(rows), media_type="text/csv", headers=_attached(name))


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}.csv"'}


def _heard_lines(service: Service, asked: Mapping[str, Any]) -> Iterator[str]:
    """Every listening as lines of CSV, a page of them at a time; the head once."""
    before: int | None = None
    while True:
        found = service.store.listenings(**asked, before=before, count=_PAGE)
        text = as_csv([_listening(each) for each in found])
        yield text if before is None else text.partition("\n")[2]
        if len(found) < _PAGE:
            return
        before = found[-1].no


def _listening(each: Listening) -> Json:
    names = ("no", "at", "name", "recording", "path", "segment")
    return {name: getattr(each, name) for name in names} | {"start_ms": each.start, "end_ms": each.end}


def _numbers(service: Service) -> bytes:
    service.metrics.waiting.set(service.writer.waiting)
    return service.metrics.text(service.store.progress())
