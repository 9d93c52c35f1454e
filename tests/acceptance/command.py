"""The real command, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document of ``--json``."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "cli", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """The tests' own, without a workspace of the person who runs them; two threads at most."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOLI_")}
    kept |= {name: os.environ[name] for name in ("BOLI_MODELS_CACHE",) if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"} | more


def boli(*arguments: str | Path, timeout: float = 600, cwd: Path | None = None, **more: str) -> Said:
    """Run ``boli`` with *arguments* to its end."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(**more),
        cwd=cwd,
        check=False,
    )
    return Said(code=done.returncode, out=done.stdout, err=done.stderr)


def must(*arguments: str | Path, **more: Any) -> Said:
    """Run ``boli``; anything but exit code 0 fails the test with what was said."""
    said = boli(*arguments, **more)
    assert said.code == 0, f"boli {' '.join(map(str, arguments))} ended with {said.code}\n{said.out}\n{said.err}"
    return said


def make_workspace(folder: Path, recordings: Sequence[Path]) -> Path:
    """A workspace with *recordings* ingested."""
    must("init", folder)
    must("ingest", *recordings, "--dialect", "en-US", "--workspace", folder)
    return folder


def killed(*arguments: str | Path, after_s: float, once: Callable[[], bool] = lambda: True) -> bool:
    """Start ``boli`` and kill it that many seconds after *once* holds; whether it was still at work."""
    running = subprocess.Popen(
        command(*arguments), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while running.poll() is None and not once():
        time.sleep(0.05)
    try:
        running.wait(after_s)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
        return True
    return False
