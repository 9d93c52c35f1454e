"""Shapes of changes to segments themselves: masked stretches, and steps that make them into others."""

from __future__ import annotations

from transcribe.desk.wire import Count, Id, In, LeaseOut, OpId, Out, body_hash
from transcribe.desk_records import Mask, Reshape, Status, Step


class MaskIn(In):
    """A stretch that nobody is to hear or read from now on. Times are milliseconds in the recording."""

    segment: Id
    start_ms: Count
    end_ms: Count


class MaskOut(Out):
    id: str
    recording: str
    start_ms: int
    end_ms: int
    #: Who marked it; ``None``: one of the client's terms was found there.
    by: str | None
    at: str


class ReshapeIn(In):
    """
    A step that makes segments into others. Times are milliseconds in the recording.

    ``split`` needs *start_ms*, where the second part begins. ``merge`` takes the next segment of the same voice in.
    ``move`` needs *start_ms* or *end_ms*, the new boundary; a neighbour that it runs into gives way. ``undo`` needs
    *of*, the ``op_id`` of the step to take back; *segment* and *fence* are any of what came of it.
    """

    op_id: OpId
    kind: Step
    segment: Id
    fence: Count
    start_ms: Count | None = None
    end_ms: Count | None = None
    of: OpId | None = None


class ReshapeOut(Out):
    """The new holds with their segments, drafted words gone with their times; *removed* are no more."""

    op_id: str
    status: Status
    reason: str | None
    leases: list[LeaseOut]
    removed: list[str]


def mask_out(mask: Mask) -> dict[str, object]:
    """Return a masked stretch, for who may mask."""
    return {
        "id": mask.id,
        "recording": mask.recording,
        "start_ms": mask.start,
        "end_ms": mask.end,
        "by": mask.by,
        "at": mask.added_at,
    }


def reshape_of(step: ReshapeIn) -> Reshape:
    """Return the step as the store takes it."""
    return Reshape(
        op_id=step.op_id,
        body=body_hash(step),
        kind=step.kind,
        segment=step.segment,
        fence=step.fence,
        start=step.start_ms,
        end=step.end_ms,
        of=step.of,
    )
