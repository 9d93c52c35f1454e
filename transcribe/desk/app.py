"""The desk as an ASGI application: routes, the middleware around them, and the tasks that run beside them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from transcribe.desk import static
from transcribe.desk.middleware import Refused, SecurityMiddleware, error_document
from transcribe.desk.routes import guides, lead, own, people, review, segments, session, work
from transcribe.desk.schemas.common import ErrorOut
from transcribe.desk.state import Service
from transcribe.errors import BoliError, InputError, UnfitError, UnreachableError, is_disk_full
from transcribe.store.clock import steady_now

#: Seconds between checks for segments that `boli run` has made meanwhile.
_POLL_S = 5.0
#: Seconds between counts of the dialects' intervals: a working day adds little to them in ten minutes.
_MEASURE_S = 600.0
#: Seconds that the clock of a machine is set by before it is said.
_JUMP_S = 30.0
_LOG = logging.getLogger(__name__)
#: Every error of every route has one shape, whatever its status.
_ERRORS: dict[int | str, dict[str, Any]] = {"default": {"model": ErrorOut, "description": "An error"}}
#: The answer while nothing can be saved.
_FULL = error_document(
    "E_DISK_FULL", "the server's disk is full; nothing was saved", hint="it is taken once there is room"
)


def build(service: Service, *, hosts: Collection[str] = ()) -> ASGIApp:
    """
    Build the desk as an ASGI application.

    Args:
        hosts: Names that it answers to; none: to any.
    """
    app = _make_app()
    app.state.service = service
    compressed = GZipMiddleware(app, minimum_size=600, compresslevel=6)
    return SecurityMiddleware(compressed, hosts=hosts, secure=service.secure, metrics=service.metrics)


def describe() -> str:
    """Return the OpenAPI document of the desk, as JSON in lines: `make api` writes it to ``editor/openapi.json``."""
    return json.dumps(_make_app().openapi(), ensure_ascii=False, indent=1) + "\n"


def _make_app() -> FastAPI:
    app = FastAPI(
        title="boli, the correction desk",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        responses=_ERRORS,
    )
    desk = (session.router, work.router, segments.router, segments.masks_router, guides.router, review.router)
    # The screen answers to every other address, so it comes last.
    for router in (*desk, own.router, people.router, lead.router, lead.settings_router, static.router):
        app.include_router(router)
    app.add_exception_handler(Refused, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(BoliError, _answer_failure)
    app.add_exception_handler(OSError, _answer_full_disk)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    tasks = [asyncio.create_task(task(service)) for task in (_poll_runs, _measure_dialects)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _measure_dialects(service: Service) -> None:
    """
    Measure every ten minutes how sure each dialect's error rate is, so that people are asked for what is known least,
    and calibrate the recogniser's word confidences, so that the right words are marked.
    """
    while True:
        with suppress(BoliError):
            service.widths = await run_in_threadpool(service.measure)
            service.shadings = await run_in_threadpool(service.shade)
        await asyncio.sleep(_MEASURE_S)


async def _poll_runs(service: Service) -> None:
    """Lay out the segments of new runs, as long as the desk is open."""
    last_run, offset_s = -1, steady_now.offset_s()
    while True:
        offset_s = _warn_of_jump(offset_s)
        with suppress(BoliError):
            newest = await run_in_threadpool(service.store.desk.find_newest_run)
            if newest != last_run:
                await run_in_threadpool(service.lay_out)
                last_run = newest
        await asyncio.sleep(_POLL_S)


def _warn_of_jump(offset_s: float) -> float:
    """Say if the machine's clock was set since it was ahead by *offset_s* seconds, and return the seconds now."""
    offset_now_s = steady_now.offset_s()
    jump_s = offset_now_s - offset_s
    if abs(jump_s) < _JUMP_S:
        return offset_s
    _LOG.warning(
        "the machine's clock was set by %+.0f s; the desk goes on by the time that has passed since it was opened,"
        " and takes the new time when it is opened again",
        jump_s,
    )
    return offset_now_s


async def _answer_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {} if error.retry_after is None else {"retry-after": str(max(1, round(error.retry_after)))}
    return JSONResponse(error_document(error.code, error.message, hint=error.hint), error.status, headers=headers)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    location = ".".join(str(part) for part in first["loc"])
    # What was sent is not repeated: it may be a text, or no number that JSON has.
    status = 404 if first["loc"][:1] == ("path",) else 422
    return JSONResponse(
        error_document("E_SHAPE", f"{location[:200]}: {first['msg'][:200]}", item=location[:200]), status
    )


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        error_document("E_REQUEST", str(error.detail)[:200]), error.status_code, headers=dict(error.headers or {})
    )


async def _answer_failure(request: Request, error: Exception) -> Response:
    """Answer an error of the store. Texts that were sent are not saved, and their sender keeps them."""
    assert isinstance(error, BoliError)
    if isinstance(error, InputError):
        return JSONResponse(error_document(error.code, error.message, hint=error.hint), 422)
    if error.code == "E_DISK_FULL":
        return JSONResponse(_FULL, 507)
    if isinstance(error, UnfitError | UnreachableError):
        document = error_document(
            error.code, "the store cannot be written just now; nothing was saved", hint="it is sent again"
        )
        return JSONResponse(document, 503, headers={"retry-after": "5"})
    return JSONResponse(error_document("E_BUG", "the desk failed; nothing was saved"), 500)


async def _answer_full_disk(request: Request, error: Exception) -> Response:
    """Answer an error of a file; any but that of a full disk is a bug."""
    if isinstance(error, OSError) and is_disk_full(error):
        return JSONResponse(_FULL, 507)
    raise error
