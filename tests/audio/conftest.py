"""The undamaged speech that the files of these tests are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.audio.signals import LENGTH_MS
from transcribe.protocols import Pcm


@pytest.fixture(scope="module")
def speech_11s(speech: Path) -> Pcm:
    """The undamaged signal of the four cases, 16 kHz."""
    import soundfile
    import soxr

    samples, rate_hz = soundfile.read(speech / "speech" / "jfk.flac")
    wide = soxr.resample(samples.mean(axis=1), rate_hz, 16_000)
    return (wide * 32_767).astype(np.int16)[: LENGTH_MS * 16]
