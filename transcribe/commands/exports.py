"""Command that writes drafts and corrections in other programs' formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import ENGINEERS, AsJson, Debug, Workspace, app, console, open_workspace
from transcribe.console import Answer, Console
from transcribe.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transcribe.formats.cues import CueRules
    from transcribe.formats.formats import Written
    from transcribe.formats.records import TimedText
    from transcribe.timed_texts import WordClock
    from transcribe.wiring import Wiring


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli export --format srt subtitles")
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
    line_length: Annotated[int, typer.Option(min=10, help="Subtitles: characters of a line, as people see them.")] = 42,
    lines: Annotated[int, typer.Option(min=1, max=4, help="Subtitles: lines of a cue.")] = 2,
    cue_seconds: Annotated[float, typer.Option(min=1, help="Subtitles: the longest cue.")] = 7.0,
    pause_seconds: Annotated[float, typer.Option(min=0.1, help="Subtitles: the silence that always ends a cue.")] = 1.5,
    speakers: Annotated[bool, typer.Option(help="Subtitles: write who speaks.")] = True,
    whole_cues: Annotated[bool, typer.Option("--whole-cues", help="Subtitles: one cue a segment.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write drafts or corrections in other programs' formats."""
    if canonical and as_json and out is None:
        raise UsageError(
            "--canonical --json writes its lines to a file", hint="name it: boli export FILE --canonical --json"
        )
    from transcribe.formats.cues import CueRules

    with open_workspace(workspace) as wiring:
        if canonical:
            answer = export_canonical(wiring, out, overwrite=overwrite)
        else:
            rules = CueRules(
                line_length=line_length,
                lines=lines,
                longest=round(cue_seconds * 1_000),
                pause=round(pause_seconds * 1_000),
                has_speakers=speakers,
                is_whole=whole_cues,
            )
            request = ExportRequest(
                kind=kind, of=of, model=model, overwrite=overwrite, draft_times=draft_times, rules=rules
            )
            answer = export_texts(wiring, console, out, request)
        console.answer(answer)


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """A request to write drafts or corrections in one format."""

    #: Name of the format.
    kind: str
    #: ``drafts`` or ``corrections``.
    of: str
    #: Whose drafts; ``None``: the promoted model's.
    model: str | None = None
    overwrite: bool = False
    #: Whether the drafts give the times of corrected words, and no model hears them again.
    draft_times: bool = False
    #: Limits of subtitles' cues.
    rules: CueRules | None = None


def export_texts(wiring: Wiring, console: Console, out: Path | None, request: ExportRequest) -> Answer:
    """Write drafts or corrections in another program's format, recordings under the paths they were ingested by."""
    from transcribe import audio
    from transcribe.formats.formats import get_format, write_texts
    from transcribe.timed_texts import WordClock, stream_drafts
    from transcribe.workspace import find_model

    if request.of not in ("drafts", "corrections"):
        raise UsageError(f"--of {request.of} was asked for, there are drafts and corrections")
    if out is None:
        hint = f"boli export OUT --format {request.kind}"
        raise UsageError("a file or folder to write was asked for, found none", hint=hint)
    store = wiring.store

    def audio_of(path: str) -> str:
        recording = store.recordings.find_by_path(path)
        return path if recording is None else str(audio.locate(wiring.audio_folder, recording.id))

    def write_items(items: Iterator[TimedText]) -> Written:
        return write_texts(
            items, out, request.kind, audio_of=audio_of, overwrite=request.overwrite, rules=request.rules
        )

    if request.of == "drafts":
        written, clock = write_items(stream_drafts(store, find_model(store, request.model))), None
    else:
        clock = WordClock.open(wiring, hear=get_format(request.kind).word_times and not request.draft_times)
        written = write_items(_time_corrections(clock, console))
    drops = get_format(request.kind).drops
    document: dict[str, Any] = {"files": [str(file) for file in written.files], "items": written.items, "drops": drops}
    text = f"{written.items} {request.of} in {len(written.files)} files below {out}"
    if clock is not None and get_format(request.kind).word_times:
        document |= {"aligned": clock.aligned, "retimed": clock.retimed}
        text = f"{text}; {clock.sentence}"
    return Answer(data=document, text=f"{text}\n{request.kind} drops {drops}")


def _time_corrections(clock: WordClock, console: Console) -> Iterator[TimedText]:
    """Yield the corrections with word times, and display the alignment, where there is any to be done."""
    size = clock.measure()
    if size is None:
        yield from clock.time_corrections()
        return
    count, sound = size
    with console.progress("timing words", items=count, sound=sound) as progress:
        yield from clock.time_corrections(lambda duration: progress.step(sound=duration))


def export_canonical(wiring: Wiring, out: Path | None, *, overwrite: bool = False) -> Answer:
    """Export everything that content decides, as sorted JSON lines: equal work gives equal bytes."""
    from transcribe.formats.files import write_lines

    lines = wiring.store.export.fetch_lines()
    if out is None:
        for line in lines:
            print(line)  # noqa: T201 - the lines are the result
        return Answer(data={})
    if out.exists() and not overwrite:
        raise InputError(f"{out} is there already", code="E_EXISTS", hint="--overwrite replaces it", item=str(out))
    count = write_lines(lines, out)
    return Answer(data={"file": str(out), "lines": count}, text=f"{count} lines in {out}")
