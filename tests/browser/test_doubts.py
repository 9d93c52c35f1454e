"""Doubtful words: by the recogniser's own word until enough was accepted, then by what people found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Route, expect

from tests.browser.ground import Ground
from tests.browser.screen import Screen, opened
from tests.browser.test_access import faults

#: A row of the page without anything else that is known.
NO_QUALITY: Any = {
    **dict.fromkeys(("pairs", "gold_segments", "reviewed", "accepted_first_time", "reworded", "sent_back"), 0),
    **dict.fromkeys(("disagreement", "ci_low", "ci_high", "gold_error")),
    "state": "suppressed",
    "reasons": {},
}


def drafted(screen: Screen) -> Screen:
    """Go to a segment with a draft of some words."""
    words = screen.page.get_by_role("region", name="Machine draft").get_by_role("button")
    return screen.walk_to(lambda: words.count() > 2)


def test_what_people_found_decides_once_it_is_known(browser: Browser, shared: Ground, tmp_path: Path) -> None:
    with shared.store() as store:
        promoted = store.models.find_promoted()
    assert promoted is not None
    steps: Any = {"ends": [1.0], "sure": [0.42], "doubtful": 0.42, "very": None}

    def calibrated(route: Route) -> None:
        told = {"dialect": "any", "model": promoted.id, "words": 900, "calibrated": True}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(told | steps))

    with opened(browser, shared.url, shared.passwords) as screen:
        screen.page.route("**/api/v1/doubts/*", calibrated)
        screen.sign_in("transcriber")
        page = drafted(screen).page
        words = page.get_by_role("region", name="Machine draft").get_by_role("button")
        expect(words.first).to_have_attribute("title", "42% sure")
        assert [each for each in words.all() if "doubtful" not in (each.get_attribute("class") or "")] == []
        expect(page.get_by_text("uncalibrated")).to_have_count(0)
        assert faults(page) == []
        page.screenshot(path=tmp_path / "doubts.png")
        screen.give_back()


def test_a_lead_sees_what_the_marks_catch(browser: Browser, shared: Ground, tmp_path: Path) -> None:
    with opened(browser, shared.url, shared.passwords) as screen:
        screen.sign_in("lead")
        page = screen.page

        def known(route: Route) -> None:
            counts = {"shaded_words": 120, "shaded_errors": 80, "plain_words": 880, "plain_errors": 40}
            rows = [
                NO_QUALITY | {"dialect": tag, "name": name, "doubts": {"words": 1_000, "calibrated": sure} | counts}
                for tag, name, sure in (("bho", "Bhojpuri", True), ("hi", "Hindi", False))
            ]
            route.fulfill(json={"dialects": rows, "definitions": {}})

        page.route("**/api/v1/quality*", known)
        page.goto(f"{screen.url}/#/lead/quality")
        expect(page.get_by_text("67% of the machine's errors are in the 12%")).to_be_visible()
        page.screenshot(path=tmp_path / "quality.png", full_page=True)
        assert faults(page) == []
