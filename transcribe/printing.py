"""Results as people read them on a terminal."""

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
    """Length for people: minutes with a tenth, hours from an hour on."""
    whole = duration / 60_000
    return f"{whole:.1f} min" if whole < 60 else f"{whole / 60:.2f} h"


def status(found: Status) -> Group:
    """How far the work is."""
    stages = _table("stage", "done", "pending", "failed")
    for stage in found.stages:
        failed = Text(str(stage.failed), style="bold red" if stage.failed else "")
        stages.add_row(stage.stage, str(stage.done), str(stage.pending), failed)
    dialects = _table("dialect", "recordings", "length")
    for each in found.dialects:
        dialects.add_row(each.dialect or "(nobody said)", str(each.recordings), minutes(each.duration))
    lines = [
        f"{found.recordings} recordings, {minutes(found.duration)}; {found.segments} segments, {found.drafts} drafts",
        f"{found.corrections} corrections, {minutes(found.corrected)} corrected",
        f"drafting model: {found.promoted or 'none yet; boli run chooses it'}",
    ]
    return Group(*map(Text, lines), stages, dialects)


def findings(found: Sequence[Finding]) -> Group:
    """What doctor saw: one line each, with the command that mends it."""
    marks = {"ok": ("ok", "green"), "warn": ("look", "yellow"), "missing": ("missing", "red")}
    table = _table("", "what", "found")
    for finding in found:
        mark, colour = marks[finding.state]
        detail = Text(finding.detail)
        if finding.mend:
            detail.append(f"\n→ {finding.mend}", style="bold")
        table.add_row(Text(mark, style=colour), finding.name, detail)
    return Group(table)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        numeric = name in {"done", "pending", "failed", "recordings", "length"}
        table.add_column(name, justify="right" if numeric else "left")
    return table
