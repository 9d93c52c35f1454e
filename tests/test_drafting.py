"""The pipeline on a real store and real files, with a diariser and a recogniser that follow rules."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dialects.dialect import load_catalogue
from tests.desk_setup import HIGH, LOW, MIDDLE, SYLLABLES, Desk, recipe, said, sound
from transcribe import audio
from transcribe.backends.scripted import ScriptedDiariser, ScriptedRecogniser
from transcribe.drafting import IN_FLIGHT, Recipe, SecondOpinion, draft_pending
from transcribe.errors import UnfitError
from transcribe.glossary import Glossary, Term
from transcribe.levers import Lever
from transcribe.protocols import SAMPLE_RATE_HZ, Diarisation, Heard, Pcm, SpeakerCount, Window
from transcribe.records import DeclaredTurn, Milliseconds
from transcribe.store import Store
from transcribe.windows import LONGEST_PAUSE, WINDOW_MARGIN


class CountingDiariser(ScriptedDiariser):
    """Keeps what it was told of the number of speakers, once for each call."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(**facts)
        self.calls: list[SpeakerCount] = []

    def diarise(self, pcm: Pcm, *, speakers: SpeakerCount = SpeakerCount()) -> Diarisation:
        self.calls.append(speakers)
        return super().diarise(pcm, speakers=speakers)


class ListeningRecogniser(ScriptedRecogniser):
    """Keeps the windows that it was given."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(**facts)
        self.windows: list[Window] = []

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        self.windows += windows
        return super().recognise(pcm, windows)


class BrokenRecogniser(ScriptedRecogniser):
    """Has a bug that shows in sound of one length."""

    def __init__(self, breaks_at: Milliseconds) -> None:
        super().__init__()
        self._breaks_at = breaks_at

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        if len(pcm) * 1000 // SAMPLE_RATE_HZ == self._breaks_at:
            raise ZeroDivisionError("division by zero")
        return super().recognise(pcm, windows)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Store.open(f"sqlite:///{tmp_path / 'boli.db'}") as store:
        yield Desk(store, tmp_path / "audio")


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
    saved_turns = desk.store.turns(talk.id, made.diarisation)
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
    drafted = [word for draft in desk.store.drafts(talk.id, made.recogniser.id) for word in draft.words]
    assert sorted(word.start for word in drafted) == [word.start for word in whole]


def test_channels_that_are_kept_apart_are_people_of_their_own(desk: Desk) -> None:
    agent, caller = [(400, 2_000, LOW)], [(1_200, 3_200, LOW), (4_000, 4_800, HIGH)]
    talk = desk.add("call", agent, caller, channel_mode="split")
    made = recipe(diariser=CountingDiariser())
    desk.draft(made)
    assert made.diariser.calls == [SpeakerCount(exactly=1), SpeakerCount(exactly=1)]
    drafted = list(desk.store.drafted_segments(talk.id, made.recogniser.id))
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
    assert len({segment.speaker for segment in desk.store.segments(steps[0].recording.id)}) == 1


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
    assert [(failure.item, failure.code) for failure in desk.store.failures("run")] == [(lost.path, "E_LOST")]
    assert desk.draft(made) == []
    audio.locate(desk.folder, lost.id).write_bytes(sound_of_lost)
    (again,) = desk.draft(made, retry_failed=True)
    assert (again.recording, again.failure) == (lost, None)
    assert desk.store.failures("run") == ()


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
    assert desk.store.pending_size(made.settings)[0] == 10 - steps
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
    assert [(s.speaker, s.dialect) for s in desk.store.segments(talk.id)] == [("asha", "bho"), ("binod", "hi")]


def listened(desk: Desk, **facts: Any) -> list[Window]:
    recogniser = ListeningRecogniser()
    steps = desk.draft(recipe(recogniser=recogniser, **facts))
    assert [step.failure for step in steps] == [None] * len(steps)
    return recogniser.windows


def test_the_language_is_the_declared_one_and_never_a_guess(desk: Desk) -> None:
    desk.add("nobody said", [(400, 2_000, LOW)], duration=9_000)
    desk.add("hindi", [(400, 2_000, LOW)], duration=8_000, dialect="hi-IN", language="hi")
    desk.add("language only", [(400, 2_000, LOW)], duration=7_000, language="ta")
    assert [window.language for window in listened(desk)] == [None, "hi", "ta"]


def test_a_language_that_whisper_does_not_know_is_not_told_to_it(desk: Desk) -> None:
    catalogue = load_catalogue()
    unknown = next(tag for tag, dialect in sorted(catalogue.dialects.items()) if dialect.whisper is None)
    desk.add("talk", [(400, 2_000, LOW)], dialect=unknown, language=unknown.split("-")[0])
    assert [window.language for window in listened(desk)] == [None]


def test_people_of_two_languages_are_heard_in_windows_of_their_own(desk: Desk) -> None:
    declared = (
        DeclaredTurn(start=400, end=2_000, speaker="asha", dialect="hi"),
        DeclaredTurn(start=2_400, end=4_400, speaker="bala", dialect="ta"),
    )
    desk.add("talk", [(400, 2_000, LOW), (2_400, 4_400, HIGH)], declared=declared)
    assert [window.language for window in listened(desk)] == ["hi", "ta"]


def test_the_catalogue_tells_the_recogniser_what_to_expect(desk: Desk, tmp_path: Path) -> None:
    dialect_file = (
        'language = "hi"\nname = "Hindi"\nscript = "Deva"\nwhisper = "hi"\nprompt = "नमस्ते"\nhotwords = ["बोली", "गाँव"]'
    )
    (tmp_path / "hi.toml").write_text(dialect_file, encoding="utf-8")
    desk.add("talk", [(400, 2_000, LOW)], dialect="hi")
    (window,) = listened(desk, catalogue=load_catalogue(tmp_path))
    assert (window.prompt, window.hotwords) == ("नमस्ते", "बोली गाँव")


def test_levers_tell_the_recogniser_more_and_spell_as_people_do_in_their_dialect_alone(desk: Desk) -> None:
    lever = Lever(hotwords=("बोली",), prompt="राम राम", beam_size=1, spelling={SYLLABLES[LOW]: "हूँ"})
    hindi = desk.add("talk", [(0, 1_200, LOW)], dialect="hi")
    tamil = desk.add("other", [(0, 1_600, LOW)], dialect="ta")
    made = recipe(levers={"hi": lever})
    windows = listened(desk, levers={"hi": lever})

    assert {(window.language, window.prompt, window.hotwords, window.beam_size) for window in windows} == {
        ("hi", "राम राम", "बोली", 1),
        ("ta", None, None, None),
    }
    assert desk.texts(hindi, made) == {("SPEAKER_00", 0): "हूँ हूँ हूँ"}
    assert desk.texts(tamil, made) == {("SPEAKER_00", 0): said(LOW, 4)}


def test_the_projects_names_are_told_and_spelt_in_their_dialect_alone(desk: Desk) -> None:
    talk = desk.add("talk", [(400, 1_600, LOW)], dialect="bho")
    other = desk.add("other", [(400, 1_600, LOW)], dialect="hi")
    listener = ListeningRecogniser()
    glossary = Glossary(terms=(Term(text="Huhu", dialect="bho", spoken=f"{SYLLABLES[LOW]} {SYLLABLES[LOW]}"),))
    named = recipe(recogniser=listener, glossary=glossary, levers={"bho": Lever(hotwords=("का",))})
    desk.draft(named)
    hotwords = {window.dialect: (window.hotwords or "").split() for window in listener.windows}
    assert hotwords["bho"][-2:] == ["का", "Huhu"]
    assert "Huhu" not in hotwords["hi"]
    assert desk.texts(talk, named)["SPEAKER_00", 400] == f"Huhu {SYLLABLES[LOW]}"
    assert desk.texts(other, named)["SPEAKER_00", 400] == said(LOW, 3)


def test_names_that_the_prompt_has_no_room_for_are_counted_in_a_warning() -> None:
    terms = tuple(Term(text=f"name-{number:02}", dialect=("hi", "ta")[number > 4]) for number in range(20))
    [warning] = recipe(glossary=Glossary(terms=terms)).warnings
    assert warning.startswith("W_GLOSSARY: 4 names of glossary.tsv for ta ")
    assert recipe().warnings == ()


def test_long_speech_is_heard_in_windows_that_the_recogniser_can_hold(desk: Desk) -> None:
    chance = random.Random(5)
    melody = [(start, start + 400, chance.choice([220, 233, 247])) for start in range(1_000, 61_000, 400)]
    talk = desk.add("speech", melody, duration=62_000)
    windows = listened(desk, window=10_000, longest=20_000)
    assert all(window.end - window.start <= 10_000 for window in windows)
    assert [following.start + 2 * WINDOW_MARGIN for following in windows[1:]] == [window.end for window in windows[:-1]]
    segments = list(desk.store.segments(talk.id))
    assert [(segment.start, segment.end) for segment in segments] == [
        (1_000, 21_000),
        (21_000, 41_000),
        (41_000, 61_000),
    ]


def test_a_long_pause_is_not_heard(desk: Desk) -> None:
    desk.add("talk", [(400, 2_000, LOW), (2_400 + 4 * LONGEST_PAUSE, 9_000, LOW)], duration=10_000)
    (window,) = listened(desk)
    first, second = window.spans
    assert second.start - first.end > 3 * LONGEST_PAUSE


def flags_of(desk: Desk, made: Recipe) -> dict[str, tuple[str, ...]]:
    """Flags of the draft of each recording, by its path."""
    steps = desk.draft(made)
    drafts = {step.recording.path: desk.store.drafts(step.recording.id, made.recogniser.id) for step in steps}
    return {path: draft.flags for path, recording_drafts in drafts.items() for draft in recording_drafts}


def test_a_draft_that_runs_in_a_loop_is_flagged(desk: Desk) -> None:
    desk.add("loop", [(0, 1_600, LOW)])
    desk.add("talk", [(0, 1_200, LOW)])
    flags_by_path = flags_of(desk, recipe())
    assert "loop" in flags_by_path["loop.flac"]
    assert flags_by_path["talk.flac"] == ()


def test_a_script_that_is_not_the_dialects_is_flagged(desk: Desk) -> None:
    desk.add("talk", [(0, 1_200, LOW)], dialect="hi")
    assert flags_of(desk, recipe()) == {"talk.flac": ("script",)}


class Contrary(ListeningRecogniser):
    """Hears another word wherever there is one, as sure as it is told to be."""

    def __init__(self, *, level: float, probability: float = 0.5, silent: bool = False) -> None:
        super().__init__(level=level)
        self._probability, self._silent = probability, silent

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        return [self._changed(answer) for answer in super().recognise(pcm, windows)]

    def _changed(self, answer: Heard) -> Heard:
        words = () if self._silent else answer.words
        changed = (dataclasses.replace(word, text="no", probability=self._probability) for word in words)
        return dataclasses.replace(answer, words=tuple(changed))


def test_a_second_opinion_that_disagrees_flags_the_draft(desk: Desk) -> None:
    talk = desk.add("talk", [(0, 1_200, LOW)])
    contrary = recipe(second=SecondOpinion(recogniser=Contrary(level=0.02)))
    assert flags_of(desk, contrary) == {"talk.flac": ("disagreement",)}
    agreed = recipe(second=SecondOpinion(recogniser=ScriptedRecogniser(level=0.03)))
    assert flags_of(desk, agreed) == {"talk.flac": ()}
    assert desk.texts(talk, agreed) == {("SPEAKER_00", 0): said(LOW, 3)}


@pytest.mark.parametrize(("probability", "alternative"), [(1.0, "no no no"), (0.01, None)])
def test_a_second_opinion_stands_beside_the_draft_where_it_disagrees_and_is_surer(
    desk: Desk, probability: float, alternative: str | None
) -> None:
    talk = desk.add("talk", [(0, 1_200, LOW)])
    made = recipe(second=SecondOpinion(recogniser=Contrary(level=0.02, probability=probability)))
    desk.draft(made)
    (draft,) = desk.store.drafts(talk.id, made.recogniser.id)
    assert (draft.text, draft.alternative) == (said(LOW, 3), alternative)


def test_a_second_opinion_is_not_asked_of_a_language_that_it_does_not_know(desk: Desk) -> None:
    desk.add("tamil", [(0, 1_200, LOW)], dialect="ta")
    desk.add("english", [(0, 1_600, LOW)], dialect="en-IN")
    second = Contrary(level=0.02)
    flags = flags_of(desk, recipe(second=SecondOpinion(recogniser=second, language="en")))
    assert "disagreement" in flags["english.flac"]
    assert "disagreement" not in flags["tamil.flac"]
    assert [window.language for window in second.windows] == ["en"]


def test_a_second_opinion_hears_everything_once_in_windows_of_its_own(desk: Desk) -> None:
    desk.add("talk", [(0, 12_000, LOW)], duration=12_000)
    silent = Contrary(level=0.02, silent=True)
    desk.draft(recipe(second=SecondOpinion(recogniser=silent, window=5_000)))
    assert len(silent.windows) >= 3
    assert all(window.duration <= 5_000 and window.temperature == 0 for window in silent.windows)
    assert sum(window.duration for window in silent.windows) < 15_000


def test_work_is_known_again_by_everything_that_changes_a_draft(tmp_path: Path) -> None:
    (tmp_path / "hi.toml").write_text(
        'language = "hi"\nname = "Hindi"\nscript = "Deva"\nprompt = "नमस्ते"', encoding="utf-8"
    )
    others = [
        recipe(diariser=ScriptedDiariser(level=0.02)),
        recipe(recogniser=ScriptedRecogniser(level=0.02)),
        recipe(second=SecondOpinion(recogniser=ScriptedRecogniser(level=0.02))),
        recipe(second=SecondOpinion(recogniser=ScriptedRecogniser(level=0.02), window=9_000)),
        recipe(window=10_000),
        recipe(glossary=Glossary(terms=(Term(text="Ravi"),))),
        recipe(join_gap=300),
        recipe(levers={"hi": Lever(beam_size=1)}),
        recipe(longest=20_000),
        recipe(decoding={"beam_size": 1}),
        recipe(catalogue=load_catalogue(tmp_path)),
    ]
    keys = {made.settings for made in [recipe(), *others]}
    assert len(keys) == 1 + len(others)
    assert recipe().settings == recipe(diariser=ScriptedDiariser(delay_s=1.0)).settings


def test_turns_are_known_again_by_the_diariser_alone() -> None:
    assert recipe(window=10_000, join_gap=0).diarisation == recipe().diarisation
    assert recipe(diariser=ScriptedDiariser(level=0.02)).diarisation != recipe().diarisation


def test_voices_are_kept_of_who_was_diarised_just_now_and_not_made_again_for_known_turns(desk: Desk) -> None:
    talk = desk.add("talk", [(400, 2_000, LOW), (2_400, 4_400, HIGH)])
    made = recipe()
    desk.draft(made)
    voices = list(desk.store.voices())
    assert [(voice.speaker, voice.speech) for voice in voices] == [
        (f"{talk.id}/SPEAKER_00", 1_600),
        (f"{talk.id}/SPEAKER_03", 2_000),
    ]
    assert {voice.maker for voice in voices} == {made.diariser.id}
    desk.draft(recipe(recogniser=ScriptedRecogniser(level=0.02)))
    assert list(desk.store.voices()) == voices
