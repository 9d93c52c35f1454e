"""Requests of any shape: the desk answers, and never with an error of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.desk.conftest import Room, operation, room_in, send, take
from transcribe.desk.limits import Throttle

#: Requests of every route in the suite, and in the long form.
QUICK, LONG = 4, 400


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Room]:
    """A desk with work in every state, and somebody who may do everything."""
    for room in room_in(tmp_path_factory.mktemp("fuzz"), template):
        room.talk(count=4)
        asha = room.person("asha")
        for n, lease in enumerate(take(asha, 2)):
            send(asha, operation(lease, "mine", f"operation-{n}"))
        room.person("all", "transcriber", "reviewer", "lead", "analyst")
        room.service.pace = Throttle(rate=1e9, size=1e9)
        yield room


def ids_of(room: Room) -> list[str]:
    """List ids that are there, so that not every request ends at a lookup."""
    segments = [segment.id for segment in room.store.drafts.fetch_segments(next(room.store.recordings.fetch()).id)]
    return [
        *segments,
        *(lease.id for person in room.store.people.fetch() for lease in room.store.leases.fetch(person.id)),
    ]


def ask_everything(room: Room, examples: int) -> dict[str, int]:
    """Ask each route *examples* times by its description. Gives the number of answers by route."""
    client = room.clients["all"]
    document = client.get("/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    ids = st.sampled_from(ids_of(room))
    count_by_route: dict[str, int] = {}
    for result in schema.get_all_operations():
        route = result.ok()
        if (route.method, route.path) == ("delete", "/api/v1/session"):
            continue

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=examples == QUICK,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=route.as_strategy(), id=ids, real=st.booleans())
        def ask(case: Any, id: str, real: bool) -> None:
            parameters = case.path_parameters | ({"id": id} if real and "id" in case.path_parameters else {})
            path = case.path.format(**{name: _quoted(value) for name, value in parameters.items()})
            body = {} if case.body is schemathesis.core.NOT_SET else {"json": case.body}
            query = {name: str(value) for name, value in (case.query or {}).items()}
            answer = client.request(case.method, path, params=query, **body)
            assert answer.status_code < 500, (case.method, path, answer.text)
            count_by_route[f"{case.method} {case.path}"] = count_by_route.get(f"{case.method} {case.path}", 0) + 1

        ask()
    assert len(count_by_route) == sum(len(methods) for methods in document["paths"].values()) - 1
    return count_by_route


def _quoted(value: object) -> str:
    return quote(str(value), safe="") or "%20"


def test_no_shape_of_a_request_breaks_the_desk(full: Room) -> None:
    assert min(ask_everything(full, QUICK).values()) > 0


@pytest.mark.soak
def test_no_shape_of_a_request_breaks_the_desk_however_often(full: Room) -> None:
    ask_everything(full, LONG)
    assert full.store.audit.find_broken_history() is None
