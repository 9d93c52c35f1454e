"""The desk on a line of 120 kbit/s with half a second each way round: what it loads, and how soon it can be used."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.screen import Screen
from tests.browser.slow import Line, seconds

KILOBYTE = 1_024


def signed_in(screen: Screen) -> Screen:
    """Somebody whose session is good, in a browser that has nothing of the desk yet."""
    given = {"name": "transcriber", "password": screen.passwords["transcriber"]}
    assert screen.page.context.request.post(f"{screen.url}/api/v1/session", data=given).ok
    return screen


def test_the_first_text_can_be_written_within_six_seconds(
    screen: Screen, record_property: Callable[[str, object], None]
) -> None:
    """
    The time is that of the design link for the bytes and rounds that this page needed, and what the processor worked
    on it: a machine that is busy with other tests makes neither of them more.
    """
    line, asked = Line(signed_in(screen).page, slow=True), list[str]()
    context = screen.page.context
    context.on("request", lambda each: asked.append("worker" if each.service_worker else each.url.rsplit("/", 1)[1]))
    screen.open().at_work()
    work = line.work_s()
    until = next(each.ended for each in line.requests if each.path == "/api/v1/leases")
    needed = [each for each in line.requests if each.began < until]
    took = seconds(needed) + work
    record_property("seconds", round(took, 2))
    told = ", ".join(f"{each.path} {each.size}" for each in needed)
    assert took < 6, f"{took:.1f} s, {work:.1f} s of them work: {told}"
    assert "worker" not in asked[: asked.index("leases")], "the page is kept for later before there is a text to write"


def test_the_shell_has_less_than_64_kilobytes(screen: Screen) -> None:
    line = Line(screen.page)
    screen.open()
    expect(screen.page.get_by_label("Password")).to_be_visible()
    screen.page.wait_for_load_state("networkidle")
    assert 0 < sum(each.size for each in line.requests) < 64 * KILOBYTE


def test_a_segment_has_less_than_30_kilobytes_from_its_sound_to_its_text(screen: Screen) -> None:
    line = Line(signed_in(screen).page)
    with screen.page.expect_response("**/peaks"):
        screen.open().at_work()
    screen.write("seen and heard and written down, with a few more words than most of them have")
    screen.done()
    screen.all_sent()
    found = {each.path.rsplit("/", 1)[1]: each for each in reversed(line.requests)}
    parts = [found["audio"].size, found["peaks"].size, found["leases"].size, found["corrections"].size]
    parts += [found["corrections"].sent]
    assert all(parts), parts
    assert sum(parts) < 30 * KILOBYTE
