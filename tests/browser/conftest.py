"""A desk with real drafts on it, made once, copies of it to work on, and a browser before it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.acceptance.command import must
from tests.browser.ground import Ground
from tests.browser.screen import FLAGS, Screen, opened
from tests.conftest import ROOT
from tests.small_corpus import make_drafted_workspace

#: Enough drafted segments for every test, some of the test split that are shown without their draft, and one
#: conversation whose corrections are there from the start.
CONVERSATIONS: Final = ("en-US-train-01", "hi-train-01", "hi-test-01", "hi-test-02")
CORRECTED: Final = ("hi-test-01",)
#: One person of each kind works there: each text is reviewed, none is written twice.
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "dataset": {"closed_vocabulary": True},
    "desk": {"review_share": 1.0, "second_share": 0.0, "gold_share": 0.0},
}
#: Who works there, each named after what they do.
PEOPLE: Final = ("transcriber", "reviewer", "lead")
#: Names by which Chromium is known to systems.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, kw_only=True)
class Made:
    """A desk with work to do."""

    workspace: Path
    #: By name of the person.
    passwords: Mapping[str, str]


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A desk on a few conversations, drafted by the embedded models."""
    return make(tmp_path_factory.mktemp("desk") / "made", CONVERSATIONS, corrected=CORRECTED)


def make(folder: Path, conversations: Sequence[str], *, corrected: Sequence[str] = ()) -> Made:
    """Draft *conversations* in the workspace *folder*, and let somebody of each kind in."""
    place = make_drafted_workspace(folder, conversations, corrected=corrected, settings=SETTINGS)
    return Made(workspace=place, passwords={role: _add_person(place, role) for role in PEOPLE})


def _add_person(workspace: Path, role: str) -> str:
    """Give a person of *role* access; returns the password that was made for them."""
    added = must("people", "add", role, "--role", role, "--workspace", workspace, "--json").document["data"]
    return str(added["password"])


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Callable[[], Path]:
    """A desk of one's own, as often as asked for."""

    def copy() -> Path:
        return Path(shutil.copytree(made.workspace, tmp_path / f"desk-{len(list(tmp_path.iterdir()))}"))

    return copy


@pytest.fixture(scope="package")
def chromium() -> Path:
    """The system's Chromium, with the screen that it is to show. Without either of them the tests are skipped."""
    found = next((place for name in BROWSERS if (place := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on PATH, the desk's screen is not tested: apt-get install chromium fonts-noto-core")
    if not (ROOT / "transcribe" / "desk" / "static" / "index.html").is_file():
        pytest.skip("the desk's screen was not built, it is not tested: make editor")
    return Path(found)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright, chromium: Path) -> Iterator[Browser]:
    """One browser for all tests that do not kill it; each gets a profile of its own in it."""
    with playwright.chromium.launch(executable_path=chromium, args=FLAGS) as launched:
        yield launched


@pytest.fixture(scope="package")
def shared(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One desk for all tests that do not harm it. Each of them has work to do, and leaves some."""
    place = Path(shutil.copytree(made.workspace, tmp_path_factory.mktemp("shared") / "desk"))
    ground = Ground.open(place, made.passwords)
    yield ground
    assert ground.desk.stop() == 0


@pytest.fixture
def screen(browser: Browser, shared: Ground) -> Iterator[Screen]:
    """The shared desk in a browser that has never seen it."""
    with opened(browser, shared.url, shared.passwords) as found:
        yield found
        found.give_back()
