"""
Every error that a user may meet, and the exit code it ends with.

    BoliError                      1   a bug, when nothing below fits
    ├── UsageError                 2   the words of the command are wrong
    ├── ConfigError                3   boli.toml, a secret, or a schema newer than the program
    ├── InputError                 4   a file, a manifest or a table that cannot be taken
    ├── MissingError               5   an extra, a model or a GPU that is not there
    ├── PartlyFailed               6   some items failed; the others are kept
    ├── GateFailed                 7   a measured condition does not hold
    ├── UnfitError                 8   locked by another process, read-only, full, wrong file system
    ├── UnreachableError           9   network or store out of reach, or its password refused
    └── Interrupted              130   stopped by the user; run it again to go on

A message says what was asked, what was found; the hint says what to do. Codes (``E_…``) are stable words for scripts.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar


class BoliError(Exception):
    """The root. *code* is a stable word, *hint* the next step, *item* the file, line or id it is about."""

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "E_BUG"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str | None = None, item: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.item = item

    def __str__(self) -> str:
        text = f"{self.code}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


class UsageError(BoliError):
    """The words of the command do not fit together."""

    exit_code = 2
    default_code = "E_USAGE"


class ConfigError(BoliError):
    """The configuration, a secret or the schema version is not usable."""

    exit_code = 3
    default_code = "E_CONFIG"


class InputError(BoliError):
    """Something handed in cannot be taken: media, manifest, corrections, pairs, a dialect tag."""

    exit_code = 4
    default_code = "E_INPUT"


class MissingError(BoliError):
    """Something needed is not installed or not there; the hint is the command that mends it."""

    exit_code = 5
    default_code = "E_MISSING"


class GateFailed(BoliError):
    """A condition that the caller set does not hold."""

    exit_code = 7
    default_code = "E_GATE"


class UnfitError(BoliError):
    """Another process holds the lock, or the environment cannot carry the work."""

    exit_code = 8
    default_code = "E_UNFIT"


class UnreachableError(BoliError):
    """A network service or a database does not answer, or refuses the password."""

    exit_code = 9
    default_code = "E_UNREACHABLE"


class Interrupted(BoliError):
    """The user stopped the command; what was done is kept."""

    exit_code = 130
    default_code = "E_INTERRUPTED"


def explain(error: Exception) -> str:
    """
    Return the reason of *error* for people: of the operating system's without number and path.

    >>> explain(FileNotFoundError(2, "No such file or directory", "x.toml")), explain(ValueError("bad"))
    ('no such file or directory', 'bad')
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)


def is_disk_full(error: OSError) -> bool:
    """Tell if *error* says that a disk, or somebody's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def name_nearest(name: str, names: Iterable[str], *, count: int = 3) -> str:
    """
    Return the end of a message that names those of *names* that are near *name*; empty where none is.

    >>> name_nearest("S01", ["S017", "asha"]), name_nearest("S01", ["asha"])
    (', nearest S017', '')
    """
    import difflib

    close = difflib.get_close_matches(name, list(names), n=count, cutoff=0.4)
    return f", nearest {', '.join(close)}" if close else ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One item of a batch that did not work out, in the words a user reads."""

    #: Path, row or id as the user knows it.
    item: str
    #: Stable code, ``E_…``.
    code: str
    #: Plain sentence, with what to do.
    message: str


class PartlyFailed(BoliError):
    """A batch went to its end, and some items failed. What worked is kept."""

    exit_code = 6
    default_code = "E_PARTLY_FAILED"

    def __init__(self, message: str, failures: Sequence[Failure], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.failures = tuple(failures)
