"""
JSON of other tools: SegLST (meeteval), NeMo's manifests (``audio_filepath, offset, duration, text``), Label Studio.

JSON documents and lines are read with suspicion and written in a stream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from dialects.text_files import parse_json
from transcribe.errors import InputError
from transcribe.formats.files import open_replacement, write_lines
from transcribe.formats.records import TimedText, group_by_recording, refusal
from transcribe.records import Milliseconds, content_id
from transcribe.tables import Row, Table, from_seconds

#: Bytes of the largest document that is read at once.
LARGEST: Final = 512 << 20
#: Names of the controls in the labelling configuration.
SPEAKER, TEXT, AUDIO = "speaker", "transcription", "audio"
#: Label of a region whose speaker is unknown.
UNKNOWN: Final = "unknown"
#: Labelling configuration that shows what is written here; speakers are added as labels by whoever imports it.
CONFIGURATION: Final = """\
<View>
  <Labels name="speaker" toName="audio"><Label value="unknown"/></Labels>
  <Audio name="audio" value="$audio"/>
  <TextArea name="transcription" toName="audio" perRegion="true" editable="true"/>
</View>
"""


def read_list(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
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
            raise entry_error(path, number, f"a {type(entry).__name__} where an object should be")
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


def read_label_studio(path: Path) -> Iterator[TimedText]:
    """
    Read the regions of the exported tasks in *path*, task by task, by start.

    Of a task with annotations the last one counts that was not cancelled; one without has its last prediction read.
    The recording is ``data.recording``, else ``data.audio``.

    Raises:
        InputError: E_JSON; E_FORMAT with the number of the task.
    """
    for number, task in read_list(path):
        data = task.get("data")
        recording = data.get("recording", data.get(AUDIO)) if isinstance(data, dict) else None
        if not isinstance(recording, str):
            raise entry_error(path, number, "data.audio does not name the sound")
        stretches = [
            _read_region(path, number, recording, parts) for parts in _group_by_region(path, number, task).values()
        ]
        yield from sorted(stretches, key=lambda stretch: (stretch.start, stretch.end, stretch.speaker or ""))


def write_label_studio(
    items: Iterable[TimedText],
    path: Path,
    *,
    audio_of: Callable[[str], str] = str,
    kind: Literal["predictions", "annotations"] = "predictions",
    model: str | None = None,
) -> int:
    """
    Write a task for each recording of *items*, which come recording by recording, and count the tasks.

    Args:
        audio_of: URL of a recording's sound, as Label Studio reaches it.
        kind: Predictions are shown to be corrected, annotations count as done.
        model: What made the predictions.
    """
    tasks = (
        {
            "data": {AUDIO: audio_of(recording), "recording": recording},
            kind: [_result_of(list(stretches)) | ({"model_version": model} if model and kind == "predictions" else {})],
        }
        for recording, stretches in group_by_recording(items)
    )
    return write_list(tasks, path)


def _result_of(items: list[TimedText]) -> dict[str, Any]:
    return {"result": [part for stretch in items for part in _region_parts(stretch)]}


def _region_parts(stretch: TimedText) -> Iterator[dict[str, Any]]:
    name = content_id(stretch.recording, stretch.start, stretch.end, stretch.speaker, stretch.text)[:10]
    times = {"start": stretch.start / 1000, "end": stretch.end / 1000}
    common = {"id": name, "to_name": AUDIO, "original_length": None}
    meta = {"meta": {"dialect": [stretch.dialect]}} if stretch.dialect else {}
    speaker = {**times, "labels": [stretch.speaker or UNKNOWN]}
    yield {**common, "from_name": SPEAKER, "type": "labels", "value": speaker, **meta}
    if stretch.text is not None:
        yield {**common, "from_name": TEXT, "type": "textarea", "value": {**times, "text": [stretch.text]}}


def _group_by_region(path: Path, number: int, task: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Group the parts of each region by its id, in the order of the file."""
    regions: dict[str, list[dict[str, Any]]] = {}
    for part in _last_result(path, number, task):
        if not isinstance(part, dict) or not isinstance(part.get("value"), dict):
            raise entry_error(path, number, "a result without a value")
        if part.get("type") in ("labels", "textarea") and "start" in part["value"]:
            regions.setdefault(str(part.get("id")), []).append(part)
    return regions


def _last_result(path: Path, number: int, task: Mapping[str, Any]) -> list[Any]:
    for kind in ("annotations", "predictions"):
        entries = task.get(kind) or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise entry_error(path, number, f"{kind} is no list of objects")
        valid = [entry for entry in entries if not entry.get("was_cancelled")]
        if valid:
            result = valid[-1].get("result")
            if not isinstance(result, list):
                raise entry_error(path, number, "result is no list")
            return result
    return []


def _read_region(path: Path, number: int, recording: str, parts: list[dict[str, Any]]) -> TimedText:
    value = parts[0]["value"]
    start, end = (read_seconds(path, number, value, name) for name in ("start", "end"))
    if start > end:
        raise entry_error(path, number, f"a region starts at {start} ms, after its end at {end} ms")
    labels = _read_part(path, number, parts, "labels", "labels")
    dialects = next((part["meta"].get("dialect") for part in parts if isinstance(part.get("meta"), dict)), None)
    return TimedText(
        recording=recording,
        start=start,
        end=end,
        speaker=None if labels == UNKNOWN else labels,
        text=_read_part(path, number, parts, "textarea", "text"),
        dialect=str(dialects[0]) if isinstance(dialects, list) and dialects else None,
    )


def _read_part(path: Path, number: int, parts: list[dict[str, Any]], kind: str, name: str) -> str | None:
    """Return the content of the first part of *kind*. A text area of several lines is one text of several lines."""
    content = next((part["value"].get(name) for part in parts if part.get("type") == kind), None)
    if content is None:
        return None
    values = [content] if isinstance(content, str) else content
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise entry_error(path, number, f"{name} is no list of texts")
    return (values[0] if kind == "labels" else "\n".join(values)) if values else None
