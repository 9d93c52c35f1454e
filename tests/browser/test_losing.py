"""
Whatever dies while somebody writes, the text of which the screen said that it is saved arrives, once.

Three times each in the suite, fifty times in `make soak`.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Playwright, Route, expect

from tests.browser.conftest import Made, make
from tests.browser.ground import Ground, Writer, eventually, kill_browser, profile
from tests.browser.screen import LAPTOP, Screen
from tests.small_corpus import sound_files
from transcribe.desk.passwords import hash_password

#: Work for fifty runs.
MANY = tuple(file.stem for file in sound_files() if "-test-" not in file.stem)
RUNS = [3, pytest.param(50, marks=pytest.mark.soak)]


@pytest.fixture(scope="module")
def common(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    ground = Ground.open(
        Path(shutil.copytree(made.workspace, tmp_path_factory.mktemp("common") / "desk")), made.passwords
    )
    yield ground
    assert ground.desk.stop() == 0


@pytest.fixture(scope="module")
def much(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("much") / "made", MANY)


@pytest.fixture(params=RUNS)
def runs(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> int:
    record_property("runs", request.param)
    return int(request.param)


@pytest.fixture
def ground(runs: int, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """The desk that breaks: one for all short tests, one of its own for a long one."""
    if runs == 3:
        yield request.getfixturevalue("common")
        return
    much: Made = request.getfixturevalue("much")
    found = Ground.open(Path(shutil.copytree(much.workspace, tmp_path / "desk")), much.passwords)
    yield found
    assert found.desk.stop() == 0


@pytest.fixture
def seed(record_property: Callable[[str, object], None]) -> int:
    found = random.randrange(10**6)
    record_property("seed", found)
    print("seed", found)
    return found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport=LAPTOP, locale="en-IN")
    yield made
    made.close()


@pytest.fixture
def writer(ground: Ground, context: BrowserContext, seed: int) -> Iterator[Writer]:
    """Somebody at work. In the end everything that they wrote has arrived."""
    found = Writer.begin(ground, context, seed)
    yield found
    if ground.desk.process.poll() is not None:
        ground.again()
    found.screen.give_back()


def test_the_tab_dies(writer: Writer, runs: int) -> None:
    for _ in range(runs):
        text = writer.new_text()
        writer.partly(text)
        crash(writer.screen)
        writer.come_back()
        writer.is_still_there(text)
        writer.finish(text)
    writer.has_arrived()


def test_the_browser_dies(
    ground: Ground, playwright: Playwright, chromium: Path, tmp_path: Path, seed: int, runs: int
) -> None:
    folder = tmp_path / "profile"
    writer = Writer.begin(ground, profile(playwright, chromium, folder), seed)
    for _ in range(runs):
        text = writer.new_text()
        writer.partly(text)
        kill_browser(folder)
        writer.come_back(profile(playwright, chromium, folder))
        writer.is_still_there(text)
        # A cookie of the last half minute may have died with the browser; without one no more segments come.
        writer.sign_in_again()
        writer.finish(text)
    writer.has_arrived()
    writer.screen.give_back()
    writer.context.close()


def test_the_network_dies_and_then_the_tab(writer: Writer, runs: int) -> None:
    keeps_the_page(writer.screen)
    for _ in range(runs):
        writer.context.set_offline(True)
        writer.finish(writer.new_text())
        writer.waits(1)
        text = writer.new_text()
        writer.partly(text)
        crash(writer.screen)
        writer.come_back()
        writer.is_still_there(text)
        writer.waits(1)
        writer.finish(text)
        writer.context.set_offline(False)
        writer.screen.all_sent()
    writer.has_arrived()


def test_the_server_dies(writer: Writer, ground: Ground, runs: int) -> None:
    for _ in range(runs):
        writer.type(text := writer.new_text())
        writer.screen.page.keyboard.press("Control+Enter")
        writer.done.append(text)
        writer.screen.page.wait_for_timeout(writer.rng.choice((0, 5, 10, 20, 40, 80)))
        ground.kill()
        expect(writer.screen.box).not_to_have_value(text)
        writer.finish(writer.new_text())
        ground.again()
        writer.send_now()
        writer.screen.all_sent()
    writer.has_arrived()


def test_the_server_dies_before_a_second_segment_came(common: Ground, context: BrowserContext, seed: int) -> None:
    """The first segment is fetched alone; a line that ends right after it leaves nothing to go on to."""
    asked: list[Route] = []

    def only_one(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(route)
        if len(asked) > 1:
            route.abort()
        else:
            route.continue_()

    context.route("**/api/v1/leases", only_one)
    screen = Screen(context.new_page(), common.url, common.passwords)
    writer = Writer(common, context, screen.sign_in("transcriber").at_work(), random.Random(seed))
    eventually(screen, lambda: len(asked) > 1)
    writer.type(text := writer.new_text())
    common.kill()
    screen.page.keyboard.press("Control+Enter")
    writer.done.append(text)
    expect(screen.page.get_by_text("Done, and kept on this computer.")).to_be_visible()
    assert screen.text == text
    context.unroute("**/api/v1/leases")
    common.again()
    writer.send_now()
    expect(screen.box).not_to_have_value(text)
    writer.has_arrived()
    screen.give_back()


@pytest.mark.parametrize(("status", "words"), [(503, "The server is busy"), (507, "The server's disk is full")])
def test_the_server_takes_nothing(writer: Writer, runs: int, status: int, words: str) -> None:
    for _ in range(runs):
        writer.screen.page.route("**/api/v1/corrections", lambda route: route.fulfill(status=status, body="{}"))
        writer.finish(writer.new_text())
        writer.waits(1)
        expect(writer.screen.page.get_by_text(words)).to_be_visible()
        writer.screen.page.unroute("**/api/v1/corrections")
        writer.send_now()
        writer.screen.all_sent()
    writer.has_arrived()


def test_the_session_ends_and_writing_goes_on(writer: Writer, ground: Ground, runs: int) -> None:
    page = writer.screen.page
    for _ in range(runs):
        text = writer.new_text()
        writer.type(text)
        with ground.store() as store:
            store.people.change(
                "transcriber", password=hash_password(ground.passwords["transcriber"], name="transcriber")
            )
        page.wait_for_timeout(1_100)
        writer.say_done(text)
        expect(page.get_by_text("You are signed out. Go on writing")).to_be_visible()
        writer.finish(writer.new_text())
        writer.waits(2)
        writer.sign_in_again()
        writer.screen.all_sent()
    writer.has_arrived()


def test_the_answer_is_lost_after_the_text_was_taken(writer: Writer, runs: int) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    for _ in range(runs):
        writer.screen.page.route("**/api/v1/corrections", lose, times=1)
        writer.finish(text := writer.new_text())
        eventually(writer.screen, lambda text=text: text in writer.ground.texts())
        writer.waits(1)
        writer.send_now()
        writer.screen.all_sent()
    writer.has_arrived()


def test_the_caret_is_back_in_the_text_when_what_waits_is_sent_by_itself(writer: Writer, runs: int) -> None:
    page = writer.screen.page
    for _ in range(runs):
        page.route("**/api/v1/corrections", lambda route: route.abort(), times=1)
        writer.finish(writer.new_text())
        writer.waits(1)
        page.get_by_role("button", name="Send now").focus()
        page.evaluate("() => window.dispatchEvent(new Event('online'))")
        writer.screen.all_sent()
        writer.screen.at_work()
    writer.has_arrived()


def test_a_second_tab_reads_and_takes_over_only_when_it_is_told_to(writer: Writer, runs: int) -> None:
    for _ in range(runs):
        first, text = writer.screen, writer.new_text()
        half = len(text) // 2
        writer.type(text[:half])
        second = Screen(writer.context.new_page(), first.url, first.passwords, told=first.told).open()
        expect(second.page.get_by_text("You have this segment open in another tab")).to_be_visible()
        expect(second.box).not_to_be_editable()
        second.tab_to("Write here instead")
        second.page.keyboard.press("Enter")
        expect(second.box).to_be_editable()
        expect(first.box).not_to_be_editable()
        writer.screen = second
        writer.is_still_there(text)
        assert second.text == text[:half]
        second.box.focus()
        writer.finish(text)
        first.page.close()
    writer.has_arrived()


@pytest.mark.parametrize("days", [-1, 1])
def test_the_clock_is_wrong_by_a_day(ground: Ground, context: BrowserContext, seed: int, runs: int, days: int) -> None:
    shift = "const Right = Date; globalThis.Date = class extends Right { constructor(...given) { given.length ? "
    shift += "super(...given) : super(Right.now() + %d) } static now() { return Right.now() + %d } };"
    context.add_init_script(shift % ((days * 86_400_000,) * 2))
    writer = Writer.begin(ground, context, seed)
    for _ in range(runs):
        writer.partly(text := writer.new_text())
        crash(writer.screen)
        writer.come_back()
        writer.is_still_there(text)
        writer.finish(text)
        expect(writer.screen.page.get_by_text("This computer's clock is wrong")).to_be_visible()
    writer.has_arrived()
    writer.screen.give_back()


def crash(screen: Screen) -> None:
    """Let the tab's process end without a word."""
    with screen.page.expect_event("crash"), suppress(Error):
        screen.page.goto("chrome://crash")
    screen.page.close()


def keeps_the_page(screen: Screen) -> None:
    """Wait until the page is kept for work without a line."""
    screen.page.evaluate("() => navigator.serviceWorker.ready")
    screen.open().at_work()
    eventually(screen, lambda: bool(screen.page.evaluate("() => navigator.serviceWorker.controller !== null")))
