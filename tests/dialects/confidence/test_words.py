"""Wrong words are marked with the least probable ones first, and only where probabilities tell something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.confidence.words import LEAST_WORDS, SHARES, LabelledWord, fit_word_confidence, label_words
from dialects.dialect import load_catalogue
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import Pair

PREPARE = Preparer(load_catalogue())
words = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def label_draft(reference: str, drafted: str) -> list[bool]:
    pair = Pair(id="1", reference=reference, hypothesis=drafted, dialect="en-IN", speaker="s")
    return [wrong for _, wrong in label_words(PREPARE(pair), [(word, 0.5) for word in drafted.split()])]


@given(words)
def test_no_more_than_their_share_is_marked_and_the_least_sure_first(labelled: list[LabelledWord]) -> None:
    confidence = fit_word_confidence(labelled)
    assert confidence is not None
    levels = [confidence.level(probability) for probability, _ in labelled]
    assert levels.count("very") <= SHARES["very"] * len(labelled)
    assert len(labelled) - levels.count("sure") <= SHARES["doubtful"] * len(labelled)
    risks = [confidence.risk(probability) for probability, _ in sorted(labelled)]
    assert risks == sorted(risks, reverse=True)


@given(words)
def test_marked_and_others_are_all_words_and_all_errors(labelled: list[LabelledWord]) -> None:
    confidence = fit_word_confidence(labelled)
    assert confidence is not None
    assert confidence.shaded[0] + confidence.plain[0] == confidence.words == len(labelled)
    assert confidence.shaded[1] + confidence.plain[1] == sum(wrong for _, wrong in labelled)
    assert confidence.shaded[0] == sum(confidence.level(probability) != "sure" for probability, _ in labelled)


def test_a_recogniser_that_doubts_the_wrong_words_is_believed() -> None:
    labelled = [(0.1, True)] * 40 + [(0.3, n % 2 == 0) for n in range(80)] + [(0.9, n % 20 == 0) for n in range(880)]
    confidence = fit_word_confidence(labelled)
    assert confidence is not None and confidence.is_calibrated
    assert [confidence.level(probability) for probability in (0.05, 0.1, 0.3, 0.9)] == [
        "very",
        "very",
        "doubtful",
        "sure",
    ]
    assert confidence.shaded == (120, 80) and confidence.plain == (880, 44)
    assert confidence.risk(0.1) > confidence.risk(0.3) > confidence.risk(0.9) == pytest.approx(0.05, abs=0.001)


def test_a_recogniser_whose_doubts_tell_nothing_marks_nothing() -> None:
    labelled = [(p / 100, p % 10 == 0) for p in range(100) for _ in range(10)]
    confidence = fit_word_confidence(labelled)
    assert confidence is not None
    assert {confidence.level(p / 100) for p in range(0, 100, 7)} == {"sure"} or confidence.shaded[0] <= 150


def test_few_words_are_not_enough_and_none_are_nothing() -> None:
    few = fit_word_confidence([(0.5, False)] * (LEAST_WORDS - 1))
    assert few is not None and not few.is_calibrated
    assert fit_word_confidence([]) is None


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
    assert label_draft(reference, drafted) == wrong
