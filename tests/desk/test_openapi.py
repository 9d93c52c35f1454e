"""The API's description is as committed, and says what goes over the wire where no model writes the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.conftest import ROOT
from tests.desk.conftest import PASSWORD, Room, operation, take
from transcribe.desk.app import describe
from transcribe.desk.schemas.common import ErrorOut, Me
from transcribe.desk.schemas.lead import SettingsOut
from transcribe.desk.schemas.segments import LeaseOut, OutcomeOut, PeaksOut, ReshapeOut

PEOPLE = {"asha": "transcriber", "lead": "lead"}


@pytest.fixture
def staffed(room: Room) -> Room:
    """A desk with segments to write, a transcriber and a lead."""
    room.talk(count=4)
    for name, role in PEOPLE.items():
        room.person(name, role)
    return room


def test_the_description_is_the_one_that_the_screen_was_typed_by() -> None:
    committed = (ROOT / "editor" / "openapi.json").read_text(encoding="utf-8")
    assert committed == describe(), "run `make api` and commit what it changes"


def test_every_shape_has_a_name_of_its_own() -> None:
    # Of two models of one name FastAPI names both by their modules.
    shapes = json.loads(describe())["components"]["schemas"]
    assert [name for name in shapes if "__" in name] == []


def test_the_desk_serves_the_description(staffed: Room) -> None:
    answer = staffed.stranger().get("/api/v1/openapi.json")
    assert json.loads(describe()) == answer.json()


def ask_for_leases(room: Room) -> Any:
    return take(room.clients["asha"], 2)


def list_leases(room: Room) -> Any:
    take(room.clients["asha"], 2)
    return room.clients["asha"].get("/api/v1/leases").json()


def send_text(room: Room) -> Any:
    [lease] = take(room.clients["asha"])
    text = operation(lease, "mine")
    answers = [
        room.clients["asha"].post("/api/v1/corrections", json=[body]).json()
        for body in (text, text | {"text": "other"})
    ]
    return answers[0] + answers[1]


def split_segment(room: Room) -> Any:
    [lease] = take(room.clients["asha"])
    step = {"op_id": "stepping-1", "kind": "split", "start_ms": lease["start_ms"] + 500}
    step |= {name: lease[name] for name in ("segment", "fence")}
    return room.clients["asha"].post("/api/v1/reshapes", json=step).json()


def sign_in(room: Room) -> Any:
    return room.stranger().post("/api/v1/session", json={"name": "asha", "password": PASSWORD}).json()


def draw_waveform(room: Room) -> Any:
    [lease] = take(room.clients["asha"])
    return room.clients["asha"].get(lease["peaks_url"]).json()


def refuse(room: Room) -> Any:
    return room.stranger().get("/api/v1/leases").json()


#: Routes whose answers no model writes, because they are the busy ones, set a cookie, send a file or an error.
UNCHECKED: dict[str, tuple[Callable[[Room], Any], Any]] = {
    "leases taken": (ask_for_leases, list[LeaseOut]),
    "leases": (list_leases, list[LeaseOut]),
    "corrections": (send_text, list[OutcomeOut]),
    "reshapes": (split_segment, ReshapeOut),
    "session": (sign_in, Me),
    "peaks": (draw_waveform, PeaksOut),
    "an error": (refuse, ErrorOut),
}


def check(shape: Any, answer: Any) -> None:
    """Check that *answer* is all of *shape* and nothing else."""
    adapter = TypeAdapter(shape)
    written = adapter.dump_python(
        adapter.validate_python(answer), mode="json", by_alias=True, exclude_none=shape == list[OutcomeOut]
    )
    assert written == answer


@pytest.mark.parametrize("name", UNCHECKED)
def test_answers_that_no_model_writes_are_as_described(staffed: Room, name: str) -> None:
    ask, shape = UNCHECKED[name]
    answer = ask(staffed)
    assert answer
    check(shape, answer)


def test_an_answer_with_more_or_less_than_described_is_noticed(staffed: Room) -> None:
    [lease] = take(staffed.clients["asha"])
    check(LeaseOut, lease)
    with pytest.raises(AssertionError):
        check(LeaseOut, lease | {"more": 1})
    with pytest.raises(ValidationError):
        check(LeaseOut, {name: lease[name] for name in lease if name != "masks"})


def test_settings_keep_their_types_on_the_wire(staffed: Room) -> None:
    settings = staffed.clients["lead"].get("/api/v1/settings").json()
    assert settings == SettingsOut.model_validate(settings).model_dump(mode="json")
    values = {setting["name"]: setting["value"] for setting in settings["settings"]}
    rounds, shading, share, audio = (values[name] for name in ("rounds", "shading", "heard_share", "offline_audio"))
    assert [type(rounds), type(shading), type(share), type(audio)] == [int, bool, float, str]
    assert values["retention_days"] is None


def test_a_reason_that_is_none_is_refused_by_its_name(staffed: Room) -> None:
    [lease] = take(staffed.clients["asha"])
    answer = staffed.clients["asha"].delete(f"/api/v1/leases/{lease['id']}?reason=lazy")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "E_SHAPE")
    assert "'bad_audio'" in answer.json()["error"]["message"]
    assert staffed.clients["asha"].delete(f"/api/v1/leases/{lease['id']}?reason=bad_audio").status_code == 204
