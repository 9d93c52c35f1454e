"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from transcribe.errors import UnfitError


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """
    Yield a path beside *path* to write to. It takes the place of *path* when the block ends, and vanishes if it fails.

    Raises:
        UnfitError: The folder cannot be written or is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.", suffix=path.suffix)
        os.close(descriptor)
    except OSError as error:
        raise _write_error(path, error) from error
    draft = Path(name)
    try:
        yield draft
        _sync_and_rename(draft, path)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def open_replacement(path: Path, *, newline: str = "\n") -> Iterator[TextIO]:
    """Open a UTF-8 text that becomes *path* when the block ends."""
    with replace_file(path) as draft, draft.open("w", encoding="utf-8", newline=newline) as stream:
        yield stream
        stream.flush()


def write_lines(lines: Iterable[str], path: Path) -> int:
    """Write *lines* with a line end each, and count them."""
    count = 0
    with open_replacement(path) as stream:
        for line in lines:
            stream.write(line)
            stream.write("\n")
            count += 1
    return count


def _sync_and_rename(draft: Path, path: Path) -> None:
    """Sync bytes, then the name, then the folder: after a power cut either the old file is there or the new one."""
    with draft.open("rb") as stream:
        os.fsync(stream.fileno())
    draft.chmod(0o666 & ~_umask())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write_error(path: Path, error: OSError) -> UnfitError:
    return UnfitError(f"{path} cannot be written: {error.strerror}", hint="check rights and space", item=str(path))
