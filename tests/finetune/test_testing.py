"""Which of two results is the better one: what was learned, less what was forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="tuning belongs to the train extra")

from transcribe.finetune.testing import TOLERANCE, judged

RATE = st.floats(0, 1)


@given(learned=RATE, first=RATE, kept=st.lists(RATE, min_size=1, max_size=4))
def test_where_nothing_is_forgotten_only_what_is_learned_counts(
    learned: float, first: float, kept: list[float]
) -> None:
    others = {f"kept {number}": rate for number, rate in enumerate(kept)}

    assert judged({"new": learned, **others}, {"new": first, **others}, ["new"]) == pytest.approx(learned)


@given(before=st.floats(0, 0.5), lost=st.floats(0, 0.5))
def test_what_is_forgotten_counts_double_beyond_what_is_chance(before: float, lost: float) -> None:
    found = judged({"new": 0.3, "old": before + lost}, {"new": 0.8, "old": before}, ["new"])

    assert found == pytest.approx(0.3 + 2 * max(0.0, lost - TOLERANCE))


def test_without_a_focus_all_are_learned() -> None:
    assert judged({"a": 0.2, "b": 0.4}, {"a": 0.1, "b": 0.9}, []) == pytest.approx(0.3)
