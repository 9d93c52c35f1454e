"""What the tests of backups share: a workspace with one of everything, and kills at counted points."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import soundfile

from tests.store.conftest import (  # noqa: F401 - fixtures
    Lender,
    bare_database,
    databases,
    lender,
    server,
    template,
)
from tests.store.test_digests import fill
from transcribe import audio, embedded
from transcribe.backends.identity import folder_id
from transcribe.backup.restoring import restore_backup
from transcribe.backup.writing import write_backup
from transcribe.datasets import manifest as datasets
from transcribe.records import Model, Recording
from transcribe.store import Store
from transcribe.store.desk_schema import AUDIT
from transcribe.store.schema import METADATA
from transcribe.wiring import Wiring
from transcribe.workspace import create

#: Gives the URL of an empty place for the database of a restored workspace; ``None`` where its settings name one.
NewPlace: TypeAlias = Callable[[], str | None]
#: Events of Python that touch the disk or begin to: what a kill is counted by.
_TOUCHING = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "sqlite3.connect")


@pytest.fixture
def work(lender: Lender, tmp_path: Path) -> Iterator[Path]:  # noqa: F811
    """A workspace with rows of all kinds, a sound, a dataset, a model and a key."""
    url = lender.lend()
    is_file = url.startswith("sqlite")
    folder = create(tmp_path / "work", {} if is_file else {"store": {"url": url}})
    if is_file:
        shutil.copy(url.removeprefix("sqlite:///"), folder / "boli.db")
    with Wiring.open(folder) as wiring:
        fill(wiring.store)
        add_sound(wiring, "voice")
        example = datasets.Example(id="c1", audio="0" * 64, start=0, end=900, text="one too", dialect="hi")
        datasets.write(folder / "datasets" / "first", [example])
        model = folder / "models" / "tuned" / "ct2"
        shutil.copytree(embedded.whisper(), model)
        wiring.store.models.add(Model(id=folder_id(model), place="models/tuned/ct2", name="tuned"))
    (folder / "desk.key").write_text("secret\n", encoding="utf-8")
    yield folder
    lender.give_back(url)


@pytest.fixture
def new_place(lender: Lender, request: pytest.FixtureRequest) -> NewPlace:  # noqa: F811
    if request.node.callspec.params["lender"] == "sqlite":
        return lambda: None
    address = request.getfixturevalue("server")
    return lambda: bare_database(address)


def add_sound(wiring: Wiring, name: str) -> Path:
    """Take in a second of noise and return its sound."""
    source = wiring.workspace.parent / f"{name}.wav"
    noise = np.random.default_rng(len(name)).integers(-9_000, 9_000, 16_000).astype(np.int16)
    soundfile.write(source, noise, 16_000)
    received = audio.receive(source, wiring.audio_folder)
    facts = {"path": source.name, "duration": received.duration, "rate_hz": 16_000, "channels": 1}
    wiring.store.recordings.add([Recording(id=received.sha256, **facts)])
    return received.path


def ignore(_size: int) -> Callable[[int], None]:
    return lambda _done: None


def back_up(work: Path, folder: Path) -> None:
    with Wiring.open(work) as wiring:
        write_backup(wiring, folder, ignore)


def restore(folder: Path, workspace: Path, database: str | None) -> None:
    restore_backup(folder, workspace, database=database, show=ignore)


def read_rows(store: Store) -> dict[str, list[str]]:
    """Return all rows of all tables but the log, which a look into the store may lengthen."""
    with store.database.begin_read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in METADATA.sorted_tables
            if table is not AUDIT
        }


def read_files(workspace: Path) -> dict[str, bytes]:
    """Return all files that a backup holds, but the settings, which name the database."""
    return {
        str(file.relative_to(workspace)): file.read_bytes()
        for file in workspace.rglob("*")
        if file.is_file() and not file.name.startswith(("boli.db", "boli.toml"))
    }


def read_workspace(workspace: Path) -> tuple[dict[str, list[str]], dict[str, bytes]]:
    with Wiring.open(workspace) as wiring:
        return read_rows(wiring.store), read_files(workspace)


def kill_at(point: int | None, task: Callable[[], None]) -> int | None:
    """
    Run *task* in a process that is killed when it touches the disk for the *point*-th time.

    Returns:
        How often it touched the disk; ``None`` if it was killed.
    """
    reading, writing = os.pipe()
    # Forked, so that many of them start in no time; nothing of a database is open here.
    child = multiprocessing.get_context("fork").Process(target=_run_counted, args=(point, task, writing))
    child.start()
    os.close(writing)
    count = os.read(reading, 20)
    os.close(reading)
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return int(count) if child.exitcode == 0 else None


def _run_counted(point: int | None, task: Callable[[], None], report: int) -> None:
    count = 0

    def see(event: str, _arguments: object) -> None:
        nonlocal count
        if event in _TOUCHING:
            count += 1
            if count == point:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(see)
    task()
    os.write(report, b"%d" % count)
