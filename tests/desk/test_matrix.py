"""
Every route, asked by everybody who has no business there.

The routes come from the API's own description: one that this table does not know fails the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.desk.conftest import PASSWORD, Room, operation, room_in, send, take
from transcribe.desk.auth import key_hash

NOWHERE = "0" * 32
TEXT = {"op_id": "operation-9", "segment": NOWHERE, "fence": 1, "base_version": 0, "text": "mine"}
STEP = {"op_id": "stepping-9", "kind": "split", "segment": NOWHERE, "fence": 1, "start_ms": 500}
VERDICT = {"op_id": "verdict-9", "segment": NOWHERE, "fence": 1, "version": 1, "decision": "accept"}

#: Who may ask: the permission, ``anybody`` (signed in) or ``open``.
ROUTES: dict[tuple[str, str], tuple[str, Any]] = {
    ("post", "/api/v1/session"): ("open", {"name": "nobody", "password": "not the password"}),
    ("get", "/api/v1/session"): ("anybody", None),
    ("delete", "/api/v1/session"): ("anybody", None),
    ("post", "/api/v1/leases"): ("work", {"count": 1}),
    ("get", "/api/v1/leases"): ("work", None),
    ("put", "/api/v1/leases/{id}"): ("work", None),
    ("delete", "/api/v1/leases/{id}"): ("work", None),
    ("post", "/api/v1/corrections"): ("work", [TEXT]),
    ("post", "/api/v1/reshapes"): ("work", STEP),
    ("get", "/api/v1/segments/{id}"): ("own", None),
    ("get", "/api/v1/segments/{id}/audio"): ("signed", None),
    ("get", "/api/v1/segments/{id}/peaks"): ("own", None),
    ("get", "/api/v1/segments/{id}/history"): ("own", None),
    ("get", "/api/v1/guides/{tag}"): ("anybody", None),
    ("get", "/api/v1/doubts/{tag}"): ("anybody", None),
    ("get", "/api/v1/review/next"): ("review", None),
    ("post", "/api/v1/verdicts"): ("review", VERDICT),
    ("post", "/api/v1/masks"): ("review", {"segment": NOWHERE, "start_ms": 0, "end_ms": 5}),
    ("get", "/api/v1/segments/{id}/masks"): ("review", None),
    ("delete", "/api/v1/masks/{id}"): ("people", None),
    ("get", "/api/v1/progress"): ("progress", None),
    ("get", "/api/v1/people/me/work"): ("anybody", None),
    ("get", "/api/v1/people/me/decisions"): ("anybody", None),
    ("get", "/api/v1/people/me/pay"): ("anybody", None),
    ("post", "/api/v1/people/me/objections"): ("work", {"segment": NOWHERE, "note": "too short"}),
    ("get", "/api/v1/people"): ("people", None),
    ("post", "/api/v1/people"): ("people", {"name": "new", "roles": ["lead"]}),
    ("patch", "/api/v1/people/{id}"): ("people", {"roles": ["lead"]}),
    ("post", "/api/v1/people/{id}/invitation"): ("people", None),
    ("post", "/api/v1/invitations/look"): ("open", {"key": "no such key"}),
    ("post", "/api/v1/invitations"): ("open", {"key": "no such key", "password": PASSWORD}),
    ("get", "/api/v1/quality"): ("progress", None),
    ("get", "/api/v1/productivity"): ("people", None),
    ("get", "/api/v1/pay"): ("people", None),
    ("get", "/api/v1/objections"): ("people", None),
    ("post", "/api/v1/objections/{id}"): ("people", {"outcome": "right", "answer": "yes"}),
    ("get", "/api/v1/heard"): ("people", None),
    ("get", "/api/v1/spellings"): ("review", None),
    ("get", "/api/v1/settings"): ("people", None),
    ("patch", "/api/v1/settings"): ("people", {"rounds": 1}),
    ("get", "/healthz"): ("open", None),
    ("get", "/metrics"): ("metrics", None),
}
GRANTED = {
    "asha": {"work"},
    "ravi": {"work"},
    "eyes": {"review"},
    "lead": {"review", "progress", "people", "metrics"},
    "data": {"progress", "metrics"},
    "script": {"progress"},
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Room]:
    """A desk with everybody, where asha holds a segment and has written another."""
    for room in room_in(tmp_path_factory.mktemp("matrix"), template):
        room.talk(count=3)
        for name, role in [("asha", "transcriber"), ("ravi", "transcriber"), ("eyes", "reviewer")]:
            room.person(name, role)
        for name, role in [("lead", "lead"), ("data", "analyst"), ("gone", "lead")]:
            room.person(name, role)
        asha = room.clients["asha"]
        lease, written = take(asha, 2)
        send(asha, operation(written, "mine"))
        room.store.people.change("gone", disabled=True)
        room.service.identity_by_key.clear()
        room.store.people.add_token(key_hash("script's key"), room.store.people.find("lead"), "script", ["progress"])
        room.clients["script"] = room.stranger()
        room.clients["script"].headers["authorization"] = "Bearer script's key"
        room.clients["nobody"] = room.stranger()
        forged = room.stranger()
        forged.headers["authorization"] = "Bearer eyJhbGciOiJub25lIn0.e30."
        room.clients["forged"] = forged
        objection = room.store.pay_disputes.add(room.store.people.find("asha").id, written["segment"], "too short")
        assert objection is not None
        room.clients["objection"] = objection.id
        room.clients["holds"] = lease
        room.clients["wrote"] = written
        masked = {"segment": lease["segment"], "start_ms": 0, "end_ms": 5}
        room.clients["mask"] = room.clients["eyes"].post("/api/v1/masks", json=masked).json()["id"]
        yield room


def documented(room: Room) -> set[tuple[str, str]]:
    document = room.stranger().get("/api/v1/openapi.json").json()
    return {(method, path) for path, methods in document["paths"].items() for method in methods}


def ask(room: Room, name: str, method: str, path: str, id: str, body: Any) -> Any:
    client: TestClient = room.clients[name]
    return client.request(method, path.replace("{id}", id), json=body)


def test_every_route_stands_in_this_table(full: Room) -> None:
    assert documented(full) == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES), ids=" ".join)
def test_nobody_gets_in_without_being_known(full: Room, method: str, path: str) -> None:
    who_may, body = ROUTES[method, path]
    for who in ("nobody", "gone", "forged"):
        answer = ask(full, who, method, path, full.clients["holds"]["segment"], body)
        opened = {"/healthz": 200, "/api/v1/invitations": 404, "/api/v1/invitations/look": 404}
        expected = opened.get(path, 401) if who_may == "open" else 401
        assert answer.status_code == expected, (who, answer.text)


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES), ids=" ".join)
def test_nobody_does_what_their_role_or_scope_does_not_allow(full: Room, method: str, path: str) -> None:
    who_may, body = ROUTES[method, path]
    if who_may in ("open", "anybody", "own", "signed"):
        return
    for who, granted in GRANTED.items():
        if who_may not in granted:
            answer = ask(full, who, method, path, full.clients["holds"]["segment"], body)
            assert answer.status_code == 403, (who, answer.text)


#: Everybody who may not see what is asha's, by what a route asks for.
OUTSIDERS = {
    "own": ("ravi", "data", "script"),
    "signed": ("ravi", "data", "script"),
    "work": ("ravi", "eyes", "lead", "data", "script"),
    "review": ("asha", "ravi", "data", "script"),
    "people": ("asha", "ravi", "eyes", "data", "script"),
}
BY_ID = [route for route in sorted(ROUTES) if "{id}" in route[1]]


@pytest.mark.parametrize(("method", "path"), BY_ID, ids=" ".join)
def test_what_is_not_yours_and_what_is_not_there_look_the_same(full: Room, method: str, path: str) -> None:
    who_may, body = ROUTES[method, path]
    kind = path.removeprefix("/api/v1/").partition("/")[0]
    theirs = {
        "segments": [full.clients["holds"]["segment"], full.clients["wrote"]["segment"]],
        "leases": [full.clients["holds"]["id"]],
        "masks": [full.clients["mask"]],
        "people": [full.store.people.find("ravi").id],
        "objections": [full.clients["objection"]],
    }[kind]
    for who in OUTSIDERS[who_may]:
        not_there = ask(full, who, method, path, NOWHERE, body)
        assert not_there.status_code in (403, 404)
        for id in theirs:
            not_mine = ask(full, who, method, path, id, body)
            assert (not_mine.status_code, not_mine.content) == (not_there.status_code, not_there.content), who


@pytest.mark.parametrize("id", ["-1", "0", str(2**63), "1 OR 1=1", "%00", "1.5", "[]", "..%2f..%2fetc", "x" * 300])
@pytest.mark.parametrize(("method", "path"), BY_ID)
def test_an_id_that_is_none_is_not_found(full: Room, method: str, path: str, id: str) -> None:
    who_may, body = ROUTES[method, path]
    who = {"review": "eyes", "people": "lead"}.get(who_may, "asha")
    answer = ask(full, who, method, path, id, body)
    # Some are other addresses, which take no changes.
    assert answer.status_code in (404, 405), answer.text


def test_a_text_for_a_hold_of_somebody_else_is_not_taken(full: Room) -> None:
    outcomes = send(full.clients["ravi"], operation(full.clients["holds"], "theirs", "operation-theirs"))
    assert [(outcome["status"], outcome["reason"]) for outcome in outcomes] == [("rejected", "unknown_lease")]


def test_a_verdict_without_a_hold_is_not_taken(full: Room) -> None:
    verdict = VERDICT | {"segment": full.clients["wrote"]["segment"], "played_ms": 9_000}
    answer = full.clients["eyes"].post("/api/v1/verdicts", json=verdict)
    assert answer.json() == {"op_id": "verdict-9", "status": "rejected", "reason": "unknown_lease"}


def test_a_wrong_password_a_missing_name_and_a_disabled_person_are_told_the_same(full: Room) -> None:
    # The tests above guessed at the same names from the usual address.
    stranger = full.stranger("127.0.0.9")
    answers = [
        stranger.post("/api/v1/session", json={"name": name, "password": password})
        for name, password in [("asha", "wrong words here"), ("nobody", PASSWORD), ("gone", PASSWORD)]
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    assert "set-cookie" not in answers[0].headers
