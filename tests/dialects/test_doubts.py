"""Which words are marked, and what their marks are worth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from dialects.doubts import LEAST_WORDS, SHARES, Judged, judged, shading
from dialects.preparing import Preparer
from dialects.scoring import Pair

PREPARE = Preparer(load_catalogue())
words = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def told(reference: str, drafted: str) -> list[bool]:
    pair = Pair(id="1", reference=reference, hypothesis=drafted, dialect="en-IN", speaker="s")
    return [wrong for _, wrong in judged(PREPARE(pair), [(word, 0.5) for word in drafted.split()])]


@given(words)
def test_no_more_than_their_share_is_marked_and_the_least_sure_first(seen: list[Judged]) -> None:
    found = shading(seen)
    assert found is not None
    levels = [found.level(probability) for probability, _ in seen]
    assert levels.count("very") <= SHARES["very"] * len(seen)
    assert len(seen) - levels.count("sure") <= SHARES["doubtful"] * len(seen)
    risks = [found.risk(probability) for probability, _ in sorted(seen)]
    assert risks == sorted(risks, reverse=True)


@given(words)
def test_marked_and_others_are_all_words_and_all_errors(seen: list[Judged]) -> None:
    found = shading(seen)
    assert found is not None
    assert found.shaded[0] + found.plain[0] == found.words == len(seen)
    assert found.shaded[1] + found.plain[1] == sum(wrong for _, wrong in seen)
    assert found.shaded[0] == sum(found.level(probability) != "sure" for probability, _ in seen)


def test_a_recogniser_that_doubts_the_wrong_words_is_believed() -> None:
    seen = [(0.1, True)] * 40 + [(0.3, n % 2 == 0) for n in range(80)] + [(0.9, n % 20 == 0) for n in range(880)]
    found = shading(seen)
    assert found is not None and found.calibrated
    assert [found.level(probability) for probability in (0.05, 0.1, 0.3, 0.9)] == ["very", "very", "doubtful", "sure"]
    assert found.shaded == (120, 80) and found.plain == (880, 44)
    assert found.risk(0.1) > found.risk(0.3) > found.risk(0.9) == pytest.approx(0.05, abs=0.001)


def test_a_recogniser_whose_doubts_tell_nothing_marks_nothing() -> None:
    seen = [(p / 100, p % 10 == 0) for p in range(100) for _ in range(10)]
    found = shading(seen)
    assert found is not None
    assert {found.level(p / 100) for p in range(0, 100, 7)} == {"sure"} or found.shaded[0] <= 150


def test_few_words_are_not_enough_and_none_are_nothing() -> None:
    few = shading([(0.5, False)] * (LEAST_WORDS - 1))
    assert few is not None and not few.calibrated
    assert shading([]) is None


@pytest.mark.parametrize(
    ("reference", "drafted", "wrong"),
    [
        ("the bairn sleeps", "the barn sleeps", [False, True, False]),
        ("the bairn", "the wee bairn", [False, True, False]),
        ("the wee bairn", "the bairn", [False, False]),
        ("The bairn.", "the , bairn", [False, False]),
        ("", "well", [True]),
        ("well", "", []),
        ("twenty five cows", "25 cow", [False, True]),
        ("795 cows", "seven nine four cows", [False, False, True, False]),
    ],
)
def test_a_drafted_word_is_wrong_where_people_wrote_another_or_none(
    reference: str, drafted: str, wrong: list[bool]
) -> None:
    assert told(reference, drafted) == wrong
