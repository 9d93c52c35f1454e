"""One segment: its text, sound, waveform, history and redaction. Not yours and not there look the same."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from transcribe.desk.auth import GOOD_FOR_S, AnyCaller, Caller, Link, Manager, Reviewer, ServiceOf
from transcribe.desk.clips import Clip
from transcribe.desk.middleware import Refused
from transcribe.desk.routes.work import audio_url, withheld
from transcribe.desk.schemas.review import HistoryOut
from transcribe.desk.schemas.segments import MaskIn, MaskOut, PeaksOut, SegmentOut, mask_out, segment_out
from transcribe.desk.state import Json, Service
from transcribe.desk_records import Lease, Version, View
from transcribe.errors import InputError

router = APIRouter(prefix="/api/v1/segments", tags=["segments"])

SegmentId = Annotated[str, Path(max_length=64, description="A segment's id.")]
masks_router = APIRouter(prefix="/api/v1", tags=["masks"])

MaskId = Annotated[str, Path(max_length=64, description="A masked stretch's id.")]


@router.get("/{id}", response_model=SegmentOut)
async def segment(id: SegmentId, caller: AnyCaller, service: ServiceOf) -> Json:
    """Return a segment that the caller holds, wrote, or may review, with an address of its sound if they may hear."""
    return await run_in_threadpool(_segment, service, caller, id)


@router.get("/{id}/audio", response_class=FileResponse, responses={200: {"content": {"audio/webm": {}}}})
async def audio(
    id: SegmentId,
    caller: AnyCaller,
    service: ServiceOf,
    signed: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Send the sound, Opus in WebM; parts of it by ``Range``. Each opening is logged before the first byte goes."""
    link = service.signer.verify(signed)
    if link is None or (link.segment, link.person) != (id, caller.person.id):
        raise no_segment()
    view = await run_in_threadpool(_read_hearable, service, caller, link)
    clip = await run_in_threadpool(_cut_clip, service, view)
    if service.is_new_listen(caller.person.id, id, window_s=GOOD_FOR_S):
        await service.writer.do(lambda: service.store.audit.log_listening(caller.person.id, id))
        service.metrics.listens.inc()
    return FileResponse(clip.path, media_type="audio/webm")


@router.get("/{id}/peaks", responses={200: {"model": PeaksOut}})
async def peaks(id: SegmentId, caller: AnyCaller, service: ServiceOf) -> Response:
    """Return the waveform, as its file has it."""
    view = await run_in_threadpool(_read_visible, service, caller, id)
    clip = await run_in_threadpool(_cut_clip, service, view)
    return Response(await run_in_threadpool(clip.peaks.read_bytes), media_type="application/json")


@router.get("/{id}/history", response_model=HistoryOut, response_model_exclude_none=False)
async def history(id: SegmentId, caller: AnyCaller, service: ServiceOf) -> Json:
    """Return every text of a segment and what was decided; transcribers see their own texts."""
    return await run_in_threadpool(_history, service, caller, id)


def version_out(version: Version, caller: Caller, names: dict[str, str] | None = None) -> Json:
    """Return a version as *caller* sees it; with its writer's name where *names* holds it."""
    return {
        "version": version.version,
        "kind": version.kind,
        "text": version.text,
        "normalised": version.more.get("normalised"),
        "tags": list(version.tags),
        "at": version.added_at,
        "mine": version.person == caller.person.id,
        "author": (names or {}).get(version.person),
    }


def _segment(service: Service, caller: Caller, id: str) -> Json:
    view, lease = _read_visible(service, caller, id), service.store.leases.find(caller.person.id, id)
    url = None
    if lease is not None or caller.may("review"):
        url = audio_url(service, id, caller.person.id, lease.id if lease is not None else "")
    fields: Json = segment_out(
        view, audio_url=url, blind=not caller.may("review") and not _may_read_text(service, caller, view)
    )
    return fields


def _read_visible(service: Service, caller: Caller, id: str) -> View:
    """Return the segment, if *caller* may see it at all."""
    reviewing = caller.may("review")
    view = service.views([id], reviewing=reviewing).get(id)
    visible = view is not None and (
        reviewing
        or (
            caller.may("work")
            and (
                _lease_of(service, caller, id) is not None
                or service.store.submissions.has_written(caller.person.id, id)
            )
        )
    )
    if view is None or not visible:
        raise _no_view(service, caller, id)
    return view


def _read_hearable(service: Service, caller: Caller, link: Link) -> View:
    """Return the segment, if *caller* may hear it now under the hold that the address was signed for."""
    lease = _lease_of(service, caller, link.segment)
    if lease is None and link.lease:
        raise _no_view(service, caller, link.segment)
    if lease is None or lease.id != link.lease:
        if link.lease or not caller.may("review"):
            raise no_segment()
    elif not (caller.may("work") or caller.may("review")):
        raise no_segment()
    view = service.views([link.segment]).get(link.segment)
    if view is None:
        raise _no_view(service, caller, link.segment)
    return view


def _no_view(service: Service, caller: Caller, id: str) -> Refused:
    """Return the refusal of a segment, with its reason for who held it when its recording was withheld."""
    return withheld() if service.store.leases.is_withheld(caller.person.id, segment=id) else no_segment()


def _lease_of(service: Service, caller: Caller, id: str) -> Lease | None:
    return service.store.leases.find(caller.person.id, id)


def _may_read_text(service: Service, caller: Caller, view: View) -> bool:
    """Check that the text that stands is the caller's own, or was given to them to go on with."""
    lease = _lease_of(service, caller, view.segment)
    if lease is not None:
        return lease.purpose in ("again", "review")
    versions = [
        version for version in service.store.reviews.fetch_versions(view.segment) if version.version == view.version
    ]
    return bool(versions) and versions[0].person == caller.person.id


def _cut_clip(service: Service, view: View) -> Clip:
    try:
        return service.clips.of(view)
    except InputError as error:
        raise Refused(404, error.code, "the sound of this segment is lost", hint="tell a lead") from error


def _history(service: Service, caller: Caller, id: str) -> Json:
    _read_visible(service, caller, id)
    versions, verdicts = service.store.reviews.fetch_versions(id), service.store.reviews.fetch_verdicts(id)
    if not caller.may("review"):
        versions = tuple(version for version in versions if version.person == caller.person.id)
        numbers = {version.version for version in versions}
        verdicts = tuple(verdict for verdict in verdicts if verdict["version"] in numbers)
    names = {person.id: person.name for person in service.store.people.fetch()} if caller.may("people") else None
    return {
        "segment": id,
        "versions": [version_out(version, caller, names) for version in versions],
        "verdicts": list(verdicts),
    }


def no_segment() -> Refused:
    """Return one refusal for a segment that is not there and one that is not for the caller: nobody can tell which."""
    return Refused(404, "E_SEGMENT", "there is no such segment for you", hint="take segments from the queue")


@masks_router.post("/masks", response_model=MaskOut, status_code=201)
async def mask(body: MaskIn, caller: Reviewer, service: ServiceOf) -> Json:
    """
    Mask a stretch of the recording that a segment is of: from now on a tone is in every clip and a mark in every text.
    """
    view = (await run_in_threadpool(service.views, [body.segment])).get(body.segment)
    if view is None:
        raise no_segment()
    stretch = await service.writer.do(
        lambda: service.store.redaction.add_mask(view.recording, body.start_ms, body.end_ms, person=caller.person.id)
    )
    await run_in_threadpool(service.clips.forget, body.segment)
    return mask_out(stretch)


@masks_router.get("/segments/{id}/masks", response_model=list[MaskOut])
async def masks(id: SegmentId, caller: Reviewer, service: ServiceOf) -> list[Json]:
    """List what is masked in the recording of a segment, by time."""
    view = (await run_in_threadpool(service.views, [id])).get(id)
    if view is None:
        raise no_segment()
    stretches = await run_in_threadpool(lambda: list(service.store.redaction.fetch_masks(recording=view.recording)))
    return [mask_out(stretch) for stretch in stretches]


@masks_router.delete("/masks/{id}", status_code=204)
async def lift(id: MaskId, caller: Manager, service: ServiceOf) -> Response:
    """Let people hear and read a masked stretch again."""
    lifted = await service.writer.do(lambda: service.store.redaction.lift_mask(id, person=caller.person.id))
    if not lifted:
        raise Refused(404, "E_MASK", "there is no such masked stretch", hint="the segment's masks list them")
    return Response(status_code=204)
