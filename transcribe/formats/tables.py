"""CSV and JSON Lines with a stretch a row, in the columns that ``boli import corrections`` takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from dialects.tables import write_rows
from transcribe.formats.files import open_replacement, write_lines
from transcribe.formats.json_files import compact
from transcribe.formats.records import TimedText
from transcribe.ingest import timed
from transcribe.ingest.timed import COLUMNS, Refuse, raise_error


def read_csv(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the rows of *path*. An empty cell is a missing one.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    return (placed.stretch for placed in timed.read_table(path, refuse=refuse))


def read_jsonl(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the objects of *path*, one a line.

    Raises:
        InputError: E_SEGMENT or E_JSON with the line.
    """
    return (placed.stretch for placed in timed.read_table(path, refuse=refuse))


def write_csv(items: Iterable[TimedText], path: Path, *, is_raw: bool = False) -> int:
    """
    Write *items*, one a row, and count them.

    Args:
        is_raw: Leave out the ``'`` before texts that a spreadsheet would compute. It is read back without it.
    """
    rows = (_row_of(stretch).values() for stretch in items)
    with open_replacement(path) as stream:
        return write_rows(chain([COLUMNS], rows), stream, is_raw=is_raw) - 1


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
