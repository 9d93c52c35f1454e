"""Where the desk may listen, and what it tells before anybody is known."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialects.dialect import load_catalogue
from tests.desk.conftest import Room, operation, room_in, send, take
from transcribe.config import DeskSettings
from transcribe.desk.server import bind_address, differ, is_loopback
from transcribe.errors import ConfigError


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.168.1.5"},
        {"host": "desk.example"},
        {"proxy": "*"},
        {"proxy": ""},
        {"proxy": "0.0.0.0/0"},
        {"proxy": "::/0"},
        {"proxy": "10.0.0.1,*"},
        {"proxy": "proxy.example"},
        {"host": "0.0.0.0", "proxy": "*"},
        {"tls_certificate": "desk.crt"},
        {"tls_key": "desk.pem"},
        {"tls_certificate": "absent.crt", "tls_key": "absent.pem"},
        {"host": "0.0.0.0", "tls_certificate": "absent.crt", "tls_key": "absent.pem"},
    ],
)
def test_an_open_door_is_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        bind_address(DeskSettings(**settings), tmp_path)


@pytest.mark.parametrize(
    ("settings", "secure"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0", "proxy": "10.0.0.1", "hosts": ["desk.example"]}, True),
    ],
)
def test_this_machine_and_a_declared_proxy_are_let_in(tmp_path: Path, settings: dict[str, Any], secure: bool) -> None:
    assert bind_address(DeskSettings(**settings), tmp_path).secure is secure


@pytest.mark.parametrize(
    ("host", "is_proxy", "is_allowed"),
    [
        ("10.0.0.1", True, True),
        ("::ffff:10.0.0.1", True, True),
        ("192.168.7.9", True, True),
        ("fd00::1", True, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.0.0.2", False, False),
        ("192.168.8.1", False, False),
        ("", False, False),
    ],
)
def test_only_the_proxy_comes_without_tls(tmp_path: Path, host: str, is_proxy: bool, is_allowed: bool) -> None:
    settings = DeskSettings(host="0.0.0.0", proxy="10.0.0.1, fd00::1, 192.168.7.0/24")
    address = bind_address(settings, tmp_path)
    assert (address.is_proxy(host), address.is_allowed(host)) == (is_proxy, is_allowed)


def test_only_this_machine_is_this_machine() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example")] == [False] * 4


def test_two_texts_differ_by_the_rules_of_their_dialect() -> None:
    rate = differ(load_catalogue())
    assert rate("hi", "क़लम ठीक है।", "क़लम ठीक है") == 0.0
    assert rate("en-US", "one two", "one three") == 0.5
    assert rate(None, "one two", "one three") == 0.5
    assert rate("en-US", "", "") is None


def test_the_screen_that_was_not_built_is_a_plain_sentence(room: Room) -> None:
    room.service.screen = room.folder / "absent"
    answer = room.stranger().get("/")
    assert answer.status_code == 503
    assert "make editor" in answer.text and answer.headers["content-type"].startswith("text/plain")


def test_the_screen_is_kept_by_its_hash_and_nothing_beside_it_is_given_out(room: Room) -> None:
    screen = room.folder / "screen"
    (screen / "assets").mkdir(parents=True)
    (screen / "index.html").write_text("<meta property='csp-nonce' nonce='__BOLI_NONCE__'>")
    (screen / "assets" / "app-1a2b.js").write_text("go()")
    room.service.screen = screen
    stranger = room.stranger()
    asset, page = stranger.get("/assets/app-1a2b.js"), stranger.get("/review")
    assert (asset.text, asset.headers["cache-control"]) == ("go()", "public, max-age=31536000, immutable")
    nonce = page.text.split("nonce='")[1].split("'")[0]
    assert f"'nonce-{nonce}'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-cache"
    for path in ("/../boli.db", "/%2e%2e/boli.db", "/assets/../../boli.db", "/desk.key", "/assets/absent.js"):
        assert b"SQLite" not in stranger.get(path).content
        assert stranger.get(path).status_code in (200, 404)


def test_every_answer_keeps_the_page_to_itself(room: Room) -> None:
    stranger = room.stranger()
    for path in ("/healthz", "/api/v1/session", "/api/v1/nothing", "/"):
        headers = stranger.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "localhost:99999999", "a b"])
def test_a_name_that_is_not_the_desks_is_refused(room: Room, host: str) -> None:
    answer = room.stranger().get("/healthz", headers={"host": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "E_HOST")


def test_a_body_that_is_too_large_is_refused(room: Room) -> None:
    asha = room.person("asha")
    for body, more in [
        (b"x" * (3 << 20), {}),
        (gzip.compress(b"x" * (50 << 20)), {"content-encoding": "gzip"}),
        (iter([b"x" * (1 << 20)] * 3), {}),
    ]:
        headers = {"content-type": "application/json"} | more
        assert asha.post("/api/v1/corrections", content=body, headers=headers).status_code == 413
    cut = gzip.compress(b"[]")[:-4]
    packed = {"content-encoding": "gzip", "content-type": "application/json"}
    assert asha.post("/api/v1/corrections", content=cut, headers=packed).status_code == 400
    assert asha.post("/api/v1/corrections", content=b"[]", headers=packed).status_code == 400


def test_numbers_for_prometheus_name_no_person(room: Room) -> None:
    room.talk()
    data = room.person("dataperson", "analyst")
    metrics = data.get("/metrics").text
    assert 'boli_segments{dialect="hi",state="open"} 2.0' in metrics
    assert 'boli_requests_total{method="POST",route="/api/v1/session",status="200"} 1.0' in metrics
    assert "dataperson" not in metrics


def test_progress_is_told_by_dialect(room: Room) -> None:
    room.talk()
    progress = room.person("lead", "lead").get("/api/v1/progress").json()
    [hindi] = progress["dialects"]
    assert (hindi["dialect"], hindi["segments"], hindi["accepted_ms"]) == ("hi", {"open": 2}, 0)
    assert set(hindi["oldest"]) == {"open"}


@pytest.fixture
def doubled(tmp_path: Path, template: Path) -> Iterator[Room]:
    yield from room_in(tmp_path, template, second_share=1.0)


def test_two_blind_texts_reach_the_reviewer_without_names_or_draft(doubled: Room) -> None:
    [segment] = doubled.talk(count=1, dialect="hi")
    asha, ravi, eyes = doubled.person("asha"), doubled.person("ravi"), doubled.person("eyes", "reviewer")
    [first] = take(asha)
    assert first["draft"] is None and first["text"] == ""
    send(asha, operation(first, "आज बाज़ार"))
    [second] = take(ravi)
    assert (second["segment"], second["version"], second["text"]) == (segment, 0, "")
    assert ravi.get(f"/api/v1/segments/{segment}").json()["text"] == ""
    assert ravi.get(f"/api/v1/segments/{segment}/history").json()["versions"] == []
    send(ravi, operation(second, "कल दुकान", "operation-2"))
    review = eyes.get("/api/v1/review/next").json()
    assert (review["kind"], review["lease"]["draft"]) == ("disputed", None)
    assert {(version["text"], version["author"]) for version in review["versions"]} == {
        ("आज बाज़ार", None),
        ("कल दुकान", None),
    }
