"""Detect speech by the Silero voice activity detector that comes with faster-whisper."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

import numpy as np

from transcribe.config import fingerprint
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm, Span
from transcribe.records import Milliseconds

#: Probability from which speech begins. It goes on down to 0.15 below, the library's own step.
THRESHOLD: Final = 0.5
#: Shortest pause that ends a stretch, and shortest stretch that counts.
PAUSE: Final[Milliseconds] = 100
SHORTEST: Final[Milliseconds] = 100


class SileroDetector:
    """The detector as a `SpeechDetector`; stateless, since each recording is heard from its start."""

    @property
    def id(self) -> str:
        """The hash of the library's version, whose wheel holds the model, and of the settings."""
        return fingerprint("silero", version("faster-whisper"), THRESHOLD, PAUSE, SHORTEST)

    def detect(self, pcm: Pcm) -> tuple[Span, ...]:
        """Find stretches of speech, in order and apart."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        if not len(pcm):
            return ()
        options = VadOptions(
            threshold=THRESHOLD,
            min_speech_duration_ms=SHORTEST,
            min_silence_duration_ms=PAUSE,
            speech_pad_ms=0,
        )
        stretches = get_speech_timestamps(pcm.astype(np.float32) / 32_768, options)
        return tuple(
            Span(start=_to_milliseconds(part["start"]), end=_to_milliseconds(part["end"])) for part in stretches
        )


def _to_milliseconds(samples: int) -> Milliseconds:
    return samples * 1_000 // SAMPLE_RATE_HZ
