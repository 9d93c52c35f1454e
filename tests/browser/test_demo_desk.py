"""`boli demo --serve`: a stranger's first look at the desk."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.acceptance.command import boli, must
from tests.desk.serving import serve

CONVERSATIONS = ("en-US-train-01", "hi-train-01", "hi-test-01", "hi-test-02")


@dataclass(frozen=True, kw_only=True)
class StoppedDesk:
    """What `boli demo --serve` left when it was stopped, and what it had said."""

    workspace: Path
    output: str
    #: Ctrl-C's exit code.
    code: int

    @property
    def passwords(self) -> dict[str, str]:
        return dict(re.findall(r"^(\w+) +(\w{4}(?:-\w{4}){3})$", self.output, re.MULTILINE))


@pytest.fixture(scope="module")
def demo_desk(tmp_path_factory: pytest.TempPathFactory) -> StoppedDesk:
    """`boli demo --serve` on some of its conversations, stopped as soon as it was open."""
    place = tmp_path_factory.mktemp("demo") / "desk"
    parts = [word for name in CONVERSATIONS for word in ("--conversation", name)]
    desk = serve(place, "demo", str(place), "--serve", *parts)
    return StoppedDesk(workspace=place, output="".join(desk.output), code=desk.stop())


@pytest.fixture
def workspace(demo_desk: StoppedDesk, tmp_path: Path) -> Path:
    """A copy of one's own."""
    return Path(shutil.copytree(demo_desk.workspace, tmp_path / "desk"))


def test_the_demos_desk_tells_its_passwords_once_and_ends_at_a_word(demo_desk: StoppedDesk, workspace: Path) -> None:
    assert set(demo_desk.passwords) == {"transcriber", "reviewer", "lead"}
    assert demo_desk.code == 0
    again = serve(workspace, "demo", str(workspace), "--serve")
    said = "".join(again.output)
    assert not any(password in said for password in demo_desk.passwords.values())
    assert "drafted" not in said
    assert again.url.startswith("http://127.0.0.1:")
    assert again.stop() == 0


def test_the_demos_desk_has_work_with_drafts_and_segments_to_measure_with_without(
    demo_desk: StoppedDesk, workspace: Path
) -> None:
    desk = serve(workspace)
    with httpx.Client(base_url=desk.url) as client:
        given = {"name": "transcriber", "password": demo_desk.passwords["transcriber"]}
        csrf = client.post("/api/v1/session", json=given).json()["csrf"]
        leases = client.post("/api/v1/leases", json={"count": 100}, headers={"x-boli-csrf": csrf}).json()
    assert desk.stop() == 0
    drafted = [lease for lease in leases if lease["draft"] is not None]
    assert {lease["dialect"] for lease in drafted} == {"en-US", "hi"}
    assert len(drafted) >= 20
    assert [lease["text"] for lease in leases if lease["draft"] is None][:5] == [""] * 5


def test_half_of_what_measures_the_demo_is_scored_from_the_start(workspace: Path) -> None:
    data = must("wer", "--workspace", workspace, "--json").document["data"]
    assert [row["dialect"] for row in data["dialects"]] == ["hi"]
    assert data["overall"]["words"] > 0


def test_a_conversation_that_the_demo_has_not_is_named(tmp_path: Path) -> None:
    said = boli("demo", tmp_path / "d", "--conversation", "xx-train-01", "--json")
    assert said.code == 4
    assert "xx-train-01" in said.document["error"]["message"]


def test_a_port_without_a_desk_is_a_usage_error(tmp_path: Path) -> None:
    assert boli("demo", tmp_path / "d", "--port", "1").code == 2
