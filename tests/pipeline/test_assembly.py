"""The windows, words and flags of one recording, on a real store and real files."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dialects.dialect import load_catalogue
from tests.desk_setup import HIGH, LOW, SYLLABLES, Desk, recipe, said
from tests.pipeline.recognisers import ListeningRecogniser
from tests.scripted import ScriptedRecogniser
from transcribe.glossary import Glossary, Term
from transcribe.pipeline.recipe import Lever, Recipe, SecondOpinion
from transcribe.pipeline.windows import LONGEST_PAUSE, WINDOW_MARGIN
from transcribe.protocols import Heard, Pcm, Window
from transcribe.records import DeclaredTurn


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


def test_long_speech_is_heard_in_windows_that_the_recogniser_can_hold(desk: Desk) -> None:
    chance = random.Random(5)
    melody = [(start, start + 400, chance.choice([220, 233, 247])) for start in range(1_000, 61_000, 400)]
    talk = desk.add("speech", melody, duration=62_000)
    windows = listened(desk, window=10_000, longest=20_000)
    assert all(window.end - window.start <= 10_000 for window in windows)
    assert [following.start + 2 * WINDOW_MARGIN for following in windows[1:]] == [window.end for window in windows[:-1]]
    segments = list(desk.store.drafts.fetch_segments(talk.id))
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
    drafts = {step.recording.path: desk.store.drafts.fetch(step.recording.id, made.recogniser.id) for step in steps}
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
    (draft,) = desk.store.drafts.fetch(talk.id, made.recogniser.id)
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
