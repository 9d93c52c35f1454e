"""Format results as people read them on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from transcribe.records import Milliseconds
from transcribe.store.status import Status

if TYPE_CHECKING:
    from transcribe.doctor import Finding


def minutes(duration: Milliseconds) -> str:
    """Format a length for people: minutes with a tenth, hours from an hour on."""
    whole = duration / 60_000
    return f"{whole:.1f} min" if whole < 60 else f"{whole / 60:.2f} h"


def status(progress: Status) -> Group:
    """Format how far the work is."""
    stages = _make_table("stage", "done", "pending", "failed")
    for stage in progress.stages:
        failed = Text(str(stage.failed), style="bold red" if stage.failed else "")
        stages.add_row(stage.stage, str(stage.done), str(stage.pending), failed)
    dialects = _make_table("dialect", "recordings", "length")
    for dialect in progress.dialects:
        dialects.add_row(dialect.dialect or "(nobody said)", str(dialect.recordings), minutes(dialect.duration))
    lines = [
        f"{progress.recordings} recordings, {minutes(progress.duration)}; "
        f"{progress.segments} segments, {progress.drafts} drafts",
        f"{progress.corrections} corrections, {minutes(progress.corrected)} corrected",
        f"drafting model: {progress.promoted or 'none yet; boli run chooses it'}",
    ]
    return Group(*map(Text, lines), stages, dialects)


def findings(checks: Sequence[Finding]) -> Group:
    """Format what doctor saw: one line each, with the command that mends it."""
    marks = {"ok": ("ok", "green"), "warn": ("look", "yellow"), "missing": ("missing", "red")}
    table = _make_table("", "what", "found")
    for finding in checks:
        mark, colour = marks[finding.state]
        detail = Text(finding.detail)
        if finding.mend:
            detail.append(f"\n→ {finding.mend}", style="bold")
        table.add_row(Text(mark, style=colour), finding.name, detail)
    return Group(table)


def _make_table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        numeric = name in {"done", "pending", "failed", "recordings", "length"}
        table.add_column(name, justify="right" if numeric else "left")
    return table
