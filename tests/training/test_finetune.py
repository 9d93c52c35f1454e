"""Tuning the small Whisper for real, for a few steps: what is learned, kept, taken up and refused."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="tuning belongs to the train extra")
pytest.importorskip("peft", reason="tuning belongs to the train extra")

from tests.training.factories import freeze, sound  # noqa: E402 - after the libraries that it needs
from transcribe import embedded  # noqa: E402
from transcribe.backends.model_manifest import find_differences  # noqa: E402
from transcribe.config import TrainSettings  # noqa: E402
from transcribe.datasets.manifest import Frozen  # noqa: E402
from transcribe.errors import InputError, Interrupted  # noqa: E402
from transcribe.training.finetune import TunedModel, TuneProgress, tune  # noqa: E402
from transcribe.training.validation import Validation  # noqa: E402

FEW = {
    "steps": 4,
    "windows": 2,
    "test_every": 2,
    "device": "cpu",
    "method": "lora",
    "rank": 4,
    "focus": ("en-scotland",),
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    folder = tmp_path_factory.mktemp("tuning") / "dataset"
    return freeze(folder, ["en-scotland-train-01", "en-GB-train-01", "en-scotland-dev-01"])


@pytest.fixture(scope="module")
def unbroken(dataset: Frozen, tmp_path_factory: pytest.TempPathFactory) -> TunedModel:
    return run_tuning(dataset, tmp_path_factory.mktemp("unbroken"))


def run_tuning(dataset: Frozen, to: Path, *, stop_after: int | None = None, **settings: object) -> TunedModel:
    stop = threading.Event()

    def watch(step: TuneProgress) -> None:
        if step.done == stop_after:
            stop.set()

    train_settings = TrainSettings(**{**FEW, **settings})  # type: ignore[arg-type]
    return tune(train_settings, embedded.whisper_for_training(), dataset, sound, to, progress=watch, stop=stop)


def weights(trained: TunedModel) -> bytes:
    return (trained.folder / "model.safetensors").read_bytes()


def test_a_tuned_model_is_a_whole_folder_of_transformers(unbroken: TunedModel) -> None:
    base = embedded.whisper_for_training()

    assert {file.name for file in base.iterdir()} <= {file.name for file in unbroken.folder.iterdir()}
    assert weights(unbroken) != (base / "model.safetensors").read_bytes()
    for name in ("generation_config.json", "tokenizer.json", "preprocessor_config.json", "boli.json"):
        assert (unbroken.folder / name).read_bytes() == (base / name).read_bytes()
    assert not find_differences(unbroken.folder)


def test_the_curve_holds_the_dev_part_by_dialect(unbroken: TunedModel) -> None:
    assert [point.step for point in unbroken.curve] == [0, 2, 4]
    assert [set(point.wer) for point in unbroken.curve] == [{"en-scotland"}] * 3
    assert unbroken.curve[0].loss is None
    assert set(unbroken.wer) == set(unbroken.cer) == {"en-scotland"}
    assert all(point.cer["en-scotland"] < point.wer["en-scotland"] for point in unbroken.curve)
    assert 0 < unbroken.reach <= 1
    assert unbroken.parameters["rank"] == 4


def test_a_run_stopped_anywhere_ends_with_the_weights_of_an_unbroken_one(
    dataset: Frozen, unbroken: TunedModel, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        run_tuning(dataset, tmp_path, stop_after=3)
    (tmp_path / "checkpoint.pt.part").write_bytes(b"half of a checkpoint")
    resumed = run_tuning(dataset, tmp_path)

    assert weights(resumed) == weights(unbroken)
    assert [point.wer for point in resumed.curve] == [point.wer for point in unbroken.curve]
    assert resumed.kept_step == unbroken.kept_step


def test_a_finished_run_is_given_again_without_a_step(dataset: Frozen, unbroken: TunedModel) -> None:
    again = run_tuning(dataset, unbroken.folder.parent)

    assert again == unbroken


def test_a_folder_with_another_run_is_refused(dataset: Frozen, unbroken: TunedModel) -> None:
    with pytest.raises(InputError, match="holds a run with other settings"):
        run_tuning(dataset, unbroken.folder.parent, seed=5)


def test_all_weights_can_be_tuned_too(dataset: Frozen, tmp_path: Path) -> None:
    trained = run_tuning(dataset, tmp_path, method="auto", steps=1, test_every=1)

    assert (trained.folder / "model.safetensors").stat().st_size > 7_000_000


def test_a_model_for_its_own_dialects_alone_is_taken_whole(
    dataset: Frozen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[object] = []
    measure = Validation.measure
    monkeypatch.setattr(Validation, "measure", lambda self, net: measured.append(net) or measure(self, net))

    alone = run_tuning(dataset, tmp_path, alone=True)

    assert alone.reach == 1
    assert len(measured) == len(alone.curve)


def test_tuning_ends_when_the_dev_part_gains_no_more(dataset: Frozen, tmp_path: Path) -> None:
    trained = run_tuning(dataset, tmp_path, steps=6, test_every=1, patience=1, rate=1e-9)

    assert trained.ended == "no gain"
    assert trained.steps < 6
    assert trained.kept_step == 0


def test_a_dataset_without_a_text_to_learn_from_is_refused(dataset: Frozen, tmp_path: Path) -> None:
    nothing = freeze(tmp_path / "dataset", ["en-GB-dev-01"])

    with pytest.raises(InputError, match="no text to learn from"):
        run_tuning(nothing, tmp_path / "run")


def test_a_base_that_is_no_whisper_is_refused(dataset: Frozen, tmp_path: Path) -> None:
    shutil.copyfile(embedded.whisper_for_training() / "tokenizer.json", tmp_path / "tokenizer.json")
    with pytest.raises(InputError, match="cannot be tuned"):
        tune(TrainSettings(), tmp_path, dataset, sound, tmp_path / "run")
