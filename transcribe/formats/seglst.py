"""SegLST, a JSON list of segments, as meeting scorers read and write it (meeteval)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from transcribe.formats.json_files import read_list, read_seconds, read_text, write_list
from transcribe.formats.records import TimedText


def read_seglst(path: Path) -> Iterator[TimedText]:
    """
    Read the segments of *path* in their order.

    Raises:
        InputError: E_JSON; E_FORMAT with the number of the segment.
    """
    for number, entry in read_list(path):
        yield TimedText(
            recording=read_text(path, number, entry, "session_id") or "",
            start=read_seconds(path, number, entry, "start_time"),
            end=read_seconds(path, number, entry, "end_time"),
            speaker=read_text(path, number, entry, "speaker"),
            text=read_text(path, number, entry, "words"),
            dialect=read_text(path, number, entry, "dialect"),
        )


def write_seglst(items: Iterable[TimedText], path: Path) -> int:
    """Write *items* as a list, one segment a line, and count them. Unknown facts are left out."""
    return write_list(map(_entry_of, items), path)


def _entry_of(stretch: TimedText) -> dict[str, Any]:
    entry = {
        "session_id": stretch.recording,
        "start_time": stretch.start / 1000,
        "end_time": stretch.end / 1000,
        "speaker": stretch.speaker,
        "words": stretch.text,
        "dialect": stretch.dialect,
    }
    return {name: value for name, value in entry.items() if value is not None}
