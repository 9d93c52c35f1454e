"""
The server of the sandbox: forks a child a job, reads its output, kills it when its time is up.

It runs one thread, so that forking is safe, and trusts nothing in a child's output beyond its own answer.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import math
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from transcribe.errors import BoliError
from transcribe.sandbox import seccomp
from transcribe.sandbox.limits import Bounds, Task, Words

_LONGEST_ANSWER = 1 << 20


def idle(descriptors: Sequence[int], words: Words) -> Words:
    """Return the input: a task that does nothing."""
    return words


@dataclass(kw_only=True, eq=False)
class _Child:
    """A running job, as the server sees it."""

    pid: int
    #: Socket to the caller. When the caller closes it, the job is no longer wanted.
    reply: socket.socket
    #: The child's output. It ends when the child does.
    pipe: int
    deadline: float
    output: bytearray = field(default_factory=bytearray)
    overtime: bool = False


def serve() -> None:
    """Serve jobs until the other end of the control socket closes. Arguments: descriptor, task."""
    control = socket.socket(fileno=int(sys.argv[1]))
    module, _, name = sys.argv[2].partition(":")
    try:
        task: Task = getattr(importlib.import_module(module), name)
    except ImportError as error:
        control.sendall(json.dumps({"missing": str(error)}).encode() + b"\n")
        return
    seal, level = seccomp.build_seal()
    control.sendall(json.dumps({"level": level}).encode() + b"\n")
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        try:
            while _run_round(control, selector, task, seal):
                pass
        finally:
            for child in _list_children(selector):
                _kill(child)


def _list_children(selector: selectors.BaseSelector) -> set[_Child]:
    return {key.data for key in selector.get_map().values() if key.data is not None}


def _run_round(control: socket.socket, selector: selectors.BaseSelector, task: Task, seal: Callable[[], None]) -> bool:
    """Take a job, read from children, kill those whose time is up; return false once the caller has left."""
    nearest = min((child.deadline for child in _list_children(selector)), default=math.inf)
    for key, _ in selector.select(None if nearest == math.inf else max(0.0, nearest - time.monotonic())):
        if key.data is None:
            child = _start(control, task, seal)
            if child is None:
                return False
            selector.register(child.pipe, selectors.EVENT_READ, child)
            selector.register(child.reply, selectors.EVENT_READ, child)
        elif key.fileobj is key.data.reply:
            # The caller never speaks again after its job: this is its end of file.
            selector.unregister(key.data.reply)
            _kill(key.data)
        elif _read_output(key.data):
            selector.unregister(key.data.pipe)
            with contextlib.suppress(KeyError):
                selector.unregister(key.data.reply)
            _finish(key.data)
    for child in _list_children(selector):
        if time.monotonic() >= child.deadline:
            child.overtime = True
            _kill(child)
    return True


def _read_output(child: _Child) -> bool:
    """Read from the child. True at its end, or when it writes more than any task does."""
    part = os.read(child.pipe, 65_536)
    child.output += part
    return not part or len(child.output) > _LONGEST_ANSWER


def _kill(child: _Child) -> None:
    child.deadline = math.inf
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _finish(child: _Child) -> None:
    """Reap the child and tell the caller. Killing first does no harm to a child that is on its way out."""
    _kill(child)
    _, status, used = os.wait4(child.pid, 0)
    outcome: dict[str, object] = {
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_bytes": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }
    if child.overtime:
        outcome["death"] = "wall"
    elif os.WIFSIGNALED(status):
        outcome["death"] = signal.Signals(os.WTERMSIG(status)).name
    elif os.WEXITSTATUS(status):
        outcome["death"] = f"exit {os.WEXITSTATUS(status)}"
    else:
        outcome |= _parse_answer(child.output)
    with child.reply, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.reply.sendall(json.dumps(outcome).encode())
    os.close(child.pipe)


def _parse_answer(output: bytearray) -> dict[str, object]:
    """Parse the answer or the error of a child, which may be anything once its libraries were taken over."""
    try:
        words = json.loads(output)
        ((name, content),) = words.items()
    except (ValueError, RecursionError, AttributeError):
        return {"death": "babble"}
    return {name: content} if name in ("answer", "error") and isinstance(content, dict) else {"death": "babble"}


def _start(control: socket.socket, task: Task, seal: Callable[[], None]) -> _Child | None:
    """Fork a child for the job that stands in the control socket. ``None``: the socket has ended."""
    message, descriptors, _, _ = socket.recv_fds(control, 1, 16)
    if not message:
        return None
    reply = socket.socket(fileno=descriptors[0])
    with reply.makefile("rb") as lines:
        job = json.loads(lines.readline())
    bounds = Bounds(**job["bounds"])
    hear, speak = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_child(task, job["words"], descriptors[1:], speak, bounds, seal)
    for descriptor in (speak, *descriptors[1:]):
        os.close(descriptor)
    return _Child(pid=pid, reply=reply, pipe=hear, deadline=time.monotonic() + bounds.wall_s)


def _be_child(
    task: Task, words: Words, descriptors: list[int], speak: int, bounds: Bounds, seal: Callable[[], None]
) -> NoReturn:
    """Run the task in the child. It never returns into the server's code."""
    status = 1
    try:
        os.setsid()
        _close_all_but({0, 1, 2, speak, *descriptors})
        seccomp.limit(bounds)
        seal()
        answer = json.dumps(_run_task(task, descriptors, words)).encode()
        while answer:
            answer = answer[os.write(speak, answer) :]
        status = 0
    finally:
        os._exit(status)


def _run_task(task: Task, descriptors: list[int], words: Words) -> Words:
    try:
        return {"answer": task(descriptors, words)}
    except BoliError as error:
        return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    except MemoryError:
        return {"error": {"code": "E_MEMORY", "message": "needs more memory than it may have", "hint": None}}
    except Exception as error:
        trace = traceback.format_exc()
        return {"error": {"code": "E_BUG", "message": type(error).__name__, "hint": None, "trace": trace}}


def _close_all_but(descriptors: set[int]) -> None:
    """Close all other descriptors. They are the server's: with them a child could answer for another one."""
    edges = [-1, *sorted(descriptors), os.sysconf("SC_OPEN_MAX")]
    for below, above in itertools.pairwise(edges):
        if below + 1 < above:  # an empty range closes everything
            os.closerange(below + 1, above)
