"""Conversations laid out of clips, rooms and telephones."""

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.making.sound import (
    Clip,
    Spoken,
    audible,
    converse,
    mu_law,
    overlap_share,
    room,
    telephone,
    to_int16,
    write_opus,
)

talks = st.lists(st.tuples(st.sampled_from("abc"), st.integers(80, 4000)), min_size=1, max_size=25)


def clip(speaker: str, length_ms: int, *, silence_ms: int = 0) -> Clip:
    """A buzz that is audible from its first sample to its last, but for silence on both sides."""
    buzz = np.where(np.arange(length_ms * 16) % 160 < 80, 0.5, -0.5).astype(np.float32)
    return Clip(speaker=speaker, dialect="en-US", text="buzz", samples=np.pad(buzz, silence_ms * 16))


def tone(hz: float, seconds: float = 1.0) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(16_000 * seconds)) / 16_000)).astype(np.float32)


def level(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt((samples.astype(np.float64) ** 2).mean()))


@settings(max_examples=40, deadline=None)
@given(talks, st.sampled_from([0.0, 0.05, 0.1, 0.25]), st.integers(0, 1000))
def test_no_layout_breaks_the_rules_of_talk(talk: list[tuple[str, int]], overlap: float, seed: int) -> None:
    # One sample a millisecond: the law is about times, and this way it is quick.
    clips = [
        Clip(speaker=speaker, dialect="en-US", text="buzz", samples=np.full(length, 0.5, np.float32))
        for speaker, length in talk
    ]
    made = converse(clips, random.Random(seed), overlap=overlap, rate_hz=1000)

    assert sorted((turn.speaker, turn.end - turn.start) for turn in made.spoken) == sorted(talk)
    assert all(0 <= turn.start < turn.end <= made.duration for turn in made.spoken)
    for speaker in "abc":
        own = [turn for turn in made.spoken if turn.speaker == speaker]
        assert all(before.end <= after.start for before, after in pairwise(own))
    for time in {turn.start for turn in made.spoken}:
        assert sum(turn.start <= time < turn.end for turn in made.spoken) <= 2
    assert overlap_share(made.spoken) <= overlap + 0.01


def test_times_are_those_of_the_audible_speech() -> None:
    made = converse([clip("a", 700, silence_ms=40), clip("b", 500, silence_ms=90)], random.Random(3), overlap=0.0)

    heard = np.flatnonzero(made.samples) / 16
    assert heard[0] == pytest.approx(made.spoken[0].start, abs=1)
    assert heard[-1] == pytest.approx(made.spoken[-1].end, abs=1)
    for turn in made.spoken:
        assert np.abs(made.samples[turn.start * 16 : turn.end * 16]).min() > 0


def test_people_interrupt_each_other_as_often_as_asked() -> None:
    rng = random.Random(5)
    clips = [clip("ab"[number % 2], rng.randint(1500, 4000)) for number in range(12)]

    assert overlap_share(converse(clips, random.Random(1), overlap=0.08).spoken) == pytest.approx(0.08, abs=0.03)
    assert overlap_share(converse(clips, random.Random(1), overlap=0.0).spoken) == 0.0


def test_no_overlap_of_nothing() -> None:
    assert overlap_share([]) == 0.0
    assert overlap_share([Spoken(start=0, end=0, speaker="a", dialect="en", text="")]) == 0.0


@pytest.mark.parametrize("noise_db", [20.0, 35.0])
def test_noise_lies_as_far_under_the_speech_as_asked(noise_db: float) -> None:
    speech = np.concatenate([tone(400), np.zeros(16_000, np.float32)])
    heard = room(speech, random.Random(1), noise_db=noise_db)

    # The room's decay is over after half a second.
    noise = level(heard[-8000:])
    assert 20 * np.log10(level(heard) / noise) == pytest.approx(noise_db, abs=1.0)
    assert len(heard) == len(speech)


def test_a_room_is_drawn_from_its_source_alone() -> None:
    first, again, other = (room(tone(300), random.Random(seed), noise_db=30) for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("hz", "passes"), [(100, False), (1000, True), (3000, True), (5000, False)])
def test_a_telephone_lets_its_band_through(hz: float, passes: bool) -> None:
    mixed = tone(700) + tone(hz)
    heard = telephone(mixed)
    spectrum = np.abs(np.fft.rfft(heard))
    ratio = spectrum[round(hz)] / spectrum[700]

    assert len(heard) == len(mixed)
    assert ratio > 0.7 if passes else ratio < 0.05


def test_a_telephone_delays_nothing() -> None:
    speech = np.pad(tone(800, 0.5), (8000, 8000))
    heard = telephone(speech)

    lag = np.argmax(np.correlate(heard, speech[8000:16_000], "valid")) - 8000
    assert abs(lag) <= 2


def test_mu_law_keeps_its_eight_bits() -> None:
    levels = np.linspace(-1, 1, 5001)
    heard = mu_law(levels)

    assert len(set(heard.tolist())) <= 255
    assert np.abs(heard - levels).max() < 0.025
    assert np.array_equal(mu_law(heard), heard)


def test_loud_sound_is_turned_down_and_never_clipped() -> None:
    assert np.abs(to_int16(np.array([2.0, -4.0]))).tolist() == [round(32767 * 0.95 / 2), round(32767 * 0.95)]
    assert to_int16(np.array([0.25])).tolist() == [round(32767 * 0.25)]


def test_silence_has_no_audible_part() -> None:
    assert audible(np.zeros(100, np.float32)) == (0, 0)


def test_opus_has_the_same_bytes_for_the_same_samples(tmp_path: Path) -> None:
    samples = to_int16(tone(440, 2.0))
    write_opus(tmp_path / "one.opus", samples)
    write_opus(tmp_path / "two.opus", samples)

    assert (tmp_path / "one.opus").read_bytes() == (tmp_path / "two.opus").read_bytes()
    assert 2000 < (tmp_path / "one.opus").stat().st_size < 6000
