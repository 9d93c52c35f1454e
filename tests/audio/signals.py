"""Sound that tests make, and what is in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.faults import media
from transcribe.protocols import Pcm


def tone(seconds: float = 1.0, *, pitch_hz: float = 440.0, level: float = 0.3) -> Pcm:
    return np.frombuffer(media.tone(seconds, pitch_hz=pitch_hz, level=level), np.int16)


def saved(folder: Path, pcm: Pcm, *, name: str = "talk.wav", rate_hz: int = 16_000) -> Path:
    """*pcm* as a WAV file; a second dimension holds channels."""
    path = folder / name
    path.write_bytes(media.wav(pcm.tobytes(), rate_hz=rate_hz, channels=1 if pcm.ndim == 1 else pcm.shape[1]))
    return path


def loudest_hz(pcm: Pcm) -> float:
    return float(np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))).argmax() * 16_000 / len(pcm))
