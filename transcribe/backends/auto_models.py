"""Read and write the diariser that ``auto`` chose for a workspace, so that the same one serves from then on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from transcribe.errors import InputError

FILE: Final = "auto.json"
SCHEMA: Final = "boli.auto/1"


def read_choice(file: Path) -> str | None:
    """
    Return the place of the diariser that *file* names; ``None`` where nothing was chosen yet.

    Raises:
        InputError: E_MODEL if the file cannot be read.
    """
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA or not isinstance(document["diariser"], str):
            raise ValueError(f"it is no {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "remove it; the next boli run chooses again"
        raise InputError(f"{file} cannot be read ({error})", code="E_MODEL", hint=hint, item=str(file)) from error
    return str(document["diariser"])


def write_choice(file: Path, diariser: str) -> None:
    """Write *file*, whole or not at all, unless it says the same already."""
    text = json.dumps({"schema": SCHEMA, "diariser": diariser}) + "\n"
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)
