"""
Keep fetched and converted models in a folder of this machine, outside every workspace.

Beside the files of each model lies a manifest with their checksums. A folder whose files are others is refused.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from transcribe.backends.model_catalogue import CatalogueEntry, catalogue, find_entry, missing_error
from transcribe.backends.model_manifest import MANIFEST_FILE, Differences, checksum_error, find_differences
from transcribe.records import ModelKind

#: Names another cache folder.
VARIABLE: Final = "BOLI_MODELS_CACHE"


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


def verify_folder(entry: CatalogueEntry) -> Path:
    """
    Return the folder of *entry*, each file compared with its checksum.

    Raises:
        MissingError: E_MODEL if it was not fetched.
        InputError: E_MODEL_CHECKSUM, naming the file that differs and the command that mends it.
    """
    if not is_here(entry):
        raise missing_error(entry)
    folder = folder_of(entry)
    if differences := find_entry_differences(entry):
        hint = f"run: boli models get {entry.name} --again"
        raise checksum_error(folder, differences.text(), hint)
    return folder


def find_entry_differences(entry: CatalogueEntry) -> Differences:
    """Compare the files of *entry*, which was fetched, with its manifest; the catalogue's own checksums go before."""
    # A pipeline is made of the files, and does not hold them as they are.
    pinned = {} if entry.builds else {file.name: file.sha256 for file in entry.files}
    return find_differences(folder_of(entry), pinned)


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
