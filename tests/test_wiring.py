"""Which model drafts: the promoted one, unless the settings name a base that the workspace has not seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from transcribe import embedded, levers, workspace
from transcribe.backends import by_dialect
from transcribe.backends.by_dialect import DialectRecogniser, Routes
from transcribe.backends.identity import folder_id
from transcribe.levers import Lever
from transcribe.records import Model
from transcribe.wiring import Wiring

BEAMS = {size: Lever(beam_size=size) for size in (2, 3)}


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


def test_a_model_by_dialect_drafts_with_its_parts_and_keeps_the_levers_of_each(place: Path) -> None:
    drafter(place)
    tuned, routed = place / "models" / "tuned" / "ct2", place / "models" / "tuned"
    shutil.copytree(embedded.whisper(), tuned)
    (tuned / "boli.json").write_text('{"window_ms": 5000, "prompt": false}')
    by_dialect.write(routed, Routes(others="embedded", by_dialect={"hi": "models/tuned/ct2"}))
    with Wiring.open(place) as wiring:
        found = by_dialect.look("models/tuned", wiring.model_folder)
        wiring.store.add_model(Model(id=found.id, place="models/tuned", name="tuned", window=found.window))
        wiring.store.promote(found.id)
        levers.write(wiring.levers_file, folder_id(embedded.whisper()), {"hi": Lever(beam_size=1), "ta": BEAMS[2]})
        levers.write(wiring.levers_file, folder_id(tuned), {"hi": BEAMS[3], "ta": Lever(beam_size=1)})
        made = wiring.recipe()

    assert isinstance(made.recogniser, DialectRecogniser)
    assert (made.recogniser.id, made.window) == (found.id, 5_000)
    assert dict(made.levers) == {"hi": BEAMS[3], "ta": BEAMS[2]}
