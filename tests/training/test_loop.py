"""Which model is tuned on what: planned anew where there is something to learn, and answered from before where not."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="tuning belongs to the train extra")
pytest.importorskip("transformers", reason="tuning belongs to the train extra")

from tests.training.factories import freeze
from transcribe import embedded, workspace
from transcribe.backends import by_dialect
from transcribe.backends.by_dialect import Routes
from transcribe.backends.identity import folder_id
from transcribe.datasets.manifest import Frozen
from transcribe.records import Lineage, Model
from transcribe.training.loop import make_plan
from transcribe.tuning_dependencies import build_dependencies
from transcribe.wiring import Wiring

WEAK = "en-scotland"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace that the embedded Whisper drafts."""
    place = workspace.create(tmp_path / "w", {"recogniser": {"model": embedded.NAME}})
    with Wiring.open(place) as wiring:
        model = Model(id=folder_id(embedded.whisper()), place=embedded.NAME, name=embedded.NAME, window=6_000)
        wiring.store.models.add(model)
        wiring.store.models.promote(model.id)
    return place


@pytest.fixture
def dataset(root: Path) -> Frozen:
    return freeze(root / "datasets" / "first", ["en-scotland-train-01", "en-GB-train-01", "en-scotland-dev-01"])


def plan_name(root: Path, dataset: Frozen, *focus: str) -> str:
    """The name of the model that is planned for the dialects of *focus*."""
    with Wiring.open(root, {"train.focus": focus}) as wiring:
        return make_plan(build_dependencies(wiring), dataset).name


def promote_tuned(root: Path, name: str, dataset: Frozen, focus: str) -> None:
    """Let a model that was tuned for *focus* on *dataset* draft it, beside the embedded one for all others."""
    folder = root / "models" / name
    (folder / "ct2").mkdir(parents=True)
    for file in embedded.whisper().iterdir():
        (folder / "ct2" / file.name).write_bytes(file.read_bytes())
    by_dialect.write_routes(folder, Routes(others=embedded.NAME, by_dialect={focus: f"models/{name}/ct2"}))
    with Wiring.open(root) as wiring:
        base = wiring.store.models.find_promoted()
        assert base is not None
        model = Model(id="b" * 64, place=f"models/{name}", name=name, window=6_000)
        lineage = Lineage(
            base=base.id,
            dataset=dataset.folder.name,
            dataset_sha256=dataset.sha256,
            parameters={"focus": focus},
            origins={},
            guideline=None,
            seconds=1.0,
        )
        wiring.store.models.add(model, lineage=lineage)
        wiring.store.models.promote(model.id)


def test_the_same_texts_and_settings_are_the_same_plan(root: Path, dataset: Frozen) -> None:
    assert plan_name(root, dataset, WEAK) == plan_name(root, dataset, WEAK)
    assert plan_name(root, dataset, WEAK) != plan_name(root, dataset, "en-GB")


def test_a_model_that_was_tuned_on_these_texts_has_nothing_new_to_learn(root: Path, dataset: Frozen) -> None:
    promote_tuned(root, "tuned-1", dataset, WEAK)

    assert plan_name(root, dataset, WEAK) == "tuned-1"
    # Whatever drafts now.
    assert plan_name(root, dataset) == "tuned-1"


def test_more_texts_are_something_new_to_learn(root: Path, dataset: Frozen) -> None:
    promote_tuned(root, "tuned-1", dataset, WEAK)
    more = freeze(root / "datasets" / "second", ["en-scotland-train-01", "en-scotland-train-02", "en-scotland-dev-01"])

    assert plan_name(root, more, WEAK) != "tuned-1"


def test_a_dialect_that_the_tuned_model_does_not_draft_is_learnt(root: Path, dataset: Frozen) -> None:
    promote_tuned(root, "tuned-1", dataset, WEAK)

    assert plan_name(root, dataset, "en-GB") != "tuned-1"
    assert plan_name(root, dataset, WEAK, "en-GB") != "tuned-1"


def test_the_model_before_is_still_known_after_another_dialect_was_taught(root: Path, dataset: Frozen) -> None:
    promote_tuned(root, "tuned-1", dataset, WEAK)
    with Wiring.open(root) as wiring:
        routes = build_dependencies(wiring).read_routes()
    folder = root / "models" / "tuned-2"
    folder.mkdir()
    by_dialect.write_routes(folder, routes | {"en-GB": "models/tuned-2/ct2"})
    with Wiring.open(root) as wiring:
        wiring.store.models.add(Model(id="c" * 64, place="models/tuned-2", name="tuned-2", window=6_000))
        wiring.store.models.promote("c" * 64)

    assert plan_name(root, dataset, WEAK) == "tuned-1"
