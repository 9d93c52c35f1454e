"""Tables and lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from transcribe.console import printable


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Set *rows* under *head*; a column of numbers is aligned to the right."""
    rows = [tuple(row) for row in rows]
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column, name in enumerate(head):
        cells = [row[column] for row in rows]
        numeric = bool(cells) and all(cell[:1].isdigit() or cell == "–" for cell in cells)
        grid.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    return grid


def stack(lines: Iterable[str], below: Table) -> Group:
    """Put *lines* above the table, and leave the table out if it has no rows."""
    return Group(*(Text(line) for line in lines), *([below] if below.row_count else []))
