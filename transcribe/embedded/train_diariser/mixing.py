"""Five seconds of conversation made of the bank, with the exact truth: what both networks train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.train_diariser.acoustics import Acoustics, Sound
from transcribe.embedded.train_diariser.bank import Bank
from transcribe.embedded.train_diariser.models import AT_ONCE, CHUNK, SAMPLE_RATE_HZ, VOICES

Drawn = TypeVar("Drawn")

#: Steps of the truth: 10 ms.
STEP = SAMPLE_RATE_HZ // 100
STEPS = CHUNK // STEP
#: How many people a chunk holds, and how often.
PEOPLE = ((0, 0.04), (1, 0.24), (2, 0.44), (3, 0.28))
#: Digits and gaps of the longest row.
LONGEST_ROW = 9
#: Where the voices of a chunk come from, and how often; `meetings` are real conversations taken as they are.
SOURCES = (("espeak", 0.32), ("fsdd", 0.25), ("ami", 0.08), ("any", 0.05), ("meetings", 0.30))


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Sound and truth."""

    #: float32 ``(CHUNK,)``.
    sound: Sound
    #: Who speaks in each 10 ms, bool ``(STEPS, VOICES)``; columns beyond the people present are empty.
    active: NDArray[np.bool_]
    #: Classes of the voices by column, -1 where the column is empty, ``(VOICES,)``.
    voices: NDArray[np.int64]


class Mixer:
    """Draws chunks. The same seed gives the same chunks in the same order."""

    def __init__(self, bank: Bank, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.bank = bank
        self.acoustics = Acoustics(self.rng)
        self.classes = {voice: place for place, voice in enumerate(bank.voices)}
        self.by_source = {
            source: [voice for voice in bank.voices if source == "any" or voice.startswith(source)]
            for source, _ in SOURCES
            if source != "meetings"
        }

    def chunk(self) -> Chunk:
        """The next one."""
        source = _draw(self.rng, SOURCES)
        if source == "meetings":
            return self._meeting()
        count = _draw(self.rng, PEOPLE)
        people = list(self.rng.choice(self.by_source[source], size=count, replace=False))
        return self._scene(people)

    def _scene(self, people: Sequence[str]) -> Chunk:
        active = np.zeros((STEPS, VOICES), dtype=bool)
        tracks = [np.zeros(CHUNK, dtype=np.float32) for _ in people]
        levels = 10 ** (self.rng.normal(0, 3, len(people)) / 20)
        for column, start, clip in self._layout(people):
            first, last = max(start, 0), min(start + len(clip), CHUNK)
            if last > first:
                tracks[column][first:last] += np.float32(levels[column]) * clip[first - start : last - start]
                active[round(first / STEP) : round(last / STEP), column] = True
        return self._finish(tracks, active, people)

    def _layout(self, people: Sequence[str]) -> list[tuple[int, int, Sound]]:
        """Column, first sample (negative where it began before the chunk) and samples of each turn."""
        if not people:
            return []
        rng = self.rng
        turns: list[tuple[int, int, Sound]] = []
        pause_s, overlapping = rng.uniform(0.05, 0.8), rng.choice([0.0, 0.15, 0.4])
        ends = [-CHUNK] * len(people)
        floor, column = -int(rng.uniform(0, 4) * SAMPLE_RATE_HZ), int(rng.integers(len(people)))
        while floor < CHUNK:
            clip = _shortened(self._said(people[column]), rng)
            if turns and rng.random() < overlapping:
                start = floor - int(rng.uniform(0.1, 0.7) * min(len(clip), len(turns[-1][2])))
            else:
                start = floor + int(min(rng.exponential(pause_s), 3.0) * SAMPLE_RATE_HZ)
            # Nobody talks over himself, and no third voice joins two.
            start = max(start, ends[column], *sorted(ends)[: len(ends) - AT_ONCE + 1])
            turns.append((column, start, clip))
            ends[column] = start + len(clip)
            floor = max(ends)
            if len(people) > 1 and rng.random() < 0.85:
                column = int(rng.choice([other for other in range(len(people)) if other != column]))
        return turns

    def _said(self, voice: str) -> Sound:
        """A clip of *voice*. Digits are also said in rows with short gaps; a row is one turn, as people count it."""
        rng, clips = self.rng, self.bank.clips[voice]
        row = [clips[rng.integers(len(clips))]]
        while voice.startswith("fsdd") and len(row) < LONGEST_ROW and rng.random() < 0.6:
            row += [
                np.zeros(int(rng.uniform(0, 0.3) * SAMPLE_RATE_HZ), dtype=np.float32),
                clips[rng.integers(len(clips))],
            ]
        return np.concatenate(row)

    def _meeting(self) -> Chunk:
        """
        Five seconds of real meetings; half of them change to another meeting somewhere.

        There are only minutes of them: spliced, sometimes played backwards, and with a strange voice on top they are
        learnt from and not learnt by heart.
        """
        rng = self.rng
        sound, heard = self._piece()
        if rng.random() < 0.5:
            other, others = self._piece()
            cut = int(rng.integers(STEPS // 5, STEPS - STEPS // 5))
            sound[cut * STEP :] = other[cut * STEP :] * np.float32(10 ** (rng.normal(0, 3) / 20))
            for active in heard.values():
                active[cut:] = False
            for voice, active in others.items():
                active[:cut] = False
                heard[voice] = heard.get(voice, np.zeros(STEPS, dtype=bool)) | active
        if rng.random() < 0.3:
            sound, heard = sound[::-1], {voice: active[::-1].copy() for voice, active in heard.items()}
        tracks = [sound]
        if rng.random() < 0.3:
            tracks.append(self._stranger(float(np.abs(sound).max()), heard))
        people = sorted((voice for voice in heard if heard[voice].any()), key=lambda voice: -heard[voice].sum())
        active = np.zeros((STEPS, VOICES), dtype=bool)
        for column, voice in enumerate(people[:VOICES]):
            active[:, column] = heard[voice]
        # A third voice at once is outside what the network can say; the two that speak most there stay.
        active[:, AT_ONCE:] &= active.sum(axis=1, keepdims=True) <= AT_ONCE
        return self._finish(tracks, active, people[:VOICES])

    def _piece(self) -> tuple[Sound, dict[str, NDArray[np.bool_]]]:
        """A random stretch of a random meeting, and when each of its people speaks."""
        meeting = self.bank.meetings[self.rng.integers(len(self.bank.meetings))]
        first = int(self.rng.integers(0, max(1, len(meeting.samples) - CHUNK)))
        sound = np.zeros(CHUNK, dtype=np.float32)
        piece = meeting.samples[first : first + CHUNK].astype(np.float32) / 32_768
        sound[: len(piece)] = piece
        begin_s = first / SAMPLE_RATE_HZ
        heard: dict[str, NDArray[np.bool_]] = {}
        for start, stop, voice in meeting.turns:
            span = slice(max(0, round((start - begin_s) * 100)), max(0, round((stop - begin_s) * 100)))
            heard.setdefault(voice, np.zeros(STEPS, dtype=bool))[span] = True
        return sound, heard

    def _stranger(self, peak: float, heard: dict[str, NDArray[np.bool_]]) -> Sound:
        """A track with one clip of somebody else, about as loud as *peak*; *heard* is told."""
        rng = self.rng
        voice = self.bank.voices[rng.integers(len(self.bank.voices))]
        clip = _shortened(self._said(voice), rng)[:CHUNK]
        start = int(rng.integers(0, CHUNK - len(clip) + 1)) // STEP
        track = np.zeros(CHUNK, dtype=np.float32)
        level = peak * 10 ** (rng.uniform(-9, 3) / 20) / (float(np.abs(clip).max()) + 1e-9)
        track[start * STEP : start * STEP + len(clip)] = np.float32(level) * clip
        active = heard.setdefault(voice, np.zeros(STEPS, dtype=bool))
        active[start : start + round(len(clip) / STEP)] = True
        return track

    def _finish(self, tracks: Sequence[Sound], active: NDArray[np.bool_], people: Sequence[str]) -> Chunk:
        voices = np.full(VOICES, -1, dtype=np.int64)
        for column, voice in enumerate(people):
            # Somebody who is heard too briefly in the bank to be a class of his own stays nameless.
            voices[column] = self.classes.get(voice, -1)
        return Chunk(sound=self.acoustics.record(tracks), active=active, voices=voices)


def _draw(rng: np.random.Generator, choices: Sequence[tuple[Drawn, float]]) -> Drawn:
    return choices[int(rng.choice(len(choices), p=[share for _, share in choices]))][0]


def _shortened(clip: Sound, rng: np.random.Generator) -> Sound:
    """At most six seconds of *clip*, from a random place, since a chunk holds five."""
    longest = 6 * SAMPLE_RATE_HZ
    if len(clip) <= longest:
        return clip
    first = int(rng.integers(0, len(clip) - longest))
    return clip[first : first + longest]
