"""
Define the seams of the pipeline: what a diariser and a recogniser return, whoever makes it.

Sound is passed as int16 samples at 16 kHz, shape ``(samples,)``: half the size of floats, and what the store holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from transcribe.records import Milliseconds, Word

#: Mono PCM, int16, 16 000 Hz, shape ``(samples,)``.
Pcm: TypeAlias = npt.NDArray[np.int16]

#: The rate of every signal between the steps.
SAMPLE_RATE_HZ = 16_000

#: Whisper hears 30 s; the margin keeps rounding inside.
LONGEST_WINDOW: Milliseconds = 29_800

#: Longest segment that a person is given by default, and that fits a window with sound around it.
LONGEST_SEGMENT: Milliseconds = 28_000


@dataclass(frozen=True, kw_only=True)
class SpeakerCount:
    """The known bounds of the number of speakers; all ``None``: the diariser decides."""

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
    The turns of a recording by speaker.

    *turns* keep overlap. *exclusive* holds one speaker at any moment: the spans that words are given to.
    Both are ordered by start, then label.
    """

    turns: tuple[LabelledSpan, ...]
    exclusive: tuple[LabelledSpan, ...]
    #: The mean embedding of each label's speech, of unit length; empty where the diariser gives none.
    voices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of a recording, from *start* to before *end*."""

    start: Milliseconds
    end: Milliseconds


@dataclass(frozen=True, kw_only=True)
class Window:
    """
    The sound that is recognised in one go, in one language: a stretch of a recording, or pieces of it without long
    pauses.
    """

    start: Milliseconds
    end: Milliseconds
    #: Sound that is heard, in order and apart; empty: all from *start* to *end*.
    pieces: tuple[Span, ...] = ()
    #: Whisper's language code. ``None`` lets the model detect it, when nobody declared one.
    language: str | None = None
    #: Tag of the dialect that is spoken longest in it, where somebody declared one.
    dialect: str | None = None
    #: Words that the dialect's catalogue entry asks the model to expect.
    prompt: str | None = None
    hotwords: str | None = None
    #: Hypotheses kept while decoding; ``None``: as many as the recogniser was told to keep.
    beam_size: int | None = None
    #: 0: the likeliest words. Above it words are drawn by lot, the wider the higher, from a fixed seed.
    temperature: float = 0.0

    @property
    def spans(self) -> tuple[Span, ...]:
        """The sound that is heard, in order."""
        return self.pieces or (Span(start=self.start, end=self.end),)

    @property
    def duration(self) -> Milliseconds:
        """The length of the sound that is heard."""
        return sum(span.end - span.start for span in self.spans)

    def moment(self, offset: Milliseconds) -> Milliseconds:
        """
        Return the moment of the recording that lies *offset* into the sound that is heard.

        >>> window = Window(start=0, end=9_000, pieces=(Span(start=0, end=1_000), Span(start=8_000, end=9_000)))
        >>> [window.moment(offset) for offset in (0, 999, 1_000, 1_500, 5_000)]
        [0, 999, 8000, 8500, 9000]
        """
        remaining = max(offset, 0)
        for span in self.spans:
            if remaining < span.end - span.start:
                return span.start + remaining
            remaining -= span.end - span.start
        return self.spans[-1].end


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The answer of a recogniser for one window; word times are from the start of the recording."""

    window: Window
    words: tuple[Word, ...]
    log_probability: float | None
    #: Probability that the window holds no speech, as the model sees it.
    no_speech: float | None
    #: Language that was used: the declared one, or the one the model detected; ``None`` where that is not told.
    language: str | None = None
    #: Language that the model hears in it, and how sure it is, whatever was declared; ``None`` where it was not asked,
    #: because the text is likely, or knows but one.
    detected: str | None = None
    detected_probability: float | None = None


class Diariser(Protocol):
    """A model that finds who speaks when in one recording."""

    @property
    def id(self) -> str:
        """The hash of the model's files, or of hub id and revision."""
        ...

    def diarise(self, pcm: Pcm, *, speakers: SpeakerCount = SpeakerCount()) -> Diarisation: ...


class SpeechDetector(Protocol):
    """A model that finds where somebody speaks, whoever it is."""

    @property
    def id(self) -> str:
        """The hash of the model and its settings."""
        ...

    def detect(self, pcm: Pcm) -> tuple[Span, ...]:
        """Find stretches of speech, in order and apart; pauses inside one are shorter than a tenth of a second."""
        ...


class Recogniser(Protocol):
    """A model that writes down what is said in windows of one recording."""

    @property
    def id(self) -> str:
        """The hash of the model's files, or of hub id and revision."""
        ...

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        """Return one answer for each window, in the same order."""
        ...
