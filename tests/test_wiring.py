"""Which model drafts: the promoted one, unless the settings name a base that the workspace has not seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from transcribe import embedded, workspace
from transcribe.backends.identity import folder_id
from transcribe.records import Model
from transcribe.wiring import Wiring


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return workspace.create(tmp_path / "w")


def drafter(place: Path, model: str | None = None) -> str:
    with Wiring.open(place, {"recogniser.model": model}) as wiring:
        wiring.recipe()
        promoted = wiring.store.promoted()
        assert promoted is not None
        return promoted.place


def test_the_first_run_promotes_the_model_of_the_settings(place: Path) -> None:
    assert drafter(place) == "embedded"


def test_a_base_model_that_is_new_to_the_workspace_becomes_the_promoted_one(place: Path, tmp_path: Path) -> None:
    drafter(place)
    other = tmp_path / "other"
    shutil.copytree(embedded.whisper(), other)
    (other / "boli.json").write_text('{"window_ms": 8000, "prompt": false}')
    assert drafter(place, str(other)) == str(other)


def test_a_promoted_model_goes_before_a_base_that_is_known_already(place: Path, tmp_path: Path) -> None:
    drafter(place)
    tuned = tmp_path / "tuned"
    shutil.copytree(embedded.whisper(), tuned)
    (tuned / "boli.json").write_text('{"window_ms": 9000, "prompt": false}')
    with Wiring.open(place) as wiring:
        wiring.store.add_model(Model(id=folder_id(tuned), place=str(tuned), name="tuned"))
        wiring.store.promote(folder_id(tuned))
    assert drafter(place, "embedded") == str(tuned)
