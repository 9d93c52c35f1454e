"""
The record of a file that somebody hands in, with the facts they state, and the summary of a batch of them.

Nothing of the file has been opened yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from transcribe.errors import Failure
from transcribe.records import ChannelMode, DeclaredTurn, Milliseconds, Split

#: Warnings that are listed. Those about a sound stay with its recording anyway.
MOST_WARNINGS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One file to take in: facts as declared, the dialect tag not looked up yet."""

    #: Where the bytes are: a path, or the URL of an object store.
    location: Path | str
    #: What the user calls it: as written in the manifest, or the path. Kept as the recording's path.
    path: str
    #: Name of the manifest and its row; ``None`` for a file that was named directly.
    manifest: str | None = None
    line: int | None = None
    dialect: str | None = None
    language: str | None = None
    speaker: str | None = None
    session: str | None = None
    consent: str | None = None
    licence: str | None = None
    source: str | None = None
    num_speakers: int | None = None
    channel_mode: ChannelMode = "mix"
    #: Declared, or settled by linked recordings. ``None``: to be drawn.
    split: Split | None = None
    #: Key that all linked recordings draw their split by. ``None``: it is linked to no other.
    group: str | None = None
    #: One reference for the whole recording.
    text: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    declared: tuple[DeclaredTurn, ...] = ()
    #: Sidecar and line of each turn in *declared*, for messages.
    declared_at: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The name of this arrival in messages: the path, or the manifest and its row."""
        return self.path if self.manifest is None else f"{self.manifest} row {self.line}"


class Progress(Protocol):
    """A display that is stepped for every finished file, with the length of its sound."""

    def step(self, *, sound: Milliseconds = 0, failed: bool = False, items: int = 1) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """The outcome of a batch."""

    #: Recordings that are in the store now and were not before; in a dry run those that would be.
    new: int
    #: Files whose bytes were there already.
    present: int
    #: Recordings that were there and whose consent or licence is another one now.
    changed: int
    #: Files that were left out because their consent is refused or withdrawn.
    refused: int
    failed: tuple[Failure, ...]
    warnings: tuple[str, ...]
    #: Sound of the new recordings. ``None`` in a dry run, which decodes nothing.
    milliseconds: Milliseconds | None
    #: Size of all files that were looked at.
    bytes: int


class Tally:
    """The running sum of a batch."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        # Eight bytes of each hash: a million recordings have to fit.
        self._seen: set[int] = set()
        self._failed: list[Failure] = []
        self._warnings: list[str] = []
        self._more_warnings = 0
        self._new = self._present = self._bytes = self._changed = self._refused = 0
        self._sound: Milliseconds = 0

    def is_repeated(self, sha256: str) -> bool:
        """Tell if the same bytes came before in this batch."""
        key = int(sha256[:16], 16)
        repeated = key in self._seen
        self._seen.add(key)
        return repeated

    def weigh(self, size: int) -> None:
        self._bytes += size

    def add(self, *, new: bool, sound: Milliseconds = 0) -> None:
        self._new += new
        self._present += not new
        self._sound += sound if new else 0
        self._step(sound=sound)

    def refuse(self) -> None:
        """Count a file that is left out for its consent."""
        self._refused += 1
        self._step()

    def count_changed(self) -> None:
        self._changed += 1

    def fail(self, failure: Failure) -> None:
        self._failed.append(failure)
        self._step(failed=True)

    def warn(self, warning: str) -> None:
        if len(self._warnings) < MOST_WARNINGS:
            self._warnings.append(warning)
        else:
            self._more_warnings += 1

    def outcome(self, *, decoded: bool) -> Ingested:
        more = [f"W_MORE: {self._more_warnings:,} warnings more"] if self._more_warnings else []
        return Ingested(
            new=self._new,
            present=self._present,
            changed=self._changed,
            refused=self._refused,
            failed=tuple(self._failed),
            warnings=(*self._warnings, *more),
            milliseconds=self._sound if decoded else None,
            bytes=self._bytes,
        )

    def _step(self, *, sound: Milliseconds = 0, failed: bool = False) -> None:
        if self._progress is not None:
            self._progress.step(sound=sound, failed=failed)
