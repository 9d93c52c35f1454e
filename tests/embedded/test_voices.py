"""Synthetic speakers."""

import numpy as np
import pytest

from transcribe.embedded.voices import (
    ESPEAK,
    HIGH_FAMILIES,
    LOW_FAMILIES,
    RATE_HZ,
    Voice,
    audible,
    demo_voices,
    speak,
    training_voices,
    variants,
)

GREETING = {"hi": "नमस्ते आप कैसे हैं", "ta": "வணக்கம் எப்படி இருக்கிறீர்கள்"}

needs_espeak = pytest.mark.usefixtures("espeak")


@pytest.fixture(scope="module")
def espeak() -> None:
    pytest.importorskip("espeakng_loader", reason="espeak-ng is not here: pip install espeakng-loader")


def voice(*, warp: float = 1.0, espeak: str = "en-us+m3") -> Voice:
    return Voice(name="someone", dialect="en-US", espeak=espeak, pitch=50, rate=140, pitch_range=50, warp=warp)


def variant(person: Voice) -> str:
    return person.espeak.split("+")[1]


def test_no_variant_of_the_demo_is_heard_in_training() -> None:
    families = LOW_FAMILIES + HIGH_FAMILIES
    assert set(variants("demo", families)).isdisjoint(variants("training", families))
    assert len(variants("demo", families)) + len(variants("training", families)) == sum(map(len, families))


def test_drawn_voices_keep_to_their_part() -> None:
    families = LOW_FAMILIES + HIGH_FAMILIES
    assert {variant(person) for person in demo_voices("en-US", 40, 1)} <= set(variants("demo", families))
    assert {variant(person) for person in training_voices("en-US", 40, 1)} <= set(variants("training", families))


def test_near_copies_stay_on_one_side() -> None:
    demo = set(variants("demo", LOW_FAMILIES + HIGH_FAMILIES))
    assert all(demo >= set(family) or demo.isdisjoint(family) for family in LOW_FAMILIES + HIGH_FAMILIES)


def test_all_drawn_people_differ_and_the_seed_repeats_them() -> None:
    people = training_voices("hi", 60, 7)
    assert len({person.name for person in people}) == 60
    assert people == training_voices("hi", 60, 7)
    assert people != training_voices("hi", 60, 8)


def test_lower_and_higher_voices_alternate() -> None:
    high = set(sum(HIGH_FAMILIES, ()))
    assert [variant(person) in high for person in demo_voices("ta", 6, 3)] == [False, True] * 3


def test_a_dialect_without_a_voice_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(ValueError, match=r"xx-YY.*en-scotland"):
        training_voices("xx-YY", 1, 0)


@needs_espeak
@pytest.mark.parametrize("dialect", ESPEAK)
def test_every_dialect_can_be_heard(dialect: str) -> None:
    low, high = demo_voices(dialect, 2, 5)
    for person in (low, high):
        samples = speak(person, GREETING.get(dialect, "good morning how are you"))
        assert samples.dtype == np.float32
        assert samples.ndim == 1
        assert 0.6 < len(samples) / RATE_HZ < 4
        assert np.abs(samples).max() == pytest.approx(0.7, abs=1e-4)
        start, end = audible(samples)
        assert max(start, len(samples) - end) <= 0.030 * RATE_HZ


@needs_espeak
def test_a_shorter_vocal_tract_raises_the_voice_but_not_the_tempo() -> None:
    text = "we have nine horses in the field now"
    child, man = speak(voice(warp=1.18), text), speak(voice(warp=0.85), text)
    assert len(child) == pytest.approx(len(man), rel=0.1)
    assert centre_hz(child) > 1.15 * centre_hz(man)


@needs_espeak
def test_an_unknown_espeak_voice_is_named() -> None:
    with pytest.raises(ValueError, match="xx-nowhere"):
        speak(voice(espeak="xx-nowhere+f2"), "hello")


@needs_espeak
def test_a_text_without_sound_is_an_error() -> None:
    with pytest.raises(ValueError, match="silent"):
        speak(voice(), "")


def test_silence_has_no_audible_part() -> None:
    assert audible(np.zeros(10)) == (0, 0)
    assert audible(np.zeros(0)) == (0, 0)


def centre_hz(samples: np.ndarray) -> float:
    """Give the frequency with as much energy below as above, on a logarithmic scale: it moves with the formants."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    heard = (hz > 80) & (hz < 5000)
    return float(np.exp(np.average(np.log(hz[heard]), weights=power[heard])))
