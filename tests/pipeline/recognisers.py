"""Scripted diarisers and recognisers that note what they were asked, or break."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.scripted import ScriptedDiariser, ScriptedRecogniser
from transcribe.protocols import SAMPLE_RATE_HZ, Diarisation, Heard, Pcm, SpeakerCount, Window
from transcribe.records import Milliseconds


class CountingDiariser(ScriptedDiariser):
    """Keeps what it was told of the number of speakers, once for each call."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(**facts)
        self.calls: list[SpeakerCount] = []

    def diarise(self, pcm: Pcm, *, speakers: SpeakerCount = SpeakerCount()) -> Diarisation:
        self.calls.append(speakers)
        return super().diarise(pcm, speakers=speakers)


class ListeningRecogniser(ScriptedRecogniser):
    """Keeps the windows that it was given."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(**facts)
        self.windows: list[Window] = []

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        self.windows += windows
        return super().recognise(pcm, windows)


class InterruptedRecogniser(ScriptedRecogniser):
    """Is interrupted by its user as soon as it hears anything."""

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        raise KeyboardInterrupt


class BrokenRecogniser(ScriptedRecogniser):
    """Has a bug that shows in sound of one length."""

    def __init__(self, breaks_at: Milliseconds) -> None:
        super().__init__()
        self._breaks_at = breaks_at

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        if len(pcm) * 1000 // SAMPLE_RATE_HZ == self._breaks_at:
            raise ZeroDivisionError("division by zero")
        return super().recognise(pcm, windows)
