"""The command that a workspace goes on with where a result is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transcribe.store import Store


def find_next_step(store: Store) -> str | None:
    """Return the command that brings an unfinished workspace further; ``None`` where recordings were corrected."""
    counts = store.status.count()
    if not counts.recordings:
        return "boli ingest PATH… --dialect TAG takes recordings in"
    if not counts.drafts:
        return "boli run drafts what was taken in"
    if not counts.corrections:
        return "boli serve opens the desk to correct drafts, boli import corrections FILE takes texts in"
    return None


def find_desk_step(store: Store) -> str:
    """Return the command that a desk goes on with at which nothing was written yet."""
    step = find_next_step(store) if not store.status.count().drafts else None
    return step or "boli people add NAME --role transcriber takes somebody in, boli serve opens the desk"
