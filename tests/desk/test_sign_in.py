"""Passwords that are guessed delay the guesser, not the owner, and nobody who is signed in waits for a hash."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from tests.desk.conftest import HASHED, PASSWORD, Room
from transcribe.desk.app import build
from transcribe.desk.auth import Signer
from transcribe.desk.limits import Attempt, Delays, SignInLimits, Throttle

OWNER = "10.0.0.1"
STRANGER = "203.0.113.9"


class Ticks:
    """Seconds that a test counts."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks(room: Room) -> Ticks:
    ticks = Ticks()
    room.service.sign_ins = SignInLimits(clock=ticks)
    return ticks


def guess(client: TestClient, password: str = "a wrong password", name: str = "asha") -> httpx.Response:
    return client.post("/api/v1/session", json={"name": name, "password": password})


def sign_in_at(room: Room, address: str) -> TestClient:
    """Sign asha in on a device at *address*."""
    room.store.people.add("asha", ["transcriber"], password=HASHED)
    client = room.stranger(address)
    assert guess(client, PASSWORD).status_code == 200
    return client


def guess_all_day(client: TestClient, ticks: Ticks, count: int) -> None:
    """Guess as soon as it is answered again, *count* times."""
    for _ in range(count):
        while (answer := guess(client)).status_code == 429:
            ticks.now += float(answer.headers["retry-after"])
        assert answer.status_code == 401


def test_a_stranger_does_not_delay_the_owner_on_a_device_of_theirs(room: Room, ticks: Ticks) -> None:
    owner = sign_in_at(room, OWNER)
    guess_all_day(room.stranger(STRANGER), ticks, 11)
    assert guess(room.stranger(STRANGER), PASSWORD).status_code == 429
    assert guess(owner, PASSWORD).status_code == 200
    # A session that has ended does not end what is known of the device.
    owner.cookies.delete("boli_session")
    assert guess(owner, PASSWORD).status_code == 200


def test_a_new_device_waits_a_quarter_of_an_hour_at_most_whoever_guessed(room: Room, ticks: Ticks) -> None:
    sign_in_at(room, OWNER)
    for number in range(4):
        guess_all_day(room.stranger(f"203.0.113.{number}"), ticks, 11)
    for address in (STRANGER, "203.0.113.0", OWNER):
        answer = guess(room.stranger(address), PASSWORD)
        if answer.status_code == 429:
            wait = float(answer.headers["retry-after"])
            assert 0 < wait <= 900
            ticks.now += wait
            answer = guess(room.stranger(address), PASSWORD)
        assert answer.status_code == 200


def test_many_guesses_at_once_are_few_tries(room: Room, ticks: Ticks) -> None:
    room.person("asha")
    strangers = [room.stranger(STRANGER) for _ in range(3)]
    answers = Counter(guess(strangers[number % 3]).status_code for number in range(60))
    assert answers == {401: 3, 429: 57}


def test_many_addresses_have_few_tries_of_one_name(room: Room, ticks: Ticks) -> None:
    answers = Counter(guess(room.stranger(f"203.0.113.{number}")).status_code for number in range(60))
    assert answers == {401: 30, 429: 30}


def test_a_device_of_another_person_is_none(room: Room, ticks: Ticks) -> None:
    owner = sign_in_at(room, OWNER)
    stranger = room.stranger(OWNER)
    for cookie in owner.cookies.jar:
        stranger.cookies.set(cookie.name, cookie.value or "")
    assert [guess(stranger, name="first").status_code for _ in range(4)] == [401, 401, 401, 429]
    signer = Signer(["key"])
    signed = signer.sign_device("asha", "device")
    assert (signer.verify_device(signed, "asha"), signer.verify_device(signed, "ravi")) == ("device", None)
    assert (Signer(["other"]).verify_device(signed, "asha"), signer.verify_device("device", "asha")) == (None, None)


def test_wrong_passwords_on_a_device_delay_that_device_alone(room: Room, ticks: Ticks) -> None:
    owner = sign_in_at(room, OWNER)
    assert [guess(owner).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert guess(room.stranger(OWNER), PASSWORD).status_code == 200


def test_the_cookie_of_a_device_is_hidden_and_outlives_the_session(room: Room) -> None:
    asha = room.person("asha")
    cookies = guess(asha, PASSWORD).headers.get_list("set-cookie")
    [device] = [cookie for cookie in cookies if "_device_" in cookie]
    assert "HttpOnly" in device and "SameSite=lax" in device and "Max-Age=34560000" in device
    assert "asha" not in device
    asha.delete("/api/v1/session")
    assert any("_device_" in cookie.name for cookie in asha.cookies.jar)


def test_who_is_signed_in_does_not_wait_for_passwords(room: Room) -> None:
    cookie = f"boli_session={room.person('asha').cookies['boli_session']}"
    hold = threading.Event()
    for _ in range(2):
        room.service.hashes._pool.submit(hold.wait)
    try:
        waiting, answers = asyncio.run(_ask_beside_sign_ins(room, cookie, hold.set))
    finally:
        hold.set()
    assert waiting == {503: 68}
    assert answers == {401: 32}


async def _ask_beside_sign_ins(room: Room, cookie: str, go_on: Callable[[], None]) -> tuple[Counter[int], Counter[int]]:
    """Sign a hundred in while no password is hashed, and ask for a page. Gives the answers before and after."""
    transport = httpx.ASGITransport(build(room.service, hosts=("localhost",)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        bodies = [{"name": f"person {number}", "password": "a wrong password"} for number in range(100)]
        tasks = [asyncio.create_task(client.post("/api/v1/session", json=body)) for body in bodies]
        for _ in range(10_000):
            if sum(task.done() for task in tasks) < 68:
                await asyncio.sleep(0)
        assert (await client.get("/api/v1/session", headers={"cookie": cookie})).status_code == 200
        refused = [task.result() for task in tasks if task.done()]
        assert {answer.headers["retry-after"] for answer in refused} == {"3"}
        go_on()
        later = await asyncio.gather(*(task for task in tasks if not task.done()))
    return Counter(answer.status_code for answer in refused), Counter(answer.status_code for answer in later)


@given(st.lists(st.integers(0, 5_000), max_size=40))
def test_no_delay_is_longer_than_the_longest(gaps: list[int]) -> None:
    ticks = Ticks()
    delays = Delays(clock=ticks)
    for gap in gaps:
        ticks.now += gap
        delays.spend("a")
        assert 0 <= delays.wait_s("a") <= 900 and delays.wait_s("b") == 0
    ticks.now += 900
    assert delays.wait_s("a") == 0


def test_an_attempt_that_nobody_looked_at_is_not_counted() -> None:
    limits = SignInLimits(clock=Ticks())
    for device in (None, "device"):
        attempt = Attempt(name="asha", address=STRANGER, device=device)
        for _ in range(500):
            limits.begin(attempt)
            limits.give_back(attempt)
        assert limits.wait_s(attempt) == 0


def test_a_throttle_fills_again() -> None:
    now = 0.0
    throttle = Throttle(rate=0.5, size=2, clock=lambda: now)
    for _ in range(2):
        assert throttle.wait_s("a") == 0
        throttle.spend("a")
    assert (throttle.wait_s("a"), throttle.wait_s("b")) == (2.0, 0)
    now = 2.0
    assert throttle.wait_s("a") == 0
    throttle.spend("a")
    throttle.give_back("a")
    assert throttle.wait_s("a") == 0
