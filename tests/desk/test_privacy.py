"""Of a masked stretch no sound and no word leaves the desk by any address."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.desk.conftest import PLAIN, Room, operation, room_in, send, take
from transcribe.redaction import MASK
from transcribe.store.facts import Statement


def sound_of(client: TestClient, lease: dict[str, Any]) -> np.ndarray[Any, Any]:
    answer = client.get(lease["audio_url"])
    assert answer.status_code == 200
    with av.open(io.BytesIO(answer.content)) as sound:
        return np.concatenate([frame.to_ndarray().mean(axis=0) for frame in sound.decode(audio=0)])


def loudest_hz(samples: np.ndarray[Any, Any], start_s: float, end_s: float) -> float:
    part = samples[round(start_s * 48_000) : round(end_s * 48_000)]
    return float(np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax() * 48_000 / len(part))


def test_a_masked_stretch_sounds_as_a_tone_and_draws_as_nothing(room: Room) -> None:
    room.talk(count=1)
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    [lease] = take(asha)
    assert abs(loudest_hz(sound_of(asha, lease), 0.2, 0.8) - 220) < 10
    stretch = {"segment": lease["segment"], "start_ms": 0, "end_ms": 900}
    answer = eyes.post("/api/v1/masks", json=stretch)
    assert (answer.status_code, answer.json()["by"]) == (201, "eyes")
    assert abs(loudest_hz(sound_of(asha, lease), 0.2, 0.8) - 1_000) < 10
    peaks = asha.get(lease["peaks_url"]).json()["peaks"]
    assert set(peaks[:36]) == {0}
    assert asha.get(f"/api/v1/segments/{lease['segment']}").json()["masks"] == [{"start_ms": 0, "end_ms": 900}]
    assert len(list((room.folder / "cache" / "clips").rglob("*.webm"))) == 1


def test_no_address_tells_what_was_typed_where_it_is_masked(room: Room) -> None:
    room.talk(count=3)
    asha, eyes, lead = room.person("asha"), room.person("eyes", "reviewer"), room.person("lead", "lead")
    first, second, third = take(asha, 3)
    for n, lease in enumerate((first, second)):
        send(asha, operation(lease, f"hu SECRET{n} hu", f"operation-{n}"))
    stretch = {"segment": first["segment"], "start_ms": 0, "end_ms": 5_000}
    assert eyes.post("/api/v1/masks", json=stretch).status_code == 201
    outcomes = send(asha, operation(first, "other", "operation-9", base_version=0))
    review = eyes.get("/api/v1/review/next").text
    again = take(asha, 1, segments=[second["segment"]])
    addresses = [
        f"segments/{lease['segment']}{part}" for lease in (first, second, third) for part in ("", "/history", "/masks")
    ]
    texts = [client.get(f"/api/v1/{address}").text for client in (asha, eyes, lead) for address in addresses]
    texts += [review, json.dumps(outcomes), json.dumps(again), asha.get("/api/v1/people/me/work").text]
    assert outcomes[0]["status"] == "conflict" and MASK in outcomes[0]["server_text"]
    assert not [text for text in texts if "SECRET" in text]
    assert any(MASK in text for text in texts)


def test_only_a_lead_lifts_a_mask(room: Room) -> None:
    room.talk()
    asha, eyes, lead = room.person("asha"), room.person("eyes", "reviewer"), room.person("lead", "lead")
    [lease] = take(asha)
    body = {"segment": lease["segment"], "start_ms": 0, "end_ms": 900}
    assert asha.post("/api/v1/masks", json=body).status_code == 403
    id = eyes.post("/api/v1/masks", json=body).json()["id"]
    assert [stretch["id"] for stretch in eyes.get(f"/api/v1/segments/{lease['segment']}/masks").json()] == [id]
    assert eyes.delete(f"/api/v1/masks/{id}").status_code == 403
    assert [lead.delete(f"/api/v1/masks/{id}").status_code for _ in range(2)] == [204, 404]
    assert eyes.post("/api/v1/masks", json=body | {"end_ms": 0}).status_code == 422


@pytest.fixture
def private(tmp_path: Path, template: Path) -> Iterator[Room]:
    (tmp_path / "terms.txt").write_text("hu\n", encoding="utf-8")
    yield from room_in(tmp_path, template, **(PLAIN | {"mask_terms": "terms.txt"}))


def test_a_clients_terms_are_masked_before_anybody_hears_them(private: Room) -> None:
    private.talk(count=2)
    private.service.lay_out()
    asha = private.person("asha")
    leases = {lease["start_ms"]: lease for lease in take(asha, 2)}
    assert [word["text"] for word in leases[0]["draft"]["words"]] == [MASK]
    assert "hu" not in json.dumps(leases[0]["draft"]) + leases[0]["text"] + leases[2_000]["before"]
    assert leases[0]["masks"][0]["start_ms"] == 0
    assert abs(loudest_hz(sound_of(asha, leases[0]), 0.2, 0.8) - 1_000) < 10


def test_withdrawn_speech_leaves_the_desk_at_once_and_its_holder_is_told_why(room: Room) -> None:
    room.talk(count=2)
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    [lease] = take(asha)
    assert asha.get(lease["audio_url"]).status_code == 200
    recording = room.store.recordings.fetch()
    ids = {found.id: {"consent": "withdrawn"} for found in recording}
    room.store.facts.change(ids, Statement(source="letter"))
    addresses = (lease["audio_url"], lease["peaks_url"], f"/api/v1/segments/{lease['segment']}")
    for address in addresses:
        refused = asha.get(address)
        assert (refused.status_code, refused.json()["error"]["code"]) == (410, "E_WITHHELD")
        assert "word" not in refused.text
        assert eyes.get(address).status_code == 404
    heartbeat = asha.put(f"/api/v1/leases/{lease['id']}")
    assert (heartbeat.status_code, heartbeat.json()["error"]["code"]) == (410, "E_WITHHELD")
    assert asha.get("/api/v1/leases").json() == [] and take(asha, 5) == []
    [outcome] = send(asha, operation(lease, "typed before it", "operation-1"))
    assert (outcome["status"], outcome["reason"]) == ("late", "withheld")
    assert "typed before it" not in asha.get("/api/v1/people/me/work").text
    room.store.facts.change({id: {"consent": "given"} for id in ids}, Statement(source="form"))
    assert len(take(asha, 5)) == 1, "a text of hers waits for a reviewer on the other one"
