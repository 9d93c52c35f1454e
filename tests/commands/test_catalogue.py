"""`boli models catalogue`, `get` and `derive`: which models there are, and which of them are here."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="deriving belongs to the train extra")

from tests.commands.conftest import Run
from transcribe.backends.model_catalogue import catalogue


def test_every_model_of_the_catalogue_is_listed(run: Run) -> None:
    rows = run("models", "catalogue", "--json").document["data"]["models"]
    assert [row["name"] for row in rows] == [entry.name for entry in catalogue()]
    assert not any(row["here"] for row in rows), "no fetched model is seen by these tests"
    shown = run("models", "catalogue").out
    assert "whisper-base" in shown and "boli models get NAME" in shown


def test_a_model_that_is_not_in_the_catalogue_is_refused(run: Run) -> None:
    refused = run("models", "get", "whisper-bas")
    assert refused.code in (2, 4, 5)
    assert "whisper-base" in refused.err


def test_a_base_is_derived_from_the_model_that_ships(run: Run, tmp_path: Path) -> None:
    document = run("models", "derive", "embedded", "--output", tmp_path / "hf", "--json").document
    assert document["schema"] == "boli.models-derive/1"
    assert document["data"]["identical"] is True
    assert (tmp_path / "hf" / "model.safetensors").is_file()
