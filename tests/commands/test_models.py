"""Models by the commands a person types: taken in, listed, shown, checked, rolled back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.command import Said, boli, must
from tests.commands.conftest import Run
from transcribe import embedded
from transcribe.backends.identity import folder_id
from transcribe.backends.model_cache import folder_of
from transcribe.backends.model_catalogue import need_entry
from transcribe.backends.model_manifest import write_manifest
from transcribe.errors import InputError
from transcribe.records import Lineage, Model
from transcribe.store import Store
from transcribe.wiring import Wiring


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
    verified = models(workspace, "verify", "embedded", "tuned").document["data"]["models"]
    assert [(row["name"], row["fault"]) for row in verified] == [("embedded", None), ("tuned", None)]
    (workspace / "models" / "tuned" / "ct2" / "boli.json").write_text('{"window_ms": 4000}')
    said = models(workspace, "verify", "tuned")
    assert said.code == 6
    assert "tuned: its files are others now" in said.document["failures"][0]["message"]


def test_what_changed_is_missing_or_not_listed_is_named_in_models_and_folders(run: Run, workspace: Path) -> None:
    ct2, base = workspace / "models" / "tuned" / "ct2", workspace / "models" / "tuned" / "hf"
    shutil.copytree(embedded.whisper_for_training(), base)
    for folder in (ct2, base):
        write_manifest(folder, "tuned")
    assert run("models", "verify", "--workspace", workspace).code == 0
    (base / "preprocessor_config.json").write_text("{}")
    (base / "boli.json").unlink()
    (base / "more.txt").touch()
    said = run("models", "verify", "--workspace", workspace, "--json")
    assert said.code == 6
    rows = {Path(row["folder"]): row for row in said.document["data"]["models"]}
    assert rows[ct2]["has_manifest"]
    assert not any(rows[ct2][name] for name in ("changed", "missing", "unlisted", "fault"))
    assert rows[base]["changed"] == ["preprocessor_config.json"]
    assert (rows[base]["missing"], rows[base]["unlisted"]) == (["boli.json"], ["more.txt"])
    (failure,) = said.document["failures"]
    assert "preprocessor_config.json has another checksum than when it was written" in failure["message"]
    assert run("models", "verify", ct2, "--workspace", workspace).code == 0
    assert run("models", "verify", base, "--workspace", workspace).code == 6


def test_a_fetched_model_is_verified_by_its_name(
    run: Run, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOLI_MODELS_CACHE", str(tmp_path / "cache"))
    entry = need_entry("diariser-real")
    shutil.copytree(embedded.diariser(), folder_of(entry))
    write_manifest(folder_of(entry), entry.name)
    assert run("models", "verify", entry.name, "--workspace", workspace).code == 0
    (folder_of(entry) / "config.yaml").write_text("pipeline: {}")
    said = run("models", "verify", "--workspace", workspace, "--json")
    changed = {row["name"]: row["changed"] for row in said.document["data"]["models"]}
    assert (said.code, changed[entry.name]) == (6, ["config.yaml"])
    assert run("models", "verify", "no-such-model", "--workspace", workspace).code == 4


def test_a_tuned_model_drafts_nothing_once_a_byte_of_it_changed(workspace: Path) -> None:
    with Wiring.open(workspace) as wiring:
        wiring.load_recogniser("models/tuned/ct2")
        file = workspace / "models" / "tuned" / "ct2" / "tokenizer.json"
        file.write_bytes(file.read_bytes() + b"\n")
        # Without a manifest the id in the store still tells.
        with pytest.raises(InputError, match="its files are others now"):
            wiring.load_recogniser("models/tuned/ct2")


def test_what_is_no_model_is_not_taken_in(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert models(workspace, "add", str(tmp_path / "nothing")).document["error"]["code"] == "E_MODEL"
    shutil.copytree(embedded.whisper(), tmp_path / "other")
    (tmp_path / "other" / "boli.json").write_text('{"window_ms": 4500}')
    added = models(workspace, "add", str(tmp_path / "other"), "--name", "fresh").document["data"]
    assert (added["name"], added["new"]) == ("fresh", True)
    said = models(workspace, "promote", "fresh")
    assert said.code == 2, "nothing says on which test"
