"""A telephone's band is heard, whatever rate the file has."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from transcribe.training.diariser_evaluation import is_narrow_band


def hissing_speech(seed: int) -> np.ndarray:
    """A voiced tone with bursts of hiss between, as consonants are."""
    draws = np.random.default_rng(seed)
    seconds = np.arange(5 * 16_000) / 16_000
    voiced = 6_000 * np.sin(2 * np.pi * 440 * seconds) * (np.sin(2 * np.pi * 3 * seconds) > 0)
    return voiced + draws.normal(0, 1_500, len(seconds)) * (np.sin(2 * np.pi * 3 * seconds) < -0.6)


@pytest.mark.parametrize("hiss", [0, 20])
def test_speech_over_a_telephone_is_of_narrow_band_and_speech_in_a_room_is_not(hiss: int) -> None:
    speech = hissing_speech(0)
    band = butter(8, (300, 3_400), btype="band", fs=16_000, output="sos")
    noise = np.random.default_rng(1).normal(0, hiss, len(speech))
    assert is_narrow_band((sosfiltfilt(band, speech) + noise).astype(np.int16))
    assert not is_narrow_band((speech + noise).astype(np.int16))


def test_silence_has_no_band() -> None:
    assert not is_narrow_band(np.zeros(16_000, dtype=np.int16))
    assert not is_narrow_band(np.zeros(0, dtype=np.int16))
