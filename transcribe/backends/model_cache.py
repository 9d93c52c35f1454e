"""
Keep fetched and converted models in a folder of this machine, outside every workspace.

Beside the files of each model lies a manifest with their checksums. A folder whose files are others is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from transcribe.backends.model_catalogue import CatalogueEntry, catalogue, find_entry, missing_error
from transcribe.errors import InputError, explain
from transcribe.records import ModelKind

#: Names another cache folder.
VARIABLE: Final = "BOLI_MODELS_CACHE"
MANIFEST_FILE: Final = "boli-files.json"
SCHEMA: Final = "boli.files/1"


def cache_folder() -> Path:
    """Return the folder that holds the fetched models, one folder each; it need not exist."""
    from platformdirs import user_cache_path

    folder = os.environ.get(VARIABLE)
    return Path(folder).expanduser() if folder else user_cache_path("boli") / "models"


def folder_of(entry: CatalogueEntry) -> Path:
    """Return the folder of *entry*, whether it is there or not."""
    name = entry.name.replace("/", "--")
    return cache_folder() / (name if entry.build == 1 else f"{name}.{entry.build}")


def is_here(entry: CatalogueEntry) -> bool:
    """Tell if *entry* was fetched; its files are not looked at."""
    return (folder_of(entry) / MANIFEST_FILE).is_file()


def write_manifest(folder: Path, entry: CatalogueEntry, **source: Any) -> None:
    """Write the checksums of all files in *folder*, and where they came from."""
    document = {"schema": SCHEMA, "model": entry.name, "source": source, "files": checksums(folder)}
    (folder / MANIFEST_FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below *folder* by its relative name, the manifest left out."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: sha256_of(path) for name, path in paths.items() if name != MANIFEST_FILE}


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of *file* in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _checksum_error(folder.name, f"{file} cannot be read ({explain(error)})") from error
    return dict(document)


def verify_folder(entry: CatalogueEntry) -> Path:
    """
    Return the folder of *entry*, each file held against its checksum; once a process as long as no file changes.

    Raises:
        MissingError: E_MODEL if it was not fetched.
        InputError: E_MODEL_CHECKSUM, naming the file that differs and the command that mends it.
    """
    if not is_here(entry):
        raise missing_error(entry)
    folder = folder_of(entry)
    stamps = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    _verify(folder, entry, tuple((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stamps))
    return folder


@lru_cache(maxsize=32)
def _verify(folder: Path, entry: CatalogueEntry, stamps: tuple[tuple[str, int, int], ...]) -> None:
    """Hash the files of *folder*; *stamps* only tell an unchanged folder from a changed one."""
    stated: Mapping[str, str] = read_manifest(folder)["files"]
    # The catalogue has the last word where the folder holds its files as they are.
    pinned = {} if entry.builds else {file.name: file.sha256 for file in entry.files}
    wanted, actual = {**stated, **pinned}, checksums(folder)
    for name in sorted(wanted.keys() | actual.keys()):
        if name not in actual:
            raise _checksum_error(entry.name, f"{folder / name} is gone")
        if actual[name] != wanted.get(name):
            state = "has another checksum than when it was fetched" if name in wanted else "was not fetched with it"
            raise _checksum_error(entry.name, f"{folder / name} {state}")


def _checksum_error(name: str, fault: str) -> InputError:
    message = f"the model {name} is not what was fetched: {fault}"
    hint = f"run: boli models get {name} --again"
    return InputError(message, code="E_MODEL_CHECKSUM", hint=hint, item=name)


def locate(model: str) -> str:
    """
    Return the folder of the catalogue's *model*, checked; a folder, a hub id or any other name as it is.

    Raises:
        MissingError: E_MODEL if it comes from packages and is not here.
        InputError: E_MODEL_CHECKSUM if a file of it differs.
    """
    entry = find_entry(model)
    if entry is None or (not is_here(entry) and (entry.hub is not None or Path(model).is_dir())):
        return model
    return str(verify_folder(entry))


def best_here(kind: ModelKind, *, device: str) -> CatalogueEntry | None:
    """
    Return the first entry of *kind* that is here and may serve unasked; ``None`` where there is none.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``, as the settings have it; large models serve unasked on a GPU alone.
    """
    for entry in catalogue():
        if entry.kind == kind and entry.auto and is_here(entry) and (entry.auto == "any" or _has_gpu(device)):
            return entry
    return None


def _has_gpu(device: str) -> bool:
    if device == "cpu":
        return False
    import ctranslate2

    return ctranslate2.get_cuda_device_count() > 0
