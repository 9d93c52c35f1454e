"""Identify a model by the hash of its files, so that a draft can be pinned to what made it."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from pathlib import Path
from typing import Final

from transcribe.errors import MissingError

#: Notes beside the weights do not change what a model says.
NOT_WEIGHTS = frozenset({".md", ".txt.license"})
#: The list of checksums beside a fetched model says where the files came from, and is none of them.
NOT_FILES = frozenset({"boli-files.json"})
#: A file that changed so shortly ago may change again within the same tick of its clock: its hash is not remembered.
YOUNGEST_NS: Final = 100_000_000


def sha256_of(file: Path) -> str:
    """
    Return the SHA-256 of *file* in hexadecimal digits, computed once a process as long as the file stays the same.

    Raises:
        OSError: It cannot be read.
    """
    stat = file.stat()
    stamp = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    hash_file = _hash if time.time_ns() - stat.st_ctime_ns > YOUNGEST_NS else _hash.__wrapped__
    return hash_file(str(file), stamp)


@lru_cache(maxsize=4_096)
def _hash(file: str, stamp: tuple[int, ...]) -> str:
    """Hash *file*; *stamp* only tells an unchanged file from a changed one."""
    with Path(file).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
        digest.update(bytes.fromhex(sha256_of(path)))
    return digest.hexdigest()[:32]


def _is_part_of_model(path: Path) -> bool:
    return path.suffix not in NOT_WEIGHTS and path.name not in NOT_FILES


def looks_like_hub_id(model: str) -> bool:
    """Tell if *model* is ``owner/name`` and no folder here."""
    return model.count("/") == 1 and not model.startswith((".", "/", "~")) and not Path(model).exists()
