"""Needs count speakers first, and small dialects get a larger share of training."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.report.table import build
from dialects.sample_size import needs, shares
from dialects.scoring.rows import Method
from dialects.scoring.statistics import Thresholds, t_quantile
from tests.dialects.factories import corpus, pair

LIMITS = Thresholds(provisional_speakers=2, provisional_words=20, reportable_speakers=5, reportable_words=200)
METHOD = Method(thresholds=LIMITS, resamples=10)


def test_a_dialect_without_speakers_needs_them_first() -> None:
    pairs = [*corpus(dialects=["hi"], segments=40), pair("a b", dialect="ta", speaker="only"), pair("a", dialect="bho")]
    lacking = needs(build(pairs, method=METHOD).rows, METHOD)

    assert [need.dialect for need in lacking] == ["bho", "ta", "hi"]
    assert (lacking[1].speakers, lacking[1].words, lacking[1].half_width) == (4, 198, None)
    assert (lacking[2].speakers, lacking[2].words) == (0, 0)


def test_half_the_width_takes_four_times_the_speakers() -> None:
    (row,) = build(corpus(dialects=["hi"]), method=METHOD).rows
    (now,) = needs([row], METHOD)
    assert now.half_width is not None

    (same,) = needs([row], METHOD, half_width=now.half_width * 1.001)
    (half,) = needs([row], METHOD, half_width=now.half_width / 2)
    assert same.more_speakers is not None
    assert same.more_speakers.estimate == 0
    assert "within" in same.sentence
    # Three times five more by the root, a few fewer because Student's t gets closer to the normal.
    assert half.more_speakers is not None
    assert 5 <= half.more_speakers.estimate <= 15
    assert half.more_speakers.low < half.more_speakers.estimate < (half.more_speakers.high or 0)
    assert now.data()["half_width"] == round(now.half_width, 9)


def test_a_forecast_holds_what_comes_four_times_in_five() -> None:
    """Speakers of 100 words whose rates vary; the right number is that of the true spread."""
    chance = random.Random(5)
    spread, wanted, hits = 0.08, 0.03, 0
    right = next(count for count in range(2, 200) if t_quantile(0.975, count - 1) * spread / count**0.5 <= wanted)
    for _ in range(60):
        rates = [min(1.0, max(0.0, chance.gauss(0.3, spread))) for _ in range(12)]
        pairs = [
            pair("a " * 100, "a " * (100 - round(100 * rate)), id=str(number), speaker=str(number))
            for number, rate in enumerate(rates)
        ]
        (row,) = build(pairs, method=METHOD, with_recount=False).rows
        (need,) = needs([row], METHOD, half_width=wanted)
        assert need.more_speakers is not None
        hits += need.more_speakers.low <= right - 12 <= (need.more_speakers.high or right)
    assert 0.65 <= hits / 60 <= 0.95


def test_minutes_follow_from_how_long_people_talk() -> None:
    pairs = [
        pair(source.reference, source.hypothesis, id=source.id, dialect="hi", speaker=source.speaker, duration_s=6.0)
        for source in corpus(dialects=["hi"])
    ]
    (row,) = build(pairs, method=METHOD).rows
    (need,) = needs([row], METHOD, half_width=0.01)

    assert need.more_speakers is not None
    assert need.more_minutes is not None
    assert need.more_minutes.estimate == pytest.approx(2 * need.more_speakers.estimate)
    assert "more minutes from" in need.sentence
    assert [more for more, _ in need.curve] == [0, 5, 10, 20, 40]


def test_too_little_speech_has_no_forecast() -> None:
    (row,) = build([pair("a b", "a", dialect="ta")], method=METHOD).rows
    (need,) = needs([row], METHOD)

    assert (need.half_width, need.more_speakers, need.curve) == (None, None, ())
    assert "too little speech for a forecast; to be reportable it lacks 4 more speakers" in need.sentence


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0.1, 1e6), min_size=1), st.floats(1, 100))
def test_shares_add_up_and_keep_their_order(amounts: dict[str, float], temperature: float) -> None:
    fractions = shares(amounts, temperature=temperature)

    assert sum(fractions.values()) == pytest.approx(1)
    assert sorted(amounts, key=lambda tag: (fractions[tag], amounts[tag])) == sorted(
        amounts, key=lambda tag: amounts[tag]
    )


def test_a_higher_temperature_lifts_the_small() -> None:
    amounts = {"big": 1000.0, "small": 10.0, "none": 0.0}
    small = [shares(amounts, temperature=temperature)["small"] for temperature in (1.0, 2.0, 5.0)]

    assert small[0] == pytest.approx(10 / 1010)
    assert small == sorted(small)
    assert shares(amounts)["none"] == 0
    assert shares({}) == {}


@pytest.mark.parametrize(("amounts", "temperature"), [({"a": -1.0}, 2.0), ({"a": 1.0}, 0.5)])
def test_amounts_and_temperatures_that_make_no_sense_are_refused(amounts: dict[str, float], temperature: float) -> None:
    with pytest.raises(ValueError, match="needed are at least 1"):
        shares(amounts, temperature=temperature)
