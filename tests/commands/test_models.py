"""Models by the commands a person types: taken in, listed, shown, checked, rolled back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.command import Said, boli, must
from transcribe import embedded
from transcribe.backends.identity import folder_id
from transcribe.records import Lineage, Model
from transcribe.store import Store


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The model that ships drafts; one of the workspace's own, made of it, is a candidate."""
    place = tmp_path / "w"
    must("init", place)
    own = place / "models" / "tuned" / "ct2"
    shutil.copytree(embedded.whisper(), own)
    (own / "boli.json").write_text('{"window_ms": 5000}')
    first = Model(id=folder_id(embedded.whisper()), place="embedded", name="embedded")
    tuned = Model(id=folder_id(own), place="models/tuned/ct2", name="tuned")
    lineage = Lineage(base=first.id, dataset="2026-11", dataset_sha256="ab" * 32, parameters={"rank": 8})
    with Store.open(f"sqlite:///{place / 'boli.db'}") as store:
        store.models.add(first)
        store.models.promote(first.id)
        store.models.add(tuned, lineage=lineage)
        store.models.save_decision(
            tuned.id, {"decision": {"promoted": True, "against": [], "reasons": ["yes"], "notes": []}}
        )
        store.models.promote(tuned.id, why="gate")
    return place


def models(workspace: Path, *words: str) -> Said:
    return boli("models", *words, "--workspace", workspace, "--json")


def test_models_are_listed_and_shown_with_their_lineage(workspace: Path) -> None:
    rows = models(workspace, "list").document["data"]["models"]
    assert [(row["name"], row["state"], row["dataset"], row["passed_gate"]) for row in rows] == [
        ("embedded", "retired", None, None),
        ("tuned", "promoted", "2026-11", True),
    ]
    shown = models(workspace, "show", "tuned").document["data"]
    assert shown["lineage"]["dataset_sha256"] == "ab" * 32
    assert [each["why"] for each in shown["promotions"]] == ["gate"]


def test_rolling_back_is_one_command_and_ends_where_nothing_drafted_before(workspace: Path) -> None:
    assert models(workspace, "rollback").document["data"]["promoted"] == folder_id(embedded.whisper())
    said = models(workspace, "rollback")
    assert (said.code, said.document["error"]["code"]) == (5, "E_MODEL")


def test_files_that_somebody_changed_are_found(workspace: Path) -> None:
    assert len(models(workspace, "verify").document["data"]["verified"]) == 2
    (workspace / "models" / "tuned" / "ct2" / "boli.json").write_text('{"window_ms": 4000}')
    said = models(workspace, "verify")
    assert said.code == 4
    assert "tuned: its files are others now" in said.document["error"]["message"]


def test_what_is_no_model_is_not_taken_in(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert models(workspace, "add", str(tmp_path / "nothing")).document["error"]["code"] == "E_MODEL"
    shutil.copytree(embedded.whisper(), tmp_path / "other")
    (tmp_path / "other" / "boli.json").write_text('{"window_ms": 4500}')
    added = models(workspace, "add", str(tmp_path / "other"), "--name", "fresh").document["data"]
    assert (added["name"], added["new"]) == ("fresh", True)
    said = models(workspace, "promote", "fresh")
    assert said.code == 2, "nothing says on which test"
