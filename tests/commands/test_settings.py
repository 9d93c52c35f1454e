"""`boli config`: every setting with its origin, checked, and its schema."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands.conftest import Run


def test_settings_are_shown_with_their_origins(run: Run, empty: Path) -> None:
    (empty / "boli.toml").write_text("[recogniser]\nbeam_size = 3\n", encoding="utf-8")
    data = run("config", "show", "--origin", "-w", empty, "--json").document["data"]
    assert data["settings"]["recogniser.beam_size"] == 3
    assert data["origins"]["recogniser.beam_size"].endswith("boli.toml")
    lines = run("config", "show", "--origin", "-w", empty).out.splitlines()
    assert any(line.startswith("recogniser.beam_size = 3    # ") for line in lines)
    assert "#" not in run("config", "-w", empty).out


def test_settings_are_checked(run: Run, empty: Path) -> None:
    checked = run("config", "check", "-w", empty)
    assert (checked.code, checked.out.splitlines()[0]) == (0, "the settings are usable")
    (empty / "boli.toml").write_text("[recogniser]\nbeam_size = 'many'\n", encoding="utf-8")
    assert run("config", "check", "-w", empty).code == 3


def test_the_schema_is_one_of_json(run: Run) -> None:
    schema = run("config", "schema", "--json").document["data"]
    assert schema["properties"].keys() >= {"recogniser", "diariser", "desk"}
    assert json.loads(run("config", "schema").out) == schema
