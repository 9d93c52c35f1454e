"""The first thing a stranger runs: the whole circle on real models, then the other commands on what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Said, boli, must
from transcribe import embedded

DIALECTS = {"en-029", "en-GB", "en-US", "en-scotland", "hi", "ta"}
WEAK = "en-scotland"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Said:
    return must("demo", tmp_path_factory.mktemp("demo") / "boli-demo", timeout=1_200)


@pytest.fixture(scope="module")
def workspace(demo: Said) -> Path:
    return Path(demo.out.splitlines()[-1])


@pytest.fixture(scope="module")
def scored(workspace: Path) -> dict[str, Any]:
    data: dict[str, Any] = must("wer", "--split", "test", "--workspace", workspace, "--json").document["data"]
    return data


def test_the_demo_prints_its_table_what_it_lowered_and_its_place_last(demo: Said, workspace: Path) -> None:
    assert all(tag in demo.out for tag in DIALECTS)
    assert "reportable from 6 blocks and 300 words" in demo.out
    assert (workspace / "boli.toml").is_file()
    assert "Traceback" not in demo.err


def test_every_dialect_of_the_demo_is_reportable_with_an_interval(scored: dict[str, Any]) -> None:
    rows = {row["dialect"]: row for row in scored["dialects"]}
    assert set(rows) == DIALECTS
    for row in rows.values():
        assert row["state"] == "reportable"
        assert row["words"] == row["hits"] + row["substitutions"] + row["deletions"]
        assert row["ci_low"] < row["wer"] < row["ci_high"]
        assert row["blocks"] >= 6


def test_the_weak_dialect_is_clearly_weaker_than_the_rest(scored: dict[str, Any]) -> None:
    rows = {row["dialect"]: row for row in scored["dialects"]}
    assert all(row["wer"] < rows[WEAK]["ci_low"] for tag, row in rows.items() if tag != WEAK)


def test_the_words_of_each_language_come_in_its_script(workspace: Path) -> None:
    out = workspace / "stm"
    must("export", out, "--format", "stm", "--workspace", workspace)
    text = "".join(path.read_text(encoding="utf-8") for path in out.rglob("*") if path.is_file())
    assert any("\u0900" <= character <= "\u097f" for character in text), "no Devanagari"
    assert any("\u0b80" <= character <= "\u0bff" for character in text), "no Tamil"


def test_a_second_demo_in_the_same_place_does_nothing_again(workspace: Path, demo: Said) -> None:
    again = must("run", "--workspace", workspace, "--json").document["data"]
    assert again["pending"] == 0
    known = must(
        "import", "corrections", embedded.demo_corpus() / "corrections.jsonl", "--workspace", workspace, "--json"
    )
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
