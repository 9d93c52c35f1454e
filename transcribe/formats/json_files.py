"""
JSON of other tools: SegLST (meeteval), NeMo's manifests (``audio_filepath, offset, duration, text``), lhotse's cuts.

JSON documents and lines are read with suspicion and written in a stream.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from dialects.text_files import LONGEST_LINE, parse_json
from transcribe.errors import InputError
from transcribe.formats.files import open_replacement, write_lines
from transcribe.formats.records import TimedText, refusal
from transcribe.ingest.timed import Refuse, raise_error
from transcribe.records import Milliseconds
from transcribe.tables import Row, Table, from_seconds

#: Bytes of the largest document that is read at once.
LARGEST: Final = 512 << 20


def read_list(path: Path, *, refuse: Refuse = raise_error) -> Iterator[tuple[int, dict[str, Any]]]:
    """
    Read the numbered objects, from 1, of the JSON list in *path*.

    Raises:
        InputError: E_JSON; E_FORMAT if it is no list of objects.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise refusal(f"{path.name} is over {LARGEST >> 20} MiB", "split it", item=str(path))
        document = parse_json(path.read_bytes().decode("utf-8-sig"))
    except ValueError as error:
        raise InputError(f"{path.name}: {error}", code="E_JSON", hint="write it again", item=str(path)) from None
    except OSError as error:
        hint = "check the path and the rights"
        raise InputError(f"{path} cannot be read: {error.strerror}", hint=hint, item=str(path)) from error
    if not isinstance(document, list):
        raise refusal(f"{path.name} is no JSON list", "export it as JSON, not as JSON Lines", item=str(path))
    for number, entry in enumerate(document, 1):
        if not isinstance(entry, dict):
            refuse(entry_error(path, number, f"a {type(entry).__name__} where an object should be"))
        else:
            yield number, entry


def write_list(entries: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write *entries* as a JSON list, one a line, as they come, and count them."""
    count = 0
    with open_replacement(path) as stream:
        stream.write("[")
        for entry in entries:
            stream.write(",\n" if count else "\n")
            stream.write(compact(entry))
            count += 1
        stream.write("\n]\n")
    return count


def compact(value: object) -> str:
    """Format *value* as one line of JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def entry_error(path: Path, number: int, what: str) -> InputError:
    """Return an error about entry *number* of *path*."""
    return refusal(f"{path.name}, entry {number}: {what}", "mend it or leave it out", item=f"{path.name}:{number}")


def read_text(path: Path, number: int, entry: Mapping[str, Any], name: str) -> str | None:
    """Return a text of *entry*; ``None`` where it is missing or null. A number, as in speakers' names, becomes text."""
    value = entry.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise entry_error(path, number, f"{name} is no text")


def read_seconds(path: Path, number: int, entry: Mapping[str, Any], name: str) -> Milliseconds:
    """Return seconds of *entry*, a number or a text with one, as milliseconds."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise entry_error(path, number, f"{name} is no time in seconds")
    try:
        return from_seconds(str(value))
    except ValueError as error:
        raise entry_error(path, number, f"{name}: {error}") from None


def read_seglst(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the segments of *path* in their order.

    Raises:
        InputError: E_JSON; E_FORMAT with the number of the segment.
    """
    for number, entry in read_list(path, refuse=refuse):
        try:
            yield _read_segment(path, number, entry)
        except InputError as error:
            refuse(error)


def _read_segment(path: Path, number: int, entry: Mapping[str, Any]) -> TimedText:
    start, end = (read_seconds(path, number, entry, name) for name in ("start_time", "end_time"))
    if start > end:
        raise entry_error(path, number, f"it starts at {start} ms, after its end at {end} ms")
    return TimedText(
        recording=read_text(path, number, entry, "session_id") or "",
        start=start,
        end=end,
        speaker=read_text(path, number, entry, "speaker"),
        text=read_text(path, number, entry, "words"),
        dialect=read_text(path, number, entry, "dialect"),
        where=f"{path.name}, entry {number}",
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


def read_nemo(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the lines of *path*. The recording is ``audio_filepath``; ``pred_text`` counts where ``text`` is missing.

    Raises:
        InputError: E_JSON or E_FORMAT with the line.
    """
    table = Table(file=path, any_of=("audio_filepath",), code="E_FORMAT")
    for row in table.entries():
        try:
            if isinstance(row, InputError):
                raise row
            yield _read_stretch(table, row)
        except InputError as error:
            refuse(error)


def _read_stretch(table: Table, row: Row) -> TimedText:
    cells = row.cells
    if "audio_filepath" not in cells:
        raise table.fault(row.line, "no audio_filepath", hint="each line names its sound")
    start = _time_of(table, row, "offset") if "offset" in cells else 0
    return TimedText(
        recording=cells["audio_filepath"],
        start=start,
        end=start + _time_of(table, row, "duration"),
        speaker=cells.get("speaker"),
        text=cells.get("text", cells.get("pred_text")),
        dialect=cells.get("dialect"),
        where=table.locate(row.line),
    )


def read_lhotse(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the supervisions of lhotse's cuts, or of its supervision sets, JSON Lines or gzipped, in their order.

    A supervision of a cut counts its time from the cut's start. The recording is the cut's source, where it is a file.

    Raises:
        InputError: E_JSON or E_FORMAT with the line.
    """
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        total = 0
        for number, raw in enumerate(iter(lambda: stream.readline(LONGEST_LINE), b""), 1):
            total += len(raw)
            if total > LARGEST:
                raise refusal(f"{path.name} unpacks to over {LARGEST >> 20} MiB", "split it", item=str(path))
            try:
                cut = parse_json(raw.decode())
                if not isinstance(cut, dict):
                    raise ValueError("no object")
            except ValueError as error:
                what = f"{path.name} line {number}: {error}"
                refuse(InputError(what, code="E_JSON", hint="write it again", item=f"{path.name}:{number}"))
                continue
            try:
                yield from _read_cut(path, number, cut)
            except InputError as error:
                refuse(error)


def _read_cut(path: Path, number: int, cut: Mapping[str, Any]) -> list[TimedText]:
    if "supervisions" not in cut:
        return [_read_supervision(path, number, cut, 0, str(cut.get("recording_id", "")))]
    recording = cut.get("recording")
    if not isinstance(recording, dict) or not isinstance(cut["supervisions"], list):
        raise entry_error(path, number, "a cut without a recording or a list of supervisions")
    sources = recording.get("sources")
    files = [source for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []
    source = next((file["source"] for file in files if file.get("type") in ("file", "url")), recording.get("id"))
    start = read_seconds(path, number, cut, "start") if cut.get("start") else 0
    parts = [part for part in cut["supervisions"] if isinstance(part, dict)]
    return [_read_supervision(path, number, part, start, str(source)) for part in parts]


def _read_supervision(path: Path, number: int, part: Mapping[str, Any], at: Milliseconds, source: str) -> TimedText:
    # It may begin before the cut does.
    offset = str(part.get("start", 0))
    start = at - from_seconds(offset[1:]) if offset.startswith("-") else at + read_seconds(path, number, part, "start")
    return TimedText(
        recording=source,
        start=max(start, 0),
        end=start + read_seconds(path, number, part, "duration"),
        speaker=read_text(path, number, part, "speaker"),
        text=read_text(path, number, part, "text"),
        where=f"{path.name} line {number}",
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
        compact(_stretch_entry_of(stretch, audio_of(stretch.recording), key))
        for stretch in items
        if stretch.text is not None and stretch.end > stretch.start
    )
    return write_lines(lines, path)


def _stretch_entry_of(stretch: TimedText, audio: str, key: str) -> dict[str, Any]:
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
