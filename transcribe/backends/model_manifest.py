"""
Manifests of model folders: the SHA-256 of each file, written with the model and compared at every load.

A subfolder with a manifest of its own is compared by that one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transcribe.backends.identity import sha256_of
from transcribe.errors import InputError, explain

MANIFEST_FILE: Final = "boli-files.json"
SCHEMA: Final = "boli.files/1"


@dataclass(frozen=True, kw_only=True)
class Differences:
    """The names of files, relative to a folder, that are not as its manifest states."""

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.unlisted)

    def text(self) -> str:
        """Name each file with what is wrong with it."""
        faults = (
            (self.changed, "has another checksum than when it was written"),
            (self.missing, "is gone"),
            (self.unlisted, "was not written with it"),
        )
        return ", ".join(f"{name} {fault}" for names, fault in faults for name in names)


def write_manifest(folder: Path, model: str, **source: Any) -> None:
    """Write the checksums of all files in *folder*, called *model*, and where they came from; whole or not at all."""
    document = {"schema": SCHEMA, "model": model, "source": source, "files": checksums(folder)}
    part = folder / f".{MANIFEST_FILE}.part"
    part.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / MANIFEST_FILE)


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of *folder* by its relative name; what has a manifest of its own is left out."""
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(_list_files(folder))}


def _list_files(folder: Path) -> Iterator[Path]:
    for parent, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not (Path(parent, name) / MANIFEST_FILE).is_file()]
        yield from (Path(parent, name) for name in names if Path(parent, name) != folder / MANIFEST_FILE)


def read_manifest(folder: Path) -> dict[str, Any]:
    """
    Read the manifest of *folder*.

    Raises:
        InputError: E_MODEL_CHECKSUM if it is damaged.
    """
    file = folder / MANIFEST_FILE
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA or not isinstance(document["files"], dict):
            raise ValueError(f"it is no {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise checksum_error(folder, f"{file} cannot be read ({explain(error)})") from error
    return dict(document)


def find_differences(folder: Path, pinned: Mapping[str, str] | None = None) -> Differences:
    """
    Compare the files of *folder* with its manifest.

    Args:
        pinned: SHA-256 by name that go before what the manifest states.

    Raises:
        InputError: E_MODEL_CHECKSUM if the manifest cannot be read.
    """
    wanted, actual = {**read_manifest(folder)["files"], **(pinned or {})}, checksums(folder)
    return Differences(
        changed=tuple(name for name in sorted(wanted.keys() & actual.keys()) if wanted[name] != actual[name]),
        missing=tuple(sorted(wanted.keys() - actual.keys())),
        unlisted=tuple(sorted(actual.keys() - wanted.keys())),
    )


def check_manifest(folder: Path) -> None:
    """
    Compare the files of *folder* with its manifest, where it has one.

    Raises:
        InputError: E_MODEL_CHECKSUM, naming each file that differs.
    """
    if (folder / MANIFEST_FILE).is_file() and (differences := find_differences(folder)):
        raise checksum_error(folder, differences.text())


def checksum_error(folder: Path, fault: str, hint: str | None = None) -> InputError:
    """Return the error for a model that is not what was written; the caller raises it."""
    message = f"the model in {folder} is not what was written: {fault}"
    hint = hint or "bring the files back, fetch it again (boli models get NAME --again), or boli models rollback"
    return InputError(message, code="E_MODEL_CHECKSUM", hint=hint, item=str(folder))
