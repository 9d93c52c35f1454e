"""SegLST, a JSON list of segments, as meeting scorers read and write it (meeteval)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from transcribe.exchange.json_files import read_list, seconds_of, text_of, write_list
from transcribe.exchange.records import TimedText


def read_seglst(path: Path) -> Iterator[TimedText]:
    """
    The segments of *path* in their order.

    Raises:
        InputError: E_JSON; E_FORMAT with the number of the segment.
    """
    for number, entry in read_list(path):
        yield TimedText(
            recording=text_of(path, number, entry, "session_id") or "",
            start=seconds_of(path, number, entry, "start_time"),
            end=seconds_of(path, number, entry, "end_time"),
            speaker=text_of(path, number, entry, "speaker"),
            text=text_of(path, number, entry, "words"),
            dialect=text_of(path, number, entry, "dialect"),
        )


def write_seglst(items: Iterable[TimedText], path: Path) -> int:
    """Write *items* as a list, one segment a line; how many. Unknown facts are left out."""
    return write_list(map(_entry, items), path)


def _entry(item: TimedText) -> dict[str, Any]:
    entry = {
        "session_id": item.recording,
        "start_time": item.start / 1000,
        "end_time": item.end / 1000,
        "speaker": item.speaker,
        "words": item.text,
        "dialect": item.dialect,
    }
    return {name: value for name, value in entry.items() if value is not None}
