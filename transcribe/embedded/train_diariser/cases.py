"""
Recordings with their truth that no training heard.

For tuning: other synthetic voices, other speeds of the digits, the meetings that the bank leaves out. For the report:
the demo corpus, dialogues of recordings 40 to 49 of the digits, the development meetings.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded import conversations, digits, texts, voices
from transcribe.embedded.train_diariser import bank
from transcribe.embedded.train_diariser.models import SAMPLE_RATE_HZ
from transcribe.protocols import LabelledSpan

#: Speeds at which the people of the digits count as others than in training.
UNHEARD_SPEEDS = (0.84, 0.905, 1.0, 1.04, 1.12, 1.22)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A recording and its truth."""

    name: str
    #: int16 ``(samples,)`` at 16 kHz.
    samples: NDArray[np.int16]
    truth: tuple[LabelledSpan, ...]


def synthetic(count: int, seed: int) -> Iterator[Case]:
    """Conversations of two to four training voices that the bank does not have, half of them in a room."""
    rng = random.Random(seed)
    for number in range(count):
        dialect = texts.DIALECTS[number % len(texts.DIALECTS)]
        people = voices.training_voices(dialect, 2 + number % 3, seed + number)
        clips = []
        for _ in range(8 + 4 * len(people)):
            voice = rng.choice(people)
            text = texts.sentence(dialect, rng)
            said = voices.speak(voice, text)
            clips.append(conversations.Clip(speaker=voice.name, dialect=dialect, text=text, samples=said))
        made = conversations.converse(clips, rng, name=f"synthetic-{number}", overlap=rng.choice([0.0, 0.05, 0.1]))
        yield case(made, conversations.room(made.samples, rng) if number % 2 else None)


def fast_digits(folder: Path, count: int, seed: int) -> Iterator[Case]:
    """Dialogues of two to four people who say single digits; each is a person of FSDD at a speed of his own."""
    rng = random.Random(seed)
    said: dict[str, list[NDArray[np.float32]]] = {}
    for clip in bank.spoken_digits(folder, range(30, 40), UNHEARD_SPEEDS):
        said.setdefault(clip.voice, []).append(clip.samples.astype(np.float32) / np.float32(32_768))
    for number in range(count):
        people = rng.sample(sorted(said), 2 + number % 3)
        clips = []
        for _ in range(10 * len(people)):
            voice = rng.choice(people)
            turn = np.concatenate(rng.sample(said[voice], rng.randint(1, 4)))
            clips.append(conversations.Clip(speaker=voice, dialect="en", text="", samples=turn))
        made = conversations.converse(clips, rng, name=f"digits-{number}", overlap=rng.choice([0.0, 0.1]))
        yield case(made)


def held_out_meetings(folder: Path) -> Iterator[Case]:
    """The training meetings that the bank leaves out, at two speeds."""
    for meeting in bank.meetings(folder, "train", (0.95, 1.0)):
        if meeting.name in bank.HELD_OUT_MEETINGS:
            yield _met(meeting)


def development_meetings(folder: Path) -> Iterator[Case]:
    """The annotated half minutes of the development meetings."""
    for meeting in bank.meetings(folder, "development", (1.0,)):
        yield _met(meeting)


def dialogues(data: Path, recordings: range, count: int, seconds: float) -> Iterator[Case]:
    """Dialogues of two people of FSDD, who say one to six digits a turn."""
    for made in digits.dialogues(data, recordings=recordings, count=count, seconds=seconds):
        yield case(made)


def demo(folder: Path, split: str) -> Iterator[Case]:
    """The conversations of one *split* of the demo corpus in *folder*; nobody in them has a training voice."""
    import soundfile
    import soxr

    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as rows:
        names = [Path(row["path"]) for row in csv.DictReader(rows) if row["split"] == split]
    for name in names:
        samples, rate_hz = soundfile.read(folder / name, dtype="float32")
        truth = []
        for line in (folder / name.with_suffix(".rttm")).read_text(encoding="utf-8").splitlines():
            _, _, _, start, length, _, _, voice, *_ = line.split()
            first = round(float(start) * 1_000)
            truth.append(LabelledSpan(start=first, end=first + round(float(length) * 1_000), label=voice))
        heard = conversations.to_int16(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ))
        yield Case(name=name.stem, samples=heard, truth=tuple(truth))


def _met(meeting: bank.Meeting) -> Case:
    truth = tuple(
        LabelledSpan(start=round(start * 1_000), end=round(stop * 1_000), label=voice)
        for start, stop, voice in meeting.turns
    )
    return Case(name=meeting.name, samples=meeting.samples, truth=truth)


def case(made: conversations.Conversation, heard: NDArray[np.float32] | None = None) -> Case:
    """*made* at 16 kHz with its truth; *heard* replaces its samples."""
    import soxr

    samples = made.samples if heard is None else conversations.to_int16(heard)
    if made.rate_hz != SAMPLE_RATE_HZ:
        samples = conversations.to_int16(soxr.resample(samples / 32_768, made.rate_hz, SAMPLE_RATE_HZ))
    truth = tuple(LabelledSpan(start=turn.start, end=turn.end, label=turn.speaker) for turn in made.spoken)
    return Case(name=made.name, samples=samples, truth=truth)
