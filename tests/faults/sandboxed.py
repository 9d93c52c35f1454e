"""A task that does what a decoder never should, to be run in a sandbox."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from transcribe import sandbox
from transcribe.errors import InputError


def misbehave(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    """Do what ``words["do"]`` says, and tell how it went."""
    return _DEEDS[words["do"]](descriptors, words)


def _echo(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    return words


def _escape(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    """Try every way out. Gives those that worked."""
    ways: dict[str, Callable[[], object]] = {
        "open": lambda: os.open("/etc/hostname", os.O_RDONLY),
        "create": lambda: os.open(Path(tempfile.gettempdir()) / "escaped", os.O_CREAT | os.O_WRONLY),
        "look": lambda: Path("/etc/hostname").stat(),
        "list": lambda: list(Path("/").iterdir()),
        "connect": lambda: socket.socket(socket.AF_INET).connect(("127.0.0.1", words["port"])),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "fork": os.fork,
        "execute": lambda: os.execv("/bin/true", ["true"]),
        "signal": lambda: os.kill(os.getppid(), 0),
        "unlimit": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0)),
        "become root": lambda: os.setuid(0),
    }
    worked = []
    for name, way in ways.items():
        try:
            way()
        except OSError:
            continue
        worked.append(name)
    return {"worked": worked}


def _crash(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    ctypes.string_at(0)
    return {}


def _grow(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    return {"bytes": len(bytearray(words["bytes"]))}


def _spin(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    while True:
        pass


def _allow(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    limits = []
    for seconds in words["seconds"]:
        sandbox.allow_cpu(seconds)
        limits.append(resource.getrlimit(resource.RLIMIT_CPU)[0])
    return {"limits": limits}


def _wait(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    for descriptor in descriptors[1:]:
        os.write(descriptor, b"!")
    return {"read": os.read(descriptors[0], 10).decode()}


def _write(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    return {"written": os.write(descriptors[0], bytes(words["bytes"]))}


def _look_around(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    open_descriptors = []
    for descriptor in range(256):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        open_descriptors.append(descriptor)
    return {
        "descriptors": open_descriptors,
        "mine": list(descriptors),
        "environment": dict(os.environ),
        "user": os.geteuid(),
        "server": os.getppid(),
    }


def _babble(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    return {"text": "x" * words["bytes"]}


def _lie(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    """Say something else than an answer, as a library would that was taken over."""
    for descriptor in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(descriptor, words["text"].encode())
    os._exit(0)


def _fail(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    raise ValueError(words["text"])


def _refuse(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    raise InputError("is not for us", code="E_NOT_AUDIO", hint="try another")


def _leave(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    os._exit(3)


_DEEDS: dict[str, sandbox.Task] = {
    "echo": _echo,
    "escape": _escape,
    "crash": _crash,
    "grow": _grow,
    "spin": _spin,
    "allow": _allow,
    "wait": _wait,
    "write": _write,
    "look around": _look_around,
    "babble": _babble,
    "lie": _lie,
    "fail": _fail,
    "refuse": _refuse,
    "leave": _leave,
}
