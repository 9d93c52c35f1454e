"""NeMo's manifest, JSON Lines with a stretch of sound each (``audio_filepath, offset, duration, text``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from transcribe.formats.files import write_lines
from transcribe.formats.json_files import compact
from transcribe.formats.records import TimedText, refusal
from transcribe.ingest.tables import Row, Table, from_seconds
from transcribe.records import Milliseconds


def read_nemo(path: Path) -> Iterator[TimedText]:
    """
    Read the lines of *path*. The recording is ``audio_filepath``; ``pred_text`` counts where ``text`` is missing.

    Raises:
        InputError: E_JSON or E_FORMAT with the line.
    """
    table = Table(file=path, any_of=("audio_filepath",), code="E_FORMAT")
    for row in table.rows():
        cells = row.cells
        if "audio_filepath" not in cells:
            raise table.fault(row.line, "no audio_filepath", hint="each line names its sound")
        start = _time_of(table, row, "offset") if "offset" in cells else 0
        yield TimedText(
            recording=cells["audio_filepath"],
            start=start,
            end=start + _time_of(table, row, "duration"),
            speaker=cells.get("speaker"),
            text=cells.get("text", cells.get("pred_text")),
            dialect=cells.get("dialect"),
        )


def write_nemo(
    items: Iterable[TimedText],
    path: Path,
    *,
    audio_of: Callable[[str], str] = str,
    key: Literal["text", "pred_text"] = "text",
) -> int:
    """
    Write and count the *items* that have a text and a length, one a line.

    Args:
        audio_of: Gives the path of a recording's sound.
        key: ``pred_text`` for drafts that stand beside references.
    """
    lines = (
        compact(_entry_of(stretch, audio_of(stretch.recording), key))
        for stretch in items
        if stretch.text is not None and stretch.end > stretch.start
    )
    return write_lines(lines, path)


def _entry_of(stretch: TimedText, audio: str, key: str) -> dict[str, Any]:
    if not audio:
        raise refusal(f"no sound is known of {stretch.recording}", "say where the recordings lie")
    entry = {
        "audio_filepath": audio,
        "offset": stretch.start / 1000,
        "duration": (stretch.end - stretch.start) / 1000,
        key: stretch.text,
        "speaker": stretch.speaker,
        "dialect": stretch.dialect,
    }
    return {name: value for name, value in entry.items() if value is not None}


def _time_of(table: Table, row: Row, column: str) -> Milliseconds:
    try:
        return from_seconds(row.cells.get(column, ""))
    except ValueError as error:
        raise table.fault(row.line, str(error), column=column, hint="write seconds such as 1.5") from None
