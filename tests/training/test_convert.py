"""A tuned model converted: the same tokens, settings and texts, or no model at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="conversion belongs to the train extra")
pytest.importorskip("transformers", reason="conversion belongs to the train extra")

from tests.small_corpus import read_sound  # noqa: E402
from tests.training.factories import freeze, sound  # noqa: E402 - after the libraries that it needs
from transcribe import embedded  # noqa: E402
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser  # noqa: E402
from transcribe.backends.model_manifest import find_differences  # noqa: E402
from transcribe.errors import GateFailed, InputError  # noqa: E402
from transcribe.protocols import Window  # noqa: E402
from transcribe.training import convert  # noqa: E402
from transcribe.training.convert import Probe, to_ctranslate2  # noqa: E402


def probes(count: int = 3) -> list[Probe]:
    pcm = read_sound("en-GB-dev-01")
    return [Probe(pcm=pcm[start : start + 80_000], language="en") for start in range(0, count * 80_000, 80_000)]


def test_probes_are_spread_over_the_dev_part(tmp_path: Path) -> None:
    dataset = freeze(tmp_path / "dataset", ["en-GB-dev-01", "hi-dev-01", "hi-train-01"])
    probes = convert.probes(dataset, sound, longest=6_000, most=6)

    assert 4 <= len(probes) <= 6
    assert {probe.language for probe in probes} == {"en", "hi"}
    assert all(0 < len(probe.pcm) <= 10 * 16_000 for probe in probes)


def base(folder: Path) -> Path:
    shutil.copytree(embedded.whisper_for_training(), folder)
    return folder


def test_a_converted_model_writes_what_the_trainer_writes(tmp_path: Path) -> None:
    made = to_ctranslate2(base(tmp_path / "hf"), tmp_path / "ct2", probes=probes(), quantization="float32")

    assert made.tokens > 60
    assert made.differing == 0
    assert not find_differences(made.folder)


def test_a_converted_model_drafts_with_its_own_window_and_times(tmp_path: Path) -> None:
    made = to_ctranslate2(base(tmp_path / "hf"), tmp_path / "ct2")
    recogniser = FasterWhisperRecogniser(made.folder, device="cpu", threads=1)
    (answer,) = recogniser.recognise(read_sound("en-GB-dev-01"), [Window(start=0, end=6_000, language="en")])

    assert recogniser.window == 6_000
    assert answer.words
    assert all(0 <= word.start <= word.end <= 6_000 for word in answer.words)


def test_a_model_whose_times_have_moved_is_refused(tmp_path: Path) -> None:
    folder = base(tmp_path / "hf")
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    last = max(tokenizer["added_tokens"], key=lambda token: token["id"])
    tokenizer["added_tokens"].append({**last, "id": last["id"] + 1, "content": "<|extra|>"})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")

    with pytest.raises(GateFailed, match="E_CONVERSION"):
        to_ctranslate2(folder, tmp_path / "ct2")
    assert not (tmp_path / "ct2").exists()


def test_a_converted_model_that_writes_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctranslate2.converters import TransformersConverter

    convert = TransformersConverter.convert

    def of_another(self: object, *args: object, **kwargs: object) -> object:
        from safetensors.torch import load_file, save_file

        spoiled = base(tmp_path / "spoiled")
        weights = load_file(spoiled / "model.safetensors")
        weights["model.decoder.layers.0.fc2.weight"] *= -1
        save_file(weights, spoiled / "model.safetensors", metadata={"format": "pt"})
        self._model_name_or_path = str(spoiled)  # type: ignore[attr-defined]
        return convert(self, *args, **kwargs)

    monkeypatch.setattr(TransformersConverter, "convert", of_another)
    with pytest.raises(GateFailed, match="writes"):
        to_ctranslate2(base(tmp_path / "hf"), tmp_path / "ct2", probes=probes())
    assert not (tmp_path / "ct2").exists()


def test_a_folder_that_lacks_its_settings_is_refused(tmp_path: Path) -> None:
    folder = base(tmp_path / "hf")
    (folder / "generation_config.json").unlink()

    with pytest.raises(InputError, match="lacks"):
        to_ctranslate2(folder, tmp_path / "ct2")
