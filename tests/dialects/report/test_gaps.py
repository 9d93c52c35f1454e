"""A gap between dialects is shown beside the one that chance makes."""

from __future__ import annotations

import json
import random

import pytest

from dialects.report.gaps import Gaps, gaps, shrink_rates
from dialects.report.table import build
from dialects.scoring.rows import Method
from dialects.scoring.statistics import Thresholds
from dialects.scoring.word_errors import Pair
from tests.dialects.factories import pair

SMALL = Method(
    thresholds=Thresholds(provisional_speakers=2, provisional_words=20, reportable_speakers=5, reportable_words=200),
    resamples=400,
)


def speakers(dialect: str, rate: float, *, people: int = 10, words: int = 100, seed: int = 1) -> list[Pair]:
    """A segment of *words* for each of *people*, wrong at *rate*."""
    chance = random.Random(f"{dialect}{seed}")
    return [
        pair(
            " ".join(["a"] * words),
            " ".join("x" if chance.random() < rate * chance.uniform(0.5, 1.5) else "a" for _ in range(words)),
            id=f"{dialect}-{number}",
            dialect=dialect,
            speaker=f"{dialect}-{number}",
        )
        for number in range(people)
    ]


def measure_gaps(*pairs: Pair) -> Gaps:
    between = build(pairs, method=SMALL, with_recount=False).gaps
    assert between is not None
    return between


def test_a_gap_that_is_there_is_beyond_chance() -> None:
    between = measure_gaps(*speakers("en-US", 0.1), *speakers("en-IN", 0.15), *speakers("en-scotland", 0.5))

    assert between.worst == "en-scotland"
    for gap in (between.highest_less_lowest, between.highest_by_lowest, between.worst_less_rest, between.spread):
        assert gap is not None
        assert gap.p < 0.05
        assert gap.by_chance < gap.interval[0] < gap.value < gap.interval[1]
    assert between.highest_less_lowest.value == pytest.approx(0.4, abs=0.08)
    assert "more than chance shows" in between.sentence()


def test_a_gap_between_equal_dialects_is_what_chance_shows() -> None:
    between = measure_gaps(*speakers("en-US", 0.2), *speakers("en-IN", 0.2), *speakers("en-scotland", 0.2))

    assert between.highest_less_lowest.value > 0
    assert between.highest_less_lowest.p > 0.05
    assert between.highest_less_lowest.by_chance > 0
    assert "no more than chance shows" in between.sentence()


def test_the_worst_is_compared_with_the_others_and_not_with_itself() -> None:
    exact = [
        *(pair("a a a a", "a a a x", id=f"u{n}", speaker=f"u{n}", dialect="en-US") for n in range(60)),
        *(pair("a a a a", "a a x x", id=f"i{n}", speaker=f"i{n}", dialect="en-IN") for n in range(60)),
        *(pair("a a a a", "a a a a", id=f"s{n}", speaker=f"s{n}", dialect="en-scotland") for n in range(60)),
    ]
    between = measure_gaps(*exact)

    assert between.worst_less_rest.value == pytest.approx(0.5 - 0.125)
    assert between.highest_less_lowest.value == 0.5
    assert between.highest_by_lowest is None


def test_only_reportable_dialects_are_ranked() -> None:
    between = measure_gaps(
        *speakers("en-US", 0.1), *speakers("en-IN", 0.2), *speakers("en-scotland", 0.9, people=4), *speakers("th", 0.9)
    )

    assert between.dialects == ("en-IN", "en-US")
    assert between.worst == "en-IN"


def test_one_dialect_has_no_gap() -> None:
    report = build(speakers("en-US", 0.1), method=SMALL)

    assert report.gaps is None
    assert report.data()["gaps"] is None
    assert gaps([], SMALL) is None


def test_gaps_repeat_and_are_plain_json() -> None:
    pairs = [*speakers("en-US", 0.1), *speakers("en-IN", 0.2)]

    assert measure_gaps(*pairs) == measure_gaps(*pairs[::-1])
    document = build(pairs, method=SMALL).data()["gaps"]
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["worst"]["dialect"] == "en-IN"


def test_what_is_uncertain_is_drawn_further_to_the_middle() -> None:
    sure, unsure, middle = shrink_rates([(0.4, 0.01), (0.4, 0.1), (0.1, 0.01)])

    assert 0.39 < sure < 0.4
    assert middle < unsure < sure - 0.005


def test_rates_that_differ_by_chance_alone_shrink_to_their_mean() -> None:
    assert shrink_rates([(0.20, 0.05), (0.21, 0.05)]) == pytest.approx([0.205, 0.205])
    assert shrink_rates([(0.2, 0.0), (0.2, 0.0)]) == pytest.approx([0.2, 0.2])
