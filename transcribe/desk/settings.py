"""Settings of the desk that a lead may change from a page: read from and written to the workspace's file."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from transcribe.config import FILE_NAME, DeskSettings, layers, origins
from transcribe.errors import InputError, UnfitError, is_disk_full

#: In the order of the page. What decides who may reach the desk is not among them.
CHANGEABLE = (
    "review_share",
    "second_share",
    "gold_share",
    "random_share",
    "dispute_over",
    "rounds",
    "heard_share",
    "shading",
    "bitrate",
    "offline_audio",
    "sound_retention_days",
    "retention_days",
)


def list_choices(workspace: Path, settings: DeskSettings) -> list[dict[str, Any]]:
    """List each setting that can be changed: its value now, its default, its bounds, and where the value comes from."""
    shapes = DeskSettings.model_json_schema()["properties"]
    file = workspace / FILE_NAME
    origin_by_key = {key: origin for key, _, origin in origins(layers(file if file.is_file() else None))}
    return [_describe(name, shapes[name], settings, origin_by_key[f"desk.{name}"]) for name in CHANGEABLE]


def change(workspace: Path, settings: DeskSettings, values: Mapping[str, Any]) -> DeskSettings:
    """
    Return *settings* with *values* in place, which are also written to the workspace's file; its comments stay.

    Raises:
        InputError: For a name that cannot be changed here, a value out of bounds, or one that the environment decides.
        UnfitError: If the file cannot be written.
    """
    for name in values:
        if name not in CHANGEABLE:
            raise InputError(
                f"{name} was to be changed, which is not for a page", code="E_SETTING", hint="see boli.toml", item=name
            )
    try:
        changed = DeskSettings.model_validate(settings.model_dump() | dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise InputError(f"{name}: {first['msg']}", code="E_SETTING", hint="mend the value", item=name) from error
    fixed = [
        choice["name"] for choice in list_choices(workspace, settings) if choice["fixed"] and choice["name"] in values
    ]
    if fixed:
        raise InputError(
            f"{fixed[0]} is set in the server's environment",
            code="E_SETTING",
            hint=f"unset BOLI_DESK__{fixed[0].upper()} there",
            item=fixed[0],
        )
    _write(workspace / FILE_NAME, {name: getattr(changed, name) for name in values})
    return changed


def _describe(name: str, shape: Mapping[str, Any], settings: DeskSettings, origin: str) -> dict[str, Any]:
    kinds = [kind for kind in shape.get("anyOf", [shape]) if kind.get("type") != "null"]
    return {
        "name": name,
        "value": getattr(settings, name),
        "default": shape["default"],
        "kind": "choice" if "enum" in shape else kinds[0]["type"],
        "low": kinds[0].get("minimum", kinds[0].get("exclusiveMinimum")),
        "high": kinds[0].get("maximum"),
        "choices": shape.get("enum"),
        "optional": "anyOf" in shape,
        "changed": origin != "default",
        "fixed": origin == "environment",
    }


def _write(file: Path, values: Mapping[str, Any]) -> None:
    import tomlkit

    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8-sig")) if file.is_file() else tomlkit.document()
        section = document.setdefault("desk", tomlkit.table())
        for name, value in values.items():
            if value is None:
                section.pop(name, None)
            else:
                section[name] = value
        new_file = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        try:
            new_file.write_text(tomlkit.dumps(document), encoding="utf-8")
            new_file.replace(file)
        finally:
            new_file.unlink(missing_ok=True)
    except OSError as error:
        code = "E_DISK_FULL" if is_disk_full(error) else None
        raise UnfitError(f"{file} cannot be written: {error.strerror}", code=code, item=str(file)) from error
