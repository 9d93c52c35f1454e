"""People of the desk: taken in, listed, shut out, their passwords and tokens."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.acceptance.command import command, environment
from tests.commands.conftest import Run


def test_people_are_taken_in_listed_and_shut_out(run: Run, desk: Path) -> None:
    added = run("people", "add", "ravi", "--role", "reviewer", "--dialect", "bho", "-w", desk, "--json").document
    assert added["schema"] == "boli.people-add/1"
    assert len(added["data"]["password"]) == 19
    assert run("people", "add", "ravi", "--role", "lead", "-w", desk).code == 4
    assert run("people", "add", "mina", "--role", "owner", "-w", desk).code == 2
    run("people", "disable", "ravi", "-w", desk)
    listed = run("people", "list", "-w", desk, "--json").document["data"]["people"]
    assert [(person["name"], person["roles"], person["disabled"]) for person in listed] == [
        ("asha", ["transcriber"], False),
        ("ravi", ["reviewer"], True),
    ]


def test_a_password_comes_from_stdin_and_is_never_shown(desk: Path) -> None:
    done = subprocess.run(
        command("people", "password", "asha", "--password-stdin", "-w", desk, "--json"),
        input="four plain words here\n",
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert "password" not in json.loads(done.stdout)["data"]
    assert "four plain words" not in done.stdout + done.stderr


def test_a_token_is_shown_once_and_can_be_ended(run: Run, desk: Path) -> None:
    made = run("people", "token", "asha", "--scope", "work", "-w", desk, "--json").document["data"]
    assert (made["scopes"], len(made["token"]) >= 43) == (["work"], True)
    assert run("people", "token", "asha", "--scope", "people", "-w", desk).code == 2
    run("people", "token", "asha", "--end", made["id"], "-w", desk)
    assert run("people", "token", "asha", "--end", made["id"], "-w", desk).code == 4


def test_the_examples_of_the_help_work_one_after_the_other(run: Run, empty: Path) -> None:
    for name in ("add", "list", "password", "token", "disable"):
        example = run("people", name, "--help").out.rsplit("Example: boli ", 1)[1].split()
        done = run(*example, "-w", empty)
        assert done.code == 0, (example, done.err)
