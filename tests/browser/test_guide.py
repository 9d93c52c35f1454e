"""What a dialect's guide asks for and says, on the screen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Made
from tests.browser.ground import Ground
from tests.browser.screen import Screen, opened
from tests.browser.test_access import faults

ASKS = """
normalised = true
[[rule]]
id = "own"
say = "The project writes yaar with two a."
good = ["yaar"]
bad = ["yar"]
"""
SECOND = "The same in the usual spelling"


@pytest.fixture(scope="module")
def guided(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A desk whose project has its own rules and asks for a second text."""
    place = Path(shutil.copytree(made.workspace, tmp_path_factory.mktemp("guided") / "desk"))
    (place / "guides").mkdir()
    (place / "glossary.tsv").write_text("term\tdialect\tspoken\nZilbarra\t\tsil bara\n", encoding="utf-8")
    for language in ("en", "hi"):
        (place / "guides" / f"{language}.toml").write_text(ASKS, encoding="utf-8")
    ground = Ground.open(place, made.passwords)
    yield ground
    assert ground.desk.stop() == 0


@pytest.fixture
def screen(browser: Browser, guided: Ground) -> Iterator[Screen]:
    with opened(browser, guided.url, guided.passwords) as found:
        yield found
        found.give_back()


def test_a_second_text_stands_beside_the_first_and_both_arrive(screen: Screen, guided: Ground, tmp_path: Path) -> None:
    screen.sign_in("transcriber").at_work()
    page = screen.page
    second = page.get_by_role("textbox", name=SECOND)
    expect(second).to_be_editable()
    screen.write("it wis braw")
    screen.tab_to("Take over the text above")
    page.keyboard.press("Enter")
    expect(second).to_have_value("it wis braw")
    screen.tab_to(SECOND)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("it was fine")
    page.screenshot(path=tmp_path / "tiers.png")
    assert faults(page) == []
    screen.done()
    screen.all_sent()
    with guided.store() as store, store.database.begin_read() as connection:
        more = connection.exec_driver_sql("SELECT more FROM versions WHERE text = 'it wis braw'").scalar_one()
    assert '"normalised":"it was fine"' in more


def test_the_guide_opens_by_key_beside_the_text_and_is_searched(screen: Screen, tmp_path: Path) -> None:
    screen.sign_in("transcriber").at_work()
    page = screen.page
    page.keyboard.press("Alt+w")
    panel = page.get_by_role("complementary", name="Spelling")
    expect(panel.get_by_text("The project writes yaar with two a.")).to_be_visible()
    field = panel.get_by_label("Look for a rule or a spelling")
    expect(field).to_be_focused()
    assert faults(page) == []
    page.screenshot(path=tmp_path / "guide.png")
    apart = panel.bounding_box(), screen.box.bounding_box()
    assert apart[0] and apart[1] and apart[0]["x"] >= apart[1]["x"] + apart[1]["width"]
    page.keyboard.insert_text("YAAR two")
    expect(panel.get_by_role("listitem")).to_have_count(1)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("sil BARA")
    expect(panel.get_by_role("listitem")).to_have_text("Zilbarra sil bara")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("nothing like it")
    expect(panel.get_by_role("listitem")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(screen.box).to_be_focused()


def test_the_guide_is_there_without_a_line(screen: Screen) -> None:
    screen.sign_in("transcriber").at_work()
    page = screen.page
    expect(page.get_by_role("textbox", name=SECOND)).to_be_editable()
    page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.reload()
    screen.at_work()
    page.keyboard.press("Alt+w")
    panel = page.get_by_role("complementary", name="Spelling")
    expect(panel.get_by_text("The project writes yaar with two a.")).to_be_visible()
    page.context.set_offline(False)
