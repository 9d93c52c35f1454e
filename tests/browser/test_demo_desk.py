"""`boli demo --serve`: a stranger's first look at the desk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx

from tests.acceptance.command import boli, must
from tests.browser.conftest import Made
from tests.review.serving import serve


def test_the_demos_desk_tells_its_passwords_once_and_ends_at_a_word(made: Made, copied: Callable[[], Path]) -> None:
    assert set(made.passwords) == {"transcriber", "reviewer", "lead"}
    assert made.code == 0
    again = serve(place := copied(), "demo", str(place), "--serve")
    said = "".join(again.said)
    assert not any(password in said for password in made.passwords.values())
    assert "drafted" not in said
    assert again.url.startswith("http://127.0.0.1:")
    assert again.stop() == 0


def test_the_demos_desk_has_work_with_drafts_and_segments_to_measure_with_without(
    made: Made, copied: Callable[[], Path]
) -> None:
    desk = serve(copied())
    with httpx.Client(base_url=desk.url) as client:
        given = {"name": "transcriber", "password": made.passwords["transcriber"]}
        csrf = client.post("/api/v1/session", json=given).json()["csrf"]
        leases = client.post("/api/v1/leases", json={"count": 100}, headers={"x-boli-csrf": csrf}).json()
    assert desk.stop() == 0
    drafted = [lease for lease in leases if lease["draft"] is not None]
    assert {lease["dialect"] for lease in drafted} == {"en-US", "hi"}
    assert len(drafted) >= 20
    assert [lease["text"] for lease in leases if lease["draft"] is None][:5] == [""] * 5


def test_half_of_what_measures_the_demo_is_scored_from_the_start(copied: Callable[[], Path]) -> None:
    data = must("wer", "--workspace", copied(), "--json").document["data"]
    assert [row["dialect"] for row in data["dialects"]] == ["hi"]
    assert data["overall"]["words"] > 0


def test_a_conversation_that_the_demo_has_not_is_named(tmp_path: Path) -> None:
    said = boli("demo", tmp_path / "d", "--conversation", "xx-train-01", "--json")
    assert said.code == 4
    assert "xx-train-01" in said.document["error"]["message"]


def test_a_port_without_a_desk_is_a_usage_error(tmp_path: Path) -> None:
    assert boli("demo", tmp_path / "d", "--port", "1").code == 2
