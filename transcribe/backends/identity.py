"""Identify a model by the hash of its files, so that a draft can be pinned to what made it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from transcribe.errors import MissingError

#: Notes beside the weights do not change what a model says.
NOT_WEIGHTS = frozenset({".md", ".txt.license"})
#: The list of checksums beside a fetched model says where the files came from, and is none of them.
NOT_FILES = frozenset({"boli-files.json"})


def folder_id(folder: Path) -> str:
    """
    Return SHA-256 over names and contents of the files of *folder*, notes left out: 32 hexadecimal digits.

    Raises:
        MissingError: The folder holds no file.
    """
    digest = hashlib.sha256()
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_part_of_model(path)]
    if not files:
        raise MissingError(f"the model folder {folder} holds no file", hint="name the folder that holds the weights")
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:32]


def _is_part_of_model(path: Path) -> bool:
    return path.suffix not in NOT_WEIGHTS and path.name not in NOT_FILES


def looks_like_hub_id(model: str) -> bool:
    """Tell if *model* is ``owner/name`` and no folder here."""
    return model.count("/") == 1 and not model.startswith((".", "/", "~")) and not Path(model).exists()
