"""A report's page as people open it: examples play, links lead to the desk, and figures say what they measure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.command import must
from tests.browser.ground import Ground
from tests.browser.screen import LAPTOP, Screen
from tests.desk_setup import LOW, Desk
from tests.store.factories import correction, make_drafted, recording_id
from transcribe.records import Model, Segment
from transcribe.wiring import Wiring
from transcribe.workspace import create

WIDE: Final = {"width": 1920, "height": 1080}
PHONE: Final = {"width": 390, "height": 800}
#: Everybody says the same, and all are heard alike, so that each dialect has an error that three people share.
SAID, HEARD = "we bide in the toun", "we bide in the town"
MOMENTS: Final = (0, 10_000, 20_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two dialects with its clips, and with links to a desk."""
    place = create(
        tmp_path_factory.mktemp("report") / "w",
        {"report": {"provisional_words": 10, "reportable_words": 40, "reportable_speakers": 3}},
    )
    with Wiring.open(place) as wiring:
        wiring.store.models.add(Model(id="m" * 64, place="x", name="base", state="promoted"))
        for dialect in ("en-scotland", "en-IE"):
            for number in range(4):
                _add_talk(wiring, f"{dialect} talk {number}", dialect)
    out = place / "reports" / "today"
    must("wer", "--workspace", place, "--out", out, "--desk", "http://127.0.0.1:8756")
    return out


def _add_talk(wiring: Wiring, name: str, dialect: str) -> None:
    """Add a recording of one person who says the same three times, and the texts that were written of it."""
    recording = Desk(wiring.store, wiring.audio_folder).add(
        name, [(0, 30_000, LOW)], duration=30_000, dialect=dialect, speaker=name, session=name, split="test"
    )
    spoken = [(name, moment, moment + 3_000, HEARD) for moment in MOMENTS]
    wiring.store.drafts.save(make_drafted(name, spoken, model="m" * 64))
    for moment in MOMENTS:
        segment = Segment(recording=recording.id, speaker=name, start=moment, end=moment + 3_000)
        wiring.store.corrections.add(
            [correction(f"{name} {moment}", name, moment, moment + 3_000, speaker=name, text=SAID, segment=segment.id)]
        )


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    """The report's page in a browser, which must not complain of it."""
    with browser.new_context(viewport=LAPTOP) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((folder / "report.html").as_uri())
        yield page
        assert complaints == []


def test_an_example_plays_its_stretch_and_is_called_by_file_and_time(page: Page) -> None:
    example = page.locator(".diff").first
    expect(example).to_contain_text("talk 0.flac 0:00.0")
    expect(page.locator("h1 + p")).to_have_text("base")
    expect(example.locator("del")).to_have_text("toun")
    expect(example.locator("ins")).to_have_text("town")

    sound = example.locator("audio")
    sound.evaluate("sound => sound.play()")
    page.wait_for_function("sound => sound.currentTime > 0.3", arg=sound.element_handle())
    # Three seconds and what stands around them: nothing before the recording's start, 0.3 s behind.
    assert sound.evaluate("sound => sound.duration") == pytest.approx(3.3, abs=0.15)
    assert sound.evaluate("sound => sound.error") is None


def test_an_example_leads_to_its_segment_at_the_desk(page: Page) -> None:
    link = page.locator(".diff a").first.get_attribute("href")
    name = "en-IE talk 0"
    segment = Segment(recording=recording_id(name), speaker=name, start=0, end=3_000)

    assert link == f"http://127.0.0.1:8756/#/segment/{segment.id}"


def test_both_scales_of_each_figure_are_named(page: Page) -> None:
    names = [set(figure.locator("text").all_text_contents()) for figure in page.locator("svg").all()]

    assert len(names) == 3
    assert {"dialect", "WER in per cent"} <= names[0]
    assert {"dialect", "errors in per cent of reference words"} <= names[1]
    assert {"WER in per cent", "blocks of speakers"} <= names[2]
    for figure in page.locator("svg").all():
        boxes = [text.bounding_box() for text in figure.locator("text").all()]
        whole = figure.bounding_box()
        assert whole is not None
        assert all(box is not None and whole["x"] - 1 <= box["x"] for box in boxes)
        assert all(box is not None and box["x"] + box["width"] <= whole["x"] + whole["width"] + 1 for box in boxes)


@pytest.mark.parametrize(("size", "columns"), [(WIDE, 2), (LAPTOP, 2), (PHONE, 1)])
def test_the_page_uses_the_width_it_has_and_never_more(page: Page, size: dict[str, int], columns: int) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    width = page.locator("main").evaluate("main => main.getBoundingClientRect().width")
    assert width >= 0.9 * size["width"]
    lefts = {round(box["x"]) for figure in page.locator("svg").all() if (box := figure.bounding_box())}
    assert len(lefts) == columns


def test_the_link_of_an_example_opens_at_the_desk(screen: Screen, shared: Ground) -> None:
    with shared.store() as store:
        segment = next(segment for row in store.recordings.fetch() for segment in store.drafts.fetch_segments(row.id))
    screen.sign_in("reviewer")
    screen.page.goto(f"{screen.url}/#/segment/{segment.id}")
    expect(screen.page.get_by_role("heading", name="Segment", exact=True)).to_be_visible()

    sound = screen.page.locator("main audio")
    sound.evaluate("sound => sound.play()")
    screen.page.wait_for_function("sound => sound.currentTime > 0.2", arg=sound.element_handle())
