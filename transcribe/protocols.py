"""
The seams of the pipeline: what a diariser and a recogniser give, whoever makes it.

Sound is passed as int16 samples at 16 kHz, shape ``(samples,)``: half the size of floats, and what the store holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from transcribe.records import Milliseconds, Word

#: Mono PCM, int16, 16 000 Hz, shape ``(samples,)``.
Pcm: TypeAlias = npt.NDArray[np.int16]

#: The rate of every signal between the steps.
SAMPLE_RATE_HZ = 16_000

#: Whisper hears 30 s; the margin keeps padding and rounding inside.
LONGEST_WINDOW: Milliseconds = 28_000


@dataclass(frozen=True, kw_only=True)
class SpeakerCount:
    """What is known of the number of speakers. All ``None``: nothing, the diariser decides."""

    exactly: int | None = None
    at_least: int | None = None
    at_most: int | None = None


@dataclass(frozen=True, kw_only=True)
class LabelledSpan:
    """A stretch with the diariser's label, which is local to the recording."""

    start: Milliseconds
    end: Milliseconds
    label: str


@dataclass(frozen=True, kw_only=True)
class Diarisation:
    """
    Who speaks when.

    *turns* keep overlap. *exclusive* holds one speaker at any moment: the spans that words are given to.
    Both are ordered by start, then label.
    """

    turns: tuple[LabelledSpan, ...]
    exclusive: tuple[LabelledSpan, ...]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A contiguous stretch of a recording that is recognised in one go, in one language."""

    start: Milliseconds
    end: Milliseconds
    #: Whisper's language code. ``None`` lets the model detect it, when nobody declared one.
    language: str | None = None
    #: Tag of the dialect that is spoken longest in it, where somebody declared one.
    dialect: str | None = None
    #: Words that the dialect's catalogue entry asks the model to expect.
    prompt: str | None = None
    hotwords: str | None = None
    #: Hypotheses kept while decoding; ``None``: as many as the recogniser was told to keep.
    beam_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a recogniser made of one window. Word times are from the start of the recording."""

    window: Window
    words: tuple[Word, ...]
    log_probability: float | None
    #: Probability that the window holds no speech, as the model sees it.
    no_speech: float | None
    #: Language that was used: the declared one, or the one the model detected; ``None`` where that is not told.
    language: str | None = None


class Diariser(Protocol):
    """Finds who speaks when in one recording."""

    @property
    def id(self) -> str:
        """Hash of the model's files, or of hub id and revision."""
        ...

    def diarise(self, pcm: Pcm, *, speakers: SpeakerCount = SpeakerCount()) -> Diarisation: ...


class Recogniser(Protocol):
    """Writes down what is said in windows of one recording."""

    @property
    def id(self) -> str:
        """Hash of the model's files, or of hub id and revision."""
        ...

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        """One answer for each window, in the same order."""
        ...
