"""
Variety for training: noise, speed, telephone, rooms, and gaps in the features.

Sound is float32 at 16 kHz, shape ``(samples,)``, full scale 1. Nothing is changed in place. Every draw comes from the
generator that the caller hands in, so a run can be repeated; torchaudio's own random steps draw from the global one
and are not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torchaudio.functional as F
from torch import Generator, Tensor

from transcribe.protocols import SAMPLE_RATE_HZ

#: The rate and the steps of a telephone line (ITU-T G.711, mu-law).
_TELEPHONE_HZ, _TELEPHONE_STEPS = 8_000, 256
#: Sound falls by 60 dB in the reverberation time: ln(1000) for an amplitude.
_DECAY = 6.9078


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The probability of each change, from 0 to 1, and its strength: bounds of even draws."""

    noise: float = 0.5
    snr_db: tuple[float, float] = (5.0, 25.0)
    speed: float = 0.5
    factors: tuple[float, float] = (0.9, 1.1)
    telephone: float = 0.2
    room: float = 0.3
    reverberation_s: tuple[float, float] = (0.1, 0.6)


def augment(wave: Tensor, generator: Generator, *, recipe: Recipe = Recipe(), noises: Sequence[Tensor] = ()) -> Tensor:
    """
    Change *wave* as if it were recorded elsewhere: faster or slower, in a room, in noise, over a telephone.

    In the order in which sound meets them. Without *noises* the noise is white. Speed changes the length, so word
    times of the transcript must not be used afterwards.
    """
    if _chance(recipe.speed, generator):
        wave = change_speed(wave, _between(*recipe.factors, generator))
    if _chance(recipe.room, generator):
        wave = reverberate(wave, generator, seconds=_between(*recipe.reverberation_s, generator))
    if _chance(recipe.noise, generator):
        noise = noises[_below(len(noises), generator)] if noises else torch.randn(wave.shape, generator=generator)
        wave = add_noise(wave, noise, generator, snr_db=_between(*recipe.snr_db, generator))
    if _chance(recipe.telephone, generator):
        wave = telephone(wave)
    return wave


def add_noise(wave: Tensor, noise: Tensor, generator: Generator, *, snr_db: float) -> Tensor:
    """Add *noise*, *snr_db* below *wave*. Noise is taken from a random moment on, and repeated if it is short."""
    if not len(wave) or not len(noise):
        return wave.clone()
    start = _below(len(noise), generator)
    repeats = -(-(start + len(wave)) // len(noise))
    stretch = noise.repeat(repeats)[start : start + len(wave)]
    if not bool(stretch.any()) or not bool(wave.any()):
        return wave.clone()  # a ratio with silence means nothing
    return F.add_noise(wave, stretch, torch.tensor(snr_db, dtype=wave.dtype))


def change_speed(wave: Tensor, factor: float) -> Tensor:
    """Play *wave* *factor* times as fast, pitch included. The factor is taken to the nearest hundredth."""
    hundredths = max(1, round(factor * 100))
    if hundredths == 100:
        return wave.clone()
    # Relative rates, so that the filter stays small.
    return F.resample(wave, hundredths, 100)


def telephone(wave: Tensor) -> Tensor:
    """Pass *wave* through a telephone line: 8 kHz and 256 steps of mu-law. The length stays."""
    narrow = F.resample(wave, SAMPLE_RATE_HZ, _TELEPHONE_HZ).clamp(-1, 1)
    line_audio = F.mu_law_decoding(F.mu_law_encoding(narrow, _TELEPHONE_STEPS), _TELEPHONE_STEPS)
    return F.resample(line_audio, _TELEPHONE_HZ, SAMPLE_RATE_HZ)[: len(wave)]


def reverberate(wave: Tensor, generator: Generator, *, seconds: float, direct: float = 0.7) -> Tensor:
    """
    Place *wave* in a plain room: noise that dies away over *seconds*, beside the *direct* share of the sound.

    The tail beyond the end is cut, and the level stays as it was.
    """
    length = max(1, round(seconds * SAMPLE_RATE_HZ))
    decay = torch.exp(-_DECAY * torch.arange(length) / length)
    echo = torch.randn(length, generator=generator) * decay
    response = (1 - direct) * echo / echo.norm()
    response[0] = direct
    wet = F.fftconvolve(wave, response.to(wave.dtype))[: len(wave)] if len(wave) else wave.clone()
    level = wet.norm()
    return wet * (wave.norm() / level) if bool(level) else wet


def mask_features(
    features: Tensor,
    generator: Generator,
    *,
    time_masks: int = 2,
    widest_time: int = 50,
    band_masks: int = 2,
    widest_band: int = 15,
) -> Tensor:
    """
    Mask stretches of time and bands of frequency in *features* (SpecAugment, Park and others 2019).

    Args:
        features: Shape ``(…, bands, frames)``; the same masks for all that stand before.
        generator: Draws widths from 0 to the widest, and places.
        time_masks: Stretches of time, each at most *widest_time* frames.
        widest_time: At most a fifth of the frames is taken, however wide this is.
        band_masks: Bands, each at most *widest_band* wide.
        widest_band: In mel bands.

    Returns:
        New features; what is masked has the mean of what there was.
    """
    bands, frames = features.shape[-2:]
    masked = torch.zeros(bands, frames, dtype=torch.bool)
    for _ in range(time_masks):
        start, end = _stretch(frames, min(widest_time, frames // 5), generator)
        masked[:, start:end] = True
    for _ in range(band_masks):
        start, end = _stretch(bands, min(widest_band, bands), generator)
        masked[start:end] = True
    return torch.where(masked.to(features.device), features.mean(), features)


def _stretch(whole: int, widest: int, generator: Generator) -> tuple[int, int]:
    width = _below(widest + 1, generator)
    start = _below(whole - width + 1, generator)
    return start, start + width


def _chance(share: float, generator: Generator) -> bool:
    return bool(torch.rand((), generator=generator) < share)


def _between(low: float, high: float, generator: Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _below(bound: int, generator: Generator) -> int:
    return int(torch.randint(bound, (), generator=generator))
