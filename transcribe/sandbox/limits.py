"""The limits of a task in the sandbox, its outcome, and the level of the sandbox."""

from __future__ import annotations

import enum
import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

#: The input of a task beside its descriptors, and its output: anything that JSON can hold.
Words: TypeAlias = Mapping[str, Any]
#: A task: open descriptors and words in, words out. It runs in a process of its own.
Task: TypeAlias = Callable[[Sequence[int], Words], Words]


class Level(enum.IntEnum):
    """The strength of the sandbox. Each level includes the ones below it."""

    #: Limits on memory, processor time, written bytes and open files; no new privileges where the system knows them.
    LIMITED = 0
    #: The child has an empty network: no interface, not even loopback.
    OFFLINE = 1
    #: The kernel refuses the child every call but reading and writing what is already open.
    SEALED = 2


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The limits of one job."""

    memory_bytes: int
    #: Processor seconds until the kernel stops the child, and how far the task may raise that (`allow_cpu`).
    cpu_s: int
    most_cpu_s: int
    wall_s: float
    written_bytes: int
    open_files: int = 32


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of one job. Exactly one of *answer*, *error* and *death* is there."""

    answer: Words | None = None
    #: ``code``, ``message``, ``hint`` of an error that the task raised; ``trace`` where it is a bug.
    error: Words | None = None
    #: Why there is no answer: ``SIGSEGV``, ``SIGXCPU``, …, ``wall``, ``exit 1``, or ``babble``.
    death: str | None = None
    cpu_s: float
    peak_bytes: int


def allow_cpu(seconds: int) -> None:
    """Let the calling task use that many processor seconds in all, up to its ``most_cpu_s``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard != resource.RLIM_INFINITY:
        seconds = min(seconds, hard - 1)
    if soft != resource.RLIM_INFINITY and seconds > soft:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
