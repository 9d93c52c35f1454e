"""
The sound of the passages, cut once into flat files of 16 kHz int16 samples.

A window is then a slice of a mapped file. Slices of compressed recordings would be sought from their start each time:
minutes an epoch.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from transcribe.passages import Passage
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm, Span
from transcribe.records import Milliseconds

#: Gives the samples of a recording by its id, or of one of its channels.
Sound: TypeAlias = Callable[[str, int | None], Pcm]

#: A shard is closed when it holds this many samples: about 2.3 hours, 256 MiB.
SHARD_SAMPLES: Final = 2**27

_INDEX: Final = "index.json"


@dataclass(frozen=True, kw_only=True)
class Shards:
    """Where each passage lies: number of its file, first sample in it, number of samples."""

    folder: Path
    places: tuple[tuple[int, int, int], ...]

    def samples(self, passage: int, start: Milliseconds, end: Milliseconds) -> Pcm:
        """Samples of passage number *passage* from *start* to *end*, counted from where it starts."""
        shard, first, count = self.places[passage]
        here, there = (min(max(0, ms * SAMPLE_RATE_HZ // 1000), count) for ms in (start, end))
        if there <= here:
            return np.zeros(0, np.int16)
        place, bytes_before = self.folder / _name(shard), 2 * (first + here)
        return np.array(np.memmap(place, np.int16, "r", offset=bytes_before, shape=(there - here,)))


def cut_sound(passages: Sequence[Passage], sound: Sound, folder: Path, *, most: int = SHARD_SAMPLES) -> Shards:
    """
    Write the sound of *passages* into *folder*, unless it is there whole; each recording is read once.

    The passages of one recording must follow each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / _INDEX).is_file():
        return _known(folder)
    places: list[tuple[int, int, int]] = []
    shard, filled = 0, 0
    for (audio, channel), own in itertools.groupby(passages, key=lambda one: (one.audio, one.channel)):
        pcm = sound(audio, channel)
        for passage in own:
            piece = pcm[_sample(passage.start) : _sample(passage.end)]
            if filled and filled + len(piece) > most:
                shard, filled = shard + 1, 0
            with (folder / _name(shard)).open("ab" if filled else "wb") as file:
                file.write(piece.astype("<i2").tobytes())
            places.append((shard, filled, len(piece)))
            filled += len(piece)
    part = folder / (_INDEX + ".part")
    part.write_text(json.dumps(places))
    part.replace(folder / _INDEX)
    return Shards(folder=folder, places=tuple(places))


def cut_pieces(pcm: Pcm, pieces: Sequence[Span]) -> Pcm:
    """The samples of *pieces* of a recording, one after another."""
    return np.concatenate([pcm[_sample(piece.start) : _sample(piece.end)] for piece in pieces])


def _known(folder: Path) -> Shards:
    places = json.loads((folder / _INDEX).read_text())
    return Shards(folder=folder, places=tuple((shard, first, count) for shard, first, count in places))


def _name(shard: int) -> str:
    return f"{shard:05}.i16"


def _sample(ms: Milliseconds) -> int:
    return max(0, ms) * SAMPLE_RATE_HZ // 1000
