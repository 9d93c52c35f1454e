"""Voices are cut where they change and joined into speakers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.backends import voice_grouping
from transcribe.backends.voice_grouping import Grouping, Stretch, Voice, cut_track, group_stretches

WIDTH, HOP, SIZE = 160, 20, 8


def voice_of(people: list[int], seconds: float) -> Voice:
    """The windows of *people*, who speak one after another for *seconds* each; mixed windows lie between them."""
    spectra = int(len(people) * seconds * 100)
    who = np.repeat(people, int(seconds * 100))
    starts = np.arange(0, spectra - WIDTH + 1, HOP)
    vectors = np.stack([np.eye(SIZE)[who[start : start + WIDTH]].mean(axis=0) for start in starts])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Voice(spectra=np.arange(spectra), starts=starts, vectors=vectors, width=WIDTH)


def stretch(person: int, start_s: float, *, speech_s: float = 5.0, track: int = 0) -> Stretch:
    return Stretch(
        track=track, start_s=start_s, end_s=start_s + speech_s, speech_s=speech_s, vector=np.eye(SIZE)[person]
    )


def test_a_track_of_two_people_is_cut_near_the_change() -> None:
    first, second = cut_track(voice_of([0, 1], 4.0), 7, 0.6)
    assert first.end_s == pytest.approx(4.0, abs=0.5)
    assert (first.track, second.track) == (7, 7)


def test_a_track_of_one_person_stays_whole() -> None:
    assert len(cut_track(voice_of([0], 20.0), 0, 0.6)) == 1


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.floats(0.9, 4.0))
def test_cuts_lose_and_repeat_no_speech(people: list[int], seconds: float) -> None:
    if len(people) * seconds < 2:
        seconds = 2.0
    voice = voice_of(people, seconds)
    parts = cut_track(voice, 0, np.inf)
    assert sum(part.speech_s for part in parts) == pytest.approx(len(voice.spectra) / 100)
    assert all(earlier.end_s < later.start_s for earlier, later in pairwise(parts))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_stretches_have_one_speaker_exactly_where_they_have_one_voice(people: list[int]) -> None:
    stretches = [stretch(person, 10.0 * index, track=index) for index, person in enumerate(people)]
    labels = group_stretches(stretches, {}, Grouping(smallest_s=0))
    assert [[a == b for a in labels] for b in labels] == [[a == b for a in people] for b in people]


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_a_known_number_of_speakers_is_kept(number: int) -> None:
    stretches = [stretch(index % 3, 10.0 * index, track=index) for index in range(6)]
    labels = group_stretches(stretches, {}, Grouping(), least=number, most=number)
    assert len(set(labels.tolist())) == number


def test_a_word_of_an_odd_voice_joins_a_large_speaker() -> None:
    stretches = [stretch(0, 0.0, speech_s=20), stretch(1, 30.0, speech_s=20), stretch(2, 60.0, speech_s=0.5)]
    assert len(set(group_stretches(stretches, {}, Grouping()).tolist())) == 2


def test_more_stretches_than_are_joined_by_pairs_go_to_the_nearest_speaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_grouping, "MOST_JOINED", 4)
    people = [0, 1, 0, 1, 0, 1, 1]
    stretches = [stretch(person, 10.0 * index, speech_s=9 - index) for index, person in enumerate(people)]
    assert group_stretches(stretches, {}, Grouping()).tolist() == people
