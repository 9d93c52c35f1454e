"""Leads and machines: how far the work is, whether the desk is well."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from transcribe.errors import BoliError
from transcribe.review.access import Collector, Overseer
from transcribe.review.metrics import CONTENT_TYPE
from transcribe.review.service import Json, Refused, Service, ServiceOf
from transcribe.review.wire import ProgressOut

router = APIRouter(tags=["lead"])


@router.get("/api/v1/progress", response_model=ProgressOut)
async def progress(caller: Overseer, service: ServiceOf) -> Json:
    """How far each dialect is: segments by state, sound, and since when the oldest wait."""
    found = await run_in_threadpool(service.store.progress)
    dialects = [
        {
            "dialect": each.dialect,
            "segments": dict(sorted(each.segments.items())),
            "sound_ms": each.sound,
            "accepted_ms": each.accepted,
            "oldest": dict(sorted(each.oldest.items())),
        }
        for each in found
    ]
    return {
        "dialects": dialects,
        "sound_ms": sum(each.sound for each in found),
        "accepted_ms": sum(each.accepted for each in found),
    }


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


def _numbers(service: Service) -> bytes:
    service.metrics.waiting.set(service.writer.waiting)
    return service.metrics.text(service.store.progress())
