"""Scores of checkpoints: the better one has learned more and forgotten less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="tuning belongs to the train extra")

from transcribe.training.validation import TOLERANCE, Rates, score_checkpoint

RATE = st.floats(0, 1)


def make_rates(rate: float) -> Rates:
    """As many errors by word as by letter."""
    return Rates(wer=rate, cer=rate)


@given(learned=RATE, first=RATE, replayed=st.lists(RATE, min_size=1, max_size=4))
def test_where_nothing_is_forgotten_only_what_is_learned_counts(
    learned: float, first: float, replayed: list[float]
) -> None:
    others = {f"kept {number}": make_rates(rate) for number, rate in enumerate(replayed)}

    assert score_checkpoint(
        {"new": make_rates(learned), **others}, {"new": make_rates(first), **others}, ["new"]
    ) == pytest.approx(learned)


@given(old_rate=st.floats(0, 0.5), lost=st.floats(0, 0.5))
def test_what_is_forgotten_counts_double_beyond_what_is_chance(old_rate: float, lost: float) -> None:
    now = {"new": make_rates(0.3), "old": make_rates(old_rate + lost)}
    score = score_checkpoint(now, {"new": make_rates(0.8), "old": make_rates(old_rate)}, ["new"])

    assert score == pytest.approx(0.3 + 2 * max(0.0, lost - TOLERANCE))


def test_without_a_focus_all_are_learned() -> None:
    now, first = {"a": make_rates(0.2), "b": make_rates(0.4)}, {"a": make_rates(0.1), "b": make_rates(0.9)}

    assert score_checkpoint(now, first, []) == pytest.approx(0.3)


def test_letters_tell_what_words_do_not_where_every_word_is_wrong() -> None:
    first = {"ml-IN": Rates(wer=1.0, cer=1.3)}

    assert score_checkpoint({"ml-IN": Rates(wer=1.0, cer=0.5)}, first, []) < score_checkpoint(
        {"ml-IN": Rates(wer=1.0, cer=0.9)}, first, []
    )
