"""The command line's manners: names in errors, groups alone, versions, examples that work, no bare error of Python."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from tests.acceptance.command import environment
from tests.commands.conftest import Run
from tests.conftest import ROOT
from transcribe.commands.app import list_groups


def test_every_module_of_commands_has_a_test_of_its_name() -> None:
    modules = {file.stem for file in (ROOT / "transcribe" / "commands").glob("[!_]*.py")}
    tests = {file.stem.removeprefix("test_") for file in (ROOT / "tests" / "commands").glob("test_*.py")}
    assert modules == tests


def test_the_version_is_told(run: Run) -> None:
    shown = run("--version")
    assert (shown.code, bool(re.fullmatch(r"boli \d+\.\d+\S*\n", shown.out))) == (0, True)


@pytest.mark.parametrize("words", [(), ("people",), ("people", "add"), ("wer",)])
def test_one_letter_shows_the_help(run: Run, words: tuple[str, ...]) -> None:
    short, long = run(*words, "-h"), run(*words, "--help")
    assert (short.code, short.out) == (0, long.out)
    assert "Usage: boli" in short.out


def test_an_error_names_the_command_as_it_is_typed(run: Run, empty: Path) -> None:
    refused = run("people", "add", "asha", "--role", "owner", "-w", empty)
    assert refused.err.startswith("boli people add: E_")
    assert run("people", "ad").err.startswith("boli people: E_USAGE: No such command 'ad'")
    assert run("pseudo-label", "-w", empty).err.startswith("boli pseudo-label: E_MISSING")


@pytest.mark.parametrize("group", sorted(list_groups()))
def test_a_group_alone_lists(run: Run, empty: Path, group: str) -> None:
    # The folder's name is also that of a command, and still not the second word of this one.
    folder = empty.rename(empty.with_name("list"))
    shown = run(group, "-w", folder, "--json")
    assert (shown.code, shown.document["schema"]) == (0, f"boli.{group}/1")
    assert run(group, "-w", folder).out.strip()


@pytest.mark.parametrize("words", [("models",), ("people",), ("dataset",)])
def test_a_group_alone_answers_as_its_list(run: Run, empty: Path, words: tuple[str, ...]) -> None:
    alone, listed = run(*words, "-w", empty, "--json"), run(*words, "list", "-w", empty, "--json")
    assert alone.document["data"] == listed.document["data"]


def test_no_dry_run_has_a_contrary() -> None:
    assert "--no-dry-run" not in "".join(file.read_text() for file in (ROOT / "transcribe" / "commands").glob("*.py"))
    commands = [info.callback for info in cli.app.registered_commands]
    commands += [
        info.callback
        for group in cli.app.registered_groups
        if group.typer_instance is not None
        for info in group.typer_instance.registered_commands
    ]
    options = [command.__annotations__.get("dry_run") for command in commands if command is not None]
    assert {option for option in options if option is not None} == {"Dry"}


ABSENT = "absent.csv"


@pytest.mark.parametrize(
    "words",
    [
        ("ingest", ABSENT),
        ("ingest", "--manifest", ABSENT),
        ("import", "corrections", ABSENT),
        ("import", "corrections", "absent.stm"),
        ("import", "gold", ABSENT),
        ("import", "outbox", "absent.json"),
        ("wer", "--pairs", ABSENT),
        ("wer", "--pairs", "absent.parquet"),
        ("wer", "--pairs", "absent.jsonl"),
        ("wer", "--pairs", "pairs.csv", "--train", ABSENT),
        ("wer", "--pairs", "pairs.csv", "--variants", "hi.tsv"),
        ("wer", "--pairs", "pairs.csv", "--fail-if-regressed", "absent"),
        ("compare", "a", "b", "--pairs", ABSENT),
        ("mask", "--terms", "absent.txt"),
        ("report", "pay", "--rates", "absent.toml"),
        ("report", "productivity", "--csv", "absent/work.csv"),
        ("dataset", "check", "absent"),
        ("models", "add", "./absent"),
        ("models", "derive", "./absent", "--output", "out"),
        ("decoding-profile", "absent"),
        ("status", "-w", "absent"),
    ],
)
def test_a_file_that_is_not_there_is_told_in_words(
    run: Run, empty: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "pairs.csv").write_text("id,reference,hypothesis,dialect,speaker\n1,a,a,en-GB,s\n", encoding="utf-8")
    place = () if "-w" in words or words[1] in ("derive",) else ("-w", empty)
    failed = run(*words, *place)
    assert failed.code in range(2, 10), failed.err
    assert not re.search(r"Errno|Error:|\[Err|Traceback", failed.err), failed.err
    assert "absent" in failed.err or "hi.tsv" in failed.err


@pytest.mark.parametrize(
    "words",
    [
        ("wer",),
        ("pseudo-label",),
        ("queue",),
        ("review",),
        ("export", "out"),
        ("report", "productivity"),
        ("report", "quality"),
        ("improve",),
    ],
)
def test_an_empty_workspace_names_the_next_step(run: Run, empty: Path, words: tuple[str, ...]) -> None:
    shown = run(*words, "-w", empty)
    assert "boli ingest PATH" in shown.out + shown.err, (shown.out, shown.err)


def test_a_desk_that_nobody_works_at_names_the_next_step(run: Run, empty: Path) -> None:
    assert "boli people add NAME" in run("people", "-w", empty).out


def test_bars_of_other_libraries_stay_away() -> None:
    code = "import cli, sys\ntry:\n    cli.main(['--version'])\nexcept SystemExit:\n    pass\n"
    code += "from tqdm import tqdm\nfrom huggingface_hub.utils import are_progress_bars_disabled\n"
    code += "list(tqdm(range(3)))\nprint(are_progress_bars_disabled())\n"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=environment()
    )
    assert (done.stdout.splitlines()[-1], done.stderr) == ("True", "")


def test_every_command_that_a_text_names_is_there() -> None:
    names = {info.name or str(info.callback.__name__) for info in cli.app.registered_commands if info.callback}
    names |= set(list_groups())
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    files += [file for folder in ("transcribe", "dialects") for file in (ROOT / folder).rglob("*.py")]
    unknown = {
        f"{file.relative_to(ROOT)}: boli {name}"
        for file in files
        for name in re.findall(r"(?:`|hint=f?\"|; )boli ([a-z][a-z-]+)", file.read_text(encoding="utf-8"))
        if name not in names
    }
    assert unknown == set()
