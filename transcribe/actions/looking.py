"""Commands that show and check the settings, and examine the machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from transcribe import config, terminal
from transcribe.console import Answer
from transcribe.wiring import user_file


def config_show(workspace: Path | None, *, origin: bool) -> Answer:
    """Show every setting; outside a workspace from the defaults, the user's file and the environment."""
    rows = config.origins(_layers(workspace))
    document = {"settings": {key: value for key, value, _ in rows}, "origins": {key: where for key, _, where in rows}}
    lines = [f"{key} = {value!r}" + (f"    # {where}" if origin else "") for key, value, where in rows]
    return Answer(data=document, text="\n".join(lines))


def config_check(workspace: Path | None) -> Answer:
    """Read all settings; what is wrong is raised."""
    layers = _layers(workspace)
    config.resolve(layers)
    names = [layer.origin for layer in layers if layer.values]
    return Answer(data={"files": names}, text="the settings are usable" + "".join(f"\n  {name}" for name in names))


def config_schema() -> Answer:
    """Print the JSON Schema of the settings."""
    schema = config.Settings.model_json_schema()
    return Answer(data=schema, text=json.dumps(schema, indent=2))


def settings_of(workspace: Path | None) -> config.Settings:
    """Read the settings in force, in a workspace or outside of one."""
    return config.resolve(_layers(workspace))


def _layers(workspace: Path | None) -> list[config.Layer]:
    folder = config.nearest_workspace(workspace)
    return config.layers(folder / config.FILE_NAME if folder else None, user_file=user_file())


def doctor(workspace: Path | None) -> Answer:
    """Examine the machine and the workspace, and list what is there and what is missing."""
    from transcribe.doctor import examine

    findings = examine(config.nearest_workspace(workspace), settings_of(workspace))
    return Answer(data={"findings": [asdict(finding) for finding in findings]}, text=terminal.findings(findings))
