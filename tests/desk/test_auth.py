"""Sessions, pages of other sites, passwords that are guessed, and people who leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk.conftest import PASSWORD, Room, room_in
from tests.store.desk_factories import Clock
from transcribe.desk.auth import Link, Signer, key_hash, read_keys
from transcribe.desk.limits import Throttle
from transcribe.desk.passwords import check_password, generate_password, hash_password
from transcribe.errors import ConfigError, UsageError


@pytest.fixture
def tls_room(tmp_path: Path, template: Path) -> Iterator[Room]:
    yield from room_in(tmp_path, template, proxy="127.0.0.1")


def test_the_cookie_on_this_machine_is_hidden_from_scripts_and_other_sites(room: Room) -> None:
    asha = room.person("asha")
    cookie = asha.post("/api/v1/session", json={"name": "asha", "password": PASSWORD}).headers["set-cookie"]
    assert cookie.startswith("boli_session=")
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie and "Secure" not in cookie


def test_the_cookie_under_tls_is_bound_to_this_host(tls_room: Room) -> None:
    tls_room.person("asha")
    answer = tls_room.stranger().post("/api/v1/session", json={"name": "asha", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-boli=") and "Secure" in cookie and "Domain" not in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_a_session_says_who_is_there_and_ends_when_told(room: Room) -> None:
    asha = room.person("asha")
    me = asha.get("/api/v1/session").json()
    assert (me["name"], me["roles"], me["permissions"]) == ("asha", ["transcriber"], ["work"])
    assert asha.delete("/api/v1/session").status_code == 204
    assert asha.get("/api/v1/session").status_code == 401


def test_a_session_ends_unused(room: Room) -> None:
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    room.clock.go(9 * 3_600)
    room.service.identity_by_key.clear()
    assert [client.get("/api/v1/session").status_code for client in (asha, eyes)] == [200, 401]
    room.clock.go(13 * 3_600)
    room.service.identity_by_key.clear()
    assert asha.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"x-boli-csrf": ""},
        {"x-boli-csrf": "guess"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_page_of_another_site_changes_nothing(room: Room, headers: dict[str, str]) -> None:
    room.talk()
    asha = room.person("asha")
    assert asha.post("/api/v1/leases", json={}, headers=headers).status_code == 403
    assert room.store.leases.fetch(room.store.people.find("asha").id) == ()


def test_another_sessions_word_does_not_let_a_change_in(room: Room) -> None:
    asha, ravi = room.person("asha"), room.person("ravi")
    asha.headers["x-boli-csrf"] = ravi.headers["x-boli-csrf"]
    assert asha.post("/api/v1/leases", json={}).status_code == 403


def test_two_session_cookies_are_none(room: Room) -> None:
    asha = room.person("asha")
    session = asha.cookies["boli_session"]
    headers = {"cookie": f"boli_session={session}; boli_session=other"}
    assert room.stranger().get("/api/v1/session", headers=headers).status_code == 401


def test_a_script_works_with_a_token_and_needs_no_cookie(room: Room) -> None:
    room.talk()
    person = room.store.people.add("robot", ["transcriber"])
    room.store.people.add_token(key_hash("key"), person, "nightly", ["work"])
    robot = room.stranger()
    robot.headers["authorization"] = "Bearer key"
    assert len(robot.post("/api/v1/leases", json={"count": 1}).json()) == 1


def test_a_password_of_a_megabyte_is_refused_unread(room: Room) -> None:
    answer = room.stranger().post("/api/v1/session", json={"name": "asha", "password": "x" * 1_000_000})
    assert answer.status_code == 422


def test_who_asks_too_often_is_told_to_wait(room: Room) -> None:
    asha = room.person("asha")
    room.service.pace = Throttle(rate=0.5, size=3, clock=lambda: 0.0)
    answers = [asha.get("/api/v1/session") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].headers["retry-after"] == "2"


def test_who_is_disabled_is_out_within_a_second(room: Room) -> None:
    asha = room.person("asha")
    assert asha.get("/api/v1/session").status_code == 200
    room.store.people.change("asha", disabled=True)
    room.service.changes = (room.service.changes[0], 0.0)
    assert asha.get("/api/v1/session").status_code == 401


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "desk.key"
    keys = read_keys(file)
    assert read_keys(file) == keys
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key", ["", "short", "x" * 64, "secret" * 8])
def test_a_key_that_can_be_guessed_is_refused(tmp_path: Path, key: str) -> None:
    (tmp_path / "desk.key").write_text(key)
    with pytest.raises(ConfigError, match="E_WEAK_KEY"):
        read_keys(tmp_path / "desk.key")


def test_what_an_old_key_signed_stays_good_when_a_new_one_is_added() -> None:
    link = Link(segment="s", person="p", lease="l")
    signed = Signer(["old key"]).sign(link)
    assert Signer(["old key", "new key"]).verify(signed) == link
    assert Signer(["new key"]).verify(signed) is None


def test_an_address_that_was_signed_while_the_clock_was_ahead_is_not_good_for_longer() -> None:
    clock = Clock()
    signer, link = Signer(["key"], clock=clock), Link(segment="s", person="p", lease="l")
    clock.go(3 * 86_400)
    ahead = signer.sign(link)
    assert signer.verify(ahead) == link
    clock.go(-3 * 86_400)
    assert signer.verify(ahead) is None
    good = signer.sign(link)
    assert signer.verify(good) == link
    clock.go(600)
    assert signer.verify(good) is None


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "password123",
        "qwertyuiop12",
        "zxcvbnm,./12",
        "aaaaaaaaaaaa",
        "AshaDevi2026",
        "boliboliboli",
        "x" * 900,
    ],
)
def test_a_password_that_is_among_the_first_guesses_is_refused(password: str) -> None:
    with pytest.raises(UsageError, match="among the first that somebody would guess"):
        hash_password(password, name="Asha Devi")


@pytest.mark.parametrize("password", ["four plain words here", "मेरा पासवर्ड बहुत लंबा", "k7mp-x3qr-9hvd-w2ct"])
def test_plain_words_of_any_language_are_a_password(password: str) -> None:
    assert check_password(password, hash_password(password, name="Asha Devi"))


def test_a_password_that_is_made_for_somebody_is_taken() -> None:
    hash_password(generate_password(), name="Asha Devi")


def test_who_is_invited_chooses_no_password_that_is_guessed_first(room: Room) -> None:
    lead, stranger = room.person("lead", "lead"), room.stranger()
    invitation = lead.post("/api/v1/people", json={"name": "mina", "roles": ["transcriber"], "dialects": []}).json()
    refused = stranger.post("/api/v1/invitations", json={"key": invitation["key"], "password": "mina123456"})
    assert (refused.status_code, "guess" in refused.text) == (422, True)
    chosen = stranger.post("/api/v1/invitations", json={"key": invitation["key"], "password": PASSWORD})
    assert chosen.status_code == 200
