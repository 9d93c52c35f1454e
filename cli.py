"""The command line: words in, one call, a result out. Nothing is decided here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from transcribe.console import Console
from transcribe.errors import UsageError
from transcribe.grouped_help import GroupedHelp

ENGINEERS, SCIENTISTS, LEADS, EVERYONE = "Data engineers", "ML teams", "Transcription leads", "Everyone"

app = typer.Typer(
    name="boli",
    help="Transcribe dialect-rich audio: diarise, draft, correct, measure per dialect, learn.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=GroupedHelp,
)
imports = typer.Typer(help="Take in what people made elsewhere.", rich_markup_mode=None)
config = typer.Typer(help="Show and check the settings.", rich_markup_mode=None)
app.add_typer(imports, name="import", rich_help_panel=ENGINEERS)
app.add_typer(config, name="config", rich_help_panel=EVERYONE)
people = typer.Typer(help="Who works at the desk.", rich_markup_mode=None)
report = typer.Typer(help="What was done at the desk.", rich_markup_mode=None)
app.add_typer(people, name="people", rich_help_panel=LEADS)
app.add_typer(report, name="report", rich_help_panel=LEADS)

Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", help="The workspace; else BOLI_WORKSPACE, else the nearest folder with a boli.toml."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Exactly one JSON document on stdout.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error came from.")]
Progress = Annotated[str, typer.Option("--progress", help="auto, plain, jsonl or none; on stderr.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]

Since = Annotated[str | None, typer.Option(help="Work touched from this UTC date on, for example 2026-01-31.")]
Until = Annotated[str | None, typer.Option(help="Work touched before this UTC date.")]
NewPassword = Annotated[bool, typer.Option("--password-stdin", help="Read it from stdin; else one is made and shown.")]

#: The voice of the running command; `main` gives it the command's name and manners before anything is parsed.
console = Console("boli")


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli init corpus")
def init(
    folder: Annotated[Path, typer.Argument(help="Where.")] = Path(),
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a workspace."""
    from transcribe import actions

    console.answer(actions.init(folder))


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
    from transcribe import actions
    from transcribe.wiring import Wiring

    if bool(paths) == (manifest is not None):
        raise UsageError("either PATHS or --manifest was asked for, found " + ("both" if paths else "neither"))
    with Wiring.open(workspace, {"ingest.strict_dialects": strict_dialects}) as wiring:
        source = actions.Source(paths=tuple(paths or ()), manifest=manifest, root=root, dialect=dialect, stream=stream)
        console.answer(actions.ingest(wiring, source, console, allow_partial=allow_partial, dry_run=dry_run))


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli run --device cuda")
def run(
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Recogniser: a folder or a hub id; becomes the promoted one.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option(help="Try again what failed before.")] = False,
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
        console.answer(actions.run(wiring, console, retry_failed=retry_failed, dry_run=dry_run))


@app.command(rich_help_panel=ENGINEERS, epilog="Example: boli status")
def status(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """What is done, what is pending, what failed."""
    from transcribe import actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.status(wiring))


@app.command(rich_help_panel=SCIENTISTS, epilog="Example: boli wer --split test --out reports/today")
def wer(
    pairs: Annotated[Path | None, typer.Option(help="Score this CSV, JSONL or Parquet; no workspace needed.")] = None,
    model: Annotated[str | None, typer.Option(help="Whose drafts; default: the promoted model's.")] = None,
    split: Annotated[str, typer.Option(help="train, dev, test or all.")] = "all",
    normaliser: Annotated[
        str | None, typer.Option(help="One normaliser for all; default: by language and script.")
    ] = None,
    variants: Annotated[
        list[Path] | None, typer.Option(help="Allowed spellings: TAG.tsv, or a folder of them. May be repeated.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="A table by dialect, speaker, session, language, duration, snr, script, overlap, as a,b."),
    ] = None,
    next_points: Annotated[
        float | None,
        typer.Option("--next", min=0.1, help="What to record next, to bring intervals within so many points."),
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="Manifest of the training; a speaker or sentence of it is refused.")
    ] = None,
    allow_seen: Annotated[bool, typer.Option(help="What the training knew in rows of its own, not refused.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as one page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report as a folder, each segment in it.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
    fail_if: Annotated[
        list[str] | None, typer.Option(help='Exit code 7 if it holds: "worst_reportable_wer>0.35". May be repeated.')
    ] = None,
    fail_if_regressed: Annotated[
        Path | None, typer.Option(help="Exit code 7 if a dialect is worse than in this report or table.")
    ] = None,
    privacy_floor: Annotated[bool, typer.Option(help="Leave the numbers of small groups out of --json too.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """WER per dialect, with intervals by speaker; as a table, a page or a folder, and as a gate."""
    from transcribe import actions

    asked = actions.Scoring(
        model=model,
        split=split,
        normaliser=normaliser,
        variants=tuple(variants or ()),
        by=tuple(by or ()),
        next=next_points,
        train=train,
        allow_seen=allow_seen,
        html=html,
        out=out,
        overwrite=overwrite,
        fail_if=tuple(fail_if or ()),
        fail_if_regressed=fail_if_regressed,
        privacy_floor=privacy_floor,
    )
    console.answer(actions.wer_of_pairs(pairs, asked, console) if pairs else actions.wer(workspace, asked, console))


@app.command(rich_help_panel=SCIENTISTS, epilog="Example: boli compare base tuned --split test")
def compare(
    a: Annotated[str, typer.Argument(help="A model, a report that --out wrote, or a table of pairs.")],
    b: Annotated[str, typer.Argument(help="Another one on the same speech.")],
    pairs: Annotated[Path | None, typer.Option(help="The table that has both models.")] = None,
    split: Annotated[str, typer.Option(help="train, dev, test or all.")] = "all",
    normaliser: Annotated[
        str | None, typer.Option(help="One normaliser for all; default: by language and script.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Which of two models errs less on each dialect, paired by speaker."""
    from transcribe import actions

    asked = actions.Contest(a=a, b=b, pairs=pairs, split=split, normaliser=normaliser)
    console.answer(actions.compare(workspace, asked))


@imports.command("corrections", epilog="Example: boli import corrections done.csv")
def import_corrections(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or STM.")],
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Corrections made elsewhere; the same file twice is taken once."""
    from transcribe import actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.import_corrections(wiring, file, dry_run=dry_run))


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
            answer = actions.export(wiring, out, kind=kind, of=of, model=model, overwrite=overwrite)
        console.answer(answer)


@config.command("show", epilog="Example: boli config show --origin")
def config_show(
    origin: Annotated[bool, typer.Option("--origin", help="Where each value came from.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Every setting with its value."""
    from transcribe import actions

    console.answer(actions.config_show(workspace, origin=origin))


@config.command("check", epilog="Example: boli config check")
def config_check(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Whether the settings are usable; exit code 3 if not."""
    from transcribe import actions

    console.answer(actions.config_check(workspace))


@config.command("schema", epilog="Example: boli config schema")
def config_schema(as_json: AsJson = False, debug: Debug = False) -> None:
    """JSON Schema of boli.toml, for editors."""
    from transcribe import actions

    console.answer(actions.config_schema())


@app.command(rich_help_panel=EVERYONE, epilog="Example: boli doctor")
def doctor(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """What is there, what is missing, and which command mends it."""
    from transcribe import actions

    console.answer(actions.doctor(workspace))


@app.command(rich_help_panel=EVERYONE, epilog="Example: boli demo")
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make the demo's workspace.")] = Path("boli-demo"),
    as_json: AsJson = False,
    debug: Debug = False,
    progress: Progress = "auto",
) -> None:
    """The whole circle on a small corpus that comes with boli."""
    from transcribe import actions

    console.answer(actions.demo(folder, console))


@app.command(rich_help_panel=LEADS, epilog="Example: boli serve --port 8756")
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; others reach it by TLS or a proxy only.")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes any that is free.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Open the correction desk until Ctrl-C."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace, {"desk.host": host, "desk.port": port}) as wiring:
        console.answer(desk.serve(wiring, console))


@app.command(rich_help_panel=LEADS, epilog="Example: boli queue --reopen SEGMENT")
def queue(
    gold: Annotated[
        Path | None, typer.Option(help="CSV or JSONL of segment and text: keep these to check people.")
    ] = None,
    reopen: Annotated[list[str] | None, typer.Option(help="Put this segment back among those to write.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """What waits to be written, by dialect."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.queue(wiring, gold=gold, reopen=reopen or ()))


@app.command(rich_help_panel=LEADS, epilog="Example: boli review --verify")
def review(
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that no text was changed; exit code 7 if so.")
    ] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """What waits for a reviewer, and since when."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.review(wiring, verify=verify))


@people.command("add", epilog="Example: boli people add asha --role transcriber --dialect bho")
def people_add(
    name: Annotated[str, typer.Argument(help="What they sign in with.")],
    role: Annotated[list[str], typer.Option(help="transcriber, reviewer, lead or analyst; several are fine.")],
    dialect: Annotated[list[str] | None, typer.Option(help="A dialect they know, with all below it.")] = None,
    password_stdin: NewPassword = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Take somebody in."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.people_add(wiring, name, role, dialect or (), read_password=password_stdin))


@people.command("list", epilog="Example: boli people list")
def people_list(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Everybody, with roles and dialects."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.people_list(wiring))


@people.command("disable", epilog="Example: boli people disable asha")
def people_disable(
    name: Annotated[str, typer.Argument(help="Whom.")],
    enable: Annotated[bool, typer.Option("--enable", help="Let them in again.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Shut somebody out: sessions and tokens end at once."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.people_disable(wiring, name, enable=enable))


@people.command("password", epilog="Example: boli people password asha")
def people_password(
    name: Annotated[str, typer.Argument(help="Whose.")],
    password_stdin: NewPassword = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """A new password; every session ends."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.people_password(wiring, name, read_password=password_stdin))


@people.command("token", epilog="Example: boli people token asha --scope progress --scope metrics")
def people_token(
    name: Annotated[str, typer.Argument(help="Whom it acts for.")],
    scope: Annotated[list[str] | None, typer.Option(help="work, review, progress, people or metrics.")] = None,
    label: Annotated[str, typer.Option(help="What it is for.")] = "script",
    days: Annotated[int, typer.Option(min=1, help="How long it is good.")] = 90,
    end: Annotated[str | None, typer.Option(help="End the token with this id instead.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """A token for scripts, or the end of one."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.people_token(wiring, name, scope or (), label=label, days=days, end=end))


@report.command("productivity", epilog="Example: boli report productivity --since 2026-01-01")
def report_productivity(
    since: Since = None,
    until: Until = None,
    out: Annotated[Path | None, typer.Option("--csv", help="Write it as CSV, too.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Sound written and active time, by person and dialect."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.report_productivity(wiring, desk.Period(since=since, until=until), out=out))


@report.command("pay", epilog="Example: boli report pay --rates rates.toml --csv january.csv")
def report_pay(
    rates: Annotated[Path, typer.Option(help='TOML: currency = "INR", minute = 12.0, and a table [dialects].')],
    since: Since = None,
    until: Until = None,
    out: Annotated[Path | None, typer.Option("--csv", help="Write every line as CSV, too.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """What is due to whom, a line a segment."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.report_pay(wiring, desk.Period(since=since, until=until), rates=rates, out=out))


@report.command("quality", epilog="Example: boli report quality")
def report_quality(
    since: Since = None,
    until: Until = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Agreement of people, known segments and reviews, by dialect."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.report_quality(wiring, desk.Period(since=since, until=until)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console.speak_for(given)
    sys.exit(console.run(lambda: _parse(given)))


def _parse(given: list[str]) -> object:
    try:
        return app(args=given or ["--help"], prog_name="boli", standalone_mode=False)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        place = context.command_path if context is not None else "boli"
        raise UsageError(error.format_message(), hint=f"see {place} --help") from error


if __name__ == "__main__":
    main()
