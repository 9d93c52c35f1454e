"""The files of a model are compared with its manifest at every load, and a checkpoint with its checksum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")
pytest.importorskip("peft", reason="the extra train is not installed")

import torch

from tests.faults.loaders import LOADERS
from transcribe.backends import identity
from transcribe.backends.identity import sha256_of
from transcribe.backends.model_manifest import MANIFEST_FILE, write_manifest
from transcribe.errors import BoliError
from transcribe.training import trainer


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOLI_MODELS_CACHE", str(tmp_path / "cache"))


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("drafter", "model.bin"),
        ("drafter", "config.json"),
        ("model to take in", "tokenizer.json"),
        ("drafter to derive a base from", "vocabulary.json"),
        ("base or tuned model", "model.safetensors"),
        ("tuned model to convert", "generation_config.json"),
        ("diariser", "segmentation/model.safetensors"),
        ("diariser", "config.yaml"),
        ("models by dialect", "dialects.json"),
    ],
)
@pytest.mark.parametrize("fault", ["a changed byte", "gone", "more.txt", "damaged manifest"])
def test_every_load_compares_the_files_with_the_manifest(name: str, file: str, fault: str, tmp_path: Path) -> None:
    folder, loader = tmp_path / "model", LOADERS[name]
    loader.make(folder)
    write_manifest(folder, "model")
    if fault == "a changed byte":
        _flip(folder / file)
    elif fault == "gone":
        # Without a file that it needs, a loader may say that first.
        (folder / "README.md").write_text("notes", encoding="utf-8")
        write_manifest(folder, "model")
        (folder / "README.md").unlink()
        file = "README.md"
    elif fault == "more.txt":
        (folder / "more.txt").touch()
        file = "more.txt"
    else:
        (folder / MANIFEST_FILE).write_bytes(b"[]")
        file = MANIFEST_FILE
    with pytest.raises(BoliError, match="is not what was written") as caught:
        loader.load(folder)
    assert caught.value.code == "E_MODEL_CHECKSUM"
    assert Path(file).name in caught.value.message
    assert caught.value.hint


def test_a_checkpoint_with_a_changed_byte_is_refused_and_an_unchanged_one_read(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    for step in (1, 2):
        trainer.write_checkpoint({"step": step, "weights": torch.arange(1_000.0)}, path)
    state = trainer.read_checkpoint(path)
    assert state is not None
    assert state["step"] == 2
    _flip(path)
    with pytest.raises(BoliError, match=r"checkpoint\.pt") as caught:
        trainer.read_checkpoint(path)
    assert caught.value.code == "E_MODEL_CHECKSUM"


def test_a_machine_that_stops_between_checksum_and_checkpoint_goes_on_from_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    trainer.write_checkpoint({"step": 1}, path)
    before = path.read_bytes()
    trainer.write_checkpoint({"step": 2}, path)
    path.write_bytes(before)
    assert trainer.read_checkpoint(path) == {"step": 1}


def test_a_file_is_hashed_once_as_long_as_it_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Any] = []
    digest = identity.hashlib.file_digest
    monkeypatch.setattr(identity.hashlib, "file_digest", lambda *given: hashed.append(given) or digest(*given))
    monkeypatch.setattr(identity, "YOUNGEST_NS", -1)
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    first = [sha256_of(file) for _ in range(3)]
    assert (len(set(first)), len(hashed)) == (1, 1)
    file.write_bytes(b"others!!")
    assert sha256_of(file) != first[0]
    assert len(hashed) == 2


def test_what_changed_a_moment_ago_is_hashed_again(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    for content in (b"weights", b"Weights"):
        file.write_bytes(content)
        assert sha256_of(file) == identity.hashlib.sha256(content).hexdigest()
