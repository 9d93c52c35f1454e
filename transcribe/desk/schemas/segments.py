"""Shapes of segments, leases, texts and verdicts, and of changes to segments themselves."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypeAliasType

from transcribe import desk_records
from transcribe.desk.clips import CONTEXT, start_of
from transcribe.desk.schemas.common import Active, Count, Id, In, OpId, Out, SpellingPair, Tag
from transcribe.desk_records import (
    Decision,
    Mask,
    Operation,
    Outcome,
    Reason,
    Reshape,
    State,
    Status,
    Step,
    Verdict,
    View,
)
from transcribe.records import Quality, join_words

#: Longest text of one segment, in characters: a minute of the fastest speech has some 1,500.
LONGEST_TEXT = 20_000
#: Fields that corrections, and verdicts, did not always have.
_LATER = (("guideline",), ("normalised",))
#: By its name in the API's description, so that the screen knows it by one.
SkipReason = TypeAliasType("SkipReason", desk_records.SkipReason)
#: Operations of one request.
MOST_OPERATIONS = 50


class LeaseAsk(In):
    count: Annotated[int, Field(ge=1, le=100)] = 1
    #: Only these dialects and what is below them.
    dialects: Annotated[list[Tag], Field(max_length=50)] | None = None
    offline: bool = False
    #: Segments that the caller wrote and wants again; nothing else is given then.
    segments: Annotated[list[Id], Field(max_length=100)] | None = None


class DraftWord(Out):
    text: str
    start_ms: int
    end_ms: int
    probability: float
    #: Whether a blank stands before it.
    blank: bool = True


class DraftOut(Out):
    model: str
    words: list[DraftWord]
    flags: list[str]
    #: Text of a second opinion that disagrees and is surer of itself.
    alternative: str | None = None


class SentBack(Out):
    """The reasons for which a text came back."""

    reasons: list[str]
    note: str
    version: int


class Masked(Out):
    """A stretch that nobody may hear or read: a tone and a mark stand there."""

    start_ms: int
    end_ms: int


class SoundQuality(Out):
    """The quality of a recording's sound, in the units of `Quality`."""

    level_dbfs: float | None
    snr_db: float | None
    clipped_share: float
    bandwidth_hz: int | None


class SegmentOut(Out):
    """A segment as its holder or a reviewer sees it. Times are milliseconds in the recording."""

    segment: str
    recording: str
    speaker: str
    dialect: str | None
    start_ms: int
    end_ms: int
    #: Where the clip begins and ends: the segment with a little context.
    clip_start_ms: int
    clip_end_ms: int
    state: State
    version: int
    #: What stands; else the draft, where it is shown; else nothing.
    text: str
    #: The normalised tier of what stands; ``None`` where nobody wrote one.
    normalised: str | None
    draft: DraftOut | None
    before: str | None
    after: str | None
    audio_url: str | None
    peaks_url: str
    #: What of the clip is masked.
    masks: list[Masked]
    #: Of the recording; ``None``: never measured.
    quality: SoundQuality | None


class LeaseOut(SegmentOut):
    """A hold with its segment."""

    id: str
    fence: int
    until: str
    #: ``write``, ``again`` (it was sent back, or the caller asked for it) or ``review``.
    purpose: Literal["write", "again", "review"]
    offline: bool
    sent_back: SentBack | None


class PeaksOut(Out):
    """The waveform of a segment's clip; *start_ms* is where the clip begins in the recording."""

    per_second: int
    start_ms: int
    #: Lowest and highest in turn, each from -128 to 127.
    peaks: list[int]


class Heartbeat(Out):
    id: str
    fence: int
    until: str


class CorrectionIn(In):
    """One text."""

    op_id: OpId
    segment: Id
    fence: Count
    base_version: Count
    text: str
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list)
    active_ms: Active = 0
    client_time: Annotated[str, StringConstraints(max_length=40)] | None = None
    seq: Count = 0
    #: The normalised tier, where a project keeps one beside the verbatim text.
    normalised: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] | None = None
    #: Version of the guide that the writer had before them.
    guideline: Tag | None = None
    speaker: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    start_ms: Count | None = None
    end_ms: Count | None = None


class OutcomeOut(Out):
    """The outcome of an operation; what does not apply is left out."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    op_id: str
    status: Status
    version: int | SkipJsonSchema[None] = None
    text_sha256: str | SkipJsonSchema[None] = None
    server_text: str | SkipJsonSchema[None] = None
    reason: str | SkipJsonSchema[None] = None


class VerdictIn(In):
    """One decision about a version."""

    op_id: OpId
    segment: Id
    fence: Count
    version: Count
    decision: Decision
    #: The reviewer's own text, where it differs.
    text: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] | None = None
    #: The normalised tier of it, where a project keeps one.
    normalised: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list)
    #: Why a text was sent back, or other words were put in its place; sending back needs one.
    reasons: Annotated[list[Reason], Field(max_length=20)] = Field(default_factory=list)
    note: Annotated[str, StringConstraints(max_length=2_000)] = ""
    #: Spellings that are right too: as written, and the other.
    variants: Annotated[list[SpellingPair], Field(max_length=20)] = Field(default_factory=list)
    played_ms: Active = 0

    @model_validator(mode="after")
    def _check_reasons(self) -> Self:
        if self.decision == "send_back" and not self.reasons:
            raise ValueError("sending back needs a reason")
        return self


def operation_of(correction: CorrectionIn) -> Operation:
    """Return the operation as the store takes it, with a hash that shows if its id is used for something else."""
    names = ("normalised", "guideline", "speaker", "start_ms", "end_ms")
    more = {name: value for name in names if (value := getattr(correction, name)) is not None}
    return Operation(
        op_id=correction.op_id,
        body=body_hash(correction),
        segment=correction.segment,
        fence=correction.fence,
        base_version=correction.base_version,
        text=correction.text,
        tags=tuple(correction.tags),
        active=correction.active_ms,
        client_time=correction.client_time,
        seq=correction.seq,
        more=more,
    )


def verdict_of(verdict: VerdictIn) -> Verdict:
    """Return the verdict as the store takes it."""
    return Verdict(
        op_id=verdict.op_id,
        body=body_hash(verdict),
        segment=verdict.segment,
        fence=verdict.fence,
        version=verdict.version,
        decision=verdict.decision,
        text=verdict.text,
        normalised=verdict.normalised,
        tags=tuple(verdict.tags),
        reasons=tuple(verdict.reasons),
        note=verdict.note,
        variants=tuple(verdict.variants),
        played=verdict.played_ms,
    )


def body_hash(operation: In) -> str:
    """Hash all fields of an operation but its id."""
    fields = operation.model_dump(mode="json", exclude={"op_id"})
    # As before there were these fields: what is sent again after an update is the same operation.
    for name in _LATER[isinstance(operation, VerdictIn)]:
        if fields.get(name) is None:
            fields.pop(name, None)
    return hashlib.sha256(json.dumps(fields, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def outcome_out(outcome: Outcome) -> dict[str, object]:
    """Return the answer to an operation; what does not apply is left out."""
    names = ("version", "text_sha256", "server_text", "reason")
    details = {name: value for name in names if (value := getattr(outcome, name)) is not None}
    return {"op_id": outcome.op_id, "status": outcome.status, **details}


def segment_out(view: View, *, audio_url: str | None, blind: bool = False) -> dict[str, object]:
    """
    Return a segment for who may see it.

    Args:
        blind: Keep texts of other people from the caller.
    """
    draft = None
    if view.words is not None and view.model is not None:
        words = [
            {
                "text": word.text,
                "start_ms": word.start,
                "end_ms": word.end,
                "probability": word.probability,
                "blank": word.blank,
            }
            for word in view.words
        ]
        draft = {
            "model": view.model,
            "words": words,
            "flags": list(view.flags),
            "alternative": view.alternative,
        }
    drafted = join_words(view.words or ())
    return {
        "segment": view.segment,
        "recording": view.recording,
        "speaker": view.speaker,
        "dialect": view.dialect,
        "start_ms": view.start,
        "end_ms": view.end,
        "clip_start_ms": start_of(view),
        "clip_end_ms": view.end + CONTEXT,
        "state": "held" if blind else view.state,
        "version": 0 if blind else view.version,
        "text": drafted if blind or view.text is None else view.text,
        "normalised": None if blind else view.normalised,
        "draft": draft,
        "before": view.before,
        "after": view.after,
        "audio_url": audio_url,
        "peaks_url": f"/api/v1/segments/{view.segment}/peaks",
        "masks": [{"start_ms": start, "end_ms": end} for start, end in view.masks],
        "quality": None if view.quality is None else _quality_out(view.quality),
    }


def _quality_out(quality: Quality) -> dict[str, object]:
    return {name: getattr(quality, name) for name in SoundQuality.model_fields}


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
