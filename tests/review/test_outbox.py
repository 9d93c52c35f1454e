"""Work that a browser saved to a file comes in by the rules of the line, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.review.conftest import Room, operation, send, take
from transcribe.desk_records import Outcome
from transcribe.errors import InputError
from transcribe.review.intake import import_outbox, read_outbox


def imported(room: Room, name: str, *operations: dict[str, Any], unfinished: bool = False) -> list[Outcome]:
    """As if the person *name* had saved *operations* to a file."""
    file = room.folder / "unsent.json"
    person = {"id": room.store.person_named(name).id, "name": name}
    document = {"schema": "boli.outbox/1", "person": person, "operations": list(operations)}
    file.write_text(json.dumps(document), encoding="utf-8")
    service = room.service
    return list(import_outbox(read_outbox(file), room.store, service.rules, service.differ, unfinished=unfinished))


def test_saved_work_is_applied_once_whether_it_comes_by_file_or_line(room: Room) -> None:
    room.talk(count=2)
    asha = room.person("asha")
    one, two = take(asha, 2)
    saved = operation(one, "मैं वहाँ"), operation(two, "second", "operation-2", seq=2)
    assert [each.status for each in imported(room, "asha", *saved)] == ["applied", "applied"]
    assert [each.status for each in imported(room, "asha", *saved)] == ["duplicate", "duplicate"]
    assert [each["status"] for each in send(asha, *saved)] == ["duplicate", "duplicate"]
    assert [each.text for each in room.store.versions(one["segment"])] == ["मैं वहाँ"]


def test_saved_work_that_comes_late_or_beside_another_text_is_kept(room: Room) -> None:
    room.talk(count=2)
    asha, ravi = room.person("asha"), room.person("ravi")
    one, two = take(asha, 2)
    send(asha, operation(two, "sent", "operation-3"))
    room.clock.go(5_000)
    take(ravi, 2)
    found = imported(room, "asha", operation(one, "late"), operation(two, "other", "operation-2"))
    assert [each.status for each in found] == ["late", "conflict"]
    assert [each.text for each in room.store.versions(two["segment"])] == ["sent", "other"]


def test_nobody_brings_work_in_under_another_name_and_half_a_text_waits(room: Room) -> None:
    room.talk(count=1)
    asha = room.person("asha")
    room.person("ravi")
    [lease] = take(asha)
    assert [each.reason for each in imported(room, "ravi", operation(lease, "mine"))] == ["unknown_lease"]
    half = operation(lease, "half a te") | {"state": "typing"}
    assert [each.reason for each in imported(room, "asha", half)] == ["unfinished"]
    assert [each.status for each in imported(room, "asha", half, unfinished=True)] == ["applied"]


@pytest.mark.parametrize("content", ["", "[]", '{"schema":"boli.outbox/2"}', '{"secret words": 1}', "\udcff"])
def test_another_file_is_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as refused:
        read_outbox(file)
    assert refused.value.code == "E_OUTBOX" and "secret" not in refused.value.message.replace("secret words:", "")
    with pytest.raises(InputError):
        read_outbox(tmp_path / "none.json")
