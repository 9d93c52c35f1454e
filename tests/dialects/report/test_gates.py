"""A gate names what must not be; what cannot be shown does not pass."""

from __future__ import annotations

import pytest

from dialects.errors import DialectError
from dialects.report.gates import MEASURES, Gate, judge, parse_gate
from dialects.report.table import Report, build
from dialects.scoring.rows import Method
from dialects.scoring.statistics import Thresholds
from tests.dialects.factories import corpus, pair

SMALL = Method(
    thresholds=Thresholds(provisional_speakers=2, provisional_words=20, reportable_speakers=5, reportable_words=200),
    resamples=100,
)


@pytest.fixture(scope="module")
def report() -> Report:
    return build([*corpus(), pair("a b c d", "x", dialect="en-scotland")], method=SMALL)


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("worst_reportable_wer>0.35", Gate(measure="worst_reportable_wer", dialect=None, relation=">", limit=0.35)),
        (" wer[en-US] <= 1e-1 ", Gate(measure="wer", dialect="en-US", relation="<=", limit=0.1)),
        ("speakers < 5", Gate(measure="speakers", dialect=None, relation="<", limit=5)),
    ],
)
def test_a_gate_is_a_measure_a_relation_and_a_number(text: str, gate: Gate) -> None:
    assert parse_gate(text) == gate
    assert parse_gate(str(gate)) == gate


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("wer", "write a measure"),
        ("wer = 3", "write a measure"),
        ("__import__('os')", "write a measure"),
        ("worst_wer > 0.3", "did you mean worst_reportable_wer?"),
        ("macro_wer[hi] > 0.3", "leave the brackets out"),
        ("wer > 0.3.1", "no number"),
    ],
)
def test_anything_else_is_refused(text: str, hint: str) -> None:
    with pytest.raises(DialectError, match="E_GATE_SYNTAX") as caught:
        parse_gate(text)

    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("worst_reportable_wer > 0.9", False),
        ("worst_reportable_wer > 0.01", True),
        ("wer[bho] > 0.01", True),
        ("wer[BHO] > 0.9", False),
        ("cer > 0.9", False),
        ("ci_high[bho] > 0.0", True),
        ("reportable_dialects < 3", False),
        ("reportable_dialects < 4", True),
        ("gap_p < 2", True),
        ("words[en-scotland] < 100", True),
    ],
)
def test_a_gate_fails_where_its_condition_holds(report: Report, text: str, failed: bool) -> None:
    verdict = judge(report, parse_gate(text))

    assert verdict.failed is failed
    assert verdict.sentence.endswith("fails" if failed else "passes")


@pytest.mark.parametrize("text", ["wer[ta] > 0.9", "wer[en-scotland] > 2"])
def test_what_cannot_be_shown_does_not_pass(report: Report, text: str) -> None:
    verdict = judge(report, parse_gate(text))

    assert verdict.failed
    assert "no such value" in verdict.sentence


def test_an_empty_report_passes_no_gate_on_a_rate() -> None:
    empty = build([])

    for measure in sorted(set(MEASURES) - {"words", "speakers", "reportable_dialects"}):
        assert judge(empty, parse_gate(f"{measure} > 100")).failed, measure
