"""A process that is killed while it saves leaves every recording whole or wholly pending."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from functools import cache

from sqlalchemy import text

from tests.store.conftest import Lender
from tests.store.factories import DIARISATION, MODEL, SETTINGS, drafted, recording, recording_id
from transcribe.records import Drafted
from transcribe.store import Store

NAMES = [f"talk {n}" for n in range(16)]
KILLS = 4


@cache
def work_on(name: str) -> Drafted:
    """Enough of it that saving takes a while."""
    return drafted(name, [("A", n, n + 9, f"word {n} of {name}") for n in range(0, 2_000, 10)])


def save_all(url: str, report: int) -> None:
    """Save whatever is pending, with a ``b`` to *report* before each and an ``s`` after."""
    with Store.open(url) as store:
        for each in store.pending(SETTINGS):
            work = work_on(each.path.removesuffix(".wav"))
            os.write(report, b"b")
            store.save_drafted(work)
            os.write(report, b"s")


def killed_while_saving(url: str, after_s: float) -> bool:
    """Kill a process *after_s* into its first saving; whether that hit it between the beginning and the end of one."""
    reading, writing = os.pipe()
    # Forked, so that several of them start in no time; nothing of the database is open here.
    child = multiprocessing.get_context("fork").Process(target=save_all, args=(url, writing))
    child.start()
    os.close(writing)
    seen = os.read(reading, 1)
    time.sleep(after_s)
    child.kill()
    child.join()
    while more := os.read(reading, 4_096):
        seen += more
    os.close(reading)
    return seen.endswith(b"b")


def wait_for_the_dead(store: Store) -> None:
    """PostgreSQL may still be at the last word of a client that is gone: wait until it has noticed."""
    others = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    while store.place.path is None:
        with store.reading() as connection:
            if connection.execute(others).scalar_one() == 1:
                return
        time.sleep(0.02)


def fail_on_halves(store: Store) -> None:
    """Fail where a recording is done by half."""
    pending = {each.id for each in store.pending(SETTINGS)}
    for name in NAMES:
        id, work = recording_id(name), work_on(name)
        kept = (store.turns(id, DIARISATION), tuple(store.segments(id)), tuple(store.drafts(id, MODEL)))
        whole = ((work.turns, work.exclusive), work.segments, work.drafts)
        assert kept == ((None, (), ()) if id in pending else whole), f"{name} is done by half"


def test_a_recording_is_whole_or_pending_wherever_the_process_is_killed(lender: Lender) -> None:
    seed = random.randrange(10**6)
    rng, url, undisturbed = random.Random(seed), lender.lend(), lender.lend()
    hits = 0
    for place in (url, undisturbed):
        with Store.open(place) as store:
            store.add_recordings(map(recording, NAMES))
    for _ in range(KILLS):
        hits += killed_while_saving(url, rng.uniform(0, 0.04))
        with Store.open(url) as store:
            wait_for_the_dead(store)
            fail_on_halves(store)
    assert hits > 0, f"seed {seed}: no kill hit a saving, the test proves nothing"
    texts = []
    for place in (url, undisturbed):
        with Store.open(place) as store:
            for each in list(store.pending(SETTINGS)):
                store.save_drafted(work_on(each.path.removesuffix(".wav")))
            texts.append("\n".join(store.canonical()))
        lender.give_back(place)
    assert texts[0] == texts[1], f"seed {seed}"
