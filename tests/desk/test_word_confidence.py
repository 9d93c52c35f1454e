"""Word-confidence calibration over HTTP: there is none until enough was accepted."""

from __future__ import annotations

from tests.desk.conftest import Room, operation, send, take
from tests.store.factories import MODEL, correction, make_drafted, recording
from transcribe.records import Model


def speak(room: Room, texts: int, *, split: str = "train") -> None:
    """Add a recording of drafts of four words, each as sure as the others, with a correction that replaces some."""
    spoken = [("A", n * 1_000, (n + 1) * 1_000, "एक दो तीन चार") for n in range(texts)]
    room.store.recordings.add([recording("talk", dialect="hi", split=split, duration=texts * 1_000)])
    room.store.drafts.save(make_drafted("talk", spoken))
    room.store.models.add(Model(id=MODEL, place="elsewhere", name="scripted"))
    room.store.models.promote(MODEL)
    room.store.corrections.add(
        correction(f"c{n}", start=n * 1_000, end=(n + 1) * 1_000, text="एक दो सात चार", speaker="A")
        for n in range(texts)
    )


def test_nothing_is_calibrated_before_500_words(room: Room) -> None:
    asha = room.person("asha")
    nothing = {"dialect": "hi", "model": None, "words": 0, "calibrated": False, "ends": [], "sure": []}
    assert asha.get("/api/v1/doubts/hi").json() == nothing | {"doubtful": None, "very": None}
    speak(room, 20)
    room.service.shadings = room.service.shade()
    doubts = asha.get("/api/v1/doubts/hi").json()
    assert (doubts["words"], doubts["calibrated"], doubts["model"], doubts["ends"]) == (80, False, MODEL, [])


def test_from_then_on_everybody_is_told_the_steps_and_a_lead_what_they_catch(room: Room) -> None:
    speak(room, 130)
    room.talk("other", count=1)
    asha = room.person("asha")
    send(asha, operation(take(asha)[0], "hu"))
    room.service.shadings = room.service.shade()
    doubts = asha.get("/api/v1/doubts/hi").json()
    assert (doubts["words"], doubts["calibrated"]) == (520, True)
    assert doubts["ends"] == [0.5] and doubts["sure"] == [0.75]
    # All words are equally sure: marking any of them would mark them all.
    assert (doubts["doubtful"], doubts["very"]) == (None, None)
    lead = room.person("lead", "lead")
    [row] = lead.get("/api/v1/quality").json()["dialects"]
    expected = {"words": 520, "calibrated": True, "shaded_words": 0, "shaded_errors": 0}
    assert row["doubts"] == expected | {"plain_words": 520, "plain_errors": 130}


def test_what_is_masked_was_looked_at_by_nobody(room: Room) -> None:
    speak(room, 10)
    room.store.redaction.add_mask(recording("talk").id, 100, 200)
    assert room.service.shade().dialects["hi"].words == 36
