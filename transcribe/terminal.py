"""Format results as people read them on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from transcribe.console import printable
from transcribe.records import Milliseconds

# Drawing with rich costs an eighth of a second of imports, which a command pays when it has something to draw.
if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from transcribe.doctor import Finding
    from transcribe.store.status import QualityStatus, Status


def minutes(duration: Milliseconds) -> str:
    """Format a length for people: minutes with a tenth, hours from an hour on."""
    whole = duration / 60_000
    return f"{whole:.1f} min" if whole < 60 else f"{whole / 60:.2f} h"


def status(progress: Status) -> Group:
    """Format how far the work is."""
    from rich.console import Group
    from rich.text import Text

    stages = _make_table("stage", "done", "pending", "failed", numeric={"done", "pending", "failed"})
    for stage in progress.stages:
        failed = Text(str(stage.failed), style="bold red" if stage.failed else "")
        stages.add_row(stage.stage, str(stage.done), str(stage.pending), failed)
    dialects = _make_table("dialect", "recordings", "length", numeric={"recordings", "length"})
    for dialect in progress.dialects:
        dialects.add_row(dialect.dialect or "(nobody said)", str(dialect.recordings), minutes(dialect.duration))
    lines = [
        f"{progress.recordings} recordings, {minutes(progress.duration)}; "
        f"{progress.segments} segments, {progress.drafts} drafts",
        f"{progress.corrections} corrections, {minutes(progress.corrected)} corrected",
        f"drafting model: {progress.promoted or 'none yet; boli run chooses it'}",
        *([describe_quality(progress.quality)] if progress.quality.measured else []),
    ]
    if progress.withheld:
        lines.insert(1, f"{progress.withheld} recordings are withheld: their consent was refused or withdrawn")
    return Group(*map(Text, lines), stages, dialects)


def describe_quality(quality: QualityStatus) -> str:
    """
    Describe the measured quality of the recordings in one line; what none of them has is left out.

    >>> from transcribe.store.status import QualityStatus
    >>> describe_quality(QualityStatus(measured=3, level_dbfs=-23.4, snr_10_to_20=1, snr_20_or_more=2, clipped=1))
    'sound: -23.4 dBFS on average; SNR 10 – 20 dB: 1, 20 dB and more: 2; clipped: 1'
    """
    snrs = {
        "below 5 dB": quality.snr_below_5,
        "5 – 10 dB": quality.snr_5_to_10,
        "10 – 20 dB": quality.snr_10_to_20,
        "20 dB and more": quality.snr_20_or_more,
    }
    faults = {
        "clipped": quality.clipped,
        "telephone band": quality.narrow_band,
        "channels that cancel": quality.cancelling,
        "dead channel": quality.dead_channel,
    }
    levels = [] if quality.level_dbfs is None else [f"{quality.level_dbfs} dBFS on average"]
    noise = ", ".join(f"{name}: {count}" for name, count in snrs.items() if count)
    parts = [*levels, *([f"SNR {noise}"] if noise else [])]
    return "sound: " + "; ".join([*parts, *(f"{name}: {count}" for name, count in faults.items() if count)])


def findings(checks: Sequence[Finding]) -> Group:
    """Format what doctor saw: one line each, with the command that mends it."""
    from rich.console import Group
    from rich.text import Text

    marks = {
        "ok": ("ok", "green"),
        "warn": ("look", "yellow"),
        "missing": ("missing", "red"),
        "optional": ("optional", ""),
    }
    table = _make_table("", "what", "found")
    for finding in checks:
        mark, colour = marks[finding.state]
        detail = Text(finding.detail)
        if finding.mend:
            detail.append(f"\n→ {finding.mend}", style="bold")
        table.add_row(Text(mark, style=colour), finding.name, detail)
    return Group(table)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Set *rows* under *head*; a column of numbers is aligned to the right."""
    from rich.text import Text

    rows = [tuple(row) for row in rows]
    numeric = {name for column, name in enumerate(head) if _is_numeric([row[column] for row in rows])}
    grid = _make_table(*head, numeric=numeric)
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    return grid


def stack(lines: Iterable[str], below: Table) -> Group:
    """Put *lines* above the table, and leave the table out if it has no rows."""
    from rich.console import Group
    from rich.text import Text

    return Group(*(Text(line) for line in lines), *([below] if below.row_count else []))


def _is_numeric(cells: Sequence[str]) -> bool:
    return bool(cells) and all(cell[:1].isdigit() or cell == "–" for cell in cells)


def _make_table(*names: str, numeric: Collection[str] = ()) -> Table:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        grid.add_column(name, justify="right" if name in numeric else "left")
    return grid
