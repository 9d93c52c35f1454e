"""JSON documents and lines of other tools, read with suspicion and written in a stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from transcribe.errors import InputError
from transcribe.formats.files import open_replacement
from transcribe.formats.records import refusal
from transcribe.ingest import tables
from transcribe.ingest.tables import from_seconds
from transcribe.records import Milliseconds

#: Bytes of the largest document that is read at once.
LARGEST: Final = 512 << 20


def read_list(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """
    Read the numbered objects, from 1, of the JSON list in *path*.

    Raises:
        InputError: E_JSON; E_FORMAT if it is no list of objects.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise refusal(f"{path.name} is over {LARGEST >> 20} MiB", "split it", item=str(path))
        document = tables.parse_json(path.read_bytes().decode("utf-8-sig"))
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
