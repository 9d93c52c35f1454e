"""Two people's disagreement is symmetric, by speaker, and the baseline below which no model can be measured."""

from __future__ import annotations

import dataclasses
import json

import pytest

from dialects.dialect import load_catalogue
from dialects.scoring.agreement import HumanBaseline, human_baselines
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import Pair
from tests.dialects.factories import corpus, pair


def measure(*pairs: Pair) -> HumanBaseline:
    (baseline,) = human_baselines(pairs, Preparer(load_catalogue())).values()
    return baseline


def test_disagreement_is_over_the_mean_number_of_words() -> None:
    baseline = measure(pair("a b c", "a b"), pair("a b", "a x", id="s2", speaker="bob"))

    assert baseline.rate == 2 * 2 / (5 + 4)
    assert baseline.character_rate == 2 * 2 / (5 + 4)
    assert (baseline.segments, baseline.speakers, baseline.state) == (2, 2, "suppressed")
    assert baseline.interval is not None


def test_neither_person_is_the_reference() -> None:
    pairs = corpus(dialects=["hi"])
    swapped = [dataclasses.replace(pair, reference=pair.hypothesis, hypothesis=pair.reference) for pair in pairs]
    one_way, other_way = measure(*pairs), measure(*swapped)

    assert (one_way.rate, one_way.interval, one_way.character_rate) == (
        other_way.rate,
        other_way.interval,
        other_way.character_rate,
    )


def test_silence_has_no_baseline() -> None:
    assert measure(pair("", "")).rate is None
    assert measure(pair("", "")).interval is None


@pytest.mark.parametrize(("wer", "limited"), [(0.3, True), (0.5, False), (None, False)])
def test_references_limit_what_a_good_model_can_show(wer: float | None, limited: bool) -> None:
    baseline = measure(pair("a b c d e", "a b c d x"))

    assert baseline.rate == 0.2
    assert baseline.limits(wer) is limited


def test_each_dialect_has_its_baseline_in_plain_json() -> None:
    baselines = human_baselines(corpus(), Preparer(load_catalogue()))

    assert list(baselines) == ["bho", "en-IN", "en-US"]
    for baseline in baselines.values():
        assert json.loads(json.dumps(baseline.data(), allow_nan=False)) == baseline.data()
