"""The client of the sandbox: start the server, hand it jobs, wait for their end."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from transcribe.errors import Interrupted, MissingError, UnfitError
from transcribe.sandbox.limits import Bounds, Level, Outcome, Words


def level() -> Level:
    """Return the level of the sandbox on this machine, by starting one."""
    with Sandbox("transcribe.sandbox.server:idle") as sandbox:
        return sandbox.level


class Sandbox:
    """
    Runs one task, named ``module:function``, in bounded children.

    Threads may share it: each `run` is a child of its own. The server starts with the first use, starts again when
    it was lost, and ends with `close`, or with this process, whatever way that ends.
    """

    def __init__(self, task: str) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._level = Level.LIMITED
        self._owner = 0
        self._closings = 0

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def level(self) -> Level:
        with self._lock:
            self._connect()
            return self._level

    def run(self, words: Words, *, descriptors: Sequence[int] = (), bounds: Bounds) -> Outcome:
        """
        Run the task once and wait for its end.

        Raises:
            MissingError: If a library of the task is not installed.
            UnfitError: If the server died under the job, twice.
            Interrupted: If the sandbox was closed meanwhile.
        """
        job = json.dumps({"words": words, "bounds": asdict(bounds)}).encode() + b"\n"
        closings = self._closings
        for _ in range(2):
            answer = self._ask(job, descriptors)
            if answer:
                return Outcome(**json.loads(answer))
            if self._closings != closings:
                raise Interrupted("decoding was stopped", hint="run it again to go on")
        lost = "the process that decodes media was killed twice"
        raise UnfitError(lost, code="E_JAIL", hint="see that memory is free, then repeat")

    def close(self) -> None:
        """End the server and whatever still runs in it."""
        self._closings += 1
        with self._lock:
            self._disconnect()

    def _ask(self, job: bytes, descriptors: Sequence[int]) -> bytes:
        ours, theirs = socket.socketpair()
        with ours:
            ours.sendall(job)
            with theirs, self._lock:
                control = self._connect()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    socket.send_fds(control, [b"\0"], [theirs.fileno(), *descriptors])
            # Leaving this block early, by Ctrl-C say, closes our end; the server then kills the child.
            answer = _drain(ours)
        with self._lock:
            if not answer and self._control is control:
                # Dead or dying, and perhaps not seen as such yet.
                self._disconnect()
        return answer

    def _connect(self) -> socket.socket:
        alive = self._server is not None and self._server.poll() is None and self._owner == os.getpid()
        if self._control is not None and alive:
            return self._control
        self._disconnect()
        control, theirs = socket.socketpair()
        code = "from transcribe.sandbox.server import serve; serve()"
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-P", "-s", "-c", code, str(theirs.fileno()), self._task],
                env=_make_environment(),
                cwd="/",
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._control, self._owner = control, os.getpid()
        atexit.register(self.close)
        self._level = _read_greeting(control, self._task)
        return control

    def _disconnect(self) -> None:
        atexit.unregister(self.close)
        if self._control is not None:
            self._control.close()
        if self._server is not None and self._owner == os.getpid():
            self._server.wait()
        self._control = self._server = None


def _make_environment() -> dict[str, str]:
    """Make an environment without secrets and settings; one thread, so that a fork is safe and memory small."""
    library_paths = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return library_paths | threads | {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "LC_ALL": "C.UTF-8"}


def _read_greeting(control: socket.socket, task: str) -> Level:
    """Read the server's first line: its level, or what it lacks."""
    line = b""
    while not line.endswith(b"\n"):
        part = control.recv(65_536)
        if not part:
            raise UnfitError(f"the process for {task} did not start", code="E_JAIL", hint="run boli doctor")
        line += part
    greeting = json.loads(line)
    if "missing" in greeting:
        raise MissingError(f"{greeting['missing']}, which reading audio needs", hint="install boli again")
    return Level(greeting["level"])


def _drain(connection: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)
