"""A sandboxed task does its work, and nothing else; whatever becomes of it, the caller goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from transcribe.errors import Interrupted, MissingError
from transcribe.sandbox import Bounds, Level, Sandbox, level

TASK = "tests.faults.sandboxed:misbehave"
BOUNDS = Bounds(memory_bytes=512 << 20, cpu_s=10, most_cpu_s=20, wall_s=60, written_bytes=1 << 20)
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(TASK) as opened_jail:
        yield opened_jail


def _gone(pid: int) -> bool:
    """Wait until the process has ended; false if it never does."""
    for _ in range(1_000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_task_gives_its_answer(sandbox: Sandbox) -> None:
    outcome = sandbox.run({"do": "echo", "text": "नमस्ते"}, bounds=BOUNDS)

    assert outcome.answer == {"do": "echo", "text": "नमस्ते"}
    assert outcome.death is None
    assert 0 < outcome.peak_bytes < 512 << 20


def test_a_verdict_of_the_task_comes_back_as_it_was(sandbox: Sandbox) -> None:
    outcome = sandbox.run({"do": "refuse"}, bounds=BOUNDS)

    assert outcome.error == {"code": "E_NOT_AUDIO", "message": "is not for us", "hint": "try another"}


def test_a_bug_of_the_task_is_named_and_its_text_kept_apart(sandbox: Sandbox) -> None:
    outcome = sandbox.run({"do": "fail", "text": "spoken words"}, bounds=BOUNDS)

    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["message"]) == ("E_BUG", "ValueError")


def test_a_crash_is_told_and_the_next_task_runs(sandbox: Sandbox) -> None:
    assert sandbox.run({"do": "crash"}, bounds=BOUNDS).death == "SIGSEGV"
    assert sandbox.run({"do": "leave"}, bounds=BOUNDS).death == "exit 3"
    assert sandbox.run({"do": "echo"}, bounds=BOUNDS).answer == {"do": "echo"}


def test_a_task_without_end_is_stopped_by_its_processor_time(sandbox: Sandbox) -> None:
    assert sandbox.run({"do": "spin"}, bounds=replace(BOUNDS, cpu_s=1)).death == "SIGXCPU"


def test_a_task_that_only_waits_is_stopped_by_the_clock(sandbox: Sandbox) -> None:
    hear, speak = os.pipe()
    try:
        assert sandbox.run({"do": "wait"}, descriptors=(hear,), bounds=replace(BOUNDS, wall_s=0.2)).death == "wall"
    finally:
        os.close(hear)
        os.close(speak)


def test_a_task_may_raise_its_processor_time_up_to_the_bound_and_never_lower_it(sandbox: Sandbox) -> None:
    outcome = sandbox.run({"do": "allow", "seconds": [12, 5, 900]}, bounds=BOUNDS)

    assert outcome.answer == {"limits": [12, 12, 20]}


def test_memory_is_bounded(sandbox: Sandbox) -> None:
    outcome = sandbox.run({"do": "grow", "bytes": 1 << 30}, bounds=BOUNDS)

    assert outcome.error is not None
    assert outcome.error["code"] == "E_MEMORY"


def test_written_bytes_are_bounded(sandbox: Sandbox) -> None:
    with tempfile.TemporaryFile() as file:
        outcome = sandbox.run({"do": "write", "bytes": 2 << 20}, descriptors=(file.fileno(),), bounds=BOUNDS)

        assert outcome.answer == {"written": 1 << 20}
        assert os.fstat(file.fileno()).st_size == 1 << 20


def test_an_endless_answer_is_cut_off(sandbox: Sandbox) -> None:
    assert sandbox.run({"do": "babble", "bytes": 5 << 20}, bounds=BOUNDS).death == "SIGKILL"


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"death": "x", "answer": {}}', '{"answer": 5}', "[" * 100_000])
def test_what_is_no_answer_is_none(sandbox: Sandbox, text: str) -> None:
    assert sandbox.run({"do": "lie", "text": text}, bounds=BOUNDS).death == "babble"


def test_a_task_sees_its_descriptors_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOLI_SECRET", "canary")
    hear, speak = os.pipe()
    with Sandbox(TASK) as own_jail:
        outcome = own_jail.run({"do": "look around"}, descriptors=(hear,), bounds=BOUNDS)
    os.close(hear)
    os.close(speak)

    assert outcome.answer is not None
    view = outcome.answer
    # The standard three, its own, and the pipe that it answers through.
    assert len(view["descriptors"]) == 5
    assert set(view["mine"]) < set(view["descriptors"])
    assert "canary" not in view["environment"].values()
    assert view["user"] != 0


def test_a_sealed_task_finds_no_way_out(sandbox: Sandbox) -> None:
    if sandbox.level < Level.SEALED:
        pytest.skip(f"this machine cannot seal a process ({sandbox.level.name}): install pyseccomp and libseccomp")
    with socket.create_server(("127.0.0.1", 0)) as server:
        outcome = sandbox.run({"do": "escape", "port": server.getsockname()[1]}, bounds=BOUNDS)

    assert outcome.answer == {"worked": []}


def test_the_level_is_said(sandbox: Sandbox) -> None:
    assert level() == sandbox.level


def test_tasks_run_side_by_side(sandbox: Sandbox) -> None:
    hear, speak = os.pipe()
    answers = {}

    def wait() -> None:
        answers["waiter"] = sandbox.run({"do": "wait"}, descriptors=(hear,), bounds=BOUNDS).answer

    waiter = threading.Thread(target=wait)
    waiter.start()
    # The waiter cannot end before this task has run.
    sandbox.run({"do": "write", "bytes": 3}, descriptors=(speak,), bounds=BOUNDS)
    waiter.join()
    os.close(hear)
    os.close(speak)

    assert answers == {"waiter": {"read": "\0\0\0"}}


def test_closing_a_jail_stops_what_runs_in_it() -> None:
    hear, speak = os.pipe()
    begun, begin = os.pipe()
    own_jail = Sandbox(TASK)
    here = own_jail.run({"do": "look around"}, bounds=BOUNDS).answer
    errors: list[Interrupted] = []

    def wait() -> None:
        try:
            own_jail.run({"do": "wait"}, descriptors=(hear, begin), bounds=BOUNDS)
        except Interrupted as error:
            errors.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    os.read(begun, 1)
    own_jail.close()
    waiter.join()
    for descriptor in (hear, speak, begun, begin):
        os.close(descriptor)

    assert here is not None
    assert _gone(here["server"])
    assert len(errors) == 1


def test_a_lost_server_is_replaced(sandbox: Sandbox) -> None:
    first = sandbox.run({"do": "look around"}, bounds=BOUNDS).answer
    assert first is not None
    os.kill(first["server"], signal.SIGKILL)

    second = sandbox.run({"do": "look around"}, bounds=BOUNDS).answer

    assert second is not None
    assert second["server"] != first["server"]


def test_nothing_outlives_a_killed_caller() -> None:
    code = (
        "import os, signal, sys\nfrom transcribe.sandbox import Sandbox, Bounds\n"
        f"bounds = {BOUNDS!r}\nsandbox = Sandbox({TASK!r})\n"
        "print(sandbox.run({'do': 'look around'}, bounds=bounds).answer['server'], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == -signal.SIGKILL
    assert _gone(int(done.stdout))


def test_a_library_that_is_not_installed_is_named() -> None:
    with (
        Sandbox("tests.faults.nowhere:task") as broken,
        pytest.raises(MissingError, match=r"tests\.faults\.nowhere"),
    ):
        broken.run({}, bounds=BOUNDS)
