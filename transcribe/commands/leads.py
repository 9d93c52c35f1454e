"""Commands of transcription leads: the correction desk, its people, what is due to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transcribe.commands.app import AsJson, Debug, Dry, Workspace, app, console, group
from transcribe.commands.engineers import imports

PANEL = "Transcription leads"
people = group("people", "Who works at the desk.", PANEL)
speakers = group("speakers", "Which speakers are likely one person, by their voices; alone, it lists them.", PANEL)
report = group("report", "What was done at the desk.", PANEL)

Since = Annotated[str | None, typer.Option(help="Work touched from this UTC date on, for example 2026-01-31.")]
Until = Annotated[str | None, typer.Option(help="Work touched before this UTC date.")]
NewPassword = Annotated[bool, typer.Option("--password-stdin", help="Read it from stdin; else one is made and shown.")]


@app.command(rich_help_panel=PANEL, epilog="Example: boli serve --port 8756")
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


@app.command(rich_help_panel=PANEL, epilog="Example: boli queue --reopen SEGMENT")
def queue(
    gold: Annotated[
        Path | None, typer.Option(help="CSV or JSONL of segment and text: keep these to check people.")
    ] = None,
    reopen: Annotated[list[str] | None, typer.Option(help="Put this segment back among those to write.")] = None,
    first: Annotated[
        float | None, typer.Option(min=0.1, help="Ask first for so many minutes, those that teach a model most.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List what waits to be written, by dialect."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.queue(wiring, gold=gold, reopen=reopen or (), first=first))


@app.command(rich_help_panel=PANEL, epilog="Example: boli accept --limit 5")
def accept(
    limit: Annotated[
        float | None,
        typer.Option(min=0.1, max=50, help="Wrong words in a hundred that are allowed."),
    ] = None,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Let drafts that are surely good count without a person, as long as audits agree."""
    from transcribe.actions import growing
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(growing.accept(wiring, limit=None if limit is None else limit / 100, dry_run=dry_run))


@app.command(rich_help_panel=PANEL, epilog="Example: boli review --verify")
def review(
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that no text was changed; exit code 7 if so.")
    ] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List what waits for a reviewer, and since when."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.review(wiring, verify=verify))


@imports.command("outbox", epilog="Example: boli import outbox unsent.json")
def import_outbox(
    file: Annotated[Path, typer.Argument(help="What the desk's screen saved.")],
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Take texts too that were not ended.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Import unsent work of a browser; the same file twice is taken once."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.import_outbox(wiring, file, unfinished=unfinished))


@app.command(rich_help_panel=PANEL, epilog="Example: boli mask call.wav --from 12500 --to 14000")
def mask(
    recording: Annotated[str | None, typer.Argument(help="Path as ingested, or hash; without a time, list it.")] = None,
    start: Annotated[int | None, typer.Option("--from", help="First millisecond.")] = None,
    end: Annotated[int | None, typer.Option("--to", help="Millisecond after the last.")] = None,
    terms: Annotated[
        Path | None, typer.Option(help="Mask what these name in drafts: one a line, * any ending.")
    ] = None,
    lift: Annotated[str | None, typer.Option(help="Lift this mask.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Hide what nobody may hear or read: a tone in the sound, a mark in every text."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.mask(wiring, recording, start=start, end=end, lift=lift, terms=terms))


@app.command(rich_help_panel=PANEL, epilog="Example: boli erase --speaker S017 --dry-run")
def erase(
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
    from transcribe.actions import erasing
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(erasing.erase(wiring, speaker=speaker, expired=expired, dry_run=dry_run))


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
    """List everybody, with roles and dialects."""
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
    """Set a new password; every session ends."""
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
    """Make a token for scripts, or end one."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.people_token(wiring, name, scope or (), label=label, days=days, end=end))


Speakers = Annotated[
    list[str],
    typer.Argument(metavar="SPEAKER SPEAKER | PROPOSAL", help="Two speakers as boli speakers shows them, or an id."),
]


@speakers.callback(invoke_without_command=True, epilog="Example: boli speakers")
def speakers_propose(
    context: typer.Context, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """List speakers that are likely one person in several recordings, and how sure that is, to accept or refuse."""
    from transcribe.actions import speakers as actions
    from transcribe.wiring import Wiring

    if context.invoked_subcommand is not None:
        return
    # Not the name of a workspace that stands where another command of this kind has its second word.
    console.command = "speakers"
    with Wiring.open(workspace) as wiring:
        console.answer(actions.propose(wiring))


@speakers.command("accept", epilog="Example: boli speakers accept 3f2a91c0")
def speakers_accept(
    names: Speakers, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Declare two speakers one person: they count as one in splits, intervals and WER from now on."""
    from transcribe.actions import speakers as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.decide(wiring, names, accepted=True))


@speakers.command("refuse", epilog="Example: boli speakers refuse asha calls/7.wav/SPEAKER_01")
def speakers_refuse(
    names: Speakers, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Declare two speakers two people: not proposed again, and no longer linked."""
    from transcribe.actions import speakers as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.decide(wiring, names, accepted=False))


@speakers.command("list", epilog="Example: boli speakers list")
def speakers_list(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """List what people have said of two speakers so far, who and when."""
    from transcribe.actions import speakers as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.list_links(wiring))


@report.command("productivity", epilog="Example: boli report productivity --since 2026-01-01")
def report_productivity(
    since: Since = None,
    until: Until = None,
    out: Annotated[Path | None, typer.Option("--csv", help="Write it as CSV, too.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Report sound written and active time, by person and dialect."""
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
    """Report what is due to whom, a line a segment."""
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
    """Report agreement of people, gold segments and reviews, by dialect."""
    from transcribe.actions import desk
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(desk.report_quality(wiring, desk.Period(since=since, until=until)))
