"""What happens to clean speech on its way to the network: tempo, room, noise, telephone, level."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.voices import RATE_HZ

Samples = NDArray[np.float32]


def resized(samples: NDArray[np.int16], speed: float) -> Samples:
    """*samples* as floats, played *speed* times as fast: pitch, formants and tempo move together."""
    whole: Samples = samples.astype(np.float32) / np.float32(32768)
    if speed == 1.0:
        return whole
    places = np.arange(int(len(whole) / speed), dtype=np.float32) * np.float32(speed)
    heard = np.arange(len(whole), dtype=np.float32)
    return np.interp(places, heard, whole).astype(np.float32)


def colour(samples: Samples, rng: random.Random, *, quiet: bool) -> Samples:
    """*samples* after a random room, channel and noise; with *quiet* only the level changes."""
    if not len(samples):
        return samples
    sound = samples
    dice = np.random.default_rng(rng.getrandbits(64))
    if not quiet:
        if rng.random() < 0.45:
            sound = _filtered(sound, rng, dice)
        if rng.random() < 0.75:
            sound = _noisy(sound, rng, dice)
        if rng.random() < 0.1:
            sound = _companded(sound)
    peak = max(1e-4, float(np.abs(sound).max()))
    return np.asarray(sound * np.float32(10 ** rng.uniform(-1.3, 0) / peak), dtype=np.float32)


def _filtered(sound: Samples, rng: random.Random, dice: np.random.Generator) -> Samples:
    """Room and channel in one filter."""
    size = 1 << (len(sound) + RATE_HZ // 2).bit_length()
    hertz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    gain: NDArray[Any] = np.ones(len(hertz), np.float32)
    if rng.random() < 0.5:
        decay = int(rng.uniform(0.08, 0.4) * RATE_HZ)
        tail = dice.standard_normal(decay).astype(np.float32) * np.exp(-6.9 * np.arange(decay) / decay)
        tail *= rng.uniform(0.1, 0.6) / np.sqrt((tail**2).sum())
        tail[0] = 1
        gain = gain * np.fft.rfft(tail, size)
    channel = rng.random()
    if channel < 0.35:
        low, high = rng.uniform(100, 400), rng.uniform(2800, 4000)
        gain = gain / (1 + (low / np.maximum(hertz, 1)) ** 6) / (1 + (hertz / high) ** 16)
    elif channel < 0.7:
        # a smooth tilt and one broad bump, as microphones have
        bend = rng.uniform(-6, 6) * np.log2(np.maximum(hertz, 60) / 1000) / 3
        bend += rng.uniform(-6, 6) * np.exp(-(np.log2(np.maximum(hertz, 60) / rng.uniform(200, 4000)) ** 2))
        gain = gain * 10 ** (bend / 20)
    return np.fft.irfft(np.fft.rfft(sound, size) * gain, size)[: len(sound)].astype(np.float32)


def _noisy(sound: Samples, rng: random.Random, dice: np.random.Generator) -> Samples:
    """Noise of a random colour, at times with hum or a tone, 5 to 45 dB under the speech."""
    noise = dice.standard_normal(len(sound)).astype(np.float32)
    colour_of_noise = rng.random()
    if colour_of_noise < 0.4:
        noise = np.convolve(noise, np.ones(rng.randint(3, 12), np.float32), mode="same")
    elif colour_of_noise < 0.6:
        noise = np.diff(noise, prepend=np.float32(0))
    noise /= np.sqrt((noise**2).mean()) + 1e-9
    if rng.random() < 0.2:
        pitch = rng.choice((50, 60, rng.uniform(200, 2000)))
        noise += 2 * np.sin(2 * np.pi * pitch / RATE_HZ * np.arange(len(sound), dtype=np.float32))
    power = max(1e-3, float(np.sqrt((sound**2).mean())))
    return np.asarray(sound + noise * np.float32(power * 10 ** (-rng.uniform(5, 45) / 20)), dtype=np.float32)


def _companded(sound: Samples) -> Samples:
    """Through 8-bit mu-law (ITU-T G.711) and back."""
    peak = max(1e-4, float(np.abs(sound).max()))
    small = np.sign(sound) * np.log1p(255 * np.abs(sound) / peak) / np.log(256)
    steps = np.round(small * 127) / 127
    return (np.sign(steps) * (256 ** np.abs(steps) - 1) / 255 * peak).astype(np.float32)
