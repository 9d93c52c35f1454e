"""A desk with real drafts on it, made once, and copies of it to work on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.review.serving import serve

#: Enough drafted segments for every test, some of the test split that are shown without their draft, and one
#: conversation whose corrections are there from the start.
CONVERSATIONS = ("en-US-train-01", "hi-train-01", "hi-test-01", "hi-test-02")


@dataclass(frozen=True, kw_only=True)
class Made:
    """What `boli demo --serve` left when it was stopped, and what it had said."""

    workspace: Path
    said: str
    #: Ctrl-C's exit code.
    code: int

    @property
    def passwords(self) -> dict[str, str]:
        return dict(re.findall(r"^(\w+) +(\w{4}(?:-\w{4}){3})$", self.said, re.MULTILINE))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The demo's desk on a few conversations, by the real models."""
    place = tmp_path_factory.mktemp("desk") / "made"
    parts = [word for name in CONVERSATIONS for word in ("--conversation", name)]
    desk = serve(place, "demo", str(place), "--serve", *parts)
    return Made(workspace=place, said="".join(desk.said), code=desk.stop())


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Callable[[], Path]:
    """A desk of one's own, as often as asked for."""

    def copy() -> Path:
        return Path(shutil.copytree(made.workspace, tmp_path / f"desk-{len(list(tmp_path.iterdir()))}"))

    return copy
