"""The requests of a transcriber's screen, and the desk's answers."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from tests.desk.conftest import Room, operation, send, take
from transcribe.records import Quality


def test_a_lease_has_all_that_a_screen_needs(room: Room) -> None:
    segments = room.talk(count=2)
    [lease] = take(room.person("asha"))
    assert lease["segment"] == segments[0]
    assert (lease["purpose"], lease["version"], lease["offline"], lease["sent_back"]) == ("write", 0, False, None)
    assert (lease["clip_start_ms"], lease["start_ms"]) == (0, 0)
    assert [word["text"] for word in lease["draft"]["words"]] == lease["text"].split()
    assert lease["after"] and lease["before"] is None
    assert lease["until"] == "2026-01-31T12:15:00.000Z"
    assert lease["quality"] is None, "a recording from before it was measured"


def test_a_segment_has_the_quality_of_its_recording(room: Room) -> None:
    room.talk(quality=Quality(level_dbfs=-20.5, snr_db=12.3, clipped_share=0.004, bandwidth_hz=3_875, dead=2_000))
    asha = room.person("asha")
    [lease] = take(asha)
    quality = {"level_dbfs": -20.5, "snr_db": 12.3, "clipped_share": 0.004, "bandwidth_hz": 3_875}
    assert lease["quality"] == quality
    assert asha.get(f"/api/v1/segments/{lease['segment']}").json()["quality"] == quality


def test_a_text_comes_back_byte_for_byte_and_counts_once_reviewed(room: Room) -> None:
    room.talk()
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    [lease] = take(asha)
    text = "क्\u200dष त्रि தமிழ் نستعلیق é e\u0301 👩\u200d👩\u200d👧"
    [outcome] = send(asha, operation(lease, text))
    assert outcome == {
        "op_id": "operation-1",
        "status": "applied",
        "version": 1,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    assert asha.get(f"/api/v1/segments/{lease['segment']}").json()["text"] == text
    assert list(room.store.corrections.fetch()) == []
    review = eyes.get("/api/v1/review/next").json()
    assert [version["text"] for version in review["versions"]] == [text]
    verdict = {"op_id": "verdict-1", "segment": lease["segment"], "fence": review["lease"]["fence"], "version": 1}
    accepted = eyes.post("/api/v1/verdicts", json=verdict | {"decision": "accept", "played_ms": 5_000})
    assert accepted.json()["status"] == "applied"
    assert [(correction.text, correction.author) for correction in room.store.corrections.fetch()] == [(text, "asha")]


def test_texts_are_answered_in_the_order_they_were_sent(room: Room) -> None:
    room.talk(count=2)
    asha = room.person("asha")
    first, second = take(asha, 2)
    outcomes = send(
        asha,
        operation(second, "b", "operation-b"),
        operation(first, "   \u200b", "operation-e"),
        operation(first, "a", "operation-a"),
        operation(second, "b", "operation-b"),
        operation(first, "x", "operation-x", segment="0" * 32),
        operation(first, "other", "operation-b"),
        operation(first, "x" * 20_001, "operation-l"),
    )
    assert [(outcome["op_id"][-1], outcome["status"], outcome.get("reason")) for outcome in outcomes] == [
        ("b", "applied", None),
        ("e", "rejected", "empty"),
        ("a", "applied", None),
        ("b", "duplicate", None),
        ("x", "rejected", "unknown_lease"),
        ("b", "rejected", "key_reused"),
        ("l", "rejected", "too_long"),
    ]


def test_a_packed_request_is_unpacked(room: Room) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    body = gzip.compress(json.dumps([operation(lease, "packed")]).encode())
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    assert asha.post("/api/v1/corrections", content=body, headers=headers).json()[0]["status"] == "applied"


def test_a_heartbeat_keeps_a_segment_and_giving_back_frees_it(room: Room) -> None:
    room.talk(count=1)
    asha, ravi = room.person("asha"), room.person("ravi")
    [lease] = take(asha)
    room.clock.go(600)
    assert asha.put(f"/api/v1/leases/{lease['id']}").json()["until"] == "2026-01-31T12:25:00.000Z"
    assert ravi.put(f"/api/v1/leases/{lease['id']}").status_code == 404
    assert take(ravi) == []
    assert asha.delete(f"/api/v1/leases/{lease['id']}?reason=dialect").status_code == 204
    assert [again["segment"] for again in take(ravi)] == [lease["segment"]]
    assert take(asha) == []


def test_another_device_finds_what_one_holds(room: Room) -> None:
    room.talk(count=2)
    asha, ravi = room.person("asha"), room.person("ravi")
    [lease] = take(asha)
    take(ravi)
    [listed] = room.sign_in("asha").get("/api/v1/leases").json()
    assert {name: listed[name] for name in ("id", "segment", "fence", "text")} == {
        name: lease[name] for name in ("id", "segment", "fence", "text")
    }
    asha.delete(f"/api/v1/leases/{lease['id']}")
    assert asha.get("/api/v1/leases").json() == []


def test_the_draft_of_the_test_split_stays_hidden(room: Room) -> None:
    room.talk(split="test")
    [lease] = take(room.person("asha"))
    assert (lease["draft"], lease["text"], lease["before"], lease["after"]) == (None, "", None, None)


def test_a_person_is_asked_for_dialects_they_know(room: Room) -> None:
    room.talk("a", 1, dialect="hi")
    room.talk("b", 1, dialect="bho-Deva")
    room.talk("c", 1, dialect="ta")
    assert {lease["dialect"] for lease in take(room.person("asha", dialects=["bho", "hi"]), 9)} == {"hi", "bho-Deva"}
    assert [lease["dialect"] for lease in take(room.person("ravi"), 9, dialects=["ta"])] == ["ta"]


def test_a_text_that_came_back_says_why_and_comes_first(room: Room) -> None:
    room.talk(count=3)
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    [lease] = take(asha)
    send(asha, operation(lease, "wrong"))
    review = eyes.get("/api/v1/review/next").json()
    verdict = {"op_id": "verdict-1", "segment": lease["segment"], "fence": review["lease"]["fence"], "version": 1}
    eyes.post("/api/v1/verdicts", json=verdict | {"decision": "send_back", "reasons": ["misheard"], "note": "listen"})
    rejection = {"reasons": ["misheard"], "note": "listen", "version": 1}
    work = asha.get("/api/v1/people/me/work").json()
    assert work["returned"] == [{"segment": lease["segment"], "sent_back": rejection}]
    [again] = take(asha)
    assert (again["segment"], again["purpose"], again["text"]) == (lease["segment"], "again", "wrong")
    assert again["sent_back"] == rejection


def test_ones_own_work_is_added_up(room: Room) -> None:
    room.talk(count=2)
    asha = room.person("asha")
    first, second = take(asha, 2)
    room.clock.go(60)
    send(asha, operation(first, "a", active_ms=20_000), operation(second, "b", "operation-2", active_ms=900_000))
    today = asha.get("/api/v1/people/me/work").json()["today"]
    sound = sum(lease["end_ms"] - lease["start_ms"] for lease in (first, second))
    assert (today["segments"], today["sound_ms"], today["active_ms"]) == (2, sound, 80_000)
    assert room.person("ravi").get("/api/v1/people/me/work").json()["all"]["segments"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"op_id": None},
        {"op_id": "x" * 10_000},
        {"base_version": -1},
        {"base_version": "1"},
        {"fence": 2**63},
        {"fence": 1.5},
        {"text": None},
        {"text": 5},
        {"active_ms": -1},
        {"surprise": 1},
    ],
)
def test_a_text_of_a_wrong_shape_is_refused_and_not_repeated(room: Room, change: dict[str, object]) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    answer = asha.post("/api/v1/corrections", json=[operation(lease, "secret words") | change])
    assert answer.status_code == 422
    assert answer.json()["schema"] == "boli.error/1"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "body", [b'[{"text":"\\ud800"}]', b"[" * 100_000, b"{", b"\xff", b'[{"seq":1e999}]', b"[]", b"null"]
)
def test_a_body_that_is_no_list_of_texts_is_refused(room: Room, body: bytes) -> None:
    asha = room.person("asha")
    answer = asha.post("/api/v1/corrections", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


def test_a_text_that_no_store_keeps_is_rejected_and_the_others_are_kept(room: Room) -> None:
    room.talk(count=2)
    asha = room.person("asha")
    first, second = take(asha, 2)
    outcomes = send(asha, operation(first, "a\x00b"), operation(second, "kept", "operation-2"))
    assert [(outcome["status"], outcome.get("reason")) for outcome in outcomes] == [
        ("rejected", "bad_text"),
        ("applied", None),
    ]


def test_a_segment_is_split_put_together_and_the_step_taken_back(room: Room) -> None:
    room.talk(count=1)
    asha, ravi = room.person("asha"), room.person("ravi")
    [lease] = take(asha)
    step = {"op_id": "stepping-1", "segment": lease["segment"], "fence": lease["fence"]}
    split = asha.post("/api/v1/reshapes", json=step | {"kind": "split", "start_ms": 500}).json()
    assert (split["status"], split["removed"]) == ("applied", [lease["segment"]])
    assert [(part["start_ms"], part["end_ms"]) for part in split["leases"]] == [(0, 500), (500, lease["end_ms"])]
    assert asha.get(split["leases"][1]["audio_url"]).status_code == 200
    assert asha.get(lease["audio_url"]).status_code == 404
    first = {"segment": split["leases"][0]["segment"], "fence": split["leases"][0]["fence"]}
    undo = first | {"op_id": "stepping-2", "kind": "undo", "of": "stepping-1"}
    assert ravi.post("/api/v1/reshapes", json=undo).json()["reason"] == "unknown_step"
    undone = asha.post("/api/v1/reshapes", json=undo).json()
    assert [part["segment"] for part in undone["leases"]] == [lease["segment"]]
    assert asha.post("/api/v1/reshapes", json=undo | {"op_id": "stepping-3", "kind": "turn"}).status_code == 422
