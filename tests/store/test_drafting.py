"""The pipeline writes the same into both databases."""

from __future__ import annotations

from pathlib import Path

from tests.desk_setup import HIGH, LOW, Desk, recipe, said
from tests.scripted import ScriptedRecogniser
from transcribe.store import Store


def test_drafts_turns_and_warnings_of_a_run_are_kept_whole(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    talk = desk.add("talk", [(400, 3_200, LOW), (2_400, 5_600, HIGH)])
    desk.add("silence", [], duration=1_000)
    made = recipe()
    steps = desk.draft(made)
    assert [(step.segments, step.failure, bool(step.warnings)) for step in steps] == [(2, None, False), (0, None, True)]
    turns = store.drafts.fetch_turns(talk.id, made.diarisation)
    assert turns is not None
    assert [[(turn.start, turn.end) for turn in part] for part in turns] == [
        [(400, 3_200), (2_400, 5_600)],
        [(400, 2_400), (2_400, 5_600)],
    ]
    assert desk.texts(talk, made) == {("SPEAKER_00", 400): said(LOW, 5), ("SPEAKER_03", 2_400): said(HIGH, 8)}
    assert desk.draft(made) == []


def test_a_second_recogniser_works_from_the_turns_that_are_kept(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    talk = desk.add("call", [(400, 2_000, LOW)], [(1_200, 3_200, HIGH)], channel_mode="split")
    first, second = recipe(), recipe(recogniser=ScriptedRecogniser(level=0.02))
    desk.draft(first)
    desk.draft(second)
    assert desk.texts(talk, second) == desk.texts(talk, first)
    assert store.status.count().recordings == 1
