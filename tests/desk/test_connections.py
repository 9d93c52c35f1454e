"""A real desk under half-open, slow and oversized requests, with a writer who is served all the while."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.desk.conftest import HASHED, PASSWORD
from tests.desk.serving import Process, serve
from transcribe import workspace
from transcribe.config import DeskSettings
from transcribe.desk.connections import ConnectionTable, fit_connections
from transcribe.desk.limits import address_group
from transcribe.store import Store

MOST, MOST_ADDRESS = 24, 8
PATIENT = {
    "MOST_CONNECTIONS": str(MOST),
    "MOST_CONNECTIONS_ADDRESS": str(MOST_ADDRESS),
    "HEAD_BYTES": "8192",
    "HEAD_S": "600",
}
CHUNKED = b"POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
QUICK = PATIENT | {"HEAD_S": "0.2", "BODY_S": "0.2", "LINE_BYTES": "1024"}


def desk_with(tmp_path_factory: pytest.TempPathFactory, limits: dict[str, str]) -> Iterator[Process]:
    place = workspace.create(tmp_path_factory.mktemp("bounded") / "desk")
    with Store.open(f"sqlite:///{place}/boli.db") as store:
        store.people.add("asha", ["transcriber"], password=HASHED)
    desk = serve(place, **{f"BOLI_DESK__{name}": text for name, text in limits.items()})
    yield desk
    desk.stop()


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A desk that waits long, and lets few in at a time."""
    yield from desk_with(tmp_path_factory, PATIENT)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A desk that waits for nobody."""
    yield from desk_with(tmp_path_factory, QUICK)


def dial(desk: Process, request: bytes = b"") -> socket.socket:
    line = socket.create_connection(("127.0.0.1", int(desk.url.rsplit(":", 1)[1])), timeout=30)
    line.sendall(request)
    return line


def read_all(line: socket.socket) -> bytes:
    """Read until the desk closes the line."""
    parts = []
    try:
        while part := line.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def status_of(answer: bytes) -> int:
    return int(answer.split()[1])


def test_one_address_holds_no_more_than_its_share_and_a_writer_is_served(patient: Process) -> None:
    with ExitStack() as stack, httpx.Client(base_url=patient.url, timeout=60) as asha:
        assert asha.post("/api/v1/session", json={"name": "asha", "password": PASSWORD}).status_code == 200
        lines = []
        for number in range(5 * MOST):
            lines.append(stack.enter_context(dial(patient, b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ")))
            if number % 10 == 0:
                assert asha.get("/api/v1/session").status_code == 200
        # The writer's connection is one of the eight.
        assert {read_all(line) for line in lines[: 1 - MOST_ADDRESS]} == {b""}
        with httpx.Client(base_url=patient.url, timeout=60) as ravi:
            assert ravi.get("/healthz").status_code == 200
        assert asha.get("/api/v1/session").status_code == 200


@pytest.mark.parametrize(
    ("request_part", "status"),
    [
        (b"", None),
        (b"\r\n\r\n", 408),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ", 408),
        (b"POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{", 408),
        (b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\n", 200),
    ],
)
def test_what_is_not_whole_in_time_is_closed(quick: Process, request_part: bytes, status: int | None) -> None:
    with dial(quick, request_part) as line:
        answer = read_all(line)
    assert (status_of(answer) if answer else None) == status


@pytest.mark.parametrize(
    ("request_start", "endless", "status"),
    [
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nx-long: ", b"a", 431),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"x: y\r\n", 431),
        (b"GET /", b"a", 431),
        (b"", b"\r\n", 431),
        (CHUNKED + b"1;", b"a", 431),
        (CHUNKED + b"0\r\n", b"x: y\r\n", 431),
    ],
)
def test_a_head_without_end_is_not_gathered(
    patient: Process, request_start: bytes, endless: bytes, status: int
) -> None:
    with dial(patient, request_start) as line:
        sent = 0
        try:
            while sent < 4 << 20:
                sent += line.send(endless * 4_096)
        except (ConnectionResetError, BrokenPipeError):
            pass
        answer = read_all(line)
    assert sent < 4 << 20
    # A reset may overtake the answer.
    assert not answer or status_of(answer) == status


def test_a_head_up_to_the_limit_is_answered_and_a_longer_one_is_told_why(patient: Process) -> None:
    for size, status in ((8_000, 200), (8_300, 431)):
        head = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-long: "
        with dial(patient, head + b"a" * (size - len(head)) + b"\r\n\r\n") as line:
            answer = read_all(line)
        assert status_of(answer) == status
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "E_REQUEST"


def test_an_address_that_is_too_long_is_told_why(quick: Process) -> None:
    for length, status in ((1_024, 200), (1_025, 414)):
        target = b"/" + b"a" * (length - 1)
        with dial(quick, b"GET " + target + b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n") as line:
            assert status_of(read_all(line)) in (status, 503 if status == 200 else status)


def test_requests_that_follow_each_other_at_once_are_all_answered(patient: Process) -> None:
    get = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n"
    with dial(patient, (get + b"x: " + b"a" * 3_000 + b"\r\n\r\n") * 40 + get + b"connection: close\r\n\r\n") as line:
        assert read_all(line).count(b"HTTP/1.1 200 ") == 41


def test_a_proxy_is_not_one_address() -> None:
    table = ConnectionTable(DeskSettings(most_connections_address=2), most=5, is_proxy=lambda host: host == "10.0.0.1")
    proxied = [_Line("10.0.0.1", since, table) for since in range(7)]
    assert [table.add(line) for line in proxied] == [True] * 7  # type: ignore[arg-type]
    assert ([line.dropped for line in proxied], len(table)) == ([True] * 2 + [False] * 5, 5)


def test_who_is_being_answered_is_not_closed_for_another() -> None:
    table = ConnectionTable(DeskSettings(most_connections_address=2), most=5)
    busy = [_Line("10.0.0.7", since, table, is_waiting=False) for since in range(2)]
    lines = (*busy, _Line("10.0.0.7", 3, table), _Line("10.0.0.8", 4, table))
    assert [table.add(line) for line in lines] == [True, True, False, True]  # type: ignore[arg-type]


def test_a_host_that_may_not_come_is_not_let_in() -> None:
    table = ConnectionTable(DeskSettings(), most=5, is_allowed=lambda host: host == "10.0.0.1")
    hosts = ("10.0.0.1", "10.0.0.2")
    assert [table.add(_Line(host, 1, table)) for host in hosts] == [True, False]  # type: ignore[arg-type]


def test_networks_of_one_customer_are_one_address() -> None:
    assert len({address_group(f"2001:db8::{number:x}") for number in range(9)}) == 1
    assert address_group("::ffff:10.0.0.7") == address_group("10.0.0.7") != address_group("10.0.0.8")


def test_as_many_connections_as_files_can_be_open() -> None:
    assert fit_connections(100) == 100
    assert fit_connections(10**9) <= 10**9


class _Line:
    """A connection as its table sees it."""

    def __init__(self, address: str, since: int, table: ConnectionTable, *, is_waiting: bool = True) -> None:
        self.host = self.address = address
        self.since, self.table, self.is_waiting = since, table, is_waiting
        self.requests, self.dropped = 0, False

    def drop(self) -> None:
        self.dropped = True
        self.table.remove(self)  # type: ignore[arg-type]
