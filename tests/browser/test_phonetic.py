"""Latin keys give Devanagari, in the browser alone: off until asked for, never in the way of an input method."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.ground import Ground
from tests.browser.screen import Screen
from tests.browser.test_access import faults


def at_hindi(screen: Screen) -> Screen:
    """Go to a segment that is written in Devanagari."""
    return screen.walk_to(lambda: screen.page.get_by_role("button", name="Phonetic typing").count() > 0)


def test_keys_give_letters_once_it_is_switched_on(screen: Screen, shared: Ground, tmp_path: Path) -> None:
    screen.sign_in("transcriber").at_work()
    page, asked = at_hindi(screen).page, []
    page.keyboard.press("Control+A")
    page.keyboard.type("raam")
    assert screen.text == "raam"
    page.keyboard.press("Alt+p")
    table = page.get_by_text("which keys give which letter")
    expect(table).to_be_visible()
    expect(page.get_by_role("button", name="Phonetic typing")).to_have_attribute("aria-pressed", "true")
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("Control+A")
    page.keyboard.type("raam ne kahaa, huu~")
    assert screen.text == "राम ने कहा, हूँ"
    page.keyboard.press("Backspace")
    assert screen.text == "राम ने कहा, हू"
    page.keyboard.press("Control+Z")
    assert screen.text == "राम ने कहा, हूँ"
    page.keyboard.type(" xatriya |")
    assert screen.text == "राम ने कहा, हूँ क्षत्रिय ।"
    table.click()
    page.screenshot(path=tmp_path / "phonetic.png", full_page=True)
    assert faults(page) == []
    assert [each for each in asked if not each.removeprefix("blob:").startswith(screen.url)] == []
    screen.box.focus()
    screen.done()
    screen.all_sent()
    assert "राम ने कहा, हूँ क्षत्रिय ।" in shared.texts()


def test_what_an_input_method_composes_is_left_alone(screen: Screen) -> None:
    screen.sign_in("transcriber").at_work()
    page = at_hindi(screen).page
    page.keyboard.press("Alt+p")
    expect(page.get_by_text("which keys give which letter")).to_be_visible()
    page.keyboard.press("Control+A")
    page.keyboard.type("ka")
    line = page.context.new_cdp_session(page)
    for composed in ("k", "kh", "kha"):
        at = {"selectionStart": len(composed), "selectionEnd": len(composed)}
        line.send("Input.imeSetComposition", {"text": composed} | at)
        assert screen.text == f"क{composed}"
    line.send("Input.insertText", {"text": "खा"})
    assert screen.text == "कखा"
    page.keyboard.type("m")
    assert screen.text == "कखाम"
    page.keyboard.insert_text("pasted")
    assert screen.text == "कखामpasted"
