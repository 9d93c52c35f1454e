"""Write files that a kill leaves behind and the next run removes; a lock tells those from what is in use."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from transcribe.audio.container_detection import unwritable

_PART: Final = ".part"
_COPIES: Final = ".copies-"


@contextlib.contextmanager
def part(target: Path) -> Iterator[tuple[int, Callable[[], None]]]:
    """Open a temporary file beside *target*, and give the call that puts it there; nothing half-written stays."""
    descriptor, name = _make_locked(lambda: tempfile.mkstemp(_PART, f".{target.stem[:16]}.", target.parent))

    def keep() -> None:
        Path(name).replace(target)
        _sync_folder(target.parent)

    try:
        yield descriptor, keep
    finally:
        os.close(descriptor)
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def copies(folder: Path) -> Iterator[Path]:
    """
    Make a folder in *folder* for copies of files that lie elsewhere; it goes with all that is in it.

    Raises:
        UnfitError: If *folder* cannot be written.
    """

    def make_folder() -> tuple[int, str]:
        name = tempfile.mkdtemp(prefix=_COPIES, dir=folder)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY), name

    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = _make_locked(make_folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield Path(name)
    finally:
        os.close(descriptor)
        shutil.rmtree(name, ignore_errors=True)


def sweep(folder: Path) -> int:
    """Remove what killed runs left half-written or copied in *folder*, and return how many; what is in use stays."""
    removed = 0
    for path in (*folder.glob(f"??/*{_PART}"), *folder.glob(f"{_COPIES}*")):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                removed += 1
            finally:
                os.close(descriptor)
    return removed


def _make_locked(make: Callable[[], tuple[int, str]]) -> tuple[int, str]:
    """Call *make*, and lock its file or folder until this process ends, however it ends."""
    while True:
        descriptor, name = make()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # A sweep between the two calls saw nobody at work, and took it away.
        if os.fstat(descriptor).st_nlink:
            return descriptor, name
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
