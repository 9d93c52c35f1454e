"""Two models on one frozen test, through the pipeline that drafts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dialects.dialect import load_catalogue
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from tests.desk_setup import HIGH, LOW, Desk, recipe, said
from tests.scripted import ScriptedRecogniser
from transcribe.backends.by_dialect import DialectRecogniser
from transcribe.datasets import Rules, freeze
from transcribe.datasets.manifest import Frozen
from transcribe.errors import InputError
from transcribe.pipeline.recipe import Recipe
from transcribe.protocols import Heard, Pcm, Window
from transcribe.records import Correction
from transcribe.store import Store
from transcribe.training.evaluate import Evaluation, copy_alike, draft_test, evaluate, pairs, race

CATALOGUE = load_catalogue()


class DeafRecogniser(ScriptedRecogniser):
    """Leaves out every second word."""

    @property
    def id(self) -> str:
        return "deaf"

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        return [replace(answer, words=answer.words[::2]) for answer in super().recognise(pcm, windows)]


CURRENT = recipe(recogniser=DeafRecogniser())
CANDIDATE = recipe()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Store.open(f"sqlite:///{tmp_path / 'boli.db'}") as store:
        yield Desk(store, tmp_path / "audio")


def add_corrected(desk: Desk, name: str, split: str, *, model: str | None = None) -> None:
    """A talk of two people, with what they say."""
    talk = desk.add(name, [(400, 2_000, LOW), (2_400, 4_400, HIGH)], dialect="en-GB", split=split, session=name)
    spans = ((400, 2_000, LOW, 4), (2_400, 4_400, HIGH, 5))
    desk.store.corrections.add(
        Correction(
            id=f"{name}-{hz}",
            recording=talk.id,
            start=start,
            end=end,
            text=said(hz, times),
            speaker=f"{name}-{hz}",
            model=model,
        )
        for start, end, hz, times in spans
    )


def freeze_test(desk: Desk, folder: Path) -> Frozen:
    return freeze(desk.store, folder / "d", Rules(catalogue=CATALOGUE, closed_vocabulary=True))


def draft(desk: Desk, model_recipe: Recipe, test: Frozen) -> int:
    return len(list(draft_test(desk.store, model_recipe, desk.folder, test)))


def run_evaluation(desk: Desk, test: Frozen) -> Evaluation:
    prepare = Preparer(CATALOGUE, normaliser="latn-v1")
    return evaluate(desk.store, test, current=CURRENT, candidate=CANDIDATE, prepare=prepare, method=Method())


def test_only_the_test_is_drafted_and_only_once(desk: Desk, tmp_path: Path) -> None:
    for name, split in (("a", "test"), ("b", "test"), ("c", "train")):
        add_corrected(desk, name, split)
    test = freeze_test(desk, tmp_path)
    assert draft(desk, CANDIDATE, test) == 2
    assert draft(desk, CANDIDATE, test) == 0
    assert len(desk.draft(CANDIDATE)) == 1, "boli run goes on with what is left"


def test_the_candidate_is_held_against_the_model_that_drafts_on_the_same_texts(desk: Desk, tmp_path: Path) -> None:
    for name in ("a", "b"):
        add_corrected(desk, name, "test")
    test = freeze_test(desk, tmp_path)
    for model_recipe in (CURRENT, CANDIDATE):
        draft(desk, model_recipe, test)
    evaluation = run_evaluation(desk, test)
    (contrast,) = evaluation.comparison.dialects
    assert (contrast.dialect, contrast.blocks, contrast.words) == ("en-GB", 2, 18)
    assert contrast.wer_b == 0
    assert contrast.wer_a is not None and contrast.wer_a > 0.3
    assert (evaluation.candidate.hallucinations, evaluation.candidate.sound) == (0, 7_200)
    assert evaluation.data()["comparison"]["overall"]["wer_b"] == 0


def test_a_text_that_began_as_a_draft_of_either_model_is_not_scored(desk: Desk, tmp_path: Path) -> None:
    add_corrected(desk, "a", "test")
    add_corrected(desk, "b", "test", model="deaf")
    test = freeze_test(desk, tmp_path)
    for model_recipe in (CURRENT, CANDIDATE):
        draft(desk, model_recipe, test)
    evaluation = run_evaluation(desk, test)
    assert (evaluation.begun_from_drafts, evaluation.comparison.overall.words) == (2, 9)
    assert len(list(pairs(desk.store, CANDIDATE, test, frozenset()))) == 4


def test_a_recording_that_was_not_drafted_is_no_silence(desk: Desk, tmp_path: Path) -> None:
    add_corrected(desk, "a", "test")
    test = freeze_test(desk, tmp_path)
    draft(desk, CURRENT, test)
    with pytest.raises(InputError, match="1 recordings of the test were not drafted") as refused:
        run_evaluation(desk, test)
    assert refused.value.code == "E_TEST"


def test_without_a_test_nothing_is_compared(desk: Desk, tmp_path: Path) -> None:
    add_corrected(desk, "a", "train")
    with pytest.raises(InputError, match="nothing of its test can be scored"):
        run_evaluation(desk, freeze_test(desk, tmp_path))


def test_speeds_are_measured_on_the_same_sound(desk: Desk, tmp_path: Path) -> None:
    add_corrected(desk, "a", "test")
    test = freeze_test(desk, tmp_path)
    ticks = iter(range(100))
    speeds = race(desk.store, (CURRENT, CANDIDATE), desk.folder, test, clock=lambda: float(next(ticks)))
    assert {model: speed.real_time_factor for model, speed in speeds.items()} == {
        "deaf": pytest.approx(1 / 6),
        CANDIDATE.recogniser.id: pytest.approx(1 / 6),
    }
    deaf, whole = (speeds[model_recipe.recogniser.id].seconds_a_letter or 0 for model_recipe in (CURRENT, CANDIDATE))
    assert deaf > whole > 0, "every second word is drafted in the same time"


def test_what_the_same_model_hears_is_not_heard_twice(desk: Desk, tmp_path: Path) -> None:
    for name in ("a", "b"):
        add_corrected(desk, name, "test")
    test = freeze_test(desk, tmp_path)
    draft(desk, CURRENT, test)
    tuned = recipe(recogniser=DialectRecogniser(CURRENT.recogniser, {"hi": CANDIDATE.recogniser}))
    assert copy_alike(desk.store, CURRENT, tuned, test) == 2, "all of it is English"
    assert draft(desk, tuned, test) == 0
    (first, second) = (list(pairs(desk.store, model_recipe, test, frozenset())) for model_recipe in (CURRENT, tuned))
    assert [pair.hypothesis for pair in first] == [pair.hypothesis for pair in second]


def test_what_the_tuned_model_hears_is_heard_by_it(desk: Desk, tmp_path: Path) -> None:
    add_corrected(desk, "a", "test")
    test = freeze_test(desk, tmp_path)
    draft(desk, CURRENT, test)
    tuned = recipe(recogniser=DialectRecogniser(CURRENT.recogniser, {"en-GB": CANDIDATE.recogniser}))
    assert copy_alike(desk.store, CURRENT, tuned, test) == 0
    assert copy_alike(desk.store, CURRENT, CANDIDATE, test) == 0
