"""Commands of privacy: mask what nobody may hear or read, lift a mask, erase for good."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcribe.commands.app import LEADS, AsJson, Debug, Dry, Workspace, app, console, open_workspace
from transcribe.console import Answer
from transcribe.errors import InputError, UsageError

if TYPE_CHECKING:
    from rich.console import Group

    from transcribe.erasure import ErasurePlan
    from transcribe.store import Store
    from transcribe.wiring import Wiring


@app.command(rich_help_panel=LEADS, epilog="Example: boli mask call.wav --from 12500 --to 14000")
def mask(
    recording: Annotated[str | None, typer.Argument(help="Path as ingested, or hash; without a time, list it.")] = None,
    start: Annotated[int | None, typer.Option("--from", help="First millisecond.")] = None,
    end: Annotated[int | None, typer.Option("--to", help="Millisecond after the last.")] = None,
    terms: Annotated[
        Path | None, typer.Option(help="Mask what these name in drafts: one a line, * any ending.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Hide what nobody may hear or read: a tone in the sound, a mark in every text."""
    with open_workspace(workspace) as wiring:
        console.answer(mask_audio(wiring, recording, start=start, end=end, terms=terms))


@app.command(rich_help_panel=LEADS, epilog="Example: boli unmask MASK")
def unmask(
    mask: Annotated[str, typer.Argument(metavar="MASK", help="Its id, as boli mask lists it.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Lift a mask; what it hid can be heard and read again."""
    with open_workspace(workspace) as wiring:
        console.answer(lift_mask(wiring, mask))


@app.command(rich_help_panel=LEADS, epilog="Example: boli erase --speaker S017 --dry-run")
def erase(
    recording: Annotated[str | None, typer.Argument(help="All of one recording: path as ingested, or hash.")] = None,
    speaker: Annotated[str | None, typer.Option(help="Their voice and words, wherever they speak.")] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="What desk.retention_days and desk.sound_retention_days let go.")
    ] = False,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Erase sound and texts for good; that there was work stays in the audit."""
    with open_workspace(workspace) as wiring:
        target = ErasureRequest(speaker=speaker, recording=recording, expired=expired)
        console.answer(erase_audio(wiring, target, dry_run=dry_run))


def mask_audio(
    wiring: Wiring, recording: str | None, *, start: int | None, end: int | None, terms: Path | None
) -> Answer:
    """Mask a stretch of a recording, or what a list of terms names in drafts; then list the masks."""
    from transcribe.consent import find_recording
    from transcribe.redaction import terms_in

    store = wiring.store
    term_count = None
    if terms is not None or (recording is None and wiring.settings.desk.mask_terms is not None):
        term_count = store.redaction.mask_terms(terms_in(terms) if terms is not None else store.database.terms)
    target = None if recording is None else find_recording(store, recording)
    if target is not None and (start is not None or end is not None):
        store.redaction.add_mask(target.id, start or 0, target.duration if end is None else end)
    return _list_masks(store, None if target is None else target.id, term_count)


def lift_mask(wiring: Wiring, mask: str) -> Answer:
    """
    Lift a mask, and list those that are left.

    Raises:
        InputError: E_MASK if it is not there.
    """
    if not wiring.store.redaction.lift_mask(mask):
        raise InputError(f"mask {mask} was to be lifted, and is not there", code="E_MASK", hint="boli mask lists them")
    return _list_masks(wiring.store, None, None)


def _list_masks(store: Store, recording: str | None, term_count: int | None) -> Answer:
    from transcribe.terminal import stack, table

    masks = [asdict(region) for region in store.redaction.fetch_masks(recording=recording)]
    rows = [(row["id"], row["recording"][:12], f"{row['start']}-{row['end']} ms", row["by"] or "") for row in masks]
    lines = [f"{term_count} stretches with terms were masked"] * (term_count is not None)
    lines += ["nothing is masked"] * (not rows)
    text = stack(lines, table(("mask", "recording", "stretch", "by"), rows))
    return Answer(data={"masks": masks, "found": term_count}, text=text)


@dataclass(frozen=True, kw_only=True)
class ErasureRequest:
    """A request to erase a speaker, a recording, or what is older than the settings allow."""

    speaker: str | None = None
    recording: str | None = None
    expired: bool = False


def erase_audio(wiring: Wiring, request: ErasureRequest, *, dry_run: bool) -> Answer:
    """
    Erase audio, drafts, people's texts, clips, counts and reports of a speaker, a recording, or of what is expired.

    Raises:
        UsageError: Not one of them was asked for.
        InputError: E_SPEAKER or E_RECORDING for a name that nobody has, with the nearest ones.
    """
    from transcribe.consent import find_recording
    from transcribe.erasure import erase as erase_planned
    from transcribe.erasure import plan_erasure
    from transcribe.voice_links import find_speaker

    asked = [request.speaker is not None, request.recording is not None, request.expired]
    if sum(asked) != 1:
        message = f"one of RECORDING, --speaker and --expired was asked for, found {sum(asked)}"
        raise UsageError(message, hint="boli erase --help")
    speaker = None if request.speaker is None else find_speaker(wiring.store, request.speaker)
    recording = None if request.recording is None else find_recording(wiring.store, request.recording).id
    plan = plan_erasure(wiring, speaker, recording)
    document = {
        "dry_run": dry_run,
        "recordings": [
            {"recording": erasure.recording, "whole": erasure.spans is None, "sound_ms": erasure.sound}
            for erasure in plan.erasures
        ],
        "linked": list(plan.linked),
        "sound_only": [erasure.recording for erasure in plan.audio_only],
        "files": [str(file) for file in plan.files],
        "remaining": [str(file) for file in plan.remaining],
        "texts": None if dry_run else erase_planned(wiring, plan),
    }
    return Answer(data=document, text=_format_erasure(plan, dry_run=dry_run))


def _format_erasure(plan: ErasurePlan, *, dry_run: bool) -> Group:
    from transcribe.terminal import minutes, stack, table

    rows = [
        (erasure.path, "all" if erasure.spans is None else "a part", minutes(erasure.sound))
        for erasure in plan.erasures
    ]
    rows += [(erasure.path, "sound", minutes(erasure.duration)) for erasure in plan.audio_only]
    verb = "would be erased" if dry_run else "erased"
    lines = [f"{len(rows)} recordings hold what {verb if dry_run else 'was erased'}"] if rows else ["nothing to erase"]
    if plan.linked:
        lines.append(f"{plan.speaker} is linked with {', '.join(plan.linked)}, to be erased by name of their own")
    lines += [f"{len(plan.files)} reports {verb}"] * bool(plan.files)
    lines += [f"{file} holds texts of it and is not ours to remove" for file in plan.remaining]
    lines += ["copies outside the workspace, backups and models that learned from it are not reached"] * bool(rows)
    return stack(lines, table(("recording", "what", "sound"), rows))
