"""Which of several texts is kept: laws, and the case that the likeliest one loses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transcribe.backends.hypotheses import choose_text

TEXTS = st.lists(st.text("ab ", max_size=12), min_size=1, max_size=6)


def test_words_that_most_texts_share_win_over_the_likeliest_text() -> None:
    assert choose_text(["will be tide", "woe betide", "woe be tide"], [-1.0, -1.3, -1.4]) == 2


def test_a_text_that_is_likelier_by_far_is_kept() -> None:
    assert choose_text(["so it goes", "sow it grows", "sow it goes"], [-1.0, -30.0, -30.0]) == 0


def test_case_and_punctuation_make_no_text_another() -> None:
    assert choose_text(["Yes, two.", "yes two", "guess too"], [-2.0, -2.0, -1.9]) == 0


@given(TEXTS, st.floats(-50, 0))
def test_equally_likely_copies_of_one_text_outvote_a_stranger(texts: list[str], sure: float) -> None:
    assert choose_text(["x y", *["a b"] * 3], [sure] * 4) == 1
    assert 0 <= choose_text(texts, [sure] * len(texts)) < len(texts)


@given(st.text("ab ", max_size=12), st.integers(1, 6))
def test_where_all_agree_the_first_is_kept(text: str, count: int) -> None:
    assert choose_text([text] * count, [-1.0] * count) == 0
