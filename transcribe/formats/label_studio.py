"""Label Studio's JSON: tasks with regions of audio, as it exports them and as it imports predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from transcribe.errors import InputError
from transcribe.formats.json_files import entry_error, read_list, read_seconds, write_list
from transcribe.formats.records import TimedText, group_by_recording
from transcribe.ingest.timed import Refuse, raise_error
from transcribe.records import content_id

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


def read_label_studio(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the regions of the exported tasks in *path*, task by task, by start; both of its JSON exports are taken.

    Of a task with annotations the last one counts that was not cancelled; one without has its last prediction read.
    The recording is ``data.recording``, else ``data.audio``.

    Raises:
        InputError: E_JSON; E_FORMAT with the number of the task.
    """
    for number, task in read_list(path, refuse=refuse):
        try:
            data = task.get("data", task)
            recording = data.get("recording", data.get(AUDIO)) if isinstance(data, dict) else None
            if not isinstance(recording, str):
                raise entry_error(path, number, "data.audio does not name the sound")
            result = _last_result(path, number, task) if "data" in task else list(_expand_short(task))
            regions: list[list[dict[str, Any]]] = list(_group_by_region(path, number, result).values())
        except InputError as error:
            refuse(error)
            continue
        stretches = []
        for parts in regions:
            try:
                stretches.append(_read_region(path, number, recording, parts))
            except InputError as error:
                refuse(error)
        yield from sorted(stretches, key=lambda stretch: (stretch.start, stretch.end, stretch.speaker or ""))


def _expand_short(task: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the results of a task of the export "JSON-MIN": regions and their texts in two lists, in one order."""
    regions: list[Any] = next((value for value in task.values() if _is_list_of_regions(value)), [])
    texts = task.get(TEXT, [])
    texts = [texts] if isinstance(texts, str) else texts
    for number, region in enumerate(regions):
        times = {name: region[name] for name in ("start", "end") if name in region}
        yield {"id": number, "type": "labels", "value": {**times, "labels": region.get("labels", [])}}
        if isinstance(texts, list) and number < len(texts):
            yield {"id": number, "type": "textarea", "value": {**times, "text": texts[number]}}


def _is_list_of_regions(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, dict) and "start" in part for part in value)


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


def _group_by_region(path: Path, number: int, result: list[Any]) -> dict[str, list[dict[str, Any]]]:
    """Group the parts of each region by its id, in the order of the file; relations and ratings are no regions."""
    regions: dict[str, list[dict[str, Any]]] = {}
    for part in result:
        if not isinstance(part, dict):
            raise entry_error(path, number, "a result that is no object")
        if part.get("type") not in ("labels", "textarea"):
            continue
        if not isinstance(part.get("value"), dict):
            raise entry_error(path, number, "a result without a value")
        if "start" in part["value"]:
            regions.setdefault(str(part.get("id")), []).append(part)
    return regions


def _last_result(path: Path, number: int, task: Mapping[str, Any]) -> list[Any]:
    for kind in ("annotations", "predictions"):
        entries = task.get(kind) or []
        if not isinstance(entries, list):
            raise entry_error(path, number, f"{kind} is no list")
        # Some exports give predictions by their numbers alone.
        valid = [entry for entry in entries if isinstance(entry, dict) and not entry.get("was_cancelled")]
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
        where=f"{path.name}, entry {number}",
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
