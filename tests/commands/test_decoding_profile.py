"""`boli decoding-profile`: each trial on the dev part is told, and only what helps is written."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

from tests.commands.conftest import Run
from tests.small_corpus import make_drafted_workspace
from transcribe.pipeline.recipe import FILE

DEV = "en-GB-dev-01"


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a corrected conversation of the dev part."""
    return make_drafted_workspace(tmp_path_factory.mktemp("profile") / "w", [DEV], corrected=[DEV])


def test_trials_are_told_and_a_dry_run_writes_nothing(run: Run, corrected: Path) -> None:
    assert run("dataset", "freeze", "first", "-w", corrected).code == 0
    tried = run("decoding-profile", "first", "--dry-run", "-w", corrected, "--json")
    assert tried.code == 0, tried.err
    assert tried.document["schema"] == "boli.decoding-profile/1"
    assert {trial["dialect"] for trial in tried.document["data"]["trials"]} == {"en-GB"}
    assert not (corrected / "models" / FILE).exists()
    searched = run("decoding-profile", "first", "-w", corrected)
    assert "the next boli run drafts so for" in searched.out
    assert (corrected / "models" / FILE).is_file()


def test_a_dataset_without_a_dev_part_is_refused(run: Run, tmp_path: Path) -> None:
    folder = make_drafted_workspace(tmp_path / "w", ["en-GB-train-01"], corrected=["en-GB-train-01"])
    assert run("dataset", "freeze", "first", "-w", folder).code == 0
    refused = run("decoding-profile", "first", "-w", folder, "--json")
    assert (refused.code, refused.document["error"]["code"]) == (4, "E_DATASET")
