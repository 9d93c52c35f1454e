"""Settings of the project that a lead may change."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from transcribe.desk.access import Manager
from transcribe.desk.choosing import change, list_choices
from transcribe.desk.service import Json, Service, ServiceOf
from transcribe.desk.wire_lead import SettingsOut

router = APIRouter(prefix="/api/v1", tags=["settings"])


@router.get("/settings", response_model=SettingsOut)
async def settings(caller: Manager, service: ServiceOf) -> Json:
    """List each setting with its value, its default and its bounds."""
    return {"settings": await run_in_threadpool(list_choices, service.workspace, service.settings)}


@router.patch("/settings", response_model=SettingsOut)
async def change_settings(changes: dict[str, Any], caller: Manager, service: ServiceOf) -> Json:
    """Change some settings, for what is decided and handed out from now on. They are written to ``boli.toml``."""
    await run_in_threadpool(_apply, service, changes)
    names = sorted(changes)
    await service.writer.do(lambda: service.store.note(caller.person.id, "settings changed", {"names": names}))
    return {"settings": await run_in_threadpool(list_choices, service.workspace, service.settings)}


def _apply(service: Service, changes: dict[str, Any]) -> None:
    service.set(change(service.workspace, service.settings, changes))
