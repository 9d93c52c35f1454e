"""A desk that answers: a real store, real sound, and people who are signed in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dialects.dialect import load_catalogue
from tests.desk_setup import HIGH, LOW, Desk, recipe
from tests.scripted import ScriptedDiariser
from tests.store.desk_factories import Clock
from transcribe.config import DeskSettings
from transcribe.desk.app import build
from transcribe.desk.passwords import hash_password
from transcribe.desk.server import open_desk
from transcribe.desk.state import Service
from transcribe.store import Store

PASSWORD = "four plain words here"
HASHED = hash_password(PASSWORD, name="")

#: Every text waits for a reviewer, nothing is left to chance.
REVIEWED = {"review_share": 1.0, "second_share": 0.0, "gold_share": 0.0, "random_share": 0.0}
PLAIN = REVIEWED | {"review_share": 0.0}


@dataclass
class Room:
    """A workspace with a desk in it."""

    folder: Path
    store: Store
    service: Service
    clock: Clock
    stack: ExitStack
    secure: bool = False
    clients: dict[str, TestClient] = field(default_factory=dict)

    def talk(self, name: str = "talk", count: int = 2, **facts: Any) -> list[str]:
        """Add and lay out a recording of *count* drafted segments, and return their ids by time."""
        tones = [(2_000 * n, 2_000 * n + 1_000, (LOW, HIGH)[n % 2]) for n in range(count)]
        desk = Desk(self.store, self.folder / "audio")
        recording = desk.add(name, tones, duration=2_000 * count + 500, **({"dialect": "hi"} | facts))
        desk.draft(recipe(diariser=ScriptedDiariser()))
        self.store.desk.lay_out(self.service.rules, draw=lambda: 0.5)
        self.service.expire_progress()
        return [segment.id for segment in self.store.drafts.fetch_segments(recording.id)]

    def person(self, name: str, *roles: Any, **facts: Any) -> TestClient:
        """Add a person and return a client that is signed in as them."""
        self.store.people.add(name, roles or ("transcriber",), password=HASHED, **facts)
        return self.sign_in(name)

    def sign_in(self, name: str, password: str = PASSWORD) -> TestClient:
        client = self.stranger()
        answer = client.post("/api/v1/session", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["x-boli-csrf"] = answer.json()["csrf"]
        self.clients[name] = client
        return client

    def stranger(self, address: str = "testclient") -> TestClient:
        """Return a client at *address* that is not signed in."""
        scheme = "https" if self.secure else "http"
        app = build(self.service, hosts=("localhost",))
        return TestClient(
            app, base_url=f"{scheme}://localhost", raise_server_exceptions=False, client=(address, 50_000)
        )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "boli.db"
    Store.open(f"sqlite:///{path}").close()
    return path


def room_in(folder: Path, template: Path, **settings: Any) -> Iterator[Room]:
    shutil.copy(template, folder / "boli.db")
    clock = Clock()
    desk = DeskSettings(**(REVIEWED | settings))
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(f"sqlite:///{folder}/boli.db", clock=clock))
        service = stack.enter_context(open_desk(store, desk, folder, load_catalogue()))
        service.signer._clock = clock
        yield Room(folder, store, service, clock, stack, secure=service.secure)


@pytest.fixture
def room(tmp_path: Path, template: Path) -> Iterator[Room]:
    yield from room_in(tmp_path, template)


def take(client: TestClient, count: int = 1, **options: Any) -> list[dict[str, Any]]:
    answer = client.post("/api/v1/leases", json={"count": count, **options})
    assert answer.status_code == 200, answer.text
    leases: list[dict[str, Any]] = answer.json()
    return leases


def operation(lease: dict[str, Any], text: str, op_id: str = "operation-1", **facts: Any) -> dict[str, Any]:
    fields = {"op_id": op_id, "segment": lease["segment"], "fence": lease["fence"], "base_version": lease["version"]}
    return fields | {"text": text} | facts


def send(client: TestClient, *operations: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post("/api/v1/corrections", json=list(operations))
    assert answer.status_code == 200, answer.text
    outcomes: list[dict[str, Any]] = answer.json()
    return outcomes
