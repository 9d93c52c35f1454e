"""The desk: what waits to be written and reviewed, what is asked for first, and who it opens to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.calls import make_workspace
from tests.commands.conftest import Run
from transcribe.store import Store


def test_the_queue_and_the_reviews_say_what_waits(run: Run, desk: Path) -> None:
    queue = run("queue", "-w", desk, "--json").document["data"]
    assert [(row["dialect"], row["segments"]) for row in queue["dialects"]] == [
        ("hi", {"accepted": 1, "open": 1, "review": 1})
    ]
    review = run("review", "--verify", "-w", desk, "--json").document["data"]
    assert [(row["state"], row["segments"]) for row in review["waiting"]] == [("review", 1)]
    assert review["verified"] is True


@pytest.mark.parametrize("option", [("--host", "0.0.0.0"), ("--host", "192.168.0.9")])
def test_the_desk_does_not_open_to_others_without_tls(run: Run, desk: Path, option: tuple[str, str]) -> None:
    refused = run("serve", *option, "-w", desk, "--json")
    assert (refused.code, refused.document["error"]["code"]) == (3, "E_OPEN")


def test_as_many_segments_are_listed_as_are_told_and_then_asked_for(run: Run, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w")
    listed = run("queue", "--first", "30", "-w", folder, "--json").document["data"]
    [row] = [row for row in listed["dialects"] if row["segments"].get("open")]
    assert 0 < len(listed["first"]) <= row["segments"]["open"]
    shown = run("queue", "--first", "30", "-w", folder).out
    count = len(listed["first"])
    assert f"{count} segments, " in shown and f"en-GB {count}" in shown
    assert sum(segment["segment"][:12] in shown for segment in listed["first"]) == count
    asked = run("prioritise", "30", "-w", folder, "--json").document["data"]
    assert (asked["first"], asked["segments"]) == (count, listed["first"])
    assert f"{count} segments, " in run("prioritise", "30", "-w", folder).out


def test_reading_the_queue_moves_nothing(run: Run, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w")
    run("queue", "-w", folder)
    before = (folder / "boli.db").read_bytes()
    for words in (("queue",), ("queue", "--first", "30"), ("review",), ("mask",), ("models",), ("people",)):
        assert run(*words, "-w", folder).code == 0
    assert (folder / "boli.db").read_bytes() == before


def test_segments_are_opened_again(run: Run, desk: Path) -> None:
    with Store.open(f"sqlite:///{desk}/boli.db") as store:
        segments = [
            segment.id
            for recording in store.recordings.fetch()
            for segment in store.drafts.fetch_segments(recording.id)
        ]
        assert len(store.desk.fetch_open()) == 1
    assert run("reopen", *segments, "-w", desk).out == "3 of 3 segments are open again\n"
    [row] = run("queue", "-w", desk, "--json").document["data"]["dialects"]
    assert row["segments"] == {"open": 3}
    refused = run("reopen", "nobody", "-w", desk, "--json")
    assert (refused.code, refused.document["error"]["code"]) == (4, "E_SEGMENT")


@pytest.mark.parametrize(
    "words", [("queue", "--reopen", "x"), ("queue", "--gold", "x"), ("mask", "--lift", "x"), ("levers",), ("accept",)]
)
def test_no_old_spelling_is_kept(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).code == 2
