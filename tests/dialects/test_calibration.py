"""More doubt never means less risk, and few words promise little."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.calibration import Calibration, Looked, calibrate

texts = st.lists(
    st.builds(
        lambda doubt, words, wrong: Looked(doubt=doubt, errors=min(wrong, words), words=words),
        st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]),
        st.integers(0, 9),
        st.integers(0, 9),
    )
)


@given(texts)
def test_risk_only_rises_and_orders_nothing_new(looked: list[Looked]) -> None:
    found = calibrate(looked)

    assert list(found.risks) == sorted(found.risks)
    assert list(found.ends) == sorted(set(found.ends))
    assert calibrate(looked[::-1]) == found
    if sum(one.words for one in looked):
        assert found.ends[-1] == max(one.doubt for one in looked)
        assert all(0 <= risk <= 1 for risk in found.risks)


def test_doubts_out_of_order_share_a_step() -> None:
    looked = [
        Looked(doubt=0.1, errors=3, words=10),
        Looked(doubt=0.2, errors=1, words=10),
        Looked(doubt=0.3, errors=9, words=10),
    ]
    found = calibrate(looked, prior_words=0)

    assert found == Calibration(ends=(0.2, 0.3), risks=(0.2, 0.9))
    assert (found.risk(0.0), found.risk(0.2), found.risk(0.25)) == (0.2, 0.2, 0.9)


def test_what_nobody_looked_at_has_no_risk() -> None:
    found = calibrate([Looked(doubt=0.4, errors=0, words=10)])

    assert found.risk(0.41) is None
    assert calibrate([]).risk(0.0) is None
    assert calibrate([Looked(doubt=0.1, errors=2, words=0)]).risk(0.0) is None


def test_few_right_words_promise_little() -> None:
    rest = Looked(doubt=0.9, errors=40, words=100)
    few = calibrate([Looked(doubt=0.1, errors=0, words=3), rest]).risk(0.1)
    many = calibrate([Looked(doubt=0.1, errors=0, words=300), rest]).risk(0.1)

    assert few == pytest.approx(2 * 40 / 103 / 5)
    assert many is not None
    assert few is not None
    assert many < 0.01 < few


def test_a_true_curve_is_found_again() -> None:
    chance = random.Random(4)
    looked = []
    for _ in range(3_000):
        doubt = round(chance.random(), 3)
        looked.append(Looked(doubt=doubt, errors=sum(chance.random() < doubt / 2 for _ in range(8)), words=8))
    found = calibrate(looked)

    for doubt in (0.2, 0.5, 0.8):
        assert found.risk(doubt) == pytest.approx(doubt / 2, abs=0.05)
