"""The order in which people are asked for dialects, and drafts of the test split, which are never sent."""

from __future__ import annotations

from tests.desk.conftest import Room, operation, send, take
from tests.store.factories import MODEL, correction, make_drafted, recording
from transcribe.records import Model


def test_the_dialect_whose_rate_is_known_least_is_asked_for_first(room: Room) -> None:
    store = room.store
    for dialect, texts in {"hi": ("a a", "a a"), "ta": ("a a", "b b"), "bn": ("a a",)}.items():
        for n, text in enumerate(texts):
            name = f"{dialect} {n}"
            store.recordings.add([recording(name, dialect=dialect, speaker=name)])
            store.drafts.save(make_drafted(name, [(name, 0, 1_000, "a a"), (name, 2_000, 3_000, "a")]))
            spoken = correction(f"of {name}", name, end=1_000, text=text, speaker=name, dialect=dialect)
            store.corrections.add([spoken])
    store.models.add(Model(id=MODEL, place="somewhere", name="model"))
    store.models.promote(MODEL)
    store.desk.lay_out(room.service.rules, draw=lambda: 0.5)
    room.service.expire_progress()
    widths = room.service.measure()
    assert widths["hi"] == 0.0 and widths["ta"] > 1.0 and "bn" not in widths
    room.service.widths = widths
    asha = room.person("asha")
    assert [lease["dialect"] for lease in take(asha, 4)] == ["bn", "ta", "ta", "hi"]


def test_no_address_tells_the_draft_of_the_test_split(room: Room) -> None:
    room.talk(count=3, split="test")
    asha, eyes, lead = room.person("asha"), room.person("eyes", "reviewer"), room.person("lead", "lead")
    untouched, sent, split = take(asha, 3)
    send(asha, operation(sent, "written"))
    step = {"op_id": "stepping-1", "kind": "split", "segment": split["segment"], "fence": split["fence"]}
    texts = [asha.post("/api/v1/reshapes", json=step | {"start_ms": split["start_ms"] + 500}).text]
    texts.append(eyes.get("/api/v1/review/next").text)
    for client in (asha, eyes, lead):
        for segment in (untouched["segment"], sent["segment"], split["segment"]):
            texts += [client.get(f"/api/v1/segments/{segment}{part}").text for part in ("", "/history", "/masks")]
    assert all('"draft":null' in text for text in texts if '"draft"' in text)
    drafted_words = ("hu hu", "sa sa", '"hu"', '"sa"')
    assert not [text for text in [*texts, str(untouched), str(sent)] if any(word in text for word in drafted_words)]
