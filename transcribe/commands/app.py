"""The application, its console, and the options that all commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transcribe.console import Console
from transcribe.grouped_help import GroupedHelp

app = typer.Typer(
    name="boli",
    help="Transcribe dialect-rich audio: diarise, draft, correct, measure per dialect, learn.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=GroupedHelp,
)

#: The voice of the running command; `cli.main` gives it the command's name and manners before anything is parsed.
console = Console("boli")

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


def group(name: str, help: str, panel: str) -> typer.Typer:
    """Add a command with commands of its own, such as `boli people`, to the help's section *panel*."""
    made = typer.Typer(help=help, rich_markup_mode=None)
    app.add_typer(made, name=name, rich_help_panel=panel)
    return made
