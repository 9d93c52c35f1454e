"""Files that change while somebody reads them: row 32 of the bad-input corpus."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def keep_growing(path: Path) -> Iterator[None]:
    """While this lasts, *path* grows."""
    code = "import sys\nwith open(sys.argv[1], 'ab', buffering=0) as file:\n    while True: file.write(bytes(2))"
    yield from _meanwhile(path, code)


@contextlib.contextmanager
def keep_replacing(path: Path) -> Iterator[None]:
    """While this lasts, *path* is another file again and again, with the same bytes."""
    code = (
        "import os, shutil, sys\nother = sys.argv[1] + '.new'\n"
        "while True: shutil.copy(sys.argv[1], other); os.replace(other, sys.argv[1])"
    )
    yield from _meanwhile(path, code)
    Path(f"{path}.new").unlink(missing_ok=True)


def _meanwhile(path: Path, code: str) -> Iterator[None]:
    """Run *code* on *path* in a process of its own, and wait until its first effect."""
    state = path.stat()
    process = subprocess.Popen([sys.executable, "-S", "-c", code, str(path)])
    try:
        while (path.stat().st_ino, path.stat().st_size) == (state.st_ino, state.st_size):
            time.sleep(0.01)
        yield
    finally:
        process.kill()
        process.wait()
