"""
The restrictions of a child: limits, another user, an empty network, a list of allowed calls.

Limits and calls after setrlimit(2), seccomp(2) and network_namespaces(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable

from transcribe.sandbox.limits import Bounds, Level

_NOBODY = 65_534
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_AT_EMPTY_PATH = 0x1000

#: All that decoding an open file into an open file needs. Opening, connecting, forking and executing are not here.
_ALLOWED_CALLS = (
    *("read", "readv", "pread64", "write", "writev", "pwrite64", "lseek", "close", "fstat", "ftruncate", "fcntl"),
    *("mmap", "munmap", "mremap", "mprotect", "madvise", "brk", "futex", "getrandom", "sched_yield"),
    *("sched_getaffinity", "clock_gettime", "gettimeofday", "getpid", "getppid", "geteuid", "gettid", "getrusage"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "exit", "exit_group"),
)


def limit(bounds: Bounds) -> None:
    """Set the limits of the calling process and take its privileges away."""
    for name, soft, hard in (
        ("RLIMIT_AS", bounds.memory_bytes, bounds.memory_bytes),
        # At the first limit the kernel sends SIGXCPU, at the second it kills without a word.
        ("RLIMIT_CPU", bounds.cpu_s, bounds.most_cpu_s + 1),
        ("RLIMIT_FSIZE", bounds.written_bytes, bounds.written_bytes),
        ("RLIMIT_NOFILE", bounds.open_files, bounds.open_files),
        ("RLIMIT_NPROC", 0, 0),
        ("RLIMIT_CORE", 0, 0),
    ):
        # Some systems know a limit and refuse to set it; the others still hold.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (soft, hard))
    if os.geteuid() == 0:
        # In a container root may lack the right to become somebody else.
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def build_seal() -> tuple[Callable[[], None], Level]:
    """Return a function that a child calls to seal itself, and its level. Leaves the network at once."""
    offline = _leave_network()
    seal = _make_call_filter()
    if seal is not None and _seal_works(seal):
        return seal, Level.SEALED
    return (lambda: None), Level.OFFLINE if offline else Level.LIMITED


def _leave_network() -> bool:
    if sys.platform != "linux":
        return False
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    return bool(ctypes.CDLL(None).unshare(flags) == 0)


def _make_call_filter() -> Callable[[], None] | None:
    """Return a function that loads the list of allowed calls into the kernel; ``None`` without libseccomp."""
    try:
        seccomp = importlib.import_module("pyseccomp")
    except (ImportError, OSError, RuntimeError):
        return None
    calls = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in _ALLOWED_CALLS:
        calls.add_rule(seccomp.ALLOW, name)
    # A limit of its own, and the size of a file that is open: not those of others.
    calls.add_rule(seccomp.ALLOW, "prlimit64", seccomp.Arg(0, seccomp.EQ, 0))
    calls.add_rule(seccomp.ALLOW, "newfstatat", seccomp.Arg(3, seccomp.EQ, _AT_EMPTY_PATH))
    load: Callable[[], None] = calls.load
    return load


def _seal_works(seal: Callable[[], None]) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            seal()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
