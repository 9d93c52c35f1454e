"""Reviewers and leads: redaction of stretches of a recording."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from starlette.concurrency import run_in_threadpool

from transcribe.desk.access import Manager, Reviewer
from transcribe.desk.routes_segments import SegmentId, no_segment
from transcribe.desk.service import Json, Refused, ServiceOf
from transcribe.desk.wire_steps import MaskIn, MaskOut, mask_out

router = APIRouter(prefix="/api/v1", tags=["masks"])

MaskId = Annotated[str, Path(max_length=64, description="A masked stretch's id.")]


@router.post("/masks", response_model=MaskOut, status_code=201)
async def mask(body: MaskIn, caller: Reviewer, service: ServiceOf) -> Json:
    """
    Mask a stretch of the recording that a segment is of: from now on a tone is in every clip and a mark in every text.
    """
    view = (await run_in_threadpool(service.views, [body.segment])).get(body.segment)
    if view is None:
        raise no_segment()
    stretch = await service.writer.do(
        lambda: service.store.add_mask(view.recording, body.start_ms, body.end_ms, person=caller.person.id)
    )
    await run_in_threadpool(service.clips.forget, body.segment)
    return mask_out(stretch)


@router.get("/segments/{id}/masks", response_model=list[MaskOut])
async def masks(id: SegmentId, caller: Reviewer, service: ServiceOf) -> list[Json]:
    """List what is masked in the recording of a segment, by time."""
    view = (await run_in_threadpool(service.views, [id])).get(id)
    if view is None:
        raise no_segment()
    stretches = await run_in_threadpool(lambda: list(service.store.masks(recording=view.recording)))
    return [mask_out(stretch) for stretch in stretches]


@router.delete("/masks/{id}", status_code=204)
async def lift(id: MaskId, caller: Manager, service: ServiceOf) -> Response:
    """Let people hear and read a masked stretch again."""
    lifted = await service.writer.do(lambda: service.store.lift_mask(id, person=caller.person.id))
    if not lifted:
        raise Refused(404, "E_MASK", "there is no such masked stretch", hint="the segment's masks list them")
    return Response(status_code=204)
