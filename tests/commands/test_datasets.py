"""Datasets by the command a person types."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.command import boli, must
from tests.store.factories import correction, recording, recording_id
from transcribe import audio
from transcribe.store import Store


def workspace(folder: Path) -> Path:
    must("init", folder)
    with Store.open(f"sqlite:///{folder / 'boli.db'}") as store:
        for name, split in (("a", "train"), ("b", "test")):
            store.recordings.add([recording(name, dialect="en-GB", split=split, session=name)])
            sound = audio.locate(folder / "audio", recording_id(name))
            sound.parent.mkdir(parents=True, exist_ok=True)
            sound.touch()
            store.corrections.add([correction(name, name, text=f"the words of {name} alone", speaker=name)])
    return folder


def test_a_dataset_is_frozen_described_and_checked(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w")
    frozen = must("dataset", "freeze", "first", "--workspace", place, "--json").document
    assert frozen["schema"] == "boli.dataset-freeze/1"
    assert frozen["data"]["counts"]["test"]["en-GB"]["stretches"] == 1
    checked = must("dataset", "check", "first", "--leakage", "--workspace", place, "--json").document
    assert checked["data"]["sha256"] == frozen["data"]["sha256"]
    assert checked["data"]["leaks"] == {}
    compared = checked["data"]["compared"]
    # One word in five differs.
    assert (compared["tested"], compared["trained"], compared["equal"], compared["near"]) == (1, 1, 0, 1)
    assert [warning.partition(":")[0] for warning in checked["warnings"]] == ["W_NEAR"]
    assert must("dataset", "diff", "first", "first", "--workspace", place, "--json").document["data"]["same"] is True
    assert frozen["data"]["sha256"] in must("dataset", "card", "first", "--workspace", place).out


def test_a_dataset_that_somebody_changed_is_refused(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w")
    must("dataset", "freeze", "first", "--workspace", place)
    manifest = place / "datasets" / "first" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes().replace(b"alone", b"aside"))
    said = boli("dataset", "check", "first", "--workspace", place, "--json")
    assert (said.code, json.loads(said.out)["error"]["code"]) == (4, "E_DATASET")
    assert boli("dataset", "freeze", "../first", "--workspace", place).code == 2
