"""Commands of everyone: settings, the doctor, the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transcribe.commands.app import AsJson, Debug, Progress, Workspace, app, console, group
from transcribe.errors import UsageError

PANEL = "Everyone"
config = group("config", "Show and check the settings.", PANEL)


@config.command("show", epilog="Example: boli config show --origin")
def config_show(
    origin: Annotated[bool, typer.Option("--origin", help="Where each value came from.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show every setting with its value."""
    from transcribe import actions

    console.answer(actions.config_show(workspace, origin=origin))


@config.command("check", epilog="Example: boli config check")
def config_check(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Check that the settings are usable; exit code 3 if not."""
    from transcribe import actions

    console.answer(actions.config_check(workspace))


@config.command("schema", epilog="Example: boli config schema")
def config_schema(as_json: AsJson = False, debug: Debug = False) -> None:
    """Print the JSON Schema of boli.toml, for editors."""
    from transcribe import actions

    console.answer(actions.config_schema())


@app.command(rich_help_panel=PANEL, epilog="Example: boli doctor")
def doctor(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Show what is there, what is missing, and which command mends it."""
    from transcribe import actions

    console.answer(actions.doctor(workspace))


@app.command(rich_help_panel=PANEL, epilog="Example: boli demo")
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
    from transcribe import actions

    if port is not None and not serve:
        raise UsageError(
            "--port was asked for without --serve", hint="only a desk listens: boli demo --serve --port 8756"
        )
    if improve and serve:
        raise UsageError("--improve learns from all corrections, --serve holds some back; both were asked for")
    if serve:
        console.answer(actions.demo_desk(folder, console, conversations=conversation or (), port=port))
    else:
        console.answer(actions.demo(folder, console, conversations=conversation or (), with_improvement=improve))
