"""The desk as a process of its own, as people run it, and how it dies."""

from __future__ import annotations

import os
import queue
import random
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.command import environment
from tests.conftest import ROOT


@dataclass
class Process:
    """An open desk."""

    process: subprocess.Popen[str]
    url: str
    reader: threading.Thread
    #: What it had said when it opened.
    said: tuple[str, ...] = ()

    def kill(self) -> None:
        """As when the power of the process ends: no word to anybody."""
        self.process.kill()
        self._ended()

    def stop(self) -> int:
        """As when somebody presses Ctrl-C."""
        self.process.terminate()
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(timeout=60)
        self.reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


def serve(workspace: Path, *words: str, port: int = 0, **more: str) -> Process:
    """Open the desk of *workspace*, by *words* if not by `boli serve`, and wait until it answers."""
    words = words or ("serve", "--workspace", str(workspace))
    command = [sys.executable, "-m", "cli", *words, "--port", str(port)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(**more) | {"PYTHONPATH": os.fspath(ROOT)},
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    said = []
    while (line := lines.get(timeout=300)) is not None:
        said.append(line)
        if " open at " in line:
            return Process(process, line.rsplit(" ", 1)[1].strip(), reader, tuple(said))
    raise AssertionError(f"the desk did not open: {''.join(said)}")


def quiet_port() -> int:
    """A port that no outgoing connection is given, so that a desk that dies finds it free when it is opened again."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        lines.put(line)
    lines.put(None)
