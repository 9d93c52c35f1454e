"""The page needs nothing else, says in words what it draws, hides what is suppressed, and cannot be written into."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from dialects.breakdown import breakdown
from dialects.comparison import compare
from dialects.dialect import load_catalogue
from dialects.figures import Mark, Point, Stack, forest, funnel, stacks
from dialects.page import page, table
from dialects.preparing import Preparer
from dialects.report import build
from dialects.rows import Method
from dialects.statistics import Thresholds
from tests.dialects.factories import corpus, pair

SMALL = Method(
    thresholds=Thresholds(provisional_speakers=2, provisional_words=20, reportable_speakers=5, reportable_words=200),
    resamples=100,
)


class Reader(HTMLParser):
    """Collects tags, attributes and the text of table cells, and checks that tags close in order."""

    VOID = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def whole_page(extra: str = "x") -> str:
    pairs = [
        *corpus(),
        *(pair("is it", f"was {extra}", id=f"p{n}", speaker=f"p{n}", duration_s=3.0) for n in range(4)),
        pair("", "thank you", id="e"),
        pair("a b c d", "a b c x", id="scot", dialect="en-scotland"),
    ]
    prepare = Preparer(load_catalogue())
    report = build(pairs, model="m1", method=SMALL)
    comparison = compare(pairs, pairs, prepare, method=SMALL)
    return page(report, breakdowns=breakdown(pairs, prepare), comparison=comparison)


@pytest.fixture(scope="module")
def text() -> str:
    return whole_page()


def test_a_page_is_well_formed_and_its_figures_are_xml(text: str) -> None:
    reader = Reader(text)

    assert reader.open == []
    figures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(figures) == 4
    for figure in figures:
        ElementTree.fromstring(figure)


def test_a_page_needs_no_network_and_runs_no_scripts(text: str) -> None:
    reader = Reader(text)

    assert not {"script", "link", "img", "iframe"} & set(reader.tags)
    assert not {"src", "href", "style"} & {name for name, _ in reader.attributes}
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")


def test_every_figure_says_in_words_what_it_shows(text: str) -> None:
    labels = [value for name, value in Reader(text).attributes if name == "aria-label"]

    assert len(labels) == 4
    assert all(label and len(label) > 30 for label in labels)


def test_every_cell_turns_with_its_script(text: str) -> None:
    cells = re.findall(r"<td[^>]*>|<th scope=row[^>]*>", text)

    assert cells
    assert all('dir="auto"' in cell for cell in cells)


def test_a_suppressed_dialect_shows_its_size_and_nothing_else(text: str) -> None:
    assert text.count('<th scope=row dir="auto">en-scotland</th>') == 1
    row = next(line for line in text.splitlines() if '<th scope=row dir="auto">en-scotland</th>' in line)
    assert "25.0" not in row
    assert row.count("–") == 6
    assert "Errors of en-scotland" not in text
    assert "Errors of bho" in text


def test_words_of_a_hypothesis_cannot_write_into_the_page() -> None:
    text = whole_page('<script>alert(1)</script>"&')

    assert "<script" not in text
    assert "alert" in text
    assert Reader(text).open == []


def test_the_same_report_gives_the_same_page() -> None:
    assert whole_page() == whole_page()


def test_an_empty_report_is_a_page_too() -> None:
    text = page(build([]))

    assert "<svg" not in text
    assert "all dialects" in text


def test_a_table_keeps_its_cells_in_order() -> None:
    made = table(("word", "count"), [("<b>", "1")], caption="c & d")

    assert "<caption>c &amp; d</caption>" in made
    assert '<th scope=row dir="auto">&lt;b&gt;</th><td dir="auto">1</td>' in made


def test_a_forest_puts_larger_values_further_right_and_draws_zero() -> None:
    figure = ElementTree.fromstring(
        forest([Mark(label="a", value=-0.1, low=-0.2, high=0.05), Mark(label="b", value=0.3)], alt="x", line=0.0)
    )
    small, large = (float(circle.get("cx", "0")) for circle in figure.iter("circle"))

    assert (
        small
        < float(next(line for line in figure.iter("line") if line.get("class") == "common").get("x1", "0"))
        < large
    )
    (reach,) = (line for line in figure.iter("line") if line.get("class") == "reach")
    assert float(reach.get("x1", "0")) < small < float(reach.get("x2", "0"))


def test_stacked_parts_touch_and_are_as_wide_as_they_are() -> None:
    figure = ElementTree.fromstring(stacks([Stack(label="a", parts=(0.2, 0.1))], ("s", "d"), alt="x"))
    first, second = (box for box in figure.iter("rect") if box.get("height") == "16")

    assert float(first.get("x", "0")) + float(first.get("width", "0")) == pytest.approx(
        float(second.get("x", "0")), abs=0.2
    )
    assert float(first.get("width", "0")) == pytest.approx(2 * float(second.get("width", "0")), abs=0.3)


def test_a_funnel_narrows_with_more_speakers() -> None:
    points = [Point(label="a", x=2, y=0.2), Point(label="b", x=60, y=0.3)]
    figure = ElementTree.fromstring(funnel(points, centre=0.2, spread=0.1, across="speakers", alt="x"))
    upper, lower = (
        [tuple(map(float, place.split(","))) for place in line.get("points", "").split()]
        for line in figure.iter("polyline")
    )

    widths = [low[1] - high[1] for high, low in zip(upper, lower, strict=True)]
    assert widths[0] > widths[-1] > 0
    assert widths == sorted(widths, reverse=True)
