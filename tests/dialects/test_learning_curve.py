"""A forecast of more corrections has a range, and never promises harm."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dialects.learning_curve import CurvePoint, learning_curve


def point(minutes: float, wer: float, *, error: float = 0.01) -> CurvePoint:
    return CurvePoint(model=f"m{minutes:g}", minutes=minutes, wer=wer, standard_error=error)


def falling(minutes: float, *, power: float = 0.3) -> float:
    return float(0.8 * (1 + minutes) ** -power)


def test_a_power_of_the_minutes_is_found_again() -> None:
    curve = learning_curve("ta", [point(minutes, falling(minutes)) for minutes in (20, 0, 5, 60)])

    assert [model_point.minutes for model_point in curve.points] == [0, 5, 20, 60]
    for more, rate in curve.forecast:
        assert rate.estimate == pytest.approx(falling(60 + more))
        assert rate.low < rate.estimate < (rate.high or 0)
    assert curve.forecast[-1][1].estimate < curve.forecast[0][1].estimate


def test_two_models_make_no_forecast_and_neither_do_three_of_the_same_amount() -> None:
    assert learning_curve("ta", [point(0, 0.5), point(10, 0.4)]).forecast == ()
    same = learning_curve(
        "ta", [CurvePoint(model=str(number), minutes=5, wer=0.4, standard_error=0.1) for number in range(3)]
    )
    assert same.forecast == ()
    assert "3 models are needed" in learning_curve("ta", [point(0, 0.5), point(10, 0.4)]).sentence


def test_more_corrections_are_not_forecast_to_harm() -> None:
    curve = learning_curve("ta", [point(0, 0.3), point(10, 0.4), point(20, 0.5)])

    estimates = [rate.estimate for _, rate in curve.forecast]
    assert estimates == pytest.approx([estimates[0]] * len(estimates))


def test_what_is_less_known_is_forecast_less_closely() -> None:
    sure, unsure = (
        learning_curve("ta", [point(minutes, falling(minutes), error=error) for minutes in (0, 5, 20)])
        for error in (0.005, 0.05)
    )
    widths = [(curve.forecast[-1][1].high or 0) - curve.forecast[-1][1].low for curve in (sure, unsure)]
    assert widths[0] * 3 < widths[1]


def test_the_range_holds_what_comes_at_least_four_times_in_five() -> None:
    chance = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        points = [
            point(minutes, falling(minutes) + 0.02 * float(chance.standard_normal()), error=0.02)
            for minutes in (0, 4, 10, 25)
        ]
        _, rate = learning_curve("ta", points).forecast[3]
        hits += rate.low <= falling(25 + 60) <= (rate.high or 0)
    assert hits >= 200 * 0.74, "four in five, less what 200 draws may miss"


def test_the_same_models_give_the_same_plain_json() -> None:
    points = [point(minutes, falling(minutes)) for minutes in (0, 5, 20)]
    document = learning_curve("ta", points).data()
    assert document == learning_curve("ta", points[::-1]).data()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert "30 more minutes: 2" in learning_curve("ta", points).sentence
