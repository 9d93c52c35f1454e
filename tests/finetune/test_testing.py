"""Which of two results is the better one: what was learned, less what was forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="tuning belongs to the train extra")

from transcribe.finetune.testing import TOLERANCE, Rates, judged

RATE = st.floats(0, 1)


def even(rate: float) -> Rates:
    """As many errors by word as by letter."""
    return Rates(wer=rate, cer=rate)


@given(learned=RATE, first=RATE, kept=st.lists(RATE, min_size=1, max_size=4))
def test_where_nothing_is_forgotten_only_what_is_learned_counts(
    learned: float, first: float, kept: list[float]
) -> None:
    others = {f"kept {number}": even(rate) for number, rate in enumerate(kept)}

    assert judged({"new": even(learned), **others}, {"new": even(first), **others}, ["new"]) == pytest.approx(learned)


@given(before=st.floats(0, 0.5), lost=st.floats(0, 0.5))
def test_what_is_forgotten_counts_double_beyond_what_is_chance(before: float, lost: float) -> None:
    now = {"new": even(0.3), "old": even(before + lost)}
    found = judged(now, {"new": even(0.8), "old": even(before)}, ["new"])

    assert found == pytest.approx(0.3 + 2 * max(0.0, lost - TOLERANCE))


def test_without_a_focus_all_are_learned() -> None:
    now, first = {"a": even(0.2), "b": even(0.4)}, {"a": even(0.1), "b": even(0.9)}

    assert judged(now, first, []) == pytest.approx(0.3)


def test_letters_tell_what_words_do_not_where_every_word_is_wrong() -> None:
    first = {"ml-IN": Rates(wer=1.0, cer=1.3)}

    assert judged({"ml-IN": Rates(wer=1.0, cer=0.5)}, first, []) < judged({"ml-IN": Rates(wer=1.0, cer=0.9)}, first, [])
