"""`boli init`, `ingest`, `run` and `status` on recordings of the speech that the embedded models know."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

from tests.commands.conftest import Run
from tests.small_corpus import EMBEDDED_MODELS, sound_file
from transcribe.workspace import create

NAME = "en-US-train-01"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new workspace that the embedded models draft."""
    return create(tmp_path / "w", EMBEDDED_MODELS)


def test_a_workspace_is_made_and_says_what_is_next(run: Run, tmp_path: Path) -> None:
    shown = run("init", tmp_path / "new")
    assert (shown.code, "boli ingest" in shown.out) == (0, True)
    assert (tmp_path / "new" / "boli.toml").is_file()


def test_a_recording_is_taken_in_once_and_drafted_once(run: Run, folder: Path) -> None:
    dry = run("ingest", sound_file(NAME), "--dialect", "en-US", "--dry-run", "-w", folder, "--json").document["data"]
    assert (dry["new"], dry["dry_run"]) == (1, True)
    assert run("status", "-w", folder, "--json").document["data"]["recordings"] == 0
    ingest = ("ingest", sound_file(NAME), "--dialect", "en-US", "-w", folder, "--json")
    assert run(*ingest).document["data"]["new"] == 1
    assert run(*ingest).document["data"] | {"audio_ms": 0, "bytes": 0} == {
        "new": 0,
        "known": 1,
        "changed": 0,
        "refused": 0,
        "failed": 0,
        "audio_ms": 0,
        "bytes": 0,
        "dry_run": False,
    }
    drafted = run("run", "-w", folder, "--json").document["data"]
    assert (drafted["drafted"], drafted["failed"]) == (1, 0)
    assert drafted["segments"] > 0
    again = run("run", "-w", folder)
    assert again.out.startswith("0 recordings drafted")
    assert "boli serve opens the desk" in again.out, "drafts are there to be corrected"
    assert "1 recordings" in run("status", "-w", folder).out
    assert "dBFS on average; SNR" in run("status", "-w", folder).out
    quality = run("status", "-w", folder, "--json").document["data"]["quality"]
    assert (quality["measured"], quality["clipped"], quality["snr_20_or_more"]) == (1, 0, 1)


def test_a_run_with_nothing_taken_in_names_the_next_step(run: Run, folder: Path) -> None:
    assert "boli ingest PATH" in run("run", "-w", folder).out
    assert "boli ingest PATH" in run("run", "--dry-run", "-w", folder).out


def test_paths_and_a_manifest_exclude_each_other(run: Run, folder: Path) -> None:
    assert run("ingest", "-w", folder).code == 2


def test_the_manifest_of_a_corpus_is_written_into_its_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fleurs" / "hi_in").mkdir(parents=True)
    row = "7\t11.wav\tजी हाँ\tजी हाँ\tज ी |\t9600\tFEMALE\n"
    (tmp_path / "fleurs" / "hi_in" / "train.tsv").write_text(row, encoding="utf-8")
    shown = run("manifest", "fleurs", tmp_path / "fleurs")
    assert "1 rows in" in shown.out
    assert "hi_in/audio/train/11.wav,hi,जी हाँ,train" in (tmp_path / "fleurs" / "boli-manifest.csv").read_text()
    assert run("manifest", "timit", tmp_path / "fleurs").code == 2
    assert run("manifest", "edacc", tmp_path / "fleurs").code == 4
