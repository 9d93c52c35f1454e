"""
While the disk is full every route that writes says so with 507, and does its work once there is room.

The routes come from the API's own description: one that this table does not know fails the test.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.desk.conftest import PASSWORD, Room, operation, send, take
from tests.desk.test_matrix import documented
from tests.full_disk import full_disk
from transcribe.desk import settings

#: Changes that write nothing.
READING = {("post", "/api/v1/invitations/look")}


def prepare(room: Room) -> dict[tuple[str, str], tuple[str, str, Any]]:
    """Return who asks what of every route that writes, in an order in which all of it can be done."""
    room.talk(count=9)
    asha, eyes, lead = room.person("asha"), room.person("eyes", "reviewer"), room.person("lead", "lead")
    ravi = room.store.people.add("ravi", ["transcriber"])
    renewed, returned, written, split, done, judged = take(asha, 6)
    send(asha, operation(done, "mine", "operation-1"), operation(judged, "mine", "operation-2"))
    review = eyes.get("/api/v1/review/next").json()["lease"]
    mask = eyes.post("/api/v1/masks", json={"segment": renewed["segment"], "start_ms": 0, "end_ms": 5}).json()
    objection = asha.post("/api/v1/people/me/objections", json={"segment": done["segment"], "note": "short"}).json()
    key = lead.post(f"/api/v1/people/{ravi.id}/invitation").json()["key"]
    step = {"op_id": "stepping-9", "kind": "split", "segment": split["segment"], "fence": split["fence"]}
    verdict = {"op_id": "verdict-9", "segment": review["segment"], "fence": review["fence"], "version": 1}
    return {
        ("post", "/api/v1/session"): ("nobody", "session", {"name": "asha", "password": PASSWORD}),
        ("post", "/api/v1/leases"): ("asha", "leases", {"count": 1}),
        ("put", "/api/v1/leases/{id}"): ("asha", f"leases/{renewed['id']}", None),
        ("delete", "/api/v1/leases/{id}"): ("asha", f"leases/{returned['id']}", None),
        ("post", "/api/v1/corrections"): ("asha", "corrections", [operation(written, "mine", "operation-3")]),
        ("post", "/api/v1/reshapes"): ("asha", "reshapes", step | {"start_ms": split["start_ms"] + 500}),
        ("post", "/api/v1/verdicts"): ("eyes", "verdicts", verdict | {"decision": "accept", "played_ms": 9_000}),
        ("get", "/api/v1/review/next"): ("eyes", "review/next", None),
        ("post", "/api/v1/masks"): (
            "eyes",
            "masks",
            {"segment": returned["segment"], "start_ms": 0, "end_ms": 5},
        ),
        ("delete", "/api/v1/masks/{id}"): ("lead", f"masks/{mask['id']}", None),
        ("post", "/api/v1/people/me/objections"): (
            "asha",
            "people/me/objections",
            {"segment": judged["segment"], "note": "long"},
        ),
        ("post", "/api/v1/people"): ("lead", "people", {"name": "new", "roles": ["transcriber"]}),
        ("patch", "/api/v1/people/{id}"): ("lead", f"people/{ravi.id}", {"roles": ["reviewer"]}),
        ("post", "/api/v1/invitations"): ("nobody", "invitations", {"key": key, "password": PASSWORD}),
        ("post", "/api/v1/people/{id}/invitation"): ("lead", f"people/{ravi.id}/invitation", None),
        ("post", "/api/v1/objections/{id}"): (
            "lead",
            f"objections/{objection['id']}",
            {"outcome": "right", "answer": "yes"},
        ),
        ("patch", "/api/v1/settings"): ("lead", "settings", {"rounds": 1}),
        ("delete", "/api/v1/session"): ("asha", "session", None),
    }


def ask(room: Room, method: str, who: str, path: str, body: Any) -> httpx.Response:
    client = room.stranger() if who == "nobody" else room.clients[who]
    return client.request(method, f"/api/v1/{path}", json=body)


def test_every_route_that_writes_says_that_the_disk_is_full(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    requests = prepare(room)
    changing = {route for route in documented(room) if route[0] != "get"}
    assert changing - READING <= set(requests)
    (room.folder / "boli.toml.full").symlink_to("/dev/full")
    caplog.set_level(logging.DEBUG)
    with monkeypatch.context() as patch, full_disk(room.store):
        patch.setattr(settings.secrets, "token_hex", lambda size: "full")
        for route, (who, path, body) in requests.items():
            answer = ask(room, route[0], who, path, body)
            assert answer.status_code == 507, (route, answer.text)
            assert answer.json()["error"]["code"] == "E_DISK_FULL"
    assert "Traceback" not in caplog.text and PASSWORD not in caplog.text
    for route, (who, path, body) in requests.items():
        answer = ask(room, route[0], who, path, body)
        assert answer.status_code < 300, (route, answer.text)


def test_a_clip_that_finds_no_room_is_said_too(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    with monkeypatch.context() as patch:
        patch.setattr("transcribe.desk.clips._write", lambda path, content: Path("/dev/full").write_bytes(content))
        assert asha.get(lease["audio_url"]).status_code == 507
    assert asha.get(lease["audio_url"]).status_code == 200
