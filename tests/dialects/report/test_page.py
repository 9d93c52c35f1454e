"""The page needs nothing else, says in words what it draws, hides what is suppressed, and cannot be written into."""

from __future__ import annotations

import dataclasses
import itertools
import re
from html.parser import HTMLParser
from importlib import resources
from xml.etree import ElementTree

import pytest

from dialects.dialect import load_catalogue
from dialects.report.breakdown import breakdown, examples
from dialects.report.figures import Mark, Point, Stack, forest, funnel, stacks
from dialects.report.html import heat, macro
from dialects.report.page import page
from dialects.report.table import build
from dialects.scoring.agreement import human_baselines
from dialects.scoring.comparison import compare
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from dialects.scoring.statistics import Thresholds
from dialects.scoring.word_errors import ErrorCount, align
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
    labels = [label for attribute, label in Reader(text).attributes if attribute == "aria-label"]

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


def test_the_floor_of_two_people_stands_beside_the_model() -> None:
    report = build(corpus(speakers=12, segments=30))
    disagreement = human_baselines(corpus(speakers=12, segments=30, error_rate=0.12), Preparer(load_catalogue()))
    text = page(report, baselines=disagreement)

    assert "How far do people agree?" in text
    assert "limited by reference" in text


def test_words_of_a_hypothesis_cannot_write_into_the_page() -> None:
    text = whole_page('<script>alert(1)</script>"&')

    assert "<script" not in text
    assert "alert" in text
    assert Reader(text).open == []


def test_titles_and_names_of_models_cannot_write_into_the_page_either() -> None:
    name = "<img src=x>'\"&"
    pairs = [dataclasses.replace(pair, model=name) for pair in corpus()]
    comparison = compare(pairs, pairs, Preparer(load_catalogue()), method=SMALL)
    text = page(build(pairs, model=name, method=SMALL), title=name, comparison=comparison)

    assert "<img" not in text
    assert [label for attribute, label in Reader(text).attributes if attribute == "aria-label" and name in str(label)]


def test_no_template_leaves_anything_unescaped() -> None:
    for template in (resources.files("dialects.report") / "templates").iterdir():
        assert not re.search(r"\|\s*safe|autoescape|Markup", template.read_text(encoding="utf-8")), template.name


def test_the_same_report_gives_the_same_page() -> None:
    assert whole_page() == whole_page()


def test_an_empty_report_is_a_page_too() -> None:
    text = page(build([]))

    assert "<svg" not in text
    assert "all dialects" in text


def test_a_table_keeps_its_cells_in_order() -> None:
    html = macro("parts.html", "table")(("word", "count"), [("<b>", "1")], caption="c & d")

    assert "<caption>c &amp; d</caption>" in html
    assert '<th scope=row dir="auto">&lt;b&gt;</th><td dir="auto">1</td>' in html


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
        [tuple(map(float, point.split(","))) for point in line.get("points", "").split()]
        for line in figure.iter("polyline")
    )

    widths = [low[1] - high[1] for high, low in zip(upper, lower, strict=True)]
    assert widths[0] > widths[-1] > 0
    assert widths == sorted(widths, reverse=True)


def test_names_in_a_funnel_stay_apart_and_above_the_axis() -> None:
    points = [Point(label=f"d{number}", x=15, y=0.1 + number / 1000) for number in range(30)]
    figure = ElementTree.fromstring(funnel(points, centre=0.2, spread=0.1, across="speakers", alt="x"))
    names = [text for text in figure.iter("text") if (text.text or "").startswith("d")]
    lines = sorted(float(text.get("y", "0")) for text in names)

    assert len(names) == 30
    assert min(lower - upper for upper, lower in itertools.pairwise(lines)) >= 14
    assert lines[0] > 0
    assert lines[-1] <= float(figure.get("viewBox", "").split()[-1]) - 34


def test_a_point_without_a_name_is_a_point() -> None:
    figure = ElementTree.fromstring(
        funnel([Point(label="quiet", x=5, y=0.2, named=False)], centre=0.2, spread=0.1, across="speakers", alt="x")
    )

    assert "quiet" not in [text.text for text in figure.iter("text")]
    assert len(list(figure.iter("circle"))) == 1


def test_a_shaded_table_is_darkest_where_the_rate_is_highest_and_silent_where_little_was_said() -> None:
    many, more, few = (ErrorCount(hits=hits, deletions=200 - hits) for hits in (150, 100, 190))
    html = heat(("dialect", "a", "b", "c", "d"), [("hi", [many, more, ErrorCount(deletions=9), None])], caption="c")

    assert "<td class=heat2" in html
    assert '<td class=heat4 dir="auto">50.0</td>' in html
    assert html.count('<td dir="auto">–</td>') == 2
    assert "<td class=heat0" in heat(("d", "a", "b"), [("hi", [few, more])], caption="c")


def test_a_diff_says_what_was_said_and_what_was_heard() -> None:
    html = macro("parts.html", "diff")("s<1>", align(["a", "<b>", "c"], ["a", "x", "c", "d"]))

    assert html == ('<p class=diff dir="auto">a <del>&lt;b&gt;</del> <ins>x</ins> c <ins>d</ins> <b>s&lt;1&gt;</b></p>')


def test_examples_show_the_most_frequent_errors_that_several_speakers_share() -> None:
    pairs = [pair("so it is", "so is it", id=f"x{number}", speaker=str(number)) for number in range(3)]
    pairs += [pair("we are", "we were", id=f"y{number}", speaker=str(number)) for number in range(4)]
    pairs += [pair("only one", "only won", id="z", speaker="me")]
    prepare = Preparer(load_catalogue())
    (chosen,) = examples(pairs, prepare, breakdown(pairs, prepare)).values()

    assert chosen[0].id == "y0"
    assert "z" not in [example.id for example in chosen]
    assert [edit.kind for edit in chosen[0].path] == ["hit", "substitution"]
