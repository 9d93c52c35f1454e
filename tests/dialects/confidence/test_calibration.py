"""More doubt never means less risk, and few words promise little."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.confidence.calibration import Calibration, CalibrationPoint, calibrate

texts = st.lists(
    st.builds(
        lambda doubt, words, wrong: CalibrationPoint(doubt=doubt, errors=min(wrong, words), words=words),
        st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]),
        st.integers(0, 9),
        st.integers(0, 9),
    )
)


@given(texts)
def test_risk_only_rises_and_orders_nothing_new(points: list[CalibrationPoint]) -> None:
    calibration = calibrate(points)

    assert list(calibration.risks) == sorted(calibration.risks)
    assert list(calibration.ends) == sorted(set(calibration.ends))
    assert calibrate(points[::-1]) == calibration
    if sum(point.words for point in points):
        assert calibration.ends[-1] == max(point.doubt for point in points)
        assert all(0 <= risk <= 1 for risk in calibration.risks)


def test_doubts_out_of_order_share_a_step() -> None:
    points = [
        CalibrationPoint(doubt=0.1, errors=3, words=10),
        CalibrationPoint(doubt=0.2, errors=1, words=10),
        CalibrationPoint(doubt=0.3, errors=9, words=10),
    ]
    calibration = calibrate(points, prior_words=0)

    assert calibration == Calibration(ends=(0.2, 0.3), risks=(0.2, 0.9))
    assert (calibration.risk(0.0), calibration.risk(0.2), calibration.risk(0.25)) == (0.2, 0.2, 0.9)


def test_what_nobody_looked_at_has_no_risk() -> None:
    calibration = calibrate([CalibrationPoint(doubt=0.4, errors=0, words=10)])

    assert calibration.risk(0.41) is None
    assert calibrate([]).risk(0.0) is None
    assert calibrate([CalibrationPoint(doubt=0.1, errors=2, words=0)]).risk(0.0) is None


def test_few_right_words_promise_little() -> None:
    others = CalibrationPoint(doubt=0.9, errors=40, words=100)
    few = calibrate([CalibrationPoint(doubt=0.1, errors=0, words=3), others]).risk(0.1)
    many = calibrate([CalibrationPoint(doubt=0.1, errors=0, words=300), others]).risk(0.1)

    assert few == pytest.approx(2 * 40 / 103 / 5)
    assert many is not None
    assert few is not None
    assert many < 0.01 < few


def test_a_true_curve_is_found_again() -> None:
    chance = random.Random(4)
    points = []
    for _ in range(3_000):
        doubt = round(chance.random(), 3)
        points.append(CalibrationPoint(doubt=doubt, errors=sum(chance.random() < doubt / 2 for _ in range(8)), words=8))
    calibration = calibrate(points)

    for doubt in (0.2, 0.5, 0.8):
        assert calibration.risk(doubt) == pytest.approx(doubt / 2, abs=0.05)
