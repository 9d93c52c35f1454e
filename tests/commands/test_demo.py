"""The first thing a stranger runs: the whole circle on real models, then the other commands on what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Said, boli, must
from transcribe.backends import model_cache

#: Enough to see the way; the whole demo is a soak test.
CONVERSATIONS = ("en-US-test-01", "en-scotland-test-01", "hi-test-01")
DIALECTS = {"en-US", "en-GB", "en-IN", "en-scotland", "hi", "hi-x-mixed", "ta"}


@pytest.fixture(scope="module")
def models(whisper_base: Path, real_diariser: Path) -> dict[str, str]:
    """Surroundings in which the real models are here."""
    assert whisper_base.parent == real_diariser.parent
    return {model_cache.VARIABLE: str(whisper_base.parent)}


@pytest.fixture(scope="module")
def demo(models: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Said:
    parts = [word for name in CONVERSATIONS for word in ("--conversation", name)]
    return must("demo", tmp_path_factory.mktemp("demo") / "boli-demo", *parts, timeout=1_200, **models)


@pytest.fixture(scope="module")
def workspace(demo: Said) -> Path:
    return Path(demo.out.splitlines()[-1])


def scores(workspace: Path) -> dict[str, Any]:
    data = must("wer", "--split", "test", "--workspace", workspace, "--json").document["data"]
    return {row["dialect"]: row for row in data["dialects"]}


def test_the_demo_prints_its_table_what_it_lowered_and_its_place_last(demo: Said, workspace: Path) -> None:
    assert all(tag in demo.out for tag in ("en-US", "en-scotland", "hi"))
    assert "reportable from 5 blocks and 300 words" in demo.out
    assert "whisper-base drafts, diariser-real tells speakers apart" in demo.err
    assert (workspace / "boli.toml").is_file()
    assert "Traceback" not in demo.err


def test_a_plain_american_voice_is_heard_better_than_hindi(workspace: Path) -> None:
    rows = scores(workspace)
    assert rows["en-US"]["wer"] < 0.2
    assert rows["en-US"]["wer"] < rows["hi"]["wer"]


def test_a_second_demo_in_the_same_place_does_nothing_again(workspace: Path, models: dict[str, str]) -> None:
    again = must("run", "--workspace", workspace, "--json", **models).document["data"]
    assert again["pending"] == 0
    known = must("import", "corrections", workspace / "demo.jsonl", "--workspace", workspace, "--json")
    assert known.document["data"]["new"] == 0
    assert boli("status", "--workspace", workspace, "--json").document["data"]["corrections"] > 0


def test_the_canonical_export_is_sorted_json_without_clocks(workspace: Path) -> None:
    said = must("export", "--canonical", "--workspace", workspace)
    lines = said.out.splitlines()
    assert len(lines) > 72
    documents = [json.loads(line) for line in lines]
    assert all(isinstance(document, dict) for document in documents)
    assert not any(name.endswith(("_at", "attempts")) for document in documents for name in document)
    assert must("export", "--canonical", "--workspace", workspace).out == said.out


def test_where_no_real_model_is_here_the_embedded_ones_serve_and_it_is_said(tmp_path: Path) -> None:
    here = {model_cache.VARIABLE: str(tmp_path / "no-models")}
    said = must("demo", tmp_path / "demo", "--conversation", "en-US-dev-01", timeout=1_200, **here)
    assert "embedded drafts, embedded tells speakers apart" in said.err
    assert "boli models get whisper-base" in said.err
    assert "know none of this speech" in said.err


@pytest.mark.soak
def test_the_whole_demo_shows_which_dialects_are_heard_worse(models: dict[str, str], tmp_path: Path) -> None:
    demo = must("demo", tmp_path / "boli-demo", timeout=3_600, **models)
    rows = scores(Path(demo.out.splitlines()[-1]))
    assert set(rows) == DIALECTS
    for dialect in ("en-US", "en-GB", "en-scotland", "hi"):
        assert rows[dialect]["state"] == "reportable"
        assert rows[dialect]["blocks"] >= 6
        assert rows[dialect]["ci_low"] < rows[dialect]["wer"] < rows[dialect]["ci_high"]
    best = max(rows[dialect]["ci_high"] for dialect in ("en-US", "en-GB"))
    assert all(rows[dialect]["wer"] < 0.12 for dialect in ("en-US", "en-GB"))
    assert all(rows[dialect]["ci_low"] > best for dialect in ("en-scotland", "hi"))
