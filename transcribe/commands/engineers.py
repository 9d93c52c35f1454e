"""Commands of data engineers: recordings in, drafts, files out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transcribe.commands.app import AsJson, Debug, Dry, Progress, Workspace, app, console, group
from transcribe.errors import UsageError

PANEL = "Data engineers"
imports = group("import", "Take in what people made elsewhere.", PANEL)


@app.command(rich_help_panel=PANEL, epilog="Example: boli init corpus")
def init(
    folder: Annotated[Path, typer.Argument(help="Where.")] = Path(),
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a workspace."""
    from transcribe import actions

    console.answer(actions.init(folder))


@app.command(rich_help_panel=PANEL, epilog="Example: boli ingest --manifest calls.csv")
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
    from transcribe import actions
    from transcribe.wiring import Wiring

    if bool(paths) == (manifest is not None):
        raise UsageError("either PATHS or --manifest was asked for, found " + ("both" if paths else "neither"))
    with Wiring.open(workspace, {"ingest.strict_dialects": strict_dialects}) as wiring:
        source = actions.Source(paths=tuple(paths or ()), manifest=manifest, root=root, dialect=dialect, stream=stream)
        console.answer(actions.ingest(wiring, source, console, allow_partial=allow_partial, dry_run=dry_run))


@app.command(rich_help_panel=PANEL, epilog="Example: boli run --device cuda")
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
    from transcribe import actions
    from transcribe.wiring import Wiring

    overrides = {"diariser.device": device, "recogniser.device": device, "recogniser.model": model}
    with Wiring.open(workspace, overrides) as wiring:
        again = everything or model is not None
        console.answer(actions.run(wiring, console, retry_failed=retry_failed, everything=again, dry_run=dry_run))


@app.command(rich_help_panel=PANEL, epilog="Example: boli status")
def status(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Show what is done, what is pending, what failed."""
    from transcribe import actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.status(wiring))


@imports.command("corrections", epilog="Example: boli import corrections done.csv")
def import_corrections(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or STM.")],
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Import corrections made elsewhere; the same file twice is taken once."""
    from transcribe import actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.import_corrections(wiring, file, dry_run=dry_run))


@app.command(rich_help_panel=PANEL, epilog="Example: boli export --format srt subtitles")
def export(
    out: Annotated[
        Path | None, typer.Argument(help="Folder or file to write; default for --canonical: stdout.")
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--format", help="rttm, stm, ctm, srt, vtt, textgrid, eaf, nemo, kaldi, label-studio, seglst, csv or jsonl."
        ),
    ] = "stm",
    of: Annotated[str, typer.Option(help="drafts or corrections.")] = "drafts",
    model: Annotated[str | None, typer.Option(help="Whose drafts; default: the promoted model's.")] = None,
    canonical: Annotated[
        bool, typer.Option(help="Everything content decides, sorted: equal work gives equal bytes.")
    ] = False,
    draft_times: Annotated[
        bool,
        typer.Option("--draft-times", help="Word times of corrections by their drafts, without hearing them again."),
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write drafts or corrections in other programs' formats."""
    from transcribe import actions
    from transcribe.wiring import Wiring

    if canonical and as_json and out is None:
        raise UsageError(
            "--canonical --json writes its lines to a file", hint="name it: boli export FILE --canonical --json"
        )
    with Wiring.open(workspace) as wiring:
        if canonical:
            answer = actions.export_canonical(wiring, out, overwrite=overwrite)
        else:
            order = actions.Export(kind=kind, of=of, model=model, overwrite=overwrite, draft_times=draft_times)
            answer = actions.export(wiring, console, out, order)
        console.answer(answer)
