"""Command that runs the whole circle on the corpus that ships with the package, and a desk opened on it."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from transcribe.commands.app import EVERYONE, AsJson, Debug, Progress, app, console, open_workspace
from transcribe.commands.desk import open_desk
from transcribe.commands.imports import ImportRequest, add_corrections
from transcribe.commands.improvement import improve_recogniser
from transcribe.commands.people import add_person, change_password
from transcribe.commands.recordings import Source, draft_recordings, ingest_source
from transcribe.commands.scoring import score_corrections
from transcribe.console import Answer, Console
from transcribe.errors import UsageError

if TYPE_CHECKING:
    from transcribe.desk_records import Role
    from transcribe.wiring import Wiring

DEMO_NOTE: Final = "this demo calls a dialect reportable from 5 blocks and 300 words; the default is 10 and 2000"
#: Who works at the demo's desk, each named after what they do.
DEMO_PEOPLE: Final[tuple[Role, ...]] = ("transcriber", "reviewer", "lead")


@app.command(rich_help_panel=EVERYONE, epilog="Example: boli demo")
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make the demo's workspace.")] = Path("boli-demo"),
    improve: Annotated[
        bool, typer.Option("--improve", help="Learn from the corrections, and promote what is better.")
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Leave work to do and open the correction desk on it until Ctrl-C.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Of the desk; 0 takes any that is free.")] = None,
    conversation: Annotated[
        list[str] | None, typer.Option(help="Only this one of the corpus, hi-train-01 say. May be repeated.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
    progress: Progress = "auto",
) -> None:
    """Run the whole circle on a small corpus that comes with boli."""

    if port is not None and not serve:
        raise UsageError(
            "--port was asked for without --serve", hint="only a desk listens: boli demo --serve --port 8756"
        )
    if improve and serve:
        raise UsageError("--improve learns from all corrections, --serve holds some back; both were asked for")
    if serve:
        console.answer(open_demo_desk(folder, console, conversations=conversation or (), port=port))
    else:
        console.answer(run_demo(folder, console, conversations=conversation or (), with_improvement=improve))


def run_demo(
    folder: Path, console: Console, *, conversations: Sequence[str] = (), with_improvement: bool = False
) -> Answer:
    """
    Draft, correct and score the corpus that ships with the package; a second time it goes on where it stopped.

    Args:
        conversations: Only these of the corpus, by name without ending; none: as many as `DRAFTED_COUNTS` says, and
            `TESTED_COUNTS` with what teaches if it improves.
        with_improvement: Learn from the corrections too, and score what drafts then.
    """
    from transcribe import workspace
    from transcribe.demo_corpus import (
        DRAFTED_COUNTS,
        TAUGHT_SETTINGS,
        TESTED_COUNTS,
        choose_rows,
        read_rows,
        read_settings,
    )
    from transcribe.scoring.conversations import missing_extras
    from transcribe.scoring.rules import ScoreRequest

    began = time.monotonic()
    workspace_path = workspace.create(folder, read_settings())
    with open_workspace(workspace_path) as wiring:
        rows = read_rows(conversations)
        drafted = rows if conversations else choose_rows(rows, TESTED_COUNTS if with_improvement else DRAFTED_COUNTS)
        steps = _steps(wiring, console, drafted, held_back=False)
        if with_improvement:
            taught = [row for row in rows if row["split"] != "test" and row["dialect"] in TAUGHT_SETTINGS]
            # They are not drafted: what people wrote of them is all that tuning asks for.
            everything = [*drafted, *(row for row in taught if row not in drafted)]
            steps += [_ingest(wiring, console, everything)]
            steps += [_correct(wiring, console, {row["path"] for row in everything})]
    improved = {tag: _improve(workspace_path, console, tag) for tag in TAUGHT_SETTINGS} if with_improvement else {}
    split = "all" if conversations else "test"
    scored = score_corrections(workspace_path, ScoreRequest(split=split, conversations=not missing_extras()))
    console.note(f"took {time.monotonic() - began:.0f} s")
    return Answer(
        data={"workspace": str(workspace_path), "wer": scored.data}
        | ({"improve": improved} if with_improvement else {}),
        text=f"\n{scored.text}\n{DEMO_NOTE}\n{workspace_path}",
        warnings=scored.warnings,
        failures=[failure for step in steps for failure in step.failures],
    )


def open_demo_desk(
    folder: Path, console: Console, *, conversations: Sequence[str] = (), port: int | None = None
) -> Answer:
    """
    Open the desk on the demo's corpus with work left to do and three people who may sign in, until somebody stops it.

    It is for this machine alone. Where all that stands already it only opens.
    """
    from transcribe import workspace
    from transcribe.demo_corpus import choose_served, read_rows, read_settings

    workspace_path = workspace.create(folder, read_settings())
    steps: Sequence[Answer] = ()
    with open_workspace(workspace_path, {"desk.host": "127.0.0.1", "desk.port": port}) as wiring:
        if {person.name for person in wiring.store.people.fetch()} >= set(DEMO_PEOPLE):
            console.note(
                f"demo in {workspace_path}; a forgotten password: boli people password NAME --workspace {folder}"
            )
        else:
            rows = read_rows(conversations)
            served = rows if conversations else choose_served(rows)
            steps = _steps(wiring, console, served, held_back=True)
            _add_people(wiring, console)
        closed = open_desk(wiring, console)
    return replace(
        closed,
        data={**closed.data, "workspace": str(workspace_path)},
        failures=[failure for step in steps for failure in step.failures],
    )


def _steps(wiring: Wiring, console: Console, rows: Sequence[dict[str, str]], *, held_back: bool) -> list[Answer]:
    """Take in the recordings of *rows*, draft them, and take in corrections; each is done once, however often asked."""
    from transcribe import embedded
    from transcribe.demo_corpus import find_held_back

    console.note(
        f"demo in {wiring.workspace}: conversations of synthetic voices with a known truth; "
        f"{wiring.drafting_sentence()}"
    )
    if wiring.diariser_place == embedded.NAME:
        console.note("the embedded models are for tests and know none of this speech: the rates below say so")
    with_texts = {row["path"] for row in rows} - (find_held_back(rows) if held_back else set())
    return [_ingest(wiring, console, rows), _draft(wiring, console), _correct(wiring, console, with_texts)]


def _ingest(wiring: Wiring, console: Console, rows: Sequence[dict[str, str]]) -> Answer:
    from transcribe import embedded
    from transcribe.demo_corpus import write_manifest

    manifest = write_manifest(wiring.workspace / "demo.csv", rows)
    return _note_text(ingest_source(wiring, Source(manifest=manifest, root=embedded.demo_corpus()), console), console)


def _draft(wiring: Wiring, console: Console) -> Answer:
    return _note_text(draft_recordings(wiring, console), console)


def _correct(wiring: Wiring, console: Console, with_texts: Collection[str]) -> Answer:
    """Take in the corrections of the conversations in *with_texts*, by path."""
    from transcribe.demo_corpus import write_corrections

    request = ImportRequest(file=write_corrections(wiring.workspace / "demo.jsonl", with_texts), strict=True)
    return _note_text(add_corrections(wiring, request), console)


def _improve(workspace: Path, console: Console, dialect: str) -> Any:
    """Tune on the corrections of *dialect*, and return what `boli improve` would with ``--json``."""
    from transcribe.demo_corpus import TAUGHT_SETTINGS

    console.note(f"\nboli improve --dialect {dialect}")
    with open_workspace(workspace, {"train.focus": (dialect,), **TAUGHT_SETTINGS[dialect]}) as wiring:
        return _note_text(improve_recogniser(wiring, console), console).data


def _note_text(answer: Answer, console: Console) -> Answer:
    console.note(str(answer.text))
    return answer


def _add_people(wiring: Wiring, console: Console) -> None:
    """Give each kind of people somebody to sign in as, and say their passwords, this once."""
    there = {person.name for person in wiring.store.people.fetch()}
    console.note("\nsign in as     with the password")
    for role in DEMO_PEOPLE:
        # Somebody who is there already was taken in by a demo that was stopped right here, before it had said it all.
        if role in there:
            answer = change_password(wiring, role, read_password=False)
        else:
            answer = add_person(wiring, role, [role], (), read_password=False)
        console.note(f"{role:<15}{answer.data['password']}")
    console.note("the passwords are not kept anywhere\n")
