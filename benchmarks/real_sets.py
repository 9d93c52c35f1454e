"""Strangers' speech with its truth, as `benchmarks.real_speech` and `benchmarks.diarisation_error` ask for it."""

from __future__ import annotations

import csv
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from transcribe.protocols import SAMPLE_RATE_HZ, LabelledSpan, Pcm
from transcribe.records import Milliseconds, Recording

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BOLI_TEST_DATA", ROOT.parent / "shared" / "data"))

#: Where `boli models get` keeps what it fetches.
WEIGHTS = Path(os.environ.get("BOLI_MODELS_CACHE", user_cache_path("boli") / "models"))

#: Quiet below which composed sound does not fall, as a share of full scale: no room is silent.
HISS = 1e-3


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A recording with what is said in it."""

    name: str
    pcm: Pcm
    #: All words in the order in which they begin.
    text: str
    #: Tag of the dialect; its primary subtag is the language.
    dialect: str
    #: Who speaks when, where that is known to the word or the turn.
    turns: tuple[LabelledSpan, ...] = ()
    #: How many people speak.
    speakers: int = 1

    @property
    def duration(self) -> Milliseconds:
        return len(self.pcm) * 1_000 // SAMPLE_RATE_HZ

    @property
    def recording(self) -> Recording:
        """The clip as a recording of which somebody declared the dialect."""
        return Recording(
            id=self.name,
            path=self.name,
            duration=self.duration,
            rate_hz=SAMPLE_RATE_HZ,
            channels=1,
            dialect=self.dialect,
            language=self.dialect.split("-")[0],
        )


def read_pcm(path: Path) -> Pcm:
    """Sound of any file as mono at 16 kHz."""
    from faster_whisper import decode_audio

    pcm: Pcm = (decode_audio(str(path)) * 32_767).clip(-32_768, 32_767).astype(np.int16)
    return pcm


def read_manifest(folder: Path) -> list[dict[str, str]]:
    """Rows of the manifest in *folder*."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_clips(folder: Path) -> Iterator[Clip]:
    """Every row of the manifest in *folder* as a clip of one person."""
    for row in read_manifest(folder):
        yield Clip(name=row["path"], pcm=read_pcm(folder / row["path"]), text=row["text"], dialect=row["dialect"])


def read_dialogues(folder: Path) -> Iterator[Clip]:
    """The dialogues of two people in *folder*, with their turns."""
    for ctm in sorted(folder.glob("*.ctm")):
        words = sorted((float(start), word) for _, _, start, _, word in map(str.split, ctm.open(encoding="utf-8")))
        turns = read_rttm(ctm.with_suffix(".rttm"))[ctm.stem]
        yield Clip(
            name=ctm.stem,
            pcm=read_pcm(next((folder / "audio").glob(f"{ctm.stem}.*"))),
            text=" ".join(word for _, word in words),
            dialect="en-US",
            turns=tuple(turns),
            speakers=2,
        )


def read_rttm(file: Path) -> dict[str, list[LabelledSpan]]:
    """Turns of each recording that *file* tells of."""
    turns: dict[str, list[LabelledSpan]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines():
        _, name, _, start, length, _, _, speaker, *_ = line.split()
        first = round(float(start) * 1_000)
        turns[name].append(LabelledSpan(start=first, end=first + round(float(length) * 1_000), label=speaker))
    return turns


def read_president() -> Iterator[Clip]:
    """Eleven seconds of a famous speech."""
    text = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
    yield Clip(name="jfk", pcm=read_pcm(DATA / "speech" / "jfk.flac"), text=text, dialect="en-US")


def compose_digit_rows(count: int = 200, seed: int = 7) -> Iterator[Clip]:
    """Rows of three to ten digits, each row read out by one person with short pauses."""
    folder, chance = DATA / "fsdd", random.Random(seed)
    own: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read_manifest(folder):
        own[row["speaker"]].append(row)
    for number in range(count):
        speaker = chance.choice(sorted(own))
        digits = [chance.choice(own[speaker]) for _ in range(chance.randint(3, 10))]
        parts: list[tuple[Pcm, float]] = [
            (read_pcm(folder.parent / digit["path"]), chance.uniform(0.08, 0.5)) for digit in digits
        ]
        text = " ".join(digit["text"] for digit in digits)
        yield Clip(name=f"row-{number}", pcm=lay_out(parts, number), text=text, dialect="en-US")


def compose_session(pauses: tuple[float, float], count: int = 60, seed: int = 11) -> Clip:
    """Sentences of many people one after another, with pauses drawn between two lengths in seconds."""
    folder, chance = DATA / "dialects" / "speechocean762", random.Random(seed)
    rows = chance.sample(read_manifest(folder), count)
    parts = [(read_pcm(folder / row["path"]), chance.uniform(*pauses)) for row in rows]
    text = " ".join(row["text"] for row in rows)
    return Clip(name=f"{pauses[0]:g}-{pauses[1]:g} s", pcm=lay_out(parts, seed), text=text, dialect="en-CN")


def lay_out(parts: Sequence[tuple[Pcm, float]], seed: int, lead_s: float = 0.4) -> Pcm:
    """Sounds one after another, each with so many seconds of quiet behind it, over a faint hiss."""
    quiet = [np.zeros(round(lead_s * SAMPLE_RATE_HZ), np.int16)]
    pieces = quiet + [
        piece for pcm, pause in parts for piece in (pcm, np.zeros(round(pause * SAMPLE_RATE_HZ), np.int16))
    ]
    sound = np.concatenate(pieces).astype(np.float64)
    hiss = np.random.default_rng(seed).normal(0, HISS * 32_767, len(sound))
    pcm: Pcm = (sound + hiss).clip(-32_768, 32_767).astype(np.int16)
    return pcm


_DIALECTS = DATA / "dialects"

#: The English sets on which words are counted, and the ones beside them.
ENGLISH: dict[str, Callable[[], Iterator[Clip]]] = {
    "timit": lambda: read_clips(_DIALECTS / "timit-sample"),
    "timit-dialogues": lambda: read_dialogues(_DIALECTS / "timit-dialogues"),
    "speechocean762": lambda: read_clips(_DIALECTS / "speechocean762"),
    "duke-addresses": lambda: read_clips(_DIALECTS / "duke-addresses"),
    "jfk": read_president,
    "fsdd-rows": compose_digit_rows,
}
MALAYALAM: dict[str, Callable[[], Iterator[Clip]]] = {"msc-ml": lambda: read_clips(_DIALECTS / "msc-ml")}
SESSIONS: dict[str, Callable[[], Iterator[Clip]]] = {
    "dense": lambda: iter([compose_session((0.1, 0.5))]),
    "sparse": lambda: iter([compose_session((0.5, 12.0))]),
}
SETS = ENGLISH | MALAYALAM | SESSIONS
