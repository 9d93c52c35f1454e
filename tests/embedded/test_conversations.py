"""Conversations laid out of clips."""

import csv
import json
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.embedded.conversations import (
    MANIFEST_COLUMNS,
    Clip,
    Conversation,
    Spoken,
    converse,
    overlap_share,
    room,
    rttm,
    sidecar,
    to_int16,
    write_manifest,
)

talks = st.lists(st.tuples(st.sampled_from("abc"), st.integers(80, 4000)), min_size=1, max_size=25)


def clip(speaker: str, length_ms: int, *, silence_ms: int = 0) -> Clip:
    """A buzz that is audible from its first sample to its last, but for silence on both sides."""
    buzz = np.where(np.arange(length_ms * 16) % 160 < 80, 0.5, -0.5).astype(np.float32)
    samples = np.pad(buzz, silence_ms * 16)
    return Clip(speaker=speaker, dialect="en-US", text="buzz", samples=samples, word_starts=(silence_ms,))


def turn(start: int, end: int, speaker: str = "a") -> Spoken:
    return Spoken(start=start, end=end, speaker=speaker, dialect="en-US", text="hello")


@settings(max_examples=40, deadline=None)
@given(talks, st.sampled_from([0.0, 0.05, 0.1, 0.25]), st.integers(0, 1000))
def test_no_layout_breaks_the_rules_of_talk(talk: list[tuple[str, int]], overlap: float, seed: int) -> None:
    # One sample a millisecond: the law is about times, and this way it is quick.
    clips = [
        Clip(speaker=speaker, dialect="en-US", text="buzz", samples=np.full(length, 0.5, np.float32))
        for speaker, length in talk
    ]
    made = converse(clips, random.Random(seed), overlap=overlap, rate_hz=1000)

    assert sorted((it.speaker, it.end - it.start) for it in made.spoken) == sorted(talk)
    assert all(0 <= it.start < it.end <= made.duration for it in made.spoken)
    for speaker in "abc":
        own = [it for it in made.spoken if it.speaker == speaker]
        assert all(before.end <= after.start for before, after in pairwise(own))
    for time in {it.start for it in made.spoken}:
        assert sum(it.start <= time < it.end for it in made.spoken) <= 2
    assert overlap_share(made.spoken) <= overlap + 0.01


@pytest.mark.parametrize("overlap", [0.05, 0.1, 0.2])
def test_alternating_speakers_reach_the_overlap_asked_for(overlap: float) -> None:
    rng = random.Random(5)
    clips = [clip("ab"[number % 2], rng.randint(800, 3000)) for number in range(30)]
    assert overlap_share(converse(clips, rng, overlap=overlap).spoken) == pytest.approx(overlap, abs=0.012)


def test_without_overlap_one_person_talks_at_a_time() -> None:
    made = converse([clip("ab"[number % 2], 900) for number in range(12)], random.Random(1), overlap=0)
    gaps = [after.start - before.end for before, after in pairwise(made.spoken)]
    assert overlap_share(made.spoken) == 0
    assert min(gaps) >= 200
    assert max(gaps) <= 1000


def test_times_are_those_of_the_audible_sound() -> None:
    made = converse([clip("a", 700, silence_ms=15), clip("b", 500)], random.Random(2), overlap=0)
    loud = np.flatnonzero(made.samples)
    first, last = made.spoken
    assert loud[0] == first.start * 16
    assert loud[-1] == last.end * 16 - 1
    assert first.end - first.start == 700
    assert first.word_starts == (first.start,)
    assert not made.samples[first.end * 16 : last.start * 16].any()


def test_a_conversation_of_another_rate_keeps_its_times() -> None:
    made = converse([clip("a", 500)], random.Random(3), rate_hz=8_000)
    (only,) = made.spoken
    assert only.end - only.start == 1000
    assert made.duration == len(made.samples) // 8


@pytest.mark.parametrize(
    ("spoken", "share"),
    [([], 0), ([turn(0, 100)], 0), ([turn(0, 100), turn(50, 150, "b")], 1 / 3), ([turn(0, 9), turn(0, 9, "b")], 1)],
)
def test_overlap_is_counted_over_time_with_speech(spoken: list[Spoken], share: float) -> None:
    assert overlap_share(spoken) == pytest.approx(share)


def test_a_room_adds_noise_and_keeps_length_and_peak() -> None:
    dry = clip("a", 400, silence_ms=400).samples
    heard = room(dry, random.Random(6))
    assert heard.dtype == np.float32
    assert heard.shape == dry.shape
    assert np.abs(heard).max() == pytest.approx(0.5, abs=1e-3)
    # Noise before the sound, and more than noise just after it: the reverberation.
    noise, tail = (float(np.sqrt((heard[part] ** 2).mean())) for part in (slice(0, 4000), slice(12_850, 13_300)))
    assert 0 < 2 * noise < tail


def test_a_room_is_the_same_for_int16() -> None:
    dry = clip("a", 100).samples
    as_int16 = np.asarray(dry * 32768, dtype=np.int16)
    assert np.allclose(room(dry, random.Random(7)), room(as_int16, random.Random(7)), atol=1e-4)


def test_loud_sound_is_turned_down_and_never_clipped() -> None:
    assert to_int16(np.array([0.0, 1.0, -2.0])).tolist() == [0, 15564, -31129]
    assert to_int16(np.array([0.5])).tolist() == [16384]


def test_rttm_and_sidecar_tell_the_same_turns() -> None:
    made = Conversation(name="talk", samples=np.zeros(16_000, np.int16), spoken=(turn(120, 900), turn(850, 990, "b")))
    assert rttm(made) == (
        "SPEAKER talk 1 0.120 0.780 <NA> <NA> a <NA> <NA>\nSPEAKER talk 1 0.850 0.140 <NA> <NA> b <NA> <NA>\n"
    )
    assert [json.loads(line) for line in sidecar(made).splitlines()] == [
        {"start_ms": 120, "end_ms": 900, "speaker": "a", "dialect": "en-US", "text": "hello"},
        {"start_ms": 850, "end_ms": 990, "speaker": "b", "dialect": "en-US", "text": "hello"},
    ]


def test_the_sidecar_keeps_native_script() -> None:
    tamil = Spoken(start=0, end=10, speaker="a", dialect="ta", text="நன்றி")
    assert "நன்றி" in sidecar(Conversation(name="talk", samples=np.zeros(1, np.int16), spoken=(tamil,)))


def test_unknown_facts_stay_empty_in_the_manifest(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.csv", [{"path": "a.wav", "dialect": "hi"}])
    with (tmp_path / "manifest.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == MANIFEST_COLUMNS
    assert {name: value for name, value in row.items() if value} == {"path": "a.wav", "dialect": "hi"}
