"""Measure how wide the band of a recording is, whatever rate its file has."""

from __future__ import annotations

from typing import Final

import numpy as np

from transcribe.protocols import SAMPLE_RATE_HZ, Pcm

#: Above this a telephone passes nothing.
EDGE_HZ: Final = 4_000
#: Samples of a frame.
FRAME: Final = 512
#: Share of the power of strong frames below the edge that strong ones above it stay under in a narrow band. Calls have
#: some 1e-6, recordings of rooms and microphones 2e-4 and more.
SHARE: Final = 1e-4
#: Which frame counts as a strong one, as a share of all.
STRONG: Final = 0.95


def is_narrow_band(pcm: Pcm) -> bool:
    """
    Tell if *pcm* holds a telephone's band: even hissing consonants are hardly heard above 4 kHz.

    Frames that are strong below and above the edge are compared, so that a faint hiss over all makes no wide band.
    """
    frames = np.asarray(pcm[: len(pcm) // FRAME * FRAME], dtype=np.float32).reshape(-1, FRAME)
    if not len(frames):
        return False
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32), axis=1)) ** 2
    edge = EDGE_HZ * FRAME // SAMPLE_RATE_HZ
    below, above = (float(np.quantile(part.sum(axis=1), STRONG)) for part in (power[:, :edge], power[:, edge:]))
    return above < SHARE * below
