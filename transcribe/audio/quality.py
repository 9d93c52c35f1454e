"""
Measure how good a sound is while it is decoded: level, noise, clipping, band. Memory stays the same at any length.

The measures are of the recording as it came: clipping is counted in its own samples, the rest at 16 kHz.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.fft  # a sealed child can import nothing later
import numpy.typing as npt

from transcribe.protocols import SAMPLE_RATE_HZ
from transcribe.records import Quality

#: A frame is 32 ms, at 16 kHz.
_FRAME: Final = 512
#: Powers of frames are counted in steps of 1 dB, from -100 dB of full scale to 0.
_LOWEST_DB: Final = -100
_BINS: Final = 101
#: Frames below are no sound: digital silence, or what a recorder gated away.
_SILENT_DB: Final = -90
#: Share of the frames, from the quietest, that is taken as noise alone: pauses are at least that much of any talk.
_NOISE_SHARE: Final = 0.1
#: A frame this much below the mean of all that is louder than the noise is no speech (ITU-R BS.1770 gates likewise).
_GATE_DB: Final = 10
_ABOVE_NOISE_DB: Final = 3
_MOST_SNR_DB: Final = 60.0
#: Samples from here on touch full scale; what is equal three times in a row from half of it is a flat top.
_FULL_SCALE: Final = 32_766 / 32_768
_FLAT_FROM: Final = 0.5
#: Above the band the spectrum is this much below its strongest part: telephone filters take more, voices less.
_BAND_DB: Final = 55.0
#: Frames that say something: a fifth of a second, a short word.
_FEWEST_FRAMES: Final = 6
#: Frames whose spectrum is taken, of each block: a spectrum is a mean, and needs not all.
_SPECTRA_A_BLOCK: Final = 32


class QualityMeter:
    """Sums over the blocks of one recording."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)
        self._powers = np.zeros(_BINS)
        self._spectrum = np.zeros(_FRAME // 2 + 1)
        self._spectra = 0
        self._window = np.hanning(_FRAME).astype(np.float32)
        self._values = 0
        self._clipped = 0

    def add_source(self, block: npt.NDArray[Any]) -> None:
        """Count clipped samples of *block*, ``(samples, channels)``, int16 or float, as it was decoded."""
        scale = 32_768 if block.dtype == np.int16 else 1.0
        self._values += block.size
        # Most blocks are far from full scale, and one look at their extremes is all they cost.
        if not block.size or max(float(block.max()), -float(block.min())) < _FLAT_FROM * scale:
            return
        loud = np.abs(block.astype(np.float32) if block.dtype == np.int16 else block)
        full = loud >= _FULL_SCALE * scale
        if len(block) > 2:
            flat = (block[2:] == block[1:-1]) & (block[1:-1] == block[:-2]) & (loud[1:-1] >= _FLAT_FROM * scale)
            for offset in range(3):
                full[offset : offset + len(flat)] |= flat
        self._clipped += int(np.count_nonzero(full))

    def add_pcm(self, pcm: npt.NDArray[np.int16]) -> None:
        """Add 16 kHz samples, ``(samples, channels)``, whose channels are averaged; less than a frame is left out."""
        frames = len(pcm) // _FRAME
        if not frames:
            return
        pcm = pcm[: frames * _FRAME]
        mono = pcm[:, 0].astype(np.float32) if pcm.shape[1] == 1 else pcm.mean(axis=1, dtype=np.float32)
        floats = mono.reshape(frames, _FRAME) / np.float32(32_768)
        powers = np.einsum("ij,ij->i", floats, floats, dtype=np.float64) / _FRAME
        levels = 10 * np.log10(np.maximum(powers, 1e-12))
        bins = np.clip(np.floor(levels) - _LOWEST_DB, 0, _BINS - 1).astype(np.int64)
        self._counts += np.bincount(bins, minlength=_BINS)
        self._powers += np.bincount(bins, weights=powers, minlength=_BINS)
        audible = np.flatnonzero(levels > -60)
        if len(audible):
            chosen = audible[:: max(1, len(audible) // _SPECTRA_A_BLOCK)]
            spectra = np.fft.rfft(floats[chosen] * self._window)
            self._spectrum += (spectra.real**2 + spectra.imag**2).sum(axis=0)
            self._spectra += len(chosen)

    def measure(self, *, cancelled: int, dead: int) -> Quality:
        """Return the measures of all that was added."""
        counts, powers = self._counts.copy(), self._powers.copy()
        counts[: _SILENT_DB - _LOWEST_DB] = 0
        powers[: _SILENT_DB - _LOWEST_DB] = 0
        level, snr = _measure_levels(counts, powers)
        return Quality(
            level_dbfs=level,
            snr_db=snr,
            clipped_share=round(self._clipped / self._values, 5) if self._values else 0.0,
            bandwidth_hz=self._measure_band(),
            cancelled=cancelled,
            dead=dead,
        )

    def _measure_band(self) -> int | None:
        """Return the frequency above which there is nothing; ``None`` for too little sound."""
        if self._spectra < _FEWEST_FRAMES:
            return None
        # Smoothed over 125 Hz, and without the lowest 100 Hz, where hum and wind may be louder than any voice.
        smooth = np.convolve(self._spectrum, np.ones(4) / 4, mode="same")
        levels = 10 * np.log10(np.maximum(smooth, 1e-20))
        present = np.flatnonzero(levels > levels[4:].max() - _BAND_DB)
        return int((present[-1] if len(present) else 0) * SAMPLE_RATE_HZ // _FRAME)


def _measure_levels(
    counts: npt.NDArray[np.int64], powers: npt.NDArray[np.float64]
) -> tuple[float | None, float | None]:
    """Return level and signal-to-noise ratio in dB from the counts and powers of frames by their level."""
    frames = int(counts.sum())
    if not frames:
        return None, None
    reached = np.searchsorted(np.cumsum(counts), max(1, _NOISE_SHARE * frames)) + 1
    noise = powers[:reached].sum() / max(1, counts[:reached].sum())
    # Where the noise is strong, the gate alone would let it through.
    gate = max(10 * np.log10(powers.sum() / frames) - _GATE_DB, 10 * np.log10(noise) + _ABOVE_NOISE_DB)
    speech_bins = np.arange(_BINS) + _LOWEST_DB >= min(np.floor(gate), np.flatnonzero(counts)[-1] + _LOWEST_DB)
    speech = powers[speech_bins].sum() / max(1, counts[speech_bins].sum())
    level = round(10 * float(np.log10(speech)), 1)
    if frames < _FEWEST_FRAMES:
        return level, None
    ratio = max(speech - noise, speech * 1e-3) / noise
    return level, round(min(_MOST_SNR_DB, 10 * float(np.log10(ratio))), 1)
