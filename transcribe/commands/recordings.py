"""Commands of recordings: make a workspace, take recordings in, draft them, tell how far that is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import ENGINEERS, AsJson, Debug, Dry, Progress, Workspace, app, console, open_workspace
from transcribe.console import Answer, Console
from transcribe.errors import Failure, Interrupted, UsageError

if TYPE_CHECKING:
    from transcribe.pipeline.recipe import Recipe
    from transcribe.wiring import Wiring


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli init corpus")
def init(
    folder: Annotated[Path, typer.Argument(help="Where.")] = Path(),
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a workspace."""
    console.answer(make_workspace(folder))


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli ingest --manifest calls.csv")
def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders.")] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV, JSONL or Parquet; see README.")] = None,
    root: Annotated[Path | None, typer.Option(help="Folder that the manifest's paths start from.")] = None,
    dialect: Annotated[str | None, typer.Option(help="BCP 47 tag of all PATHS, for example hi or bho-Deva.")] = None,
    strict_dialects: Annotated[bool | None, typer.Option(help="Refuse tags that the catalogue lacks.")] = None,
    allow_partial: Annotated[bool, typer.Option(help="Take the readable part of damaged files.")] = False,
    stream: Annotated[int | None, typer.Option(help="Which audio track, where a file has several.")] = None,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
    progress: Progress = "auto",
) -> None:
    """Take recordings in: check, decode once, keep by content."""
    if bool(paths) == (manifest is not None):
        raise UsageError("either PATHS or --manifest was asked for, found " + ("both" if paths else "neither"))
    with open_workspace(workspace, {"ingest.strict_dialects": strict_dialects}) as wiring:
        source = Source(paths=tuple(paths or ()), manifest=manifest, root=root, dialect=dialect, stream=stream)
        console.answer(ingest_source(wiring, source, console, allow_partial=allow_partial, dry_run=dry_run))


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli manifest fleurs corpora/fleurs")
def manifest(
    layout: Annotated[
        str, typer.Argument(help="common-voice, coraal, edacc, fleurs, hugging-face, kathbath or svarah.")
    ],
    folder: Annotated[Path, typer.Argument(help="The corpus, unpacked; the manifest is written into it.")],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the manifest of a public corpus from its folder, for boli ingest --manifest."""
    from transcribe.ingest.layouts import write_manifest

    file, count = write_manifest(layout, folder)
    text = f"{count} rows in {file}\nnext: boli ingest --manifest {file}"
    console.answer(Answer(data={"file": str(file), "rows": count}, text=text))


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli run --device cuda")
def run(
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Recogniser: a folder or a hub id; becomes the promoted one.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option(help="Try again what failed before.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Draft again what is corrected throughout, too; so does --model.")
    ] = False,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
    progress: Progress = "auto",
) -> None:
    """Diarise and draft what is pending; stop and run again at will."""
    overrides = {"diariser.device": device, "recogniser.device": device, "recogniser.model": model}
    with open_workspace(workspace, overrides) as wiring:
        again = everything or model is not None
        console.answer(draft_recordings(wiring, console, retry_failed=retry_failed, everything=again, dry_run=dry_run))


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli status")
def status(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Show what is done, what is pending, what failed."""
    with open_workspace(workspace) as wiring:
        console.answer(count_recordings(wiring))


@dataclass(frozen=True, kw_only=True)
class Source:
    """The source of recordings: paths, or a manifest."""

    paths: tuple[Path, ...] = ()
    manifest: Path | None = None
    root: Path | None = None
    dialect: str | None = None
    stream: int | None = None


def make_workspace(folder: Path) -> Answer:
    """Make a workspace with its database."""
    from transcribe.wiring import Wiring
    from transcribe.workspace import create

    created = create(folder)
    with Wiring.open(created) as wiring:
        document = {"workspace": str(created), "recordings": wiring.store.status.count().recordings}
    return Answer(data=document, text=f"workspace {created}\nnext: boli ingest --workspace {folder} PATH…")


def ingest_source(
    wiring: Wiring, source: Source, console: Console, *, allow_partial: bool = False, dry_run: bool = False
) -> Answer:
    """Take recordings in; what cannot be taken is named with its reason."""
    from transcribe import audio, ingest, terminal

    settings = wiring.settings.ingest
    rules = ingest.Rules(
        catalogue=wiring.catalogue,
        limits=audio.Limits(longest=round(settings.longest_hours * 3_600_000), memory_bytes=settings.memory_mb << 20),
        shares=ingest.Shares(dev=settings.dev_share, test=settings.test_share, seed=settings.split_seed),
        strict_dialects=settings.strict_dialects,
        stream=source.stream,
        allow_partial=allow_partial,
        refusing=wiring.refusing,
        keep_refused=settings.keep_refused,
    )
    left_out: list[str] = []
    arrivals = ingest.plan(
        source.paths,
        manifest=source.manifest,
        root=source.root,
        allow_roots=settings.allow_roots,
        defaults={"dialect": source.dialect} if source.dialect else None,
        split_of=wiring.store.recordings.find_split,
        warn=left_out.append,
    )
    places = (source.root, settings.allow_roots)
    refused = ingest.plan_refused(source.manifest, wiring.refusing, *places) if source.manifest else ()
    with console.progress("ingesting", items=None) as progress:
        summary = ingest.ingest(
            arrivals,
            refused=refused,
            store=wiring.store,
            audio_folder=wiring.audio_folder,
            rules=rules,
            workers=settings.workers,
            progress=progress,
            dry_run=dry_run,
        )
    document = {
        "new": summary.new,
        "known": summary.present,
        "changed": summary.changed,
        "refused": summary.refused,
        "failed": len(summary.failed),
        "audio_ms": summary.milliseconds,
        "bytes": summary.bytes,
        "dry_run": dry_run,
    }
    verb = "would be taken" if dry_run else "taken in"
    sound = "" if summary.milliseconds is None else f" ({terminal.minutes(summary.milliseconds)})"
    text = f"{summary.new} recordings {verb}{sound}, {summary.present} known already"
    if summary.changed:
        text += f", consent or licence of {summary.changed} changed"
    if summary.refused:
        text += f"; {summary.refused} left out for their consent"
    return Answer(data=document, text=text, warnings=(*summary.warnings, *left_out), failures=summary.failed)


def draft_recordings(
    wiring: Wiring, console: Console, *, retry_failed: bool = False, everything: bool = False, dry_run: bool = False
) -> Answer:
    """
    Diarise and draft what is pending.

    Args:
        everything: Also draft recordings that were drafted before, say by another model, and are corrected throughout.
    """
    store = wiring.store
    with store.lock("run"):
        recipe = wiring.recipe()
        console.note(wiring.drafting_sentence())
        items, sound = store.attempts.count_pending(recipe.settings, retry_failed=retry_failed, waiting=not everything)
        plan = {
            "pending": items,
            "pending_ms": sound,
            "recogniser": recipe.recogniser.id,
            "diariser": recipe.diariser.id,
        }
        if dry_run:
            text = f"{items} recordings, {sound / 60_000:.1f} min of audio would be drafted"
            return Answer(data=plan, text=_name_next_step(wiring, text, items))
        return _draft(wiring, console, recipe, plan, retry_failed=retry_failed, everything=everything)


def _draft(
    wiring: Wiring, console: Console, recipe: Recipe, plan: dict[str, Any], *, retry_failed: bool, everything: bool
) -> Answer:
    from transcribe.commands.app import stop_on_signal
    from transcribe.pipeline.drafting import draft_pending

    failures: list[Failure] = []
    warnings = list(recipe.warnings)
    segments = sound = 0
    with (
        stop_on_signal() as stop,
        console.progress("drafting", items=plan["pending"], sound=plan["pending_ms"]) as progress,
    ):
        for step in draft_pending(
            wiring.store,
            recipe,
            wiring.audio_folder,
            retry_failed=retry_failed,
            waiting=not everything,
            stop=stop,
            on_bug=console.bug,
        ):
            progress.step(sound=step.recording.duration, failed=step.failure is not None)
            warnings += step.warnings
            if step.failure is not None:
                failures.append(step.failure)
            else:
                segments += step.segments
                sound += step.recording.duration
    if stop.is_set():
        raise Interrupted("stopped; what was drafted is kept", hint="boli run goes on")
    done = plan["pending"] - len(failures)
    document = plan | {"drafted": done, "drafted_ms": sound, "segments": segments, "failed": len(failures)}
    text = f"{done} recordings drafted, {sound / 60_000:.1f} min, {segments} segments"
    text = _name_next_step(wiring, text, plan["pending"])
    return Answer(data=document, text=text, warnings=warnings, failures=failures)


def _name_next_step(wiring: Wiring, text: str, pending: int) -> str:
    """Add to *text*, where nothing was *pending*, how the workspace goes on."""
    from transcribe.workspace import find_next_step

    step = None if pending else find_next_step(wiring.store)
    return text if step is None else f"{text}; {step}"


def count_recordings(wiring: Wiring) -> Answer:
    """Count what is done, pending and failed."""
    from transcribe import terminal

    counts = wiring.store.status.count()
    return Answer(data=asdict(counts), text=terminal.status(counts))
