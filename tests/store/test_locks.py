from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.store.factories import recording
from transcribe.errors import UnfitError
from transcribe.store import Store

ROOT = Path(__file__).resolve().parents[2]

HOLDER = """
import sys, time
from transcribe.store import Store
with Store.open(sys.argv[1]) as store, store.lock("run"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_role_is_held_by_one_at_a_time(url: str) -> None:
    with Store.open(url) as store, Store.open(url) as other:
        with store.lock("run"), pytest.raises(UnfitError, match="E_LOCKED: run is already at work") as refused:
            other.lock("run").__enter__()
        assert refused.value.exit_code == 8
        assert str(os.getpid()) in str(refused.value)
        with other.lock("run"):
            pass


def test_different_roles_do_not_meet(url: str) -> None:
    with Store.open(url) as store, Store.open(url) as other, store.lock("run"), other.lock("serve"):
        other.recordings.add([recording()])
        assert store.status.count().recordings == 1


def test_a_lock_survives_what_is_done_under_it(url: str) -> None:
    with Store.open(url) as store, Store.open(url) as other, store.lock("serve"):
        store.recordings.add([recording()])
        with pytest.raises(UnfitError):
            other.lock("serve").__enter__()


def test_an_error_under_a_lock_frees_it(url: str) -> None:
    with Store.open(url) as store:
        with pytest.raises(ZeroDivisionError), store.lock("run"):
            _ = 1 / 0
        with store.lock("run"):
            pass


def test_a_process_that_holds_a_role_is_named_and_its_death_frees_the_role(url: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with Store.open(url) as store:
            with pytest.raises(UnfitError, match=f"process {holder.pid}"):
                store.lock("run").__enter__()
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            taken = False
            while not taken:
                try:
                    with store.lock("run"):
                        taken = True
                except UnfitError:
                    time.sleep(0.05)  # PostgreSQL notices a dead client a moment later
    finally:
        holder.kill()
        holder.communicate()
