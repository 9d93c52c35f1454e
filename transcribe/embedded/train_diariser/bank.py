"""
Gather what the networks learn from: clips of single voices, and pieces of real meetings with their truth.

Three sources: espeak-ng's training voices, the digits of four people (recordings 0 to 39 of FSDD), and ten half
minutes of AMI meetings. Real voices are few, so each is also played slower and faster, and counts as another person
each time: pitch and vocal tract move together with the speed.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.train_diariser.acoustics import Sound
from transcribe.embedded.train_diariser.models import SAMPLE_RATE_HZ

#: Playing speeds of real voices; each makes a person of its own.
DIGIT_SPEEDS = (0.8, 0.87, 0.94, 1.0, 1.08, 1.17, 1.27)
MEETING_SPEEDS = (0.86, 0.93, 1.0, 1.08, 1.16)
#: Recordings of each digit and person that training may hear; the rest is for tests.
DIGIT_RECORDINGS = range(40)
#: Meetings kept for tuning: nobody in them speaks in another excerpt.
HELD_OUT_MEETINGS = ("trn04", "trn05")
#: Shorter pieces of a meeting carry no voice worth naming.
SHORTEST_S = 0.4

TEST_DATA = Path(os.environ.get("BOLI_TEST_DATA", "../shared/data"))


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One voice alone."""

    #: int16 ``(samples,)`` at 16 kHz.
    samples: NDArray[np.int16]
    voice: str


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """A real piece of conversation."""

    name: str
    #: int16 ``(samples,)`` at 16 kHz.
    samples: NDArray[np.int16]
    #: Start and end in seconds, and whose voice it is.
    turns: tuple[tuple[float, float, str], ...]


def at_speed(samples: Sound, rate_hz: int, speed: float) -> NDArray[np.int16]:
    """*samples* resampled to 16 kHz so that they play *speed* times as fast, as loud as 16 bits allow."""
    import soxr

    moved = soxr.resample(samples, rate_hz * speed, SAMPLE_RATE_HZ)
    return np.round(moved * (32_000 / max(1e-9, float(np.abs(moved).max())))).astype(np.int16)


def spoken_digits(folder: Path, recordings: Sequence[int], speeds: Sequence[float]) -> Iterator[Clip]:
    """The digits of FSDD in *folder*, restricted to some recordings of each digit, once at each speed."""
    import soundfile

    from transcribe.embedded.voices import audible

    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if int(Path(row["path"]).stem.split("_")[-1]) not in recordings:
                continue
            samples, rate_hz = soundfile.read(folder.parent / row["path"], dtype="float32")
            first, last = audible(samples)
            samples = samples[first:last]
            for speed in speeds:
                yield Clip(samples=at_speed(samples, rate_hz, speed), voice=f"fsdd {row['speaker']} {speed}")


def meetings(folder: Path, part: str, speeds: Sequence[float]) -> Iterator[Meeting]:
    """The annotated stretches of the AMI excerpts in *folder*; *part* is ``train`` or ``development``."""
    import soundfile

    turns: dict[str, list[tuple[float, float, str]]] = {}
    for line in (folder / f"debug.{part}.rttm").read_text(encoding="utf-8").splitlines():
        _, name, _, start, length, _, _, voice, *_ = line.split()
        turns.setdefault(name, []).append((float(start), float(start) + float(length), voice))
    for line in (folder / f"debug.{part}.uem").read_text(encoding="utf-8").splitlines():
        name, _, first, last = line.split()
        begin, end = float(first), float(last)
        # These files hold floats; read as integers they would come out silent.
        samples, rate_hz = soundfile.read(folder / f"{name}.wav", dtype="float32")
        piece = samples[int(begin * rate_hz) : int(end * rate_hz)]
        heard = [
            (max(start, begin) - begin, min(stop, end) - begin, voice)
            for start, stop, voice in turns.get(name, [])
            if start < end and stop > begin
        ]
        for speed in speeds:
            yield Meeting(
                name=name,
                samples=at_speed(piece, rate_hz, speed),
                turns=tuple((start / speed, stop / speed, f"ami {voice} {speed}") for start, stop, voice in heard),
            )


def alone(meeting: Meeting) -> Iterator[Clip]:
    """The stretches of *meeting* in which one person speaks and nobody else."""
    edges = sorted({0.0, *(edge for start, stop, _ in meeting.turns for edge in (start, stop))})
    for start, stop in pairwise(edges):
        here = {voice for begin, end, voice in meeting.turns if begin < stop and end > start}
        if len(here) == 1 and stop - start >= SHORTEST_S:
            first, last = int(start * SAMPLE_RATE_HZ), int(stop * SAMPLE_RATE_HZ)
            yield Clip(samples=meeting.samples[first:last], voice=here.pop())


def synthetic(voices_each: int, seconds_each: float, seed: int) -> Iterator[Clip]:
    """Sentences and single digits by *voices_each* training voices of every dialect, *seconds_each* a voice."""
    from transcribe.embedded import texts, voices

    rng = random.Random(seed)
    for dialect in texts.DIALECTS:
        for voice in voices.training_voices(dialect, voices_each, seed):
            left = seconds_each
            while left > 0:
                words = texts.sentence(dialect, rng).split()
                # A third are single words, because short answers are the hardest to give to somebody.
                text = rng.choice(words) if rng.random() < 0.33 else " ".join(words)
                samples = (voices.speak(voice, text) * 32_767).astype(np.int16)
                left -= len(samples) / SAMPLE_RATE_HZ
                yield Clip(samples=samples, voice=f"espeak {voice.name}")


@dataclass(frozen=True, kw_only=True)
class Bank:
    """All clips by voice and source, and the meetings."""

    #: Clips of each voice; the voices of a source begin with its name.
    clips: dict[str, list[Sound]]
    meetings: tuple[Meeting, ...]

    @property
    def voices(self) -> list[str]:
        """Every voice in a fixed order: its place is its class."""
        return sorted(self.clips)


def store(folder: Path, clips: Sequence[Clip], gathered: Sequence[Meeting]) -> None:
    """Write everything below *folder* in arrays that load quickly."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, arrays in (("clips", [clip.samples for clip in clips]), ("meetings", [one.samples for one in gathered])):
        np.save(folder / f"{name}.npy", np.concatenate(arrays))
        np.save(folder / f"{name}_ends.npy", np.cumsum([len(array) for array in arrays]))
    np.save(folder / "voices.npy", np.array([clip.voice for clip in clips]))
    rows = [
        f"{place}\t{one.name}\t{start}\t{stop}\t{voice}\n"
        for place, one in enumerate(gathered)
        for start, stop, voice in one.turns
    ]
    (folder / "turns.tsv").write_text("".join(rows), encoding="utf-8")


def load(folder: Path) -> Bank:
    """What `store` wrote; samples become float32 between -1 and 1."""
    turns: dict[int, list[tuple[float, float, str]]] = {}
    names: dict[int, str] = {}
    for row in (folder / "turns.tsv").read_text(encoding="utf-8").splitlines():
        place, name, start, stop, voice = row.split("\t")
        turns.setdefault(int(place), []).append((float(start), float(stop), voice))
        names[int(place)] = name
    pieces = _split(folder, "meetings")
    clips: dict[str, list[Sound]] = {}
    for voice, samples in zip(np.load(folder / "voices.npy"), _split(folder, "clips"), strict=True):
        clips.setdefault(str(voice), []).append(samples.astype(np.float32) / np.float32(32_768))
    return Bank(
        clips=clips,
        meetings=tuple(
            Meeting(name=names[place], samples=samples, turns=tuple(turns[place]))
            for place, samples in enumerate(pieces)
            if place in turns
        ),
    )


def _split(folder: Path, name: str) -> list[NDArray[np.int16]]:
    ends = np.load(folder / f"{name}_ends.npy")
    return np.split(np.load(folder / f"{name}.npy"), ends[:-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the results of all stages")
    parser.add_argument("--data", type=Path, default=TEST_DATA, help="folder with fsdd/ and ami-mini/")
    parser.add_argument("--voices", type=int, default=40, help="synthetic voices of each dialect")
    parser.add_argument("--seconds", type=float, default=20.0, help="speech of each synthetic voice")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    real = [
        one for one in meetings(options.data / "ami-mini", "train", MEETING_SPEEDS) if one.name not in HELD_OUT_MEETINGS
    ]
    clips = [clip for one in real for clip in alone(one)]
    clips += spoken_digits(options.data / "fsdd", DIGIT_RECORDINGS, DIGIT_SPEEDS)
    clips += synthetic(options.voices, options.seconds, options.seed)
    store(options.work / "bank", clips, real)
    hours = sum(len(clip.samples) for clip in clips) / SAMPLE_RATE_HZ / 3_600
    print(f"{len(clips)} clips of {len({clip.voice for clip in clips})} voices, {hours:.1f} h; {len(real)} meetings")


if __name__ == "__main__":
    main()
