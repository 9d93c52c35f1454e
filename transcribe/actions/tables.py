"""Rows and lines as they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from transcribe.console import printable


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """*rows* under *head*; a column of numbers is set to the right."""
    listed = [tuple(row) for row in rows]
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place, name in enumerate(head):
        cells = [row[place] for row in listed]
        numeric = bool(cells) and all(cell[:1].isdigit() or cell == "–" for cell in cells)
        made.add_column(name, justify="right" if numeric else "left")
    for row in listed:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made


def stacked(lines: Iterable[str], below: Table) -> Group:
    """*lines*, then the table, if it has rows."""
    return Group(*(Text(line) for line in lines), *([below] if below.row_count else []))
