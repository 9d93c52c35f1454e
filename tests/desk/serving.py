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
    #: The lines that it printed until it was open.
    output: tuple[str, ...] = ()

    def kill(self) -> None:
        """End the process without a word to anybody, as when the power fails."""
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """End the process as Ctrl-C does, and return its exit code."""
        self.process.terminate()
        return self._wait()

    def _wait(self) -> int:
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
    lines_read = []
    while (line := lines.get(timeout=300)) is not None:
        lines_read.append(line)
        if " open at " in line:
            return Process(process, line.rsplit(" ", 1)[1].strip(), reader, tuple(lines_read))
    raise AssertionError(f"the desk did not open: {''.join(lines_read)}")


def quiet_port() -> int:
    """Return a port that no outgoing connection is given, so that a desk that dies finds it free again."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        lines.put(line)
    lines.put(None)
