"""Work that a browser saved to a file comes in by the rules of the line, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.desk.conftest import Room, operation, send, take
from transcribe.desk.outbox import import_outbox, read_outbox
from transcribe.desk_records import Outcome
from transcribe.errors import InputError


def import_saved(room: Room, name: str, *operations: dict[str, Any], unfinished: bool = False) -> list[Outcome]:
    """Import a file in which the person *name* saved *operations*."""
    file = room.folder / "unsent.json"
    person = {"id": room.store.people.find(name).id, "name": name}
    document = {"schema": "boli.outbox/1", "person": person, "operations": list(operations)}
    file.write_text(json.dumps(document), encoding="utf-8")
    service = room.service
    return list(import_outbox(read_outbox(file), room.store, service.rules, service.differ, unfinished=unfinished))


def test_saved_work_is_applied_once_whether_it_comes_by_file_or_line(room: Room) -> None:
    room.talk(count=2)
    asha = room.person("asha")
    first, second = take(asha, 2)
    saved = operation(first, "मैं वहाँ"), operation(second, "second", "operation-2", seq=2)
    assert [outcome.status for outcome in import_saved(room, "asha", *saved)] == ["applied", "applied"]
    assert [outcome.status for outcome in import_saved(room, "asha", *saved)] == ["duplicate", "duplicate"]
    assert [outcome["status"] for outcome in send(asha, *saved)] == ["duplicate", "duplicate"]
    assert [version.text for version in room.store.reviews.fetch_versions(first["segment"])] == ["मैं वहाँ"]


def test_saved_work_that_comes_late_or_beside_another_text_is_kept(room: Room) -> None:
    room.talk(count=2)
    asha, ravi = room.person("asha"), room.person("ravi")
    first, second = take(asha, 2)
    send(asha, operation(second, "sent", "operation-3"))
    room.clock.go(5_000)
    take(ravi, 2)
    outcomes = import_saved(room, "asha", operation(first, "late"), operation(second, "other", "operation-2"))
    assert [outcome.status for outcome in outcomes] == ["late", "conflict"]
    assert [version.text for version in room.store.reviews.fetch_versions(second["segment"])] == ["sent", "other"]


def test_nobody_brings_work_in_under_another_name_and_half_a_text_waits(room: Room) -> None:
    room.talk(count=1)
    asha = room.person("asha")
    room.person("ravi")
    [lease] = take(asha)
    assert [outcome.reason for outcome in import_saved(room, "ravi", operation(lease, "mine"))] == ["unknown_lease"]
    half = operation(lease, "half a te") | {"state": "typing"}
    assert [outcome.reason for outcome in import_saved(room, "asha", half)] == ["unfinished"]
    assert [outcome.status for outcome in import_saved(room, "asha", half, unfinished=True)] == ["applied"]


@pytest.mark.parametrize("content", ["", "[]", '{"schema":"boli.outbox/2"}', '{"secret words": 1}', "\udcff"])
def test_another_file_is_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as refused:
        read_outbox(file)
    assert refused.value.code == "E_OUTBOX" and "secret" not in refused.value.message.replace("secret words:", "")
    with pytest.raises(InputError):
        read_outbox(tmp_path / "none.json")
