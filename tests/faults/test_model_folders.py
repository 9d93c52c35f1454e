"""
A model's folder comes from strangers: whatever a loader finds in it, nothing of it runs, and the file is named.

`tests.faults.loaders` lists every loader with what it opens. A test reads the source and fails where one is not listed.
"""

from __future__ import annotations

import ast
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")
pytest.importorskip("peft", reason="the extra train is not installed")

import torch

from tests.faults.loaders import LOADERS, STRANGE_FILES, Loader
from tests.faults.poisons import Poison, Touch, module, pickled, saved_by_torch
from transcribe import embedded
from transcribe.backends import whisper_folder
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.errors import BoliError
from transcribe.training.whisper import load_whisper

SOURCE: Final = Path(embedded.__file__).parents[2]
POISONED: Final = [
    pytest.param(loader, poison, id=f"{name}: {kind}")
    for name, loader in LOADERS.items()
    for kind, poison in loader.poisons.items()
]


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOLI_MODELS_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(("loader", "poison"), POISONED)
def test_no_loader_runs_what_a_folder_holds_and_the_file_is_named(
    loader: Loader, poison: Poison, tmp_path: Path
) -> None:
    folder, canary = tmp_path / "model", tmp_path / "canary"
    loader.make(folder)
    file = poison(folder, canary)
    with pytest.raises(BoliError) as caught:
        loader.load(folder)
    assert not canary.exists()
    assert caught.value.code in ("E_MODEL", "E_MODEL_CHECKSUM")
    assert file.name in caught.value.message
    assert caught.value.hint


def test_the_canary_is_made_by_whoever_trusts_a_poison(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for poison in (pickled("a.pkl"), saved_by_torch("b.bin"), module("c.py")):
        file = poison(tmp_path, canary)
        if file.suffix == ".py":
            exec(file.read_text())
        elif file.suffix == ".bin":
            torch.load(file, weights_only=False)
        else:
            pickle.loads(pickle.dumps(Touch(canary)))
        assert canary.exists()
        canary.unlink()


def test_a_diariser_never_opens_what_its_configuration_does_not_name(tmp_path: Path) -> None:
    folder, canary = tmp_path / "model", tmp_path / "canary"
    shutil.copytree(embedded.diariser(), folder)
    for poison in STRANGE_FILES.values():
        poison(folder, canary)
        poison(folder / "segmentation", canary)
    PyannoteDiariser(folder, device="cpu")
    assert not canary.exists()


#: Callees that open files of models or import what is named to them, by their last name or in full.
OPENING: Final = frozenset(
    {
        "InferenceSession",
        "PLDA",
        "TransformersConverter",
        "Whisper",
        "WhisperModel",
        "from_buffer",
        "from_file",
        "from_hparams",
        "from_pretrained",
        "full_load",
        "import_module",
        "load_file",
        "load_model",
        "safe_load",
        "safe_open",
        "unsafe_load",
    }
)
OPENING_IN_FULL: Final = frozenset(
    f"{library}.{name}"
    for library in ("joblib", "marshal", "np", "numpy", "pickle", "torch", "torch.jit", "yaml")
    for name in ("load", "loads")
)


def _list_calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield each call in the source that opens a model, as ``module callee``."""
    for file in sorted(SOURCE.glob("transcribe/**/*.py")):
        name = ".".join(file.relative_to(SOURCE / "transcribe").with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            callee = ast.unparse(node.func)
            last = callee.rpartition(".")[2]
            # Outside of backends and training, modules of boli's own and of its extras are imported by name.
            importing = last == "import_module" and not name.startswith(("backends.", "training."))
            if callee in OPENING_IN_FULL:
                yield f"{name} {callee}", node
            elif last in OPENING and not importing:
                yield f"{name} {last}", node


def test_every_call_that_opens_a_model_belongs_to_a_loader_of_this_table() -> None:
    listed = {call for loader in LOADERS.values() for call in loader.calls}
    assert {call for call, _ in _list_calls()} == listed


def test_no_call_that_opens_a_model_trusts_it() -> None:
    for call, node in _list_calls():
        options = {option.arg: ast.unparse(option.value) for option in node.keywords}
        if call.endswith("torch.load"):
            assert options["weights_only"] == "True", call
        if call.endswith(("from_pretrained", "TransformersConverter")):
            assert options.get("trust_remote_code", "False") == "False", call
        assert options.get("allow_pickle", "False") == "False", call


def test_the_models_that_ship_are_data_alone() -> None:
    load_whisper(embedded.whisper_for_training())
    whisper_folder.find(str(embedded.whisper()), allow_download=False)
