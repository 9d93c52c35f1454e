"""Erase sound: silence in its place, or the file gone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from transcribe.audio.reading import locate
from transcribe.protocols import SAMPLE_RATE_HZ
from transcribe.records import Milliseconds

#: In the folder of a model that is being tuned: the sound that it learns from.
SHARDS: Final = "shards"

_BLOCK = 10 * SAMPLE_RATE_HZ


def erase_sound(folder: Path, recording: str, spans: Sequence[tuple[Milliseconds, Milliseconds]] | None) -> bool:
    """
    Put silence on every channel of a received recording in *spans*; without spans, remove it.

    Works in blocks, whatever its length, and renames the new file into place.

    Returns:
        True if it was there.

    Raises:
        OSError: If the folder cannot be written.
    """
    file = locate(folder, recording)
    if not file.exists():
        return False
    if spans is None:
        file.unlink()
        return True
    fresh = file.with_name(f"{file.stem}.erasing")
    try:
        _silence(file, fresh, spans)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    handle = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return True


def erase_training_sound(workspace: Path, recording: str) -> None:
    """
    Remove the audio of a recording that a killed training has cut.

    It lies mixed with that of others, and is cut anew when the training goes on.

    Raises:
        OSError: If a folder cannot be removed.
    """
    for folder in (workspace / "models").glob(f"*/{SHARDS}"):
        shutil.rmtree(folder)


def _silence(source: Path, target: Path, spans: Sequence[tuple[Milliseconds, Milliseconds]]) -> None:
    import soundfile

    with soundfile.SoundFile(source) as old:
        shape = {"samplerate": old.samplerate, "channels": old.channels, "format": "FLAC", "subtype": old.subtype}
        with soundfile.SoundFile(target, "w", **shape) as new:
            first = 0
            for block in old.blocks(_BLOCK, dtype="int32", always_2d=True):
                for start, end in spans:
                    a, b = (moment * SAMPLE_RATE_HZ // 1_000 - first for moment in (start, end))
                    block[max(0, a) : max(0, b)] = 0
                new.write(block)
                first += len(block)
    with target.open("rb") as written:
        os.fsync(written.fileno())
