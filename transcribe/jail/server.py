"""
The server of a jail: forks a child a job, listens to it, kills it when its time is up.

It runs one thread, so that forking is safe, and trusts nothing that a child says beyond its own answer.
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
from transcribe.jail import walls
from transcribe.jail.bounds import Bounds, Task, Words

_LONGEST_ANSWER = 1 << 20


def idle(descriptors: Sequence[int], words: Words) -> Words:
    """The task that does nothing but give back its words."""
    return words


@dataclass(kw_only=True, eq=False)
class _Child:
    """A running job, as the server sees it."""

    pid: int
    #: Socket to the caller. When the caller closes it, the job is no longer wanted.
    reply: socket.socket
    #: The child's words. It ends when the child does.
    pipe: int
    deadline: float
    said: bytearray = field(default_factory=bytearray)
    overtime: bool = False


def serve() -> None:
    """The server's life, until the other end of its control socket closes. Arguments: descriptor, task."""
    control = socket.socket(fileno=int(sys.argv[1]))
    module, _, name = sys.argv[2].partition(":")
    try:
        task: Task = getattr(importlib.import_module(module), name)
    except ImportError as error:
        control.sendall(json.dumps({"missing": str(error)}).encode() + b"\n")
        return
    seal, found = walls.build()
    control.sendall(json.dumps({"level": found}).encode() + b"\n")
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        try:
            while _turn(control, selector, task, seal):
                pass
        finally:
            for child in _children(selector):
                _kill(child)


def _children(selector: selectors.BaseSelector) -> set[_Child]:
    return {key.data for key in selector.get_map().values() if key.data is not None}


def _turn(control: socket.socket, selector: selectors.BaseSelector, task: Task, seal: Callable[[], None]) -> bool:
    """One round of the server: take a job, listen to children, kill those whose time is up. False: the caller left."""
    nearest = min((child.deadline for child in _children(selector)), default=math.inf)
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
        elif _ended(key.data):
            selector.unregister(key.data.pipe)
            with contextlib.suppress(KeyError):
                selector.unregister(key.data.reply)
            _finish(key.data)
    for child in _children(selector):
        if time.monotonic() >= child.deadline:
            child.overtime = True
            _kill(child)
    return True


def _ended(child: _Child) -> bool:
    """Take what the child says. True at its end, or when it says more than any task does."""
    said = os.read(child.pipe, 65_536)
    child.said += said
    return not said or len(child.said) > _LONGEST_ANSWER


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
        outcome |= _understood(child.said)
    with child.reply, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.reply.sendall(json.dumps(outcome).encode())
    os.close(child.pipe)


def _understood(said: bytearray) -> dict[str, object]:
    """The answer or the error among a child's words, which may be anything once its libraries were taken over."""
    try:
        words = json.loads(said)
        ((name, content),) = words.items()
    except (ValueError, RecursionError, AttributeError):
        return {"death": "babble"}
    return {name: content} if name in ("answer", "error") and isinstance(content, dict) else {"death": "babble"}


def _start(control: socket.socket, task: Task, seal: Callable[[], None]) -> _Child | None:
    """Fork a child for the job that stands in the control socket. ``None``: the socket has ended."""
    asked, descriptors, _, _ = socket.recv_fds(control, 1, 16)
    if not asked:
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
    """The child's whole life. It never returns into the server's code."""
    status = 1
    try:
        os.setsid()
        _close_all_but({0, 1, 2, speak, *descriptors})
        walls.limit(bounds)
        seal()
        answer = json.dumps(_attempt(task, descriptors, words)).encode()
        while answer:
            answer = answer[os.write(speak, answer) :]
        status = 0
    finally:
        os._exit(status)


def _attempt(task: Task, descriptors: list[int], words: Words) -> Words:
    try:
        return {"answer": task(descriptors, words)}
    except BoliError as error:
        return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    except MemoryError:
        return {"error": {"code": "E_MEMORY", "message": "needs more memory than it may have", "hint": None}}
    except Exception as error:
        trace = traceback.format_exc()
        return {"error": {"code": "E_BUG", "message": type(error).__name__, "hint": None, "trace": trace}}


def _close_all_but(kept: set[int]) -> None:
    """The other descriptors are the server's: with them a child could answer for another one."""
    edges = [-1, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for below, above in itertools.pairwise(edges):
        if below + 1 < above:  # an empty range closes everything
            os.closerange(below + 1, above)
