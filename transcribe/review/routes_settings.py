"""What a lead may set for the project."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from transcribe.review.access import Manager
from transcribe.review.choosing import change, choices
from transcribe.review.service import Json, Service, ServiceOf
from transcribe.review.wire_lead import SettingsOut

router = APIRouter(prefix="/api/v1", tags=["settings"])


@router.get("/settings", response_model=SettingsOut)
async def settings(caller: Manager, service: ServiceOf) -> Json:
    """Each setting with its value, its default and its bounds."""
    return {"settings": await run_in_threadpool(choices, service.workspace, service.settings)}


@router.patch("/settings", response_model=SettingsOut)
async def set_some(given: dict[str, Any], caller: Manager, service: ServiceOf) -> Json:
    """Change some settings, for what is decided and handed out from now on. They are written to ``boli.toml``."""
    await run_in_threadpool(_set, service, given)
    names = sorted(given)
    await service.writer.do(lambda: service.store.note(caller.person.id, "settings changed", {"names": names}))
    return {"settings": await run_in_threadpool(choices, service.workspace, service.settings)}


def _set(service: Service, given: dict[str, Any]) -> None:
    service.set(change(service.workspace, service.settings, given))
