"""CSV and JSON Lines with a stretch a row, in the columns that ``boli import corrections`` takes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from transcribe.exchange.files import write_lines, writing
from transcribe.exchange.json_files import compact
from transcribe.exchange.records import TimedText
from transcribe.ingest import timed

COLUMNS: Final = ("recording", "start_ms", "end_ms", "speaker", "dialect", "text", "normalised")
#: First characters that make a spreadsheet compute a cell, the wide forms included.
_FORMULA: Final = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def read_csv(path: Path) -> Iterator[TimedText]:
    """
    The rows of *path*. An empty cell is a missing one.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    return (placed.said for placed in timed.read_table(path))


def read_jsonl(path: Path) -> Iterator[TimedText]:
    """
    The objects of *path*, one a line.

    Raises:
        InputError: E_SEGMENT or E_JSON with the line.
    """
    return (placed.said for placed in timed.read_table(path))


def write_csv(items: Iterable[TimedText], path: Path, *, safe_for_spreadsheets: bool = False) -> int:
    """
    Write *items*, one a row; how many.

    Args:
        safe_for_spreadsheets: Put ``'`` before texts that a spreadsheet would compute. They no longer read back alike.
    """
    count = 0
    with writing(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for item in items:
            row = [_value(value) for value in _row(item).values()]
            writer.writerow(
                [_harmless(cell) if isinstance(cell, str) else cell for cell in row] if safe_for_spreadsheets else row
            )
            count += 1
    return count


def write_jsonl(items: Iterable[TimedText], path: Path) -> int:
    """Write *items*, an object a line, unknown facts left out; how many."""
    return write_lines(
        (compact({name: value for name, value in _row(item).items() if value is not None}) for item in items), path
    )


def _row(item: TimedText) -> dict[str, Any]:
    values = (item.recording, item.start, item.end, item.speaker, item.dialect, item.text, item.normalised)
    return dict(zip(COLUMNS, values, strict=True))


def _value(value: Any) -> Any:
    return "" if value is None else value


def _harmless(cell: str) -> str:
    first = cell.lstrip(" \n\u00a0")[:1]
    return f"'{cell}" if first and first in _FORMULA else cell
