"""The command line's manners: quick help, one document, the right exit code, every command documented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import cli
from tests.acceptance.command import boli
from tests.conftest import ROOT


def commands() -> dict[str, typer.models.CommandInfo]:
    found = {info.name or str(info.callback.__name__): info for info in cli.app.registered_commands if info.callback}
    for group in cli.app.registered_groups:
        inner = group.typer_instance
        assert inner is not None
        found |= {f"{group.name} {info.name}": info for info in inner.registered_commands}
    return found


def test_help_imports_nothing_heavy() -> None:
    heavy = ["torch", "pandas", "sqlalchemy", "fastapi", "faster_whisper", "ctranslate2", "pyannote", "pydantic"]
    heavy += ["av", "numpy", "rich"]
    code = "import sys, cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n"
    code += f"    print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_takes_json_and_shows_an_example(name: str) -> None:
    info = commands()[name]
    assert info.callback is not None
    assert "as_json" in info.callback.__annotations__
    assert info.epilog is not None and f"boli {name}" in info.epilog


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"boli {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_an_unknown_command_is_a_usage_error_that_names_the_nearest(tmp_path: Path) -> None:
    said = boli("statsu", "--json", cwd=tmp_path)
    assert said.code == 2
    assert said.document["error"]["code"] == "E_USAGE"
    assert "status" in said.document["error"]["message"]


def test_outside_a_workspace_a_command_says_how_to_make_one(tmp_path: Path) -> None:
    said = boli("status", cwd=tmp_path)
    assert said.code == 3
    assert said.out == ""
    assert "boli init" in said.err


def test_a_json_answer_is_one_document_of_the_promised_shape(tmp_path: Path) -> None:
    said = boli("init", tmp_path / "w", "--json")
    document = json.loads(said.out)
    assert said.code == 0
    assert document["schema"] == "boli.init/1"
    assert document["ok"] is True
    assert set(document) == {"schema", "ok", "data", "warnings"}


def test_a_misspelt_setting_ends_with_exit_code_3_and_names_the_nearest(tmp_path: Path) -> None:
    boli("init", tmp_path / "w")
    (tmp_path / "w" / "boli.toml").write_text("[recogniser]\nbeamsize = 3\n")
    said = boli("config", "check", "--workspace", tmp_path / "w", "--json")
    assert said.code == 3
    assert said.document["error"]["item"] == "recogniser.beamsize"
    assert "recogniser.beam_size" in said.document["error"]["hint"]


def test_both_paths_and_a_manifest_are_refused(tmp_path: Path) -> None:
    said = boli("ingest", tmp_path, "--manifest", tmp_path / "m.csv", cwd=tmp_path)
    assert said.code == 2
    assert "found both" in said.err
