"""Command that shows the help of a command."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from transcribe.commands.app import EVERYONE, AsJson, Debug, app, console
from transcribe.console import Answer
from transcribe.errors import UsageError


@app.command("help", rich_help_panel=EVERYONE, epilog="Example: boli help people add")
def show_help(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="COMMAND", help="Whose help; default: all.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show the help of a command, as its --help does."""
    console.answer(describe_command(context.find_root(), words or ()))


def describe_command(root: Any, words: Sequence[str]) -> Answer:
    """
    Return the help of the command with those *words*, below the context *root* of typer.

    Raises:
        UsageError: There is no such command.
    """
    context = root
    for word in words:
        group = context.command
        command = group.get_command(context, word) if isinstance(group, TyperGroup) else None
        if command is None:
            names = group.list_commands(context) if isinstance(group, TyperGroup) else []
            nearest = difflib.get_close_matches(word, names, n=1)
            message = f"the help of {' '.join(['boli', *words])} was asked for, there is no command {word}"
            raise UsageError(f"{message}{f', nearest {nearest[0]}' if nearest else ''}", hint="see boli --help")
        context = type(root)(command, info_name=word, parent=context)
    text = context.get_help()
    return Answer(data={"command": context.command_path, "help": text}, text=text)
