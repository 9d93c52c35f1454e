"""Small things to learn from: texts with times, and sound that is told apart by its samples."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from transcribe import embedded, frozen
from transcribe.frozen import Example, Frozen
from transcribe.protocols import Pcm
from transcribe.records import Milliseconds


def line(start: Milliseconds, end: Milliseconds, text: str | None = "aye", **facts: object) -> Example:
    known = {"id": f"{start}-{end}", "audio": "a", "language": "en", "dialect": "en-scotland"}
    return Example(start=start, end=end, text=text, **{**known, **facts})  # type: ignore[arg-type]


def counted(audio: str, channel: int | None) -> Pcm:
    """A minute of sound in which every sample is another than its neighbours, and channels differ."""
    return (np.arange(60 * 16_000) * 7 + 1_000 * (channel or 0) + len(audio)).astype(np.int16)


@functools.cache
def heard(recording: str) -> Pcm:
    """Samples of a demo conversation."""
    from faster_whisper import decode_audio

    sound = decode_audio(str(embedded.demo_corpus() / f"{recording}.opus"), sampling_rate=16_000)
    return (sound * 32_767).round().astype(np.int16)


def sound(audio: str, channel: int | None) -> Pcm:
    return heard(audio)


def demo(folder: Path, recordings: Iterable[str]) -> Frozen:
    """A dataset of demo conversations, whose names say dialect and split."""
    made = []
    for recording in recordings:
        for row in (embedded.demo_corpus() / f"{recording}.jsonl").read_text(encoding="utf-8").splitlines():
            told = json.loads(row)
            made.append(
                Example(
                    id=f"{recording}-{told['start_ms']}-{told['speaker']}",
                    audio=recording,
                    start=told["start_ms"],
                    end=told["end_ms"],
                    text=told["text"],
                    dialect=told["dialect"],
                    language=told["dialect"].split("-")[0],
                    split=recording.split("-")[-2],  # type: ignore[arg-type]
                )
            )
    return frozen.write(folder, made)
