"""The record of a file that somebody hands in, with the facts they state; nothing of it has been opened yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from transcribe.records import ChannelMode, DeclaredTurn, Split


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One file to take in: facts as declared, the dialect tag not looked up yet."""

    #: Where the bytes are: a path, or the URL of an object store.
    location: Path | str
    #: What the user calls it: as written in the manifest, or the path. Kept as the recording's path.
    path: str
    #: Name of the manifest and its line; ``None`` for a file that was named directly.
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
        """The name of this arrival in messages: the path, or the manifest and its line."""
        return self.path if self.manifest is None else f"{self.manifest} line {self.line}"
