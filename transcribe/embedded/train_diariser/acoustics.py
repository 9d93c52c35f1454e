"""What rooms, lines and microphones do to a chunk of sound at 16 kHz, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from transcribe.embedded.train_diariser.models import CHUNK, SAMPLE_RATE_HZ

Sound: TypeAlias = NDArray[np.float32]

#: Longest reverberation, in samples (0.6 s).
LONGEST_TAIL = int(0.6 * SAMPLE_RATE_HZ)
#: A length that holds a chunk and its reverberation and transforms quickly.
SIZE = fft.next_fast_len(CHUNK + LONGEST_TAIL, real=True)
HZ = np.arange(SIZE // 2 + 1) * (SAMPLE_RATE_HZ / SIZE)
#: Different rooms and noises at hand; drawing from a stock is ten times quicker than making each anew.
STOCK = 96


def room(rng: np.random.Generator) -> NDArray[np.complex64]:
    """
    Spectrum of a small room's response: the direct path, then decaying noise 6 to 22 dB below it.

    Exponentially decaying noise is the usual stand-in for the diffuse tail (Lehmann and Johansson 2008); early echoes
    are left out.
    """
    length = int(rng.uniform(0.1, 0.6) * SAMPLE_RATE_HZ)
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= 10 ** (rng.uniform(-22, -6) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(fft.rfft(tail, SIZE), dtype=np.complex64)


def noise(rng: np.random.Generator) -> Sound:
    """Coloured noise of unit power, from white to brown, sometimes with the hum of the mains; shape ``(SIZE,)``."""
    spectrum = fft.rfft(rng.standard_normal(SIZE))
    colour = fft.irfft(spectrum * np.maximum(HZ, 20.0) ** -rng.uniform(0.0, 1.2), SIZE)
    if rng.random() < 0.2:
        phase = 2 * np.pi * rng.choice([50.0, 60.0]) * np.arange(SIZE) / SAMPLE_RATE_HZ
        hum = sum(np.sin(order * phase + rng.uniform(0, 6)) / order for order in (1, 2, 3, 5))
        colour = colour / colour.std() + rng.uniform(0.1, 1.5) * hum
    return np.asarray(colour / colour.std(), dtype=np.float32)


def line(rng: np.random.Generator, *, narrow: bool) -> NDArray[np.float32]:
    """
    Gain of another microphone over frequency: a smooth random tilt of at most 4 dB either way.

    With *narrow* also the band of a telephone, edges drawn around 300 and 3 400 Hz (ITU-T G.712).
    """
    knots = np.array([0.0, 250, 500, 1_000, 2_000, 4_000, 8_000])
    gain = 10 ** (np.interp(HZ, knots, rng.uniform(-4, 4, len(knots))) / 20)
    if narrow:
        low, high = rng.uniform(60, 350), rng.uniform(3_200, 4_000)
        gain = gain / (1 + (low / np.maximum(HZ, 1.0)) ** 8) / (1 + (HZ / high) ** 24)
    return np.asarray(gain, dtype=np.float32)


class Acoustics:
    """A stock of rooms, lines and noises, made once from *rng* and drawn from with it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._rooms = [room(rng) for _ in range(STOCK)]
        self._noises = [noise(rng) for _ in range(STOCK)]
        self._lines = [line(rng, narrow=place % 5 < 2) for place in range(STOCK)]

    def record(self, tracks: Sequence[Sound]) -> Sound:
        """
        *tracks* of one room (each ``(CHUNK,)``) as one recording: reverberation in half of the rooms, a random line in
        most, noise in most, and any level.

        A fifth keeps digital silence, as synthetic conversations do.
        """
        rng = self._rng
        if rng.random() < 0.5:
            spectrum = sum(fft.rfft(track, SIZE) * self._rooms[rng.integers(STOCK)] for track in tracks)
        else:
            spectrum = fft.rfft(sum(tracks), SIZE) if tracks else 0.0
        if rng.random() < 0.7:
            spectrum = spectrum * self._lines[rng.integers(STOCK)]
        sound = fft.irfft(spectrum, SIZE)[:CHUNK] if tracks else np.zeros(CHUNK, dtype=np.float32)
        power = float(np.sqrt(np.mean(sound**2))) or 0.02
        if rng.random() < 0.8:
            hiss = np.roll(self._noises[rng.integers(STOCK)], rng.integers(SIZE))[:CHUNK]
            sound = sound + np.float32(power * 10 ** (-rng.uniform(3, 40) / 20)) * hiss
        peak = float(np.abs(sound).max()) or 1.0
        return np.asarray(sound * (10 ** (rng.uniform(-30, -0.5) / 20) / peak), dtype=np.float32)
