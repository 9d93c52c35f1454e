"""Settings shown and checked, and what a machine lacks."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from transcribe import config, printing
from transcribe.console import Answer
from transcribe.wiring import user_file


def config_show(place: Path | None, *, origin: bool) -> Answer:
    """Every setting; outside a workspace the defaults, the user's file and the environment."""
    rows = config.origins(_layers(place))
    data = {"settings": {key: value for key, value, _ in rows}, "origins": {key: where for key, _, where in rows}}
    lines = [f"{key} = {value!r}" + (f"    # {where}" if origin else "") for key, value, where in rows]
    return Answer(data=data, text="\n".join(lines))


def config_check(place: Path | None) -> Answer:
    """Read all settings; what is wrong is raised."""
    layers = _layers(place)
    config.resolve(layers)
    names = [layer.origin for layer in layers if layer.values]
    return Answer(data={"files": names}, text="the settings are usable" + "".join(f"\n  {name}" for name in names))


def config_schema() -> Answer:
    """JSON Schema of the settings."""
    schema = config.Settings.model_json_schema()
    return Answer(data=schema, text=json.dumps(schema, indent=2))


def settings_of(place: Path | None) -> config.Settings:
    """The settings in force, in a workspace or outside of one."""
    return config.resolve(_layers(place))


def _layers(place: Path | None) -> list[config.Layer]:
    found = config.nearest_workspace(place)
    return config.layers(found / config.FILE_NAME if found else None, user_file=user_file())


def doctor(place: Path | None) -> Answer:
    """What is there and what is missing."""
    from transcribe.doctor import examine

    found = config.nearest_workspace(place)
    findings = examine(found, settings_of(place))
    return Answer(data={"findings": [asdict(finding) for finding in findings]}, text=printing.findings(findings))
