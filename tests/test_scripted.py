"""The scripted backends: what they say follows from the sound alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.desk_setup import HIGH, LOW, MIDDLE, SYLLABLES, sound
from tests.scripted import SYLLABLES as ALL_SYLLABLES
from tests.scripted import WORD, ScriptedDiariser, ScriptedRecogniser
from transcribe.protocols import Diarisation, Pcm, SpeakerCount, Window
from transcribe.records import Milliseconds

SILENCE: Pcm = np.zeros(16_000, np.int16)


def write_syllables(pcm: Pcm, start: Milliseconds, end: Milliseconds) -> list[tuple[str, Milliseconds, Milliseconds]]:
    (answer,) = ScriptedRecogniser().recognise(pcm, [Window(start=start, end=end)])
    return [(word.text, word.start, word.end) for word in answer.words]


def list_turns(diarisation: Diarisation) -> list[tuple[str, Milliseconds, Milliseconds]]:
    return [(span.label, span.start, span.end) for span in diarisation.turns]


def test_each_band_is_a_voice() -> None:
    pcm = sound([(0, 1_000, LOW), (1_000, 2_000, MIDDLE), (3_000, 4_000, HIGH)], 5_000)
    diarisation = ScriptedDiariser().diarise(pcm)
    assert list_turns(diarisation) == [
        ("SPEAKER_00", 0, 1_000),
        ("SPEAKER_01", 1_000, 2_000),
        ("SPEAKER_03", 3_000, 4_000),
    ]
    assert diarisation.exclusive == diarisation.turns


def test_two_voices_at_once_overlap_in_the_turns_and_not_in_the_exclusive_ones() -> None:
    diarisation = ScriptedDiariser().diarise(sound([(0, 2_000, LOW), (1_000, 3_000, HIGH)], 3_000))
    assert list_turns(diarisation) == [("SPEAKER_00", 0, 2_000), ("SPEAKER_03", 1_000, 3_000)]
    assert all(a.end <= b.start for a, b in zip(diarisation.exclusive, diarisation.exclusive[1:], strict=False))


def test_a_short_pause_does_not_end_a_turn_and_a_click_is_none() -> None:
    assert list_turns(ScriptedDiariser().diarise(sound([(0, 1_000, LOW), (1_300, 2_000, LOW)], 3_000))) == [
        ("SPEAKER_00", 0, 2_000)
    ]
    assert list_turns(ScriptedDiariser().diarise(sound([(1_000, 1_100, LOW)], 3_000))) == []


@pytest.mark.parametrize("count", [SpeakerCount(exactly=1), SpeakerCount(at_most=1)])
def test_voices_share_labels_where_fewer_people_were_counted(count: SpeakerCount) -> None:
    diarisation = ScriptedDiariser().diarise(sound([(0, 1_000, LOW), (2_000, 3_000, HIGH)], 3_000), speakers=count)
    assert {span.label for span in (*diarisation.turns, *diarisation.exclusive)} == {"SPEAKER_00"}


def test_silence_and_no_sound_hold_nobody() -> None:
    for pcm in (SILENCE, SILENCE[:0]):
        assert ScriptedDiariser().diarise(pcm) == Diarisation(turns=(), exclusive=())
        assert write_syllables(pcm, 0, 1_000) == []


def test_a_word_is_written_for_each_step_of_sound() -> None:
    pcm = sound([(800, 1_600, LOW), (2_000, 2_400, HIGH)], 3_000)
    assert write_syllables(pcm, 0, 3_000) == [
        (SYLLABLES[LOW], 800, 1_200),
        (SYLLABLES[LOW], 1_200, 1_600),
        (SYLLABLES[HIGH], 2_000, 2_400),
    ]


def test_what_is_written_does_not_depend_on_the_windows() -> None:
    pcm = sound([(0, 3_200, LOW), (3_200, 8_000, HIGH)], 8_000)
    whole = [text for text, _, _ in write_syllables(pcm, 0, 8_000)]
    for edge in (1_000, 1_200, 3_333, 7_999):
        assert [text for text, _, _ in write_syllables(pcm, 0, edge) + write_syllables(pcm, edge, 8_000)] == whole


@given(st.integers(0, 7_000), st.integers(1, 8_000))
def test_words_lie_inside_their_window(start: Milliseconds, length: Milliseconds) -> None:
    end = start + length
    words = write_syllables(sound([(0, 8_000, LOW)], 8_000), start, end)
    assert all(start <= first < last <= end for _, first, last in words)
    assert len(words) <= length // WORD + 1


def test_answers_come_in_the_order_of_the_windows_with_their_language() -> None:
    windows = [Window(start=2_000, end=3_000, language="hi"), Window(start=0, end=1_000)]
    answers = ScriptedRecogniser().recognise(sound([(0, 3_000, LOW)], 3_000), windows)
    assert [answer.window for answer in answers] == windows
    assert [answer.language for answer in answers] == ["hi", None]


def test_a_silent_window_says_that_nobody_speaks() -> None:
    loud, quiet = ScriptedRecogniser().recognise(
        sound([(0, 2_000, LOW)], 4_000), [Window(start=0, end=2_000), Window(start=2_000, end=4_000)]
    )
    assert (loud.no_speech, quiet.no_speech) == (0.0, 1.0)
    assert loud.log_probability is not None
    assert loud.log_probability < 0
    assert quiet.log_probability is None


def test_every_pitch_that_can_be_sampled_has_a_syllable() -> None:
    assert len(set(ALL_SYLLABLES)) == len(ALL_SYLLABLES)
    for hz in (30, 60, 200, 1_000, 4_000, 7_900):
        assert write_syllables(sound([(0, 400, hz)], 400), 0, 400)[0][0] in ALL_SYLLABLES


def test_the_name_of_a_backend_follows_from_its_rules_and_not_from_its_pace() -> None:
    for backend in (ScriptedDiariser, ScriptedRecogniser):
        assert backend().id == backend(delay_s=1.0).id
        assert backend().id != backend(level=0.5).id
    assert ScriptedDiariser().id != ScriptedRecogniser().id
