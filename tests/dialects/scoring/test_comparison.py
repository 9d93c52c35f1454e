"""Two models are told apart by people, on the same segments, or not at all."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from dialects.dialect import load_catalogue
from dialects.errors import DialectError
from dialects.report.table import build
from dialects.scoring.comparison import Comparison, Side, compare, contrast
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from dialects.scoring.statistics import Thresholds
from dialects.scoring.word_errors import Pair
from tests.dialects.factories import pair

SMALL = Method(
    thresholds=Thresholds(provisional_speakers=2, provisional_words=8, reportable_speakers=5, reportable_words=20)
)


def transcribe(model: str, errors: dict[str, list[int]]) -> list[Pair]:
    """Ten words a speaker, of which so many are wrong, for each dialect."""
    return [
        pair(
            " ".join(["a"] * 10),
            " ".join(["x"] * wrong + ["a"] * (10 - wrong)),
            id=f"{dialect}-{number}",
            dialect=dialect,
            speaker=f"{dialect}-{number}",
            model=model,
        )
        for dialect, numbers in errors.items()
        for number, wrong in enumerate(numbers)
    ]


def compare_errors(a: dict[str, list[int]], b: dict[str, list[int]]) -> Comparison:
    return compare(transcribe("a", a), transcribe("b", b), Preparer(load_catalogue()), method=SMALL)


def test_a_model_that_is_better_for_everybody_is_better() -> None:
    (contrast,) = compare_errors({"hi": [5] * 8}, {"hi": [4, 4, 3, 4, 4, 3, 4, 4]}).dialects

    assert (contrast.wer_a, contrast.wer_b, contrast.blocks) == (0.5, 0.375, 8)
    assert contrast.difference == -0.125
    assert contrast.p == 2 / 2**8
    assert contrast.interval is not None
    assert contrast.interval[0] < -0.125 < contrast.interval[1] < 0
    assert contrast.verdict == "better"


def test_a_model_that_is_better_for_one_person_is_not_shown_to_be() -> None:
    (contrast,) = compare_errors({"hi": [5] * 8}, {"hi": [0, *[5] * 7]}).dialects

    assert contrast.p == 1.0
    assert contrast.verdict == "no difference shown"
    assert contrast.detectable is not None
    assert contrast.detectable > abs(contrast.difference or 0)


def test_few_people_can_show_nothing() -> None:
    comparison = compare_errors({"hi": [5] * 5}, {"hi": [0] * 5})

    assert comparison.dialects[0].p_floor == 2 / 2**5
    assert comparison.dialects[0].p == 2 / 2**5
    assert comparison.dialects[0].verdict == "cannot be shown"
    assert "cannot be shown" in comparison.text()


def test_many_dialects_need_stronger_evidence() -> None:
    errors_a = {"hi": [5] * 6, "ta": [5] * 6, "en-US": [5] * 3}
    comparison = compare_errors(errors_a, {"hi": [4] * 6, "ta": [5, 6, 5, 6, 4, 4], "en-US": [4] * 3})

    hindi = next(row for row in comparison.dialects if row.dialect == "hi")
    assert (hindi.p, hindi.p_adjusted) == (2 / 2**6, 4 / 2**6)
    assert hindi.verdict == "no difference shown"
    english = next(row for row in comparison.dialects if row.dialect == "en-US")
    assert english.p_adjusted is None


def test_a_better_mean_does_not_hide_who_is_worse_off() -> None:
    comparison = compare_errors({"hi": [5] * 40, "ta": [6] * 6}, {"hi": [4] * 40, "ta": [9] * 6})

    assert (comparison.overall.difference or 0) < 0
    assert [warning.split(":")[0] for warning in comparison.warnings] == ["W_MACRO", "W_WORST"]
    assert "ta" in comparison.warnings[1]
    assert next(row for row in comparison.dialects if row.dialect == "ta").verdict == "worse"


def test_a_model_against_itself_differs_nowhere() -> None:
    comparison = compare_errors({"hi": [5, 4, 3, 2, 1, 0]}, {"hi": [5, 4, 3, 2, 1, 0]})

    assert comparison.overall.difference == 0
    assert comparison.overall.p == 1.0
    assert comparison.overall.p_wilcoxon is None
    assert comparison.warnings == ()


def test_the_order_of_pairs_does_not_show() -> None:
    a, b = transcribe("a", {"hi": [5, 3, 4, 2, 6, 1]}), transcribe("b", {"hi": [4, 3, 5, 1, 4, 0]})
    prepare = Preparer(load_catalogue())

    assert compare(a, b, prepare, method=SMALL) == compare(a[::-1], b, prepare, method=SMALL)


@pytest.mark.parametrize("facts", [{"id": "other"}, {"reference": "b"}, {"speaker": "bob"}, {"dialect": "ta"}])
def test_only_the_same_segments_can_be_compared(facts: dict[str, str]) -> None:
    a = transcribe("a", {"hi": [1, 2]})
    b = [dataclasses.replace(a[0], model="b", **facts), a[1]]

    with pytest.raises(DialectError, match="segments are not the same"):
        compare(a, b, Preparer(load_catalogue()))


def test_a_comparison_is_plain_json_and_hides_what_is_suppressed_in_print() -> None:
    comparison = compare_errors({"hi": [5] * 6, "ta": [3]}, {"hi": [4] * 6, "ta": [1]})

    assert json.loads(json.dumps(comparison.data(), allow_nan=False)) == comparison.data()
    assert "hi: -10.0" in comparison.text()
    assert "ta: too little speech" in comparison.text()


def test_two_reports_are_compared_as_their_pairs_are() -> None:
    pairs_a, pairs_b = (
        transcribe("a", {"hi": [5] * 8, "ta": [3] * 6}),
        transcribe("b", {"hi": [4] * 8, "ta": [3, 3, 4, 2, 3, 3]}),
    )
    sides = [
        Side.parse(json.loads(json.dumps(build(pairs, model=pairs[0].model, method=SMALL).data())))
        for pairs in (pairs_a, pairs_b)
    ]

    assert (
        contrast(*sides, method=SMALL).data()
        == compare(pairs_a, pairs_b, Preparer(load_catalogue()), method=SMALL).data()
    )


def test_another_normaliser_refuses_comparison() -> None:
    pairs = transcribe("a", {"hi": [5] * 8})
    sides = [build(pairs, normaliser=name, method=SMALL).side() for name in ("none", "indic-v1")]

    with pytest.raises(DialectError, match="E_NORMALISER_DIFFERS"):
        contrast(*sides)


def test_reports_on_other_speech_refuse_comparison() -> None:
    first, second = (build(transcribe("a", {"hi": [5] * count}), method=SMALL).side() for count in (7, 8))

    with pytest.raises(DialectError, match="E_PAIRS"):
        contrast(first, second)


@pytest.mark.parametrize("document", [{}, {"blocks": []}, {"blocks": {"dialects": {"hi": 3}}}])
def test_what_is_no_report_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(DialectError, match="E_REPORT"):
        Side.parse(document)


def test_a_report_under_the_privacy_floor_says_why_it_cannot_be_compared() -> None:
    document = build([*transcribe("a", {"hi": [5] * 8, "ta": [1]})], method=SMALL).data(privacy_floor=True)

    with pytest.raises(DialectError, match="without --privacy-floor"):
        Side.parse(document)


def test_blocks_are_known_by_no_name() -> None:
    document = json.dumps(build(transcribe("a", {"hi": [5] * 8}), method=SMALL).data()["blocks"])

    assert "hi-1" not in document


def test_a_regression_is_a_dialect_that_is_shown_to_be_worse() -> None:
    comparison = compare_errors({"hi": [4] * 8, "ta": [3] * 8}, {"hi": [5] * 8, "ta": [3] * 8})

    assert [row.dialect for row in comparison.regressions] == ["hi", "overall"]
