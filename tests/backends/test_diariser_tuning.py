"""A diariser is tuned on corrected conversations and written as a folder that loads as it was tuned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

from tests.backends.test_grouping_search import PRESENT, conversation
from transcribe import embedded
from transcribe.backends.diariser_tuning import TunableDiariser, TunedDiariser, TuningPlan, tune, write_tuned
from transcribe.backends.grouping_search import HeardConversation
from transcribe.backends.model_manifest import find_differences
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.backends.voice_grouping import Grouping
from transcribe.backends.voice_projection import VoiceSpace, change_space
from transcribe.errors import InputError
from transcribe.protocols import LabelledSpan

SPACE = VoiceSpace(centre=np.zeros(40))
PLAN = TuningPlan(trials=60, seed=1, least_people=4, least_speech_s=5.0)


def alike(seeds: range) -> list[HeardConversation]:
    """Conversations of two who sound alike."""
    return [conversation(0.5, 2, seed) for seed in seeds]


def of_other_people(conversation: HeardConversation) -> HeardConversation:
    """The same under names of its own."""
    turns = [replace(turn, label=f"{turn.label} of {conversation.name}") for turn in conversation.turns]
    return replace(conversation, turns=turns)


def test_the_choice_is_made_on_the_dev_part() -> None:
    tuned = tune(PRESENT, SPACE, alike(range(3)), alike(range(3, 5)), PLAN)
    assert tuned.gained
    assert tuned.loss_after < 0.02 < tuned.loss_before
    assert tuned.chosen_on == "2 conversations of the dev part"
    assert "there are 2" in tuned.notes[0]


def test_what_does_not_win_on_the_dev_part_is_not_used() -> None:
    one_person = [conversation(0.5, 1, seed) for seed in range(3)]
    tuned = tune(PRESENT, SPACE, alike(range(3)), one_person, PLAN)
    assert not tuned.gained
    assert tuned.thresholds == PRESENT
    assert tuned.space is None


def test_without_a_dev_part_each_conversation_is_left_out_once() -> None:
    tuned = tune(PRESENT, SPACE, alike(range(4)), [], PLAN)
    assert tuned.gained
    assert tuned.chosen_on == "4 conversations of the train part, each left out once"
    assert tuned.space is None
    assert not tune(PRESENT, SPACE, alike(range(1)), [], PLAN).gained


def test_enough_people_teach_the_voice_space_and_it_is_said_whether_it_won() -> None:
    train = [of_other_people(conversation) for conversation in alike(range(3))]
    tuned = tune(PRESENT, SPACE, train, alike(range(3, 5)), PLAN)
    assert tuned.notes[0] == "the voice space was learnt from 6 people"
    assert (tuned.space is None) == any("did not win" in note for note in tuned.notes)
    assert tuned.trials > PLAN.trials + 1


def test_a_diariser_of_another_kind_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="DiarizationInContext") as refused:
        TunableDiariser(PyannoteDiariser(embedded.diariser(), device="cpu", threads=1))
    assert "boli models get diariser-real" in str(refused.value)


def test_the_folder_hears_as_it_was_tuned_and_can_be_tuned_again(real_diariser: Path, tmp_path: Path) -> None:
    base = TunableDiariser(PyannoteDiariser(real_diariser, device="cpu", threads=1))
    assert base.thresholds.grouping == Grouping()
    matrix = np.eye(256) + 0.02 * np.random.default_rng(0).normal(size=(256, 256))
    space = VoiceSpace(centre=base.space.centre * 0.9, matrix=matrix)
    thresholds = replace(base.thresholds.move({"cut": 0.4, "join": 0.3, "near": 0.05, "pause_s": 0.3}), speech=0.35)
    tuned = TunedDiariser(
        thresholds=thresholds, space=space, shrinkage=0.7, loss_before=0.2, loss_after=0.1, chosen_on="dev", trials=1
    )
    write_tuned(real_diariser, tuned, tmp_path / "tuned")
    assert {file.suffix for file in (tmp_path / "tuned").rglob("*") if file.is_file()} == {
        ".json",
        ".safetensors",
        ".yaml",
    }
    assert not find_differences(tmp_path / "tuned")
    again = TunableDiariser(PyannoteDiariser(tmp_path / "tuned", device="cpu", threads=1))
    assert again.thresholds == thresholds
    draws = np.random.default_rng(1)
    pcm = (draws.normal(size=3 * 16_000) * 3_000 * (np.arange(48_000) % 8_000 > 2_000)).astype(np.int16)
    turns = [LabelledSpan(start=0, end=3_000, label="a")]
    tracked = base.hear("x", pcm, turns, [(0, 3_000)]).tracked[0.35]
    expected = change_space(tracked, base.space, space)
    for voice, expected_voice in zip(again.follow(pcm).voices, expected.voices, strict=True):
        assert np.allclose(voice.vectors, expected_voice.vectors, atol=1e-3)
    write_tuned(
        tmp_path / "tuned", replace(tuned, space=VoiceSpace(centre=space.centre, matrix=np.eye(256))), tmp_path / "b"
    )
    retuned = TunableDiariser(PyannoteDiariser(tmp_path / "b", device="cpu", threads=1))
    assert retuned.space.matrix == pytest.approx(np.eye(256))
