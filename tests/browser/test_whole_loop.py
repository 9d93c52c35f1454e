"""The whole loop in a real browser and without a mouse: drafts are corrected, texts reviewed, and the rate moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.command import must
from tests.browser.conftest import Made
from tests.browser.ground import Ground
from tests.browser.screen import Screen, opened
from tests.conftest import ROOT

SEGMENTS = 10
PICTURE = ROOT / "docs" / "desk.png"


@pytest.fixture
def desk(made: Made, copied: Callable[[], Path]) -> Iterator[Ground]:
    """A desk on which nobody else writes."""
    found = Ground.open(copied(), made.passwords)
    yield found
    assert found.desk.stop() == 0


def test_ten_segments_go_from_draft_to_measured_without_a_mouse(
    browser: Browser, desk: Ground, request: pytest.FixtureRequest
) -> None:
    before = rates(desk.workspace)
    with opened(browser, desk.url, desk.passwords) as transcriber:
        written = write(transcriber, picture=request.config.getoption("pictures"))
        transcriber.give_back()
    with opened(browser, desk.url, desk.passwords) as reviewer:
        review(reviewer, written)
    after = rates(desk.workspace)
    assert after["overall"]["segments"] == before["overall"]["segments"] + SEGMENTS
    assert after["overall"]["words"] > before["overall"]["words"]
    assert after["overall"]["wer"] != before["overall"]["wer"]
    assert sorted(each for each in desk.texts() if each in written) == sorted(written)


def write(screen: Screen, *, picture: bool) -> list[str]:
    """Correct ten segments. Gives their texts, in turn; the last word of each is its own."""
    screen.sign_in("transcriber")
    written: list[str] = []
    while len(written) < SEGMENTS:
        screen.at_work().page.keyboard.press("Alt+r")
        draft = screen.text
        if picture and len(draft.split()) > 4 and screen.page.locator(".doubtful, .very").count():
            take_picture(screen.page)
            picture = False
        screen.page.keyboard.press("Control+End")
        screen.page.keyboard.insert_text(f" and{len(written):02}" if draft else f"without a draft{len(written):02}")
        written.append(screen.text)
        screen.done()
    screen.all_sent()
    return written


def review(screen: Screen, written: list[str]) -> None:
    """Hear and accept them, the first with a text of one's own; what was not heard cannot be accepted."""
    screen.sign_in("reviewer")
    page, left = screen.page, {text.split()[-1] for text in written}
    theirs = page.get_by_role("region", name="Transcriber")
    for number in range(SEGMENTS):
        expect(theirs).to_be_visible()
        shown = next(word for word in left if word in theirs.inner_text())
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("alert")).to_contain_text("Listen to at least")
        page.keyboard.press("Alt+r")
        expect(page.get_by_text("Heard enough to accept")).to_be_visible()
        if number == 0:
            screen.tab_to("Change the text")
            page.keyboard.press("Enter")
            page.keyboard.press("Control+End")
            page.keyboard.insert_text(" indeed")
        page.keyboard.press("Control+Enter")
        expect(theirs.filter(has_text=shown)).to_have_count(0)
        left.remove(shown)


def take_picture(page: Page) -> None:
    """The README's picture: a real draft with a word in doubt, half heard, as its transcriber sees it."""
    understood = page.get_by_role("button", name="All right")
    if understood.count():
        understood.press("Enter")
        page.get_by_role("textbox", name="Your text").focus()
    page.wait_for_timeout(1_000)
    page.keyboard.press("Alt+r")
    page.wait_for_timeout(900)
    page.keyboard.press("Alt+k")
    page.screenshot(path=PICTURE)


def rates(workspace: Path) -> dict[str, Any]:
    """What `boli wer` says beside the open desk."""
    found: dict[str, Any] = must("wer", "--workspace", workspace, "--json").document["data"]
    return found
