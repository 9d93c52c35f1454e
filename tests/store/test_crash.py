"""A process that is killed while it saves leaves every recording whole or wholly pending."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from functools import cache

from sqlalchemy import text

from tests.store.conftest import Lender
from tests.store.factories import DIARISATION, MODEL, SETTINGS, make_drafted, recording, recording_id
from transcribe.records import Drafted
from transcribe.store import Store

NAMES = [f"talk {n}" for n in range(16)]
KILLS = 4


@cache
def work_on(name: str) -> Drafted:
    """Make enough work on *name* that saving takes a while."""
    return make_drafted(name, [("A", n, n + 9, f"word {n} of {name}") for n in range(0, 2_000, 10)])


def save_all(url: str, report: int) -> None:
    """Save whatever is pending, with a ``b`` to *report* before each and an ``s`` after."""
    with Store.open(url) as store:
        for task in store.attempts.fetch_pending(SETTINGS):
            work = work_on(task.path.removesuffix(".wav"))
            os.write(report, b"b")
            store.drafts.save(work)
            os.write(report, b"s")


def kill_while_saving(url: str, after_s: float) -> bool:
    """Kill a process *after_s* into its first saving, and tell if that hit it within one."""
    reading, writing = os.pipe()
    # Forked, so that several of them start in no time; nothing of the database is open here.
    child = multiprocessing.get_context("fork").Process(target=save_all, args=(url, writing))
    child.start()
    os.close(writing)
    report = os.read(reading, 1)
    time.sleep(after_s)
    child.kill()
    child.join()
    while more := os.read(reading, 4_096):
        report += more
    os.close(reading)
    return report.endswith(b"b")


def wait_for_the_dead(store: Store) -> None:
    """Wait until PostgreSQL has noticed that a client is gone: it may still be at that one's last statement."""
    others = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    while store.database.location.path is None:
        with store.database.begin_read() as connection:
            if connection.execute(others).scalar_one() == 1:
                return
        time.sleep(0.02)


def fail_on_halves(store: Store) -> None:
    """Fail where a recording is done by half."""
    pending = {recording.id for recording in store.attempts.fetch_pending(SETTINGS)}
    for name in NAMES:
        id, work = recording_id(name), work_on(name)
        saved = (
            store.drafts.fetch_turns(id, DIARISATION),
            tuple(store.drafts.fetch_segments(id)),
            tuple(store.drafts.fetch(id, MODEL)),
        )
        whole = ((work.turns, work.exclusive), work.segments, work.drafts)
        assert saved == ((None, (), ()) if id in pending else whole), f"{name} is done by half"


def test_a_recording_is_whole_or_pending_wherever_the_process_is_killed(lender: Lender) -> None:
    seed = random.randrange(10**6)
    rng, url, undisturbed = random.Random(seed), lender.lend(), lender.lend()
    hits = 0
    for database in (url, undisturbed):
        with Store.open(database) as store:
            store.recordings.add(map(recording, NAMES))
    for _ in range(KILLS):
        hits += kill_while_saving(url, rng.uniform(0, 0.04))
        with Store.open(url) as store:
            wait_for_the_dead(store)
            fail_on_halves(store)
    assert hits > 0, f"seed {seed}: no kill hit a saving, the test proves nothing"
    texts = []
    for database in (url, undisturbed):
        with Store.open(database) as store:
            for task in list(store.attempts.fetch_pending(SETTINGS)):
                store.drafts.save(work_on(task.path.removesuffix(".wav")))
            texts.append("\n".join(store.export.fetch_lines()))
        lender.give_back(database)
    assert texts[0] == texts[1], f"seed {seed}"
