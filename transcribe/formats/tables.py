"""CSV and JSON Lines with a stretch a row, in the columns that ``boli import corrections`` takes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from transcribe.formats.files import open_replacement, write_lines
from transcribe.formats.json_files import compact
from transcribe.formats.records import TimedText
from transcribe.ingest import timed

COLUMNS: Final = ("recording", "start_ms", "end_ms", "speaker", "dialect", "text", "normalised")
#: First characters that make a spreadsheet compute a cell, the wide forms included.
_FORMULA: Final = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def read_csv(path: Path) -> Iterator[TimedText]:
    """
    Read the rows of *path*. An empty cell is a missing one.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    return (placed.stretch for placed in timed.read_table(path))


def read_jsonl(path: Path) -> Iterator[TimedText]:
    """
    Read the objects of *path*, one a line.

    Raises:
        InputError: E_SEGMENT or E_JSON with the line.
    """
    return (placed.stretch for placed in timed.read_table(path))


def write_csv(items: Iterable[TimedText], path: Path, *, safe_for_spreadsheets: bool = False) -> int:
    """
    Write *items*, one a row, and count them.

    Args:
        safe_for_spreadsheets: Put ``'`` before texts that a spreadsheet would compute. They no longer read back alike.
    """
    count = 0
    with open_replacement(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for stretch in items:
            row = [_blank_if_none(value) for value in _row_of(stretch).values()]
            writer.writerow(
                [_escape_formula(cell) if isinstance(cell, str) else cell for cell in row]
                if safe_for_spreadsheets
                else row
            )
            count += 1
    return count


def write_jsonl(items: Iterable[TimedText], path: Path) -> int:
    """Write *items*, an object a line, unknown facts left out, and count them."""
    return write_lines(
        (compact({name: value for name, value in _row_of(stretch).items() if value is not None}) for stretch in items),
        path,
    )


def _row_of(stretch: TimedText) -> dict[str, Any]:
    values = (
        stretch.recording,
        stretch.start,
        stretch.end,
        stretch.speaker,
        stretch.dialect,
        stretch.text,
        stretch.normalised,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _blank_if_none(value: Any) -> Any:
    return "" if value is None else value


def _escape_formula(cell: str) -> str:
    first = cell.lstrip(" \n\u00a0")[:1]
    return f"'{cell}" if first and first in _FORMULA else cell
