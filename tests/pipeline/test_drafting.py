"""The pipeline on a real store and real files, with a diariser and a recogniser that follow rules."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import pytest

from tests.desk_setup import HIGH, LOW, MIDDLE, SYLLABLES, Desk, recipe, said, sound
from tests.pipeline.recognisers import BrokenRecogniser, CountingDiariser, InterruptedRecogniser
from tests.scripted import ScriptedRecogniser
from transcribe import audio
from transcribe.errors import UnfitError
from transcribe.pipeline.drafting import IN_FLIGHT, draft_pending
from transcribe.protocols import SpeakerCount, Window
from transcribe.records import DeclaredTurn
from transcribe.store.attempts import TRIES


def test_a_conversation_becomes_segments_with_the_words_of_each_speaker(desk: Desk) -> None:
    talk = desk.add("talk", [(400, 2_000, LOW), (2_400, 4_400, HIGH)])
    made = recipe()
    (step,) = desk.draft(made)
    assert (step.recording, step.segments, step.failure) == (talk, 2, None)
    assert desk.texts(talk, made) == {("SPEAKER_00", 400): said(LOW, 4), ("SPEAKER_03", 2_400): said(HIGH, 5)}


def test_what_is_done_is_not_done_again(desk: Desk) -> None:
    desk.add("talk", [(400, 2_000, LOW)])
    made = recipe(diariser=CountingDiariser())
    assert len(desk.draft(made)) == 1
    assert desk.draft(made) == []
    assert len(made.diariser.calls) == 1


def test_speech_of_two_at_once_is_kept_for_both(desk: Desk) -> None:
    talk = desk.add("talk", [(0, 3_200, LOW), (2_400, 5_600, HIGH)])
    made = recipe()
    desk.draft(made)
    saved_turns = desk.store.drafts.fetch_turns(talk.id, made.diarisation)
    assert saved_turns is not None
    turns, exclusive = saved_turns
    assert [(turn.start, turn.end) for turn in turns] == [(0, 3_200), (2_400, 5_600)]
    assert all(turn.end <= following.start for turn, following in pairwise(exclusive))
    texts = desk.texts(talk, made)
    assert set(texts) == {("SPEAKER_00", 0), ("SPEAKER_03", 2_400)}
    assert set(texts["SPEAKER_00", 0].split()) == {SYLLABLES[LOW]}
    assert SYLLABLES[HIGH] in texts["SPEAKER_03", 2_400]


def test_every_word_is_drafted_once_however_people_interrupt_each_other(desk: Desk) -> None:
    tones = [(0, 4_000, LOW), (1_200, 2_000, HIGH), (3_600, 6_000, MIDDLE), (8_000, 9_200, HIGH), (9_200, 10_000, LOW)]
    talk = desk.add("talk", tones, duration=12_000)
    made = recipe()
    desk.draft(made)
    whole = made.recogniser.recognise(sound(tones, 12_000), [Window(start=0, end=12_000)])[0].words
    drafted = [word for draft in desk.store.drafts.fetch(talk.id, made.recogniser.id) for word in draft.words]
    assert sorted(word.start for word in drafted) == [word.start for word in whole]


def test_channels_that_are_kept_apart_are_people_of_their_own(desk: Desk) -> None:
    agent, caller = [(400, 2_000, LOW)], [(1_200, 3_200, LOW), (4_000, 4_800, HIGH)]
    talk = desk.add("call", agent, caller, channel_mode="split")
    made = recipe(diariser=CountingDiariser())
    desk.draft(made)
    assert made.diariser.calls == [SpeakerCount(exactly=1), SpeakerCount(exactly=1)]
    drafted = list(desk.store.drafts.fetch_with_segments(talk.id, made.recogniser.id))
    assert [(segment.channel, segment.start, draft.text) for segment, draft in drafted] == [
        (0, 400, said(LOW, 4)),
        (1, 1_200, said(LOW, 5)),
        (1, 4_000, said(HIGH, 2)),
    ]
    speakers = {segment.channel: segment.speaker for segment, _ in drafted}
    assert len(set(speakers.values())) == 2


def test_channels_that_are_mixed_are_one_conversation(desk: Desk) -> None:
    talk = desk.add("call", [(400, 2_000, LOW)], [(2_400, 4_000, HIGH)])
    made = recipe()
    desk.draft(made)
    assert desk.texts(talk, made) == {("SPEAKER_00", 400): said(LOW, 4), ("SPEAKER_03", 2_400): said(HIGH, 4)}


def test_the_diariser_is_told_how_many_speakers_were_counted(desk: Desk) -> None:
    desk.add("counted", [(0, 1_000, LOW), (2_000, 3_000, HIGH)], num_speakers=1, duration=5_000)
    desk.add("unknown", [(0, 1_000, LOW)], duration=4_000)
    made = recipe(diariser=CountingDiariser())
    steps = desk.draft(made)
    assert made.diariser.calls == [SpeakerCount(exactly=1), SpeakerCount()]
    assert len({segment.speaker for segment in desk.store.drafts.fetch_segments(steps[0].recording.id)}) == 1


def test_a_new_recogniser_takes_the_turns_that_are_there(desk: Desk) -> None:
    talk = desk.add("call", [(400, 2_000, LOW)], [(1_200, 3_200, HIGH)], channel_mode="split")
    diariser = CountingDiariser()
    first = recipe(diariser=diariser)
    desk.draft(first)
    second = recipe(diariser=diariser, recogniser=ScriptedRecogniser(level=0.02))
    (step,) = desk.draft(second)
    assert step.failure is None
    assert len(diariser.calls) == 2
    assert desk.texts(talk, first) == desk.texts(talk, second)
    assert first.recogniser.id != second.recogniser.id


def test_a_silent_recording_is_not_diarised_again_either(desk: Desk) -> None:
    desk.add("silence", [])
    diariser = CountingDiariser()
    desk.draft(recipe(diariser=diariser))
    desk.draft(recipe(diariser=diariser, recogniser=ScriptedRecogniser(level=0.02)))
    assert len(diariser.calls) == 1


def test_a_new_diariser_hears_everything_again(desk: Desk) -> None:
    desk.add("talk", [(400, 2_000, LOW)])
    desk.draft(recipe())
    again = CountingDiariser(level=0.02)
    desk.draft(recipe(diariser=again))
    assert len(again.calls) == 1


def test_a_silent_recording_is_warned_of_and_has_no_draft(desk: Desk) -> None:
    silence = desk.add("silence", [])
    made = recipe()
    (step,) = desk.draft(made)
    assert (step.segments, step.failure) == (0, None)
    assert [warning.split(":")[0] for warning in step.warnings] == ["W_NO_SPEECH"]
    assert desk.texts(silence, made) == {}
    assert desk.draft(made) == []


def test_one_bad_recording_does_not_stop_the_others(desk: Desk) -> None:
    desk.add("long", [(400, 2_000, LOW)], duration=8_000)
    lost = desk.add("lost", [(400, 2_000, LOW)], duration=7_000)
    desk.add("short", [(400, 2_000, LOW)], duration=6_000)
    sound_of_lost = audio.locate(desk.folder, lost.id).read_bytes()
    audio.locate(desk.folder, lost.id).unlink()
    made = recipe()
    steps = desk.draft(made)
    assert [step.failure.code if step.failure else None for step in steps] == [None, "E_LOST", None]
    assert [(failure.item, failure.code) for failure in desk.store.attempts.fetch_failures("run")] == [
        (lost.path, "E_LOST")
    ]
    assert desk.draft(made) == []
    audio.locate(desk.folder, lost.id).write_bytes(sound_of_lost)
    (again,) = desk.draft(made, retry_failed=True)
    assert (again.recording, again.failure) == (lost, None)
    assert desk.store.attempts.fetch_failures("run") == ()


def test_a_bug_costs_one_recording_and_is_shown(desk: Desk) -> None:
    desk.add("good", [(400, 2_000, LOW)], duration=5_000)
    desk.add("bad", [(400, 2_000, LOW)], duration=6_000)
    bugs: list[BaseException] = []
    bad, good = desk.draft(recipe(recogniser=BrokenRecogniser(6_000)), on_bug=bugs.append)
    assert bad.failure is not None
    assert bad.failure.code == "E_BUG"
    assert "division by zero" in bad.failure.message
    assert good.failure is None
    assert [type(error) for error in bugs] == [ZeroDivisionError]


def test_a_dialect_that_cannot_be_is_the_users_error_and_no_bug(desk: Desk) -> None:
    desk.add("talk", [(400, 2_000, LOW)], dialect="no such tag")
    (step,) = desk.draft(recipe())
    assert step.failure is not None
    assert step.failure.code == "E_DIALECT"


def test_the_longest_recording_comes_first(desk: Desk) -> None:
    for name, duration in (("a", 3_000), ("b", 9_000), ("c", 5_000)):
        desk.add(name, [(400, 2_000, LOW)], duration=duration)
    assert [step.recording.duration for step in desk.draft(recipe())] == [9_000, 5_000, 3_000]


def test_stopping_ends_after_what_is_in_flight_and_the_rest_is_done_later(desk: Desk) -> None:
    for number in range(10):
        desk.add(f"talk {number}", [(400, 1_200, LOW)], duration=2_000)
    made, stop, steps = recipe(), threading.Event(), 0
    for step in draft_pending(desk.store, made, desk.folder, stop=stop):
        assert step.failure is None
        steps += 1
        stop.set()
    assert 1 <= steps <= 1 + IN_FLIGHT + 1
    assert desk.store.attempts.count_pending(made.settings)[0] == 10 - steps
    assert len(desk.draft(made)) == 10 - steps


def test_stopping_before_the_start_does_nothing(desk: Desk) -> None:
    desk.add("talk", [(400, 1_200, LOW)])
    stop = threading.Event()
    stop.set()
    assert desk.draft(recipe(), stop=stop) == []


def test_an_end_that_nobody_asked_for_sets_no_stop(desk: Desk) -> None:
    desk.add("talk", [(400, 1_200, LOW)])
    stop = threading.Event()
    assert len(desk.draft(recipe(), stop=stop)) == 1
    assert not stop.is_set()


def test_leaving_in_the_middle_leaves_no_thread_behind(desk: Desk) -> None:
    for number in range(8):
        desk.add(f"talk {number}", [(400, 1_200, LOW)], duration=2_000)
    threads = threading.active_count()
    steps = draft_pending(desk.store, recipe(), desk.folder)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert threading.active_count() == threads


def test_an_interrupted_attempt_does_not_count(desk: Desk) -> None:
    for name in ("a", "b", "c"):
        desk.add(name, [(0, 1_000, HIGH)])
    for _ in range(TRIES + 1):
        steps = draft_pending(desk.store, recipe(recogniser=InterruptedRecogniser()), desk.folder)
        with pytest.raises(KeyboardInterrupt):
            list(steps)
    made = recipe()
    assert desk.store.attempts.fetch_failures() == ()
    assert desk.store.attempts.count_pending(made.settings)[0] == 3
    [first, *_] = desk.store.attempts.fetch_pending(made.settings)
    assert desk.store.attempts.begin(first.id) == 1


def test_a_store_that_breaks_ends_the_batch_with_its_error(desk: Desk, tmp_path: Path) -> None:
    desk.add("talk", [(400, 1_200, LOW)])
    desk.store.close()
    (tmp_path / "boli.db").write_bytes(b"SQLite format 3\x00" + b"\x00" * 4_080)
    with pytest.raises(UnfitError):
        desk.draft(recipe())


def test_declared_people_and_their_dialects_name_the_turns(desk: Desk) -> None:
    declared = (
        DeclaredTurn(start=300, end=2_100, speaker="asha", dialect="bho"),
        DeclaredTurn(start=2_300, end=4_500, speaker="binod"),
    )
    talk = desk.add("talk", [(400, 2_000, LOW), (2_400, 4_400, HIGH)], dialect="hi", declared=declared)
    desk.draft(recipe())
    assert [(s.speaker, s.dialect) for s in desk.store.drafts.fetch_segments(talk.id)] == [
        ("asha", "bho"),
        ("binod", "hi"),
    ]


def test_voices_are_kept_of_who_was_diarised_just_now_and_not_made_again_for_known_turns(desk: Desk) -> None:
    talk = desk.add("talk", [(400, 2_000, LOW), (2_400, 4_400, HIGH)])
    made = recipe()
    desk.draft(made)
    voices = list(desk.store.speakers.fetch_voices())
    assert [(voice.speaker, voice.speech) for voice in voices] == [
        (f"{talk.id}/SPEAKER_00", 1_600),
        (f"{talk.id}/SPEAKER_03", 2_000),
    ]
    assert {voice.maker for voice in voices} == {made.diariser.id}
    desk.draft(recipe(recogniser=ScriptedRecogniser(level=0.02)))
    assert list(desk.store.speakers.fetch_voices()) == voices
