"""For everybody: no page keeps out who uses a screen reader or keys, and every script arrives as it was typed."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.ground import Ground
from tests.browser.screen import Screen, opened

#: WCAG 2.2 AA and what comes before it, and what is good practice beside it.
RULES: Any = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

TEXTS = {
    "Devanagari with joiners, nukta and a conjunct": "क्‍षत्रिय ने ज़मीन, हूँ। श्री‌मान् १२३",
    "Tamil": "வணக்கம், தேங்காய் எவ்வளவு? ஸ்ரீ ௧௨௩",
    "Nastaliq with digits and Latin in it": "یہ کتاب ۱۲۳ روپے کی ہے، ok؟ می‌خواہم",
    "letters beyond the first plane": "𑀅𑀰𑁄𑀓 𑂍𑂶 🙂",
}


def test_axe_finds_nothing_before_anybody_signed_in(screen: Screen) -> None:
    screen.open()
    expect(screen.page.get_by_label("Password")).to_be_visible()
    assert faults(screen.page) == []


@pytest.mark.parametrize("who", ["transcriber", "reviewer", "lead"])
def test_axe_finds_nothing_on_any_page(browser: Browser, shared: Ground, who: str) -> None:
    with opened(browser, shared.url, shared.passwords) as screen:
        screen.sign_in(who)
        page, found = screen.page, {}
        links = page.get_by_role("navigation", name="Pages").get_by_role("link")
        expect(links.first).to_be_visible()
        for path in [each.get_attribute("href") or "" for each in links.all()]:
            page.goto(f"{screen.url}/{path}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.wait_for_load_state("networkidle")
            found[path] = faults(page)
            for panel in ("Spelling", "History", "Settings", "Keys") if path == "#/work" else ():
                page.get_by_role("button", name=panel, exact=True).press("Enter")
                page.wait_for_load_state("networkidle")
                found[f"{path} {panel}"] = faults(page)
        assert {path: each for path, each in found.items() if each} == {}
        screen.give_back()


def test_every_script_arrives_byte_for_byte(screen: Screen, shared: Ground) -> None:
    screen.sign_in("transcriber")
    for text in TEXTS.values():
        screen.at_work()
        screen.write(text)
        assert screen.text == text
        screen.done()
    screen.all_sent()
    arrived = {hashed(text) for text in shared.texts()}
    # What is sent is NFC: nukta letters of one code point are taken apart there.
    assert {hashed(unicodedata.normalize("NFC", text)) for text in TEXTS.values()} <= arrived


@pytest.mark.parametrize("mark", [{"isComposing": True}, {"keyCode": 229}])
def test_keys_of_an_input_method_trigger_nothing(screen: Screen, mark: dict[str, Any]) -> None:
    screen.sign_in("transcriber").at_work()
    screen.write("composing")
    here = screen.page.get_by_role("heading", level=1).inner_text()
    keys: list[dict[str, Any]] = [
        {"code": "Enter", "key": "Enter", "ctrlKey": True},
        {"code": "ArrowDown", "key": "ArrowDown", "altKey": True},
        {"code": "KeyX", "key": "x", "altKey": True},
        {"code": "KeyU", "key": "u", "altKey": True},
        {"code": "Escape", "key": "Escape"},
    ]
    for key in keys:
        kept = screen.box.evaluate(
            "(box, init) => box.dispatchEvent(new KeyboardEvent('keydown', init))",
            key | mark | {"bubbles": True, "cancelable": True},
        )
        assert kept, f"{key} was taken from the input method"
    screen.page.wait_for_timeout(300)
    assert screen.page.get_by_role("heading", level=1).inner_text() == here
    assert screen.text == "composing"
    expect(screen.page.get_by_role("listbox")).to_have_count(0)


def test_a_transcript_with_markup_stays_text_on_every_page(browser: Browser, shared: Ground) -> None:
    text = '<img src=x onerror="window.bad=1"><script>window.bad=1</script>&lt;b&gt; {@html bad} "><svg onload=bad()>'
    with opened(browser, shared.url, shared.passwords) as screen:
        screen.sign_in("transcriber").at_work()
        screen.write(text)
        screen.done()
        screen.all_sent()
        screen.at_work().page.keyboard.press("Alt+ArrowUp")
        expect(screen.box).to_have_value(text)
        screen.page.keyboard.press("Alt+y")
        expect(screen.page.get_by_label("History")).to_contain_text("<script>window.bad=1</script>")
        is_clean(screen.page)
        screen.give_back()
    with opened(browser, shared.url, shared.passwords) as screen:
        screen.sign_in("reviewer")
        theirs = screen.page.get_by_role("region", name="Transcriber")
        for _ in range(30):
            expect(theirs).to_be_visible()
            if "onerror" in theirs.inner_text():
                break
            skip(screen)
        assert "<script>window.bad=1</script>" in theirs.inner_text().replace("\n", " ")
        is_clean(screen.page)


def skip(screen: Screen) -> None:
    """Have the next text to review: this one is unclear."""
    shown = screen.page.get_by_role("heading", level=1).locator("xpath=..").inner_text()
    screen.tab_to("Truly unclear")
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_text(shown, exact=True)).to_have_count(0)
    screen.page.wait_for_load_state("networkidle")


def is_clean(page: Page) -> None:
    """No element and no script came of a text."""
    assert page.evaluate("() => window.bad === undefined && !document.querySelector('img, main svg, p script')")


def faults(page: Page) -> list[str]:
    """What axe finds on *page*: rule, and the first place."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found]


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
