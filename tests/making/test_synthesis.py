"""What is asked of the worker that speaks, and what is made of its answer."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.making.synthesis import LEVEL, shape, utterance
from benchmarks.making.voices import Person

PERSON = Person(name="hi-test-01-a", main="hf_beta", partner="if_sara", share=0.7, speed=1.1, warp=1.05, espeak="hi")


def tone(hz: float) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hz * np.arange(24_000) / 24_000).astype(np.float32)


def test_the_tempo_asked_for_makes_up_for_the_shift() -> None:
    asked = utterance(PERSON, "नमस्ते")

    assert asked["speed"] == pytest.approx(1.1 / 1.05)
    assert (asked["text"], asked["espeak"], asked["main"], asked["share"]) == ("नमस्ते", "hi", "hf_beta", 0.7)


@pytest.mark.parametrize("warp", [0.93, 1.0, 1.07])
def test_a_shift_multiplies_pitch_and_tempo(warp: float) -> None:
    heard = shape(tone(200), warp)
    loudest = np.abs(np.fft.rfft(heard)).argmax() * 16_000 / len(heard)

    assert loudest == pytest.approx(200 * warp, abs=2)
    assert len(heard) == pytest.approx(16_000 / warp, abs=20)


def test_turns_are_equally_loud_with_little_silence_around() -> None:
    quiet = np.pad(0.1 * tone(300), 12_000)
    heard = shape(quiet, 1.0)

    assert len(heard) == pytest.approx(16_000 + 640, abs=60)
    assert np.sqrt((heard[320:-320] ** 2).mean()) == pytest.approx(LEVEL, rel=0.02)


def test_a_silent_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="came out silent"):
        shape(np.zeros(1000, np.float32), 1.0)
