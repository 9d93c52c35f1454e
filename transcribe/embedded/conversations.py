"""Conversations laid out of spoken clips, with the exact truth of who spoke when, and the files that hold them."""

import csv
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.voices import RATE_HZ, audible
from transcribe.records import Milliseconds

#: The columns of a manifest that `boli ingest --manifest` reads.
MANIFEST_COLUMNS = (
    "path",
    "dialect",
    "language",
    "speaker",
    "session",
    "turns",
    "split",
    "consent",
    "licence",
    "source",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """The sound of one turn to come, and what is said in it."""

    speaker: str
    dialect: str
    text: str
    #: float32 (samples,)
    samples: NDArray[np.float32]
    #: When each word begins, from the first sample; empty where nobody knows.
    word_starts: tuple[Milliseconds, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """One turn as it was really spoken."""

    start: Milliseconds
    end: Milliseconds
    speaker: str
    dialect: str
    text: str
    #: When each word begins, from the start of the recording; empty where nobody knows.
    word_starts: tuple[Milliseconds, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Conversation:
    """A recording whose truth is known."""

    name: str
    #: int16 (samples,), one channel.
    samples: NDArray[np.int16]
    #: Ordered by start.
    spoken: tuple[Spoken, ...]
    rate_hz: int = RATE_HZ

    @property
    def duration(self) -> Milliseconds:
        """Length of the recording."""
        return len(self.samples) * 1000 // self.rate_hz


def converse(
    clips: Sequence[Clip],
    rng: random.Random,
    *,
    name: str = "conversation",
    pause_ms: tuple[Milliseconds, Milliseconds] = (200, 1000),
    overlap: float = 0.1,
    rate_hz: int = RATE_HZ,
) -> Conversation:
    """
    Lay *clips* one after another as the turns of one conversation.

    A turn begins after a random pause, or, if another speaker held the floor, sometimes before the last one ended.
    At most two people talk at once, and an interruption takes at most two thirds of either turn.

    Args:
        clips: At least one; each is heard whole and in the given order.
        rng: Source of pauses and interruptions.
        name: Name of the conversation.
        pause_ms: Shortest and longest pause between turns, and before the first and after the last.
        overlap: Target share of the time with speech in which two people talk, as LibriCSS counts it (Chen et al.,
            "Continuous speech separation: dataset and analysis", 2020). Never exceeded; it is missed where speakers
            change too seldom, and by up to the length of one short interruption.
        rate_hz: Rate of all clips.

    Returns:
        A conversation whose times are those of the audible parts of the clips (40 dB under their peaks).
    """
    layout = _Layout(overlap)
    placed: list[tuple[int, NDArray[np.float32]]] = []
    spoken: list[Spoken] = []
    for clip in clips:
        first, last = audible(clip.samples)
        length = -(-(last - first) * 1000 // rate_hz)
        start = layout.place(clip.speaker, length, rng.randint(*pause_ms))
        placed.append((start * rate_hz // 1000 - first, clip.samples))
        words = tuple(max(start, start + word - first * 1000 // rate_hz) for word in clip.word_starts)
        who = {"speaker": clip.speaker, "dialect": clip.dialect, "text": clip.text}
        spoken.append(Spoken(start=start, end=start + length, word_starts=words, **who))
    tail = max(turn.end for turn in spoken) + rng.randint(*pause_ms)
    mixed = _mix(placed, -(-tail * rate_hz // 1000))
    ordered = tuple(sorted(spoken, key=lambda turn: (turn.start, turn.speaker)))
    return Conversation(name=name, samples=to_int16(mixed), spoken=ordered, rate_hz=rate_hz)


class _Layout:
    """Where turns may stand: keeps the running share of overlapped speech at its target."""

    def __init__(self, overlap: float) -> None:
        self._target = overlap
        self._ends: dict[str, Milliseconds] = {}
        self._last_start = 0
        self._talk = 0
        self._both = 0

    def place(self, speaker: str, length: Milliseconds, pause: Milliseconds) -> Milliseconds:
        """Give the start of a turn of *length*, and remember the turn."""
        # Ties go to the speaker at hand, who then pauses.
        holder, floor_end = max(
            self._ends.items(), key=lambda item: (item[1], item[0] == speaker), default=(speaker, 0)
        )
        start = floor_end + pause
        if holder != speaker:
            others = max((end for who, end in self._ends.items() if who != holder), default=0)
            earliest = max(others, floor_end - 2 * (floor_end - self._last_start) // 3, floor_end - 2 * length // 3)
            # x more overlapped of (talk + length - x) in all shall be the target: solved for x.
            owed = (self._target * (self._talk + length) - self._both) / (1 + self._target)
            # Saving up makes some turns overlap audibly and the others not at all.
            if owed >= 150:
                start = max(earliest, floor_end - round(owed))
        shared = max(0, min(floor_end, start + length) - start)
        self._talk += length - shared
        self._both += shared
        self._ends[speaker] = start + length
        self._last_start = start
        return start


def overlap_share(spoken: Iterable[Spoken]) -> float:
    """
    Give the share of the time with speech in which two or more people talk; 0 without speech.

    >>> turn = dict(dialect="en", text="")
    >>> overlap_share([Spoken(start=0, end=60, speaker="a", **turn), Spoken(start=40, end=100, speaker="b", **turn)])
    0.2
    """
    changes = sorted((time, step) for turn in spoken for time, step in ((turn.start, 1), (turn.end, -1)))
    any_ms = both_ms = talking = before = 0
    for time, step in changes:
        any_ms += (time - before) * (talking >= 1)
        both_ms += (time - before) * (talking >= 2)
        talking, before = talking + step, time
    return both_ms / any_ms if any_ms else 0.0


def room(
    samples: NDArray[Any],
    rng: random.Random,
    *,
    decay_s: tuple[float, float] = (0.12, 0.35),
    direct_db: tuple[float, float] = (6.0, 14.0),
    noise_db: tuple[float, float] = (22.0, 38.0),
    rate_hz: int = RATE_HZ,
) -> NDArray[np.float32]:
    """
    Give *samples* as heard in a light random room: reverberation that decays exponentially, and steady noise.

    Args:
        samples: float in -1 to 1, or int16.
        rng: Source of the room.
        decay_s: Range of the time in which the reverberation falls by 60 dB.
        direct_db: Range of the direct sound's energy over that of the reverberation.
        noise_db: Range of the speech's mean power over that of the noise.
        rate_hz: Rate of *samples*.

    Returns:
        float32 (samples,), as long as the input and with its peak.
    """
    dry = samples.astype(np.float64) / (32768 if samples.dtype == np.int16 else 1)
    noise = np.random.default_rng(rng.getrandbits(64))
    decay = rng.uniform(*decay_s)
    times = np.arange(int(decay * rate_hz)) / rate_hz
    tail = noise.standard_normal(len(times)) * 10 ** (-3 * times / decay)
    # The first 3 ms belong to the direct sound.
    tail[: int(0.003 * rate_hz)] = 0
    tail *= 10 ** (-rng.uniform(*direct_db) / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1
    size = len(dry) + len(tail) - 1
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(tail, size), size)[: len(dry)]
    # A little low-pass turns the hiss of white noise into the rush of a room.
    hiss = np.convolve(noise.standard_normal(len(dry)), [0.5, 0.3, 0.2], mode="same")
    hiss *= np.sqrt((wet**2).mean() / (hiss**2).mean()) * 10 ** (-rng.uniform(*noise_db) / 20)
    heard = wet + hiss
    peak = np.abs(heard).max(initial=1e-9)
    return np.asarray(heard * (np.abs(dry).max(initial=0) / peak), dtype=np.float32)


def to_int16(samples: NDArray[Any]) -> NDArray[np.int16]:
    """Give floats in -1 to 1 as 16 bit; louder ones are turned down as a whole, never clipped."""
    peak = float(np.abs(samples).max(initial=0.0))
    return np.asarray(np.round(samples * (32767 * min(1.0, 0.95 / max(peak, 1e-9)))), dtype=np.int16)


def rttm(conversation: Conversation) -> str:
    """Give the turns as RTTM SPEAKER lines: NIST's Rich Transcription format, seconds with three decimals."""
    return "".join(
        f"SPEAKER {conversation.name} 1 {turn.start / 1000:.3f} {(turn.end - turn.start) / 1000:.3f} "
        f"<NA> <NA> {turn.speaker} <NA> <NA>\n"
        for turn in conversation.spoken
    )


def sidecar(conversation: Conversation) -> str:
    """Give the turns as JSON lines with `start_ms, end_ms, speaker, dialect, text`."""
    return "".join(json.dumps(turn_fields(turn), ensure_ascii=False) + "\n" for turn in conversation.spoken)


def turn_fields(turn: Spoken) -> dict[str, int | str]:
    """Give one turn under the names of the sidecar."""
    return {
        "start_ms": turn.start,
        "end_ms": turn.end,
        "speaker": turn.speaker,
        "dialect": turn.dialect,
        "text": turn.text,
    }


def write_truth(folder: Path, conversation: Conversation) -> None:
    """Write `NAME.rttm` and `NAME.jsonl`."""
    (folder / f"{conversation.name}.rttm").write_text(rttm(conversation), encoding="utf-8")
    (folder / f"{conversation.name}.jsonl").write_text(sidecar(conversation), encoding="utf-8")


def write_manifest(path: Path, rows: Iterable[dict[str, str]]) -> None:
    """Write *rows* with `MANIFEST_COLUMNS` as CSV; an absent column is an unknown fact and stays empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, MANIFEST_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _mix(placed: Iterable[tuple[int, NDArray[np.float32]]], length: int) -> NDArray[np.float32]:
    mixed = np.zeros(length, np.float32)
    for start, samples in placed:
        # What lies before the start or after the end of the recording is under the audible floor.
        heard = samples[max(0, -start) :][: length - max(0, start)]
        mixed[max(0, start) :][: len(heard)] += heard
    return mixed
