"""
Where settings come from: files, the environment, options; each value can be traced to its source.

Without pydantic-settings, which tells no origins, passes over unknown variables and missing files, and reads no list
written as in TOML: around it this file is longer, and each command starts 0.15 s later.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from transcribe.config.sections import Settings
from transcribe.errors import ConfigError
from transcribe.records import content_id

#: Nested plain values, as TOML gives them.
Tree: TypeAlias = dict[str, Any]

#: The file that makes a folder a workspace.
FILE_NAME = "boli.toml"
PREFIX = "BOLI_"
#: Variables with our prefix that are not settings.
NOT_SETTINGS = frozenset({"BOLI_WORKSPACE", "BOLI_TEST_DATA", "BOLI_MODELS_CACHE"})


class Layer(BaseModel):
    """One source of values, with the name that ``config show --origin`` prints."""

    model_config = ConfigDict(frozen=True)

    origin: str
    values: Tree


def load(
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    user_file: Path | None = None,
) -> Settings:
    """
    The settings in force.

    Args:
        file: A workspace's ``boli.toml``.
        overrides: Dotted keys from the command line, ``{"recogniser.device": "cuda"}``; ``None`` values are left out.
        environment: Defaults to the process's own.
        user_file: Read before *file* where it exists.

    Raises:
        ConfigError: Unknown key, wrong type, unreadable TOML; the key and its origin are named.
    """
    return resolve(layers(file, overrides, environment=environment, user_file=user_file))


def layers(
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    user_file: Path | None = None,
) -> list[Layer]:
    """The sources of values, weakest first, without the code's defaults."""
    sources: list[Layer] = []
    if user_file is not None and user_file.is_file():
        sources.append(Layer(origin=str(user_file), values=_read_toml(user_file)))
    if file is not None:
        sources.append(Layer(origin=str(file), values=_read_toml(file)))
    sources.append(
        Layer(origin="environment", values=_from_environment(os.environ if environment is None else environment))
    )
    options = {key: value for key, value in (overrides or {}).items() if value is not None}
    sources.append(Layer(origin="command line", values=_nest(options)))
    return sources


def resolve(sources: list[Layer]) -> Settings:
    """Merge *sources* over the defaults and check the whole."""
    merged: Tree = {}
    for layer in sources:
        merged = _merge(merged, layer.values)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise _explain(error, sources) from error


def origins(sources: list[Layer]) -> list[tuple[str, Any, str]]:
    """Each dotted key with its value and where it came from; ``default`` where nobody set it."""
    flat = flatten(resolve(sources).model_dump(mode="json"))
    by_layer = [(layer.origin, flatten(layer.values)) for layer in reversed(sources)]
    return [
        (key, value, next((origin for origin, values in by_layer if key in values), "default"))
        for key, value in flat.items()
    ]


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Tree:
    """Nested tables as dotted keys, in order."""
    flat: Tree = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat.update(flatten(value, f"{name}.") if isinstance(value, Mapping) else {name: value})
    return flat


def fingerprint(*parts: object) -> str:
    """Hash of settings and model ids: the key that says whether work is already done."""
    return content_id(*(part.model_dump(mode="json") if isinstance(part, BaseModel) else part for part in parts))


def find_workspace(folder: Path | None, environment: Mapping[str, str] | None = None) -> Path:
    """
    The workspace: *folder*, else ``BOLI_WORKSPACE``, else the nearest parent folder that holds a ``boli.toml``.

    Raises:
        ConfigError: None of these is a workspace.
    """
    workspace = nearest_workspace(folder, environment)
    if workspace is None:
        raise ConfigError(
            f"no workspace here: neither {Path.cwd()} nor a folder above it holds a {FILE_NAME}",
            hint="make one with `boli init`, or name one with --workspace DIR",
        )
    return workspace


def nearest_workspace(folder: Path | None, environment: Mapping[str, str] | None = None) -> Path | None:
    """As ``find_workspace``, but ``None`` where there is none; a named folder that is none is still an error."""
    env = os.environ if environment is None else environment
    named = folder or (Path(env["BOLI_WORKSPACE"]) if env.get("BOLI_WORKSPACE") else None)
    if named is not None:
        if (named / FILE_NAME).is_file():
            return named.resolve()
        raise ConfigError(f"{named} is not a workspace: it holds no {FILE_NAME}", hint=f"make one: boli init {named}")
    here = Path.cwd()
    return next((parent for parent in (here, *here.parents) if (parent / FILE_NAME).is_file()), None)


def _read_toml(file: Path) -> Tree:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            f"{file} is not readable TOML: {error}", hint="mend the line named", item=str(file)
        ) from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", item=str(file)) from error


def _from_environment(environment: Mapping[str, str]) -> Tree:
    """``BOLI_RECOGNISER__DEVICE=cuda`` becomes ``recogniser.device``. Lists are written as in TOML."""
    flat: Tree = {}
    for name, text in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            flat[name.removeprefix(PREFIX).lower().replace("__", ".")] = _value(text)
    return _nest(flat)


def _value(text: str) -> Any:
    """Lists are read as TOML; all else stays text, which the field's type makes a number or a boolean of."""
    if not text.startswith("["):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _nest(flat: Mapping[str, Any]) -> Tree:
    tree: Tree = {}
    for dotted, value in flat.items():
        *parents, last = dotted.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise ConfigError(
                    f"{parent} is a section and was also given as a value", hint=f"drop one of them: {dotted}"
                )
        node[last] = value
    return tree


def _merge(base: Tree, over: Mapping[str, Any]) -> Tree:
    merged = dict(base)
    for key, value in over.items():
        present = merged.get(key)
        merged[key] = _merge(present, value) if isinstance(present, dict) and isinstance(value, Mapping) else value
    return merged


def _explain(error: ValidationError, sources: list[Layer]) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    origin = next((s.origin for s in reversed(sources) if _holds(s.values, first["loc"])), "the settings")
    if first["type"] == "extra_forbidden":
        names = list(flatten(Settings().model_dump())) + list(Settings.model_fields)
        near = difflib.get_close_matches(key, names, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else "`boli config show` lists what can be set"
        return ConfigError(f"unknown setting {key} in {origin}", hint=hint, item=key)
    return ConfigError(f"{key} in {origin}: {first['msg']}, found {first['input']!r}", item=key)


def _holds(tree: Any, path: tuple[int | str, ...]) -> bool:
    for part in path:
        if not isinstance(tree, Mapping) or part not in tree:
            return False
        tree = tree[part]
    return True
