"""Command that lets drafts count without a person."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from transcribe.commands.app import LEADS, AsJson, Debug, Dry, Workspace, app, console, open_workspace
from transcribe.console import Answer

if TYPE_CHECKING:
    from transcribe.self_training import DialectState
    from transcribe.wiring import Wiring

_HEADER = ("dialect", "segments", "reviewed", "accepted", "audited", "WER %", "interval", "state")


@app.command("pseudo-label", rich_help_panel=LEADS, epilog="Example: boli pseudo-label --limit 5")
def pseudo_label(
    limit: Annotated[
        float | None,
        typer.Option(min=0.1, max=50, help="Wrong words in a hundred that are allowed."),
    ] = None,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Let drafts that are surely good count as pseudo-labels, without a person, as long as audits agree."""
    with open_workspace(workspace) as wiring:
        console.answer(accept_drafts(wiring, limit=None if limit is None else limit / 100, dry_run=dry_run))


def accept_drafts(
    wiring: Wiring,
    *,
    limit: float | None = None,
    dry_run: bool = False,
    draw: Callable[[], float] = random.random,
) -> Answer:
    """
    Accept the drafts of the promoted model that are expected to be right enough, and tell the state of each dialect.

    Args:
        limit: Highest error rate, as a share of words; else as the settings say.
        dry_run: Change nothing.
    """
    from dialects.columns import columns
    from transcribe import self_training
    from transcribe.pseudo_labels import Limits
    from transcribe.scoring.rules import make_preparer
    from transcribe.workspace import find_model, find_next_step

    settings = wiring.settings.grow
    limits = Limits(
        limit=settings.limit if limit is None else limit,
        audit_share=settings.audit_share,
        least_reviewed=settings.least_reviewed,
        least_audited=settings.least_audited,
    )
    model, prepare = find_model(wiring.store, None), make_preparer(wiring.settings.report)
    states = self_training.accept_drafts(wiring.store, model, prepare, limits, draw=draw, dry_run=dry_run)
    rows = [_format_cells(state) for state in states]
    empty = f"there is no draft to accept; {find_next_step(wiring.store)}"
    return Answer(
        data={
            "model": model.id,
            "limit": limits.limit,
            "dry_run": dry_run,
            "dialects": [state.data() for state in states],
        },
        text=columns(_HEADER, rows, texts=(0, 7)) if rows else empty,
    )


def _format_cells(state: DialectState) -> tuple[str, ...]:
    from dialects.columns import percent

    low_high = state.audit.interval
    interval = f"{percent(low_high[0])} – {percent(low_high[1])}" if low_high else "–"
    sizes = [f"{count:,}" for count in (state.segments, state.reviewed, state.accepted, state.audit.segments)]
    return (state.dialect, *sizes, percent(state.audit.wer), interval, state.reason or state.state)
