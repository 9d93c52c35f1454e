"""Commands of the correction desk: open it, list what waits, and decide what is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import LEADS, AsJson, Debug, Workspace, app, console, open_workspace
from transcribe.console import Answer, Console
from transcribe.errors import GateFailed, InputError

if TYPE_CHECKING:
    from rich.console import Group

    from dialects.active_learning import UnlabelledSegment
    from transcribe.wiring import Wiring


@app.command(rich_help_panel=LEADS, epilog="Example: boli serve --port 8756")
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; others reach it by TLS or a proxy only.")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes any that is free.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Open the correction desk until Ctrl-C."""
    with open_workspace(workspace, {"desk.host": host, "desk.port": port}) as wiring:
        console.answer(open_desk(wiring, console))


@app.command(rich_help_panel=LEADS, epilog="Example: boli queue --first 30")
def queue(
    first: Annotated[
        float | None, typer.Option(min=0.1, help="List so many minutes of what would teach a model most, too.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List what waits to be written, by dialect."""
    with open_workspace(workspace) as wiring:
        console.answer(count_queue(wiring, first=first))


@app.command(rich_help_panel=LEADS, epilog="Example: boli prioritise 30")
def prioritise(
    minutes: Annotated[float, typer.Argument(min=0.1, metavar="MINUTES", help="How much audio.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Ask people first for what would teach a model most, as boli queue --first lists it."""
    with open_workspace(workspace) as wiring:
        console.answer(prioritise_segments(wiring, minutes))


@app.command(rich_help_panel=LEADS, epilog="Example: boli reopen SEGMENT")
def reopen(
    segments: Annotated[list[str], typer.Argument(metavar="SEGMENT...", help="Ids of segments.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Put segments back among those to write."""
    with open_workspace(workspace) as wiring:
        console.answer(reopen_segments(wiring, segments))


@app.command(rich_help_panel=LEADS, epilog="Example: boli review --verify")
def review(
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that no text was changed; exit code 7 if so.")
    ] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List what waits for a reviewer, and since when."""
    with open_workspace(workspace) as wiring:
        console.answer(count_reviews(wiring, verify=verify))


def open_desk(wiring: Wiring, console: Console) -> Answer:
    """Open the desk until somebody stops it. Its address is said on stderr as soon as it answers."""
    from transcribe.commands.app import interrupt_until_set
    from transcribe.desk import SCREEN, how_to_build, server

    if not (SCREEN / "index.html").is_file():
        console.note(f"the desk's screen was not built, its API answers alone; `{how_to_build()}` brings it")
    address = server.bind_address(wiring.settings.desk, wiring.workspace)
    with (
        wiring.store.lock("serve"),
        interrupt_until_set() as is_open,
        server.open_desk(wiring.store, wiring.settings.desk, wiring.workspace, wiring.catalogue) as service,
    ):

        def announce(url: str) -> None:
            is_open.set()
            console.note(f"the desk is open at {url}")

        server.serve(service, address, on_open=announce)
    return Answer(data={"url": address.url}, text="the desk is closed; everything that was sent is saved")


def count_queue(wiring: Wiring, *, first: float | None = None) -> Answer:
    """Count the segments that wait to be written, by dialect; list the *first* minutes that would teach most."""
    from rich.console import Group

    from transcribe import terminal
    from transcribe.workspace import find_desk_step

    _lay_out(wiring)
    progress = wiring.store.desk.count_progress()
    chosen = () if first is None else _choose_first(wiring, first)
    states = ("open", "held", "returned", "aside", "review", "disputed", "accepted", "unclear", "gold")
    rows = [
        (queued.dialect, *(str(queued.segments.get(state, 0)) for state in states), terminal.minutes(queued.accepted))
        for queued in progress
    ]
    lines = [] if rows else [f"nothing waits to be written; {find_desk_step(wiring.store)}"]
    parts = [terminal.stack(lines, terminal.table(("dialect", *states, "accepted sound"), rows))]
    document: dict[str, Any] = {"dialects": [asdict(queued) for queued in progress]}
    if first is not None:
        parts.append(_format_chosen(chosen, f"would teach most; boli prioritise {first:g} asks for them first"))
        document["first"] = [_describe_chosen(segment) for segment in chosen]
    return Answer(data=document, text=Group(*parts))


def prioritise_segments(wiring: Wiring, minutes: float) -> Answer:
    """Put those open segments before all others that would teach a model most, *minutes* of audio at most."""
    _lay_out(wiring)
    chosen = _choose_first(wiring, minutes)
    count = wiring.store.desk.put_first([segment.id for segment in chosen])
    document = {"first": count, "segments": [_describe_chosen(segment) for segment in chosen]}
    return Answer(data=document, text=_format_chosen(chosen, "are asked for first"))


def reopen_segments(wiring: Wiring, segments: Sequence[str]) -> Answer:
    """
    Open each of *segments* again.

    Raises:
        InputError: E_SEGMENT if none of them is on the desk and free.
    """
    _lay_out(wiring)
    reopened = [segment for segment in segments if wiring.store.reviews.reopen(segment)]
    if not reopened:
        message = f"{', '.join(segments)} was to be opened again; nothing of it is on the desk and free"
        raise InputError(message, code="E_SEGMENT", hint="boli review lists what waits", item=segments[0])
    text = f"{len(reopened)} of {len(segments)} segments are open again"
    return Answer(data={"reopened": reopened}, text=text)


def _lay_out(wiring: Wiring) -> None:
    """Bring the desk up to the newest drafts, with the workspace's terms masked before anybody is given one."""
    store, newest = wiring.store, wiring.store.desk.find_newest_run()
    if store.database.terms.phrases:
        store.redaction.mask_terms(store.database.terms)
    store.desk.lay_out(wiring.desk_rules(), upto=newest)


def _choose_first(wiring: Wiring, minutes: float) -> tuple[UnlabelledSegment, ...]:
    from transcribe.active_learning import correct_next
    from transcribe.scoring.rules import make_preparer
    from transcribe.workspace import find_model

    prepare = make_preparer(wiring.settings.report)
    model = find_model(wiring.store, None)
    return correct_next(wiring.store, model, prepare, minutes=minutes, among=wiring.store.desk.fetch_open())


def _describe_chosen(segment: UnlabelledSegment) -> dict[str, Any]:
    return {"segment": segment.id, "dialect": segment.dialect, "seconds": segment.seconds, "speaker": segment.speaker}


def _format_chosen(chosen: Sequence[UnlabelledSegment], verb: str) -> Group:
    """Say how many segments were chosen, and list as many."""
    from transcribe import terminal

    counts = Counter(segment.dialect for segment in chosen)
    dialects = ", ".join(f"{tag} {count}" for tag, count in sorted(counts.items()))
    minutes = sum(segment.seconds for segment in chosen) / 60
    line = f"{len(chosen)} segments, {minutes:.1f} min of sound, {verb}: {dialects or 'none'}"
    rows = [(segment.id[:12], segment.dialect, f"{segment.seconds:.1f}", segment.speaker) for segment in chosen]
    return terminal.stack([line], terminal.table(("segment", "dialect", "seconds", "speaker"), rows))


def count_reviews(wiring: Wiring, *, verify: bool) -> Answer:
    """Count what waits for a reviewer, and since when; with *verify*, check that no text was changed after the fact."""
    from transcribe.terminal import stack, table
    from transcribe.workspace import find_desk_step

    store = wiring.store
    broken = store.audit.find_broken_history() if verify else None
    if broken is not None:
        raise GateFailed(
            f"the history of segment {broken} is not the one that was written",
            code="E_HISTORY",
            hint="compare with a backup; the segments before it are whole",
            item=broken,
        )
    states = ("disputed", "review", "aside", "returned")
    waiting: list[dict[str, Any]] = [
        {
            "dialect": queued.dialect,
            "state": state,
            "segments": queued.segments[state],
            "oldest": queued.oldest[state],
        }
        for queued in store.desk.count_progress()
        for state in states
        if queued.segments.get(state)
    ]
    rows = [(row["dialect"], row["state"], str(row["segments"]), row["oldest"]) for row in waiting]
    lines = ["every text is the one that was written"] * verify
    lines += [f"nothing waits for a reviewer; {find_desk_step(store)}"] * (not rows)
    document = {"waiting": waiting, "verified": True if verify else None}
    return Answer(data=document, text=stack(lines, table(("dialect", "waits as", "segments", "oldest since"), rows)))
