"""A desk that is killed while texts come in keeps every text that it said it has, and none twice."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.command import boli
from tests.desk.serving import Process, serve
from tests.store.factories import make_drafted, recording
from transcribe import workspace
from transcribe.config import DeskSettings
from transcribe.desk.auth import key_hash
from transcribe.desk_records import DeskRules
from transcribe.store import Store

PEOPLE, SEGMENTS, KILLS = 6, 900, 3
SETTINGS = {"review_share": 0.0, "second_share": 0.0, "gold_share": 0.0}


@dataclass
class Typist:
    """Somebody whose outbox keeps a text until the desk has said that it has it."""

    name: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    #: Answers by status; ``cut``: sent, and no answer came.
    answers: Counter[str] = field(default_factory=Counter)

    def work(self, url: str, stop: threading.Event) -> None:
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {self.name}"}, timeout=30) as client:
            outbox: list[dict[str, Any]] = []
            while not stop.is_set():
                try:
                    outbox = outbox or self._texts(client)
                    if not outbox:
                        return
                    self._send(client, outbox)
                except httpx.HTTPError:
                    self.answers["cut"] += bool(outbox)
                    stop.wait(0.05)

    def _texts(self, client: httpx.Client) -> list[dict[str, Any]]:
        leases = client.post("/api/v1/leases", json={"count": 5, "offline": True})
        if leases.status_code != 200:
            return []
        return [
            {
                "op_id": uuid.uuid4().hex,
                "segment": lease["segment"],
                "fence": lease["fence"],
                "base_version": lease["version"],
                "text": f"{self.name} heard {lease['segment'][:8]}",
            }
            for lease in leases.json()
        ]

    def _send(self, client: httpx.Client, outbox: list[dict[str, Any]]) -> None:
        [outcome] = client.post("/api/v1/corrections", json=outbox[:1]).json()
        self.answers[outcome["status"]] += 1
        assert outcome["status"] in ("applied", "duplicate"), outcome
        self.acknowledged[outbox[0]["segment"]] = outbox[0]["text"]
        outbox.pop(0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with much to write and people with tokens."""
    created = workspace.create(tmp_path / "desk", {"desk": SETTINGS})
    with Store.open(f"sqlite:///{created}/boli.db") as store:
        store.recordings.add([recording(dialect="hi", duration=SEGMENTS * 1_000)])
        store.drafts.save(make_drafted("talk", [("A", n * 1_000, n * 1_000 + 900, "word") for n in range(SEGMENTS)]))
        store.desk.lay_out(
            DeskRules(**DeskSettings(**SETTINGS).model_dump(include=set(DeskRules.__dataclass_fields__)))
        )
        for n in range(PEOPLE):
            person = store.people.add(f"p{n}", ["transcriber"])
            store.people.add_token(key_hash(f"p{n}"), person, "test", ["work"])
    return created


def test_no_text_is_lost_or_taken_twice_when_the_desk_is_killed(folder: Path) -> None:
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    typists, stop = [Typist(f"p{n}") for n in range(PEOPLE)], threading.Event()
    desk = serve(folder)
    port = int(desk.url.rsplit(":", 1)[1])
    threads = [threading.Thread(target=typist.work, args=(desk.url, stop)) for typist in typists]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        _wait_for_answers(typists, sum(len(typist.acknowledged) for typist in typists) + 10, threads)
        time.sleep(rng.uniform(0, 0.2))
        desk.kill()
        desk = serve(folder, port=port)
    _wait_for_answers(typists, sum(len(typist.acknowledged) for typist in typists) + 10, threads)
    stop.set()
    for thread in threads:
        thread.join()
    assert desk.stop() == 0
    answers = sum((typist.answers for typist in typists), Counter())
    assert answers["cut"] > 0, f"seed {seed}: no kill hit a text on its way, the test proves nothing"
    _check(folder, typists)


def _wait_for_answers(typists: list[Typist], count: int, threads: list[threading.Thread]) -> None:
    while sum(len(typist.acknowledged) for typist in typists) < count and any(thread.is_alive() for thread in threads):
        time.sleep(0.02)


def _check(folder: Path, typists: list[Typist]) -> None:
    with Store.open(f"sqlite:///{folder}/boli.db") as store:
        for typist in typists:
            for segment, text in typist.acknowledged.items():
                assert [version.text for version in store.reviews.fetch_versions(segment)] == [text]
        written = [correction.segment for correction in store.corrections.fetch()]
        assert len(written) == len(set(written)) >= sum(len(typist.acknowledged) for typist in typists)
        assert store.audit.find_broken_history() is None
        with store.database.begin_read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


def test_a_desk_that_is_stopped_ends_well_and_a_second_one_is_refused(folder: Path) -> None:
    desk: Process = serve(folder)
    refused = boli("serve", "--port", "0", "--workspace", folder, "--json")
    assert (refused.code, refused.document["error"]["code"]) == (8, "E_LOCKED")
    assert httpx.get(f"{desk.url}/healthz").json() == {"status": "ok"}
    assert desk.stop() == 0
