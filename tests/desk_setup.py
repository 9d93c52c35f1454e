"""A store with its folder of sound, and recordings made of tones that the scripted backends know how to hear."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from dialects.dialect import load_catalogue
from tests.scripted import ScriptedDetector, ScriptedDiariser, ScriptedRecogniser
from transcribe import audio
from transcribe.pipeline.drafting import Step, draft_pending
from transcribe.pipeline.recipe import Recipe
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm
from transcribe.records import Milliseconds, Recording, Segment
from transcribe.store import Store

#: Voices in different bands, with the syllable that the scripted recogniser writes for each.
LOW, MIDDLE, HIGH = 220, 440, 1_800
SYLLABLES = {LOW: "hu", MIDDLE: "le", HIGH: "sa"}

#: Start, end and frequency of a tone.
Tone = tuple[Milliseconds, Milliseconds, int]


class Desk:
    """A store with its folder of sound."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def add(self, name: str, *channels: Sequence[Tone], duration: Milliseconds = 6_000, **facts: Any) -> Recording:
        """A recording of *name* with the tones of each channel."""
        id = hashlib.sha256(name.encode()).hexdigest()
        samples = np.stack([sound(tones, duration) for tones in channels or [()]], axis=1)
        place = audio.locate(self.folder, id)
        place.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(place, samples, SAMPLE_RATE_HZ, subtype="PCM_16")
        given = {"duration": duration, "rate_hz": SAMPLE_RATE_HZ, "channels": samples.shape[1]} | facts
        recording = Recording(id=id, path=f"{name}.flac", **given)
        self.store.recordings.add([recording])
        return recording

    def draft(self, made: Recipe, **facts: Any) -> list[Step]:
        return list(draft_pending(self.store, made, self.folder, **facts))

    def texts(self, recording: Recording, made: Recipe) -> dict[tuple[str, Milliseconds], str]:
        """Text by speaker and start of the segment; the speaker without the recording's name."""
        drafted = self.store.drafts.fetch_with_segments(recording.id, made.recogniser.id, settings=made.settings)
        return {(local(segment), segment.start): draft.text for segment, draft in drafted}


def sound(tones: Iterable[Tone], duration: Milliseconds) -> Pcm:
    samples = np.zeros(duration * SAMPLE_RATE_HZ // 1000)
    for start, end, hz in tones:
        moments = np.arange(start * SAMPLE_RATE_HZ // 1000, end * SAMPLE_RATE_HZ // 1000)
        samples[moments] += 0.3 * np.sin(2 * np.pi * hz * moments / SAMPLE_RATE_HZ)
    return (samples * 32_767).astype(np.int16)


def local(segment: Segment) -> str:
    return segment.speaker.removeprefix(f"{segment.recording}/")


def recipe(**facts: Any) -> Recipe:
    given = {
        "diariser": ScriptedDiariser(),
        "detector": ScriptedDetector(),
        "recogniser": ScriptedRecogniser(),
        "catalogue": load_catalogue(),
    }
    return Recipe(**({"window": 28_000} | given | facts))


def said(hz: int, times: int) -> str:
    return " ".join([SYLLABLES[hz]] * times)
