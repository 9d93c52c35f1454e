"""The desk: what waits to be written and reviewed, what is asked for first, and who it opens to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Run


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
