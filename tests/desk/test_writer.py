"""The one thread that writes: everybody is told after the sync, and nobody pays for another's error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.factories import recording
from transcribe.desk.writer import LONG_GROUP_SIZE, Writer
from transcribe.errors import InputError
from transcribe.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/boli.db") as opened:
        yield opened


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    opened = Writer(store)
    yield opened
    opened.close()


def adds(store: Store, name: str) -> Callable[[], str]:
    def job() -> str:
        store.recordings.add([recording(name)])
        return name

    return job


def test_one_job_that_fails_leaves_the_others_of_its_group(store: Store, writer: Writer) -> None:
    def fails() -> None:
        with store.database.begin_write():
            raise InputError("half done")

    async def run_jobs() -> list[object]:
        jobs = [adds(store, "one"), fails, adds(store, "two")]
        return await asyncio.gather(*map(writer.do, jobs), return_exceptions=True)

    first, failed, second = asyncio.run(run_jobs())
    assert (first, second) == ("one", "two")
    assert isinstance(failed, InputError)
    assert store.desk.find_newest_run() == 0
    assert len(list(store.recordings.fetch())) == 2


def test_short_jobs_pass_long_ones_that_wait(store: Store, writer: Writer) -> None:
    order: list[str] = []

    async def run_jobs() -> None:
        all_came = threading.Event()
        jobs: list[asyncio.Future[Any]] = [writer.ask(all_came.wait)]
        jobs += [writer.ask(lambda: order.append("long"), long=True) for _ in range(10 * LONG_GROUP_SIZE)]
        jobs += [writer.ask(lambda: order.append("short")) for _ in range(5)]
        all_came.set()
        await asyncio.gather(*jobs)

    asyncio.run(run_jobs())
    assert order[: 5 + LONG_GROUP_SIZE] == ["short"] * 5 + ["long"] * LONG_GROUP_SIZE
    assert order.count("long") == 10 * LONG_GROUP_SIZE


def test_a_writer_that_closes_does_first_what_it_was_asked_for(store: Store) -> None:
    writer, done = Writer(store), []

    async def ask() -> None:
        for number in range(3 * LONG_GROUP_SIZE):
            writer.ask(lambda number=number: done.append(number), long=True)

    asyncio.run(ask())
    writer.close()
    assert done == list(range(3 * LONG_GROUP_SIZE))
