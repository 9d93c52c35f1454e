"""Two people's disagreement is symmetric, by speaker, and the floor below which no model can be measured."""

from __future__ import annotations

import dataclasses
import json

import pytest

from dialects.agreement import Floor, floors
from dialects.dialect import load_catalogue
from dialects.preparing import Preparer
from dialects.scoring import Pair
from tests.dialects.factories import corpus, pair


def floor(*pairs: Pair) -> Floor:
    (found,) = floors(pairs, Preparer(load_catalogue())).values()
    return found


def test_disagreement_is_over_the_mean_number_of_words() -> None:
    found = floor(pair("a b c", "a b"), pair("a b", "a x", id="s2", speaker="bob"))

    assert found.rate == 2 * 2 / (5 + 4)
    assert found.character_rate == 2 * 2 / (5 + 4)
    assert (found.segments, found.speakers, found.state) == (2, 2, "suppressed")
    assert found.interval is not None


def test_neither_person_is_the_reference() -> None:
    pairs = corpus(dialects=["hi"])
    swapped = [dataclasses.replace(one, reference=one.hypothesis, hypothesis=one.reference) for one in pairs]
    one, other = floor(*pairs), floor(*swapped)

    assert (one.rate, one.interval, one.character_rate) == (other.rate, other.interval, other.character_rate)


def test_silence_has_no_floor() -> None:
    assert floor(pair("", "")).rate is None
    assert floor(pair("", "")).interval is None


@pytest.mark.parametrize(("wer", "limited"), [(0.3, True), (0.5, False), (None, False)])
def test_references_limit_what_a_good_model_can_show(wer: float | None, limited: bool) -> None:
    found = floor(pair("a b c d e", "a b c d x"))

    assert found.rate == 0.2
    assert found.limits(wer) is limited


def test_each_dialect_has_its_floor_in_plain_json() -> None:
    found = floors(corpus(), Preparer(load_catalogue()))

    assert list(found) == ["bho", "en-IN", "en-US"]
    for one in found.values():
        assert json.loads(json.dumps(one.data(), allow_nan=False)) == one.data()
