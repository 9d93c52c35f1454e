"""Small training data: texts with times, and audio that is told apart by its samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from tests.small_corpus import read_sound, read_turns, split_name
from transcribe.datasets import manifest
from transcribe.datasets.manifest import Example, Frozen
from transcribe.protocols import Pcm
from transcribe.records import Milliseconds


def line(start: Milliseconds, end: Milliseconds, text: str | None = "aye", **facts: object) -> Example:
    defaults = {"id": f"{start}-{end}", "audio": "a", "language": "en", "dialect": "en-scotland"}
    return Example(start=start, end=end, text=text, **{**defaults, **facts})  # type: ignore[arg-type]


def make_ramp(audio: str, channel: int | None) -> Pcm:
    """Return a minute of audio in which every sample is another than its neighbours, and channels differ."""
    return (np.arange(60 * 16_000) * 7 + 1_000 * (channel or 0) + len(audio)).astype(np.int16)


def sound(audio: str, channel: int | None) -> Pcm:
    """Read a conversation of the small corpus, as tuning asks for it."""
    return read_sound(audio)


def freeze(folder: Path, conversations: Iterable[str]) -> Frozen:
    """Write the turns of *conversations* of the small corpus as a dataset."""
    return manifest.write(folder, [example for name in conversations for example in _examples(name)])


def _examples(conversation: str) -> Iterator[Example]:
    for turn in read_turns(conversation):
        yield Example(
            id=f"{conversation}-{turn['start_ms']}-{turn['speaker']}",
            audio=conversation,
            start=turn["start_ms"],
            end=turn["end_ms"],
            text=turn["text"],
            dialect=turn["dialect"],
            language=turn["dialect"].split("-")[0],
            split=split_name(conversation)[1],  # type: ignore[arg-type]
        )
