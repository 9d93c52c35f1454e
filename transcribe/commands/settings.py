"""Commands of settings: show, check, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from transcribe.commands.app import EVERYONE, AsJson, Debug, Workspace, console, group
from transcribe.console import Answer


def _answer_settings(workspace: Path | None) -> None:
    console.answer(list_settings(workspace, origin=False))


config = group("config", "Show and check the settings.", EVERYONE, _answer_settings)


@config.command("show", epilog="Example: boli config show --origin")
def config_show(
    origin: Annotated[bool, typer.Option("--origin", help="Where each value came from.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show every setting with its value."""

    console.answer(list_settings(workspace, origin=origin))


@config.command("check", epilog="Example: boli config check")
def config_check(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Check that the settings are usable; exit code 3 if not."""

    console.answer(check_settings(workspace))


@config.command("schema", epilog="Example: boli config schema")
def config_schema(as_json: AsJson = False, debug: Debug = False) -> None:
    """Print the JSON Schema of boli.toml, for editors."""

    console.answer(describe_schema())


def list_settings(workspace: Path | None, *, origin: bool) -> Answer:
    """Show every setting; outside a workspace from the defaults, the user's file and the environment."""
    from transcribe.config import origins
    from transcribe.wiring import read_layers

    rows = origins(read_layers(workspace))
    document = {"settings": {key: value for key, value, _ in rows}, "origins": {key: where for key, _, where in rows}}
    lines = [f"{key} = {value!r}" + (f"    # {where}" if origin else "") for key, value, where in rows]
    return Answer(data=document, text="\n".join(lines))


def check_settings(workspace: Path | None) -> Answer:
    """Read all settings; what is wrong is raised."""
    from transcribe.config import resolve
    from transcribe.wiring import read_layers

    layers = read_layers(workspace)
    resolve(layers)
    names = [layer.origin for layer in layers if layer.values]
    return Answer(data={"files": names}, text="the settings are usable" + "".join(f"\n  {name}" for name in names))


def describe_schema() -> Answer:
    """Print the JSON Schema of the settings."""
    from transcribe.config import Settings

    schema = Settings.model_json_schema()
    return Answer(data=schema, text=json.dumps(schema, indent=2))
