"""Intervals resample blocks of speakers, say nothing where they know nothing, and are the same every time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.scoring.statistics import (
    Thresholds,
    blocks_of,
    bootstrap_interval,
    difference_interval,
    holm,
    jackknife_interval,
    resample_rates,
    sign_flip_test,
    smallest_detectable,
    smallest_p,
    standard_error,
    t_quantile,
    wilcoxon_test,
)

blocks = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 100)), min_size=2, max_size=12)


def test_the_jackknife_interval_follows_the_formula() -> None:
    """Rates 0.1, 0.2, 0.3 of 100 words each: deviations -10, 0, 10, variance 3/2 * 200 / 300², t(0.975, 2) = 4.3027."""
    low, high = jackknife_interval([10, 20, 30], [100, 100, 100]) or (0.0, 0.0)

    assert high == pytest.approx(0.2 + 4.302653 * (1.5 * 200) ** 0.5 / 300, abs=1e-6)
    assert low == 0.0


def test_the_lower_end_is_never_below_zero_and_the_upper_may_pass_one() -> None:
    assert jackknife_interval([1, 0, 0], [10, 10, 10]) == (0.0, pytest.approx(0.1768, abs=1e-4))
    assert (jackknife_interval([40, 5], [10, 10]) or (0, 0))[1] > 1


def test_one_block_has_no_interval() -> None:
    assert jackknife_interval([10], [100]) is None
    assert bootstrap_interval([10], [100]) is None
    assert standard_error([], []) is None


def test_nothing_said_has_no_interval() -> None:
    assert jackknife_interval([3, 2], [0, 0]) is None
    assert bootstrap_interval([3, 2], [0, 0]) is None


@given(st.integers(0, 20), st.integers(1, 40), st.lists(st.integers(1, 5), min_size=2, max_size=8))
def test_blocks_of_equal_rates_leave_no_width(errors: int, words: int, sizes: list[int]) -> None:
    interval = jackknife_interval([errors * size for size in sizes], [words * size for size in sizes])

    assert interval == (errors / words, errors / words)


@given(blocks)
def test_saying_everything_twice_changes_no_interval(counts: list[tuple[int, int]]) -> None:
    """The mistake that a segment interval makes: it would shrink by the square root of two."""
    errors, words = [errors for errors, _ in counts], [words for _, words in counts]
    once = jackknife_interval(errors, words)
    doubled = jackknife_interval([2 * number for number in errors], [2 * number for number in words])

    assert once is not None
    assert once == pytest.approx(doubled)


@given(blocks)
def test_an_interval_holds_its_rate(counts: list[tuple[int, int]]) -> None:
    errors, words = [errors for errors, _ in counts], [words for _, words in counts]
    low, high = jackknife_interval(errors, words) or (1, 0)

    assert 0 <= low <= sum(errors) / sum(words) <= high


@given(blocks)
def test_more_confidence_is_wider(counts: list[tuple[int, int]]) -> None:
    errors, words = [errors for errors, _ in counts], [words for _, words in counts]
    narrow = jackknife_interval(errors, words, confidence=0.8) or (0, 0)
    wide = jackknife_interval(errors, words, confidence=0.99) or (0, 0)

    assert wide[0] <= narrow[0]
    assert narrow[1] <= wide[1]


def test_words_put_where_a_block_said_nothing_count() -> None:
    silent = jackknife_interval([10, 20, 30, 6], [100, 100, 100, 0])

    assert silent is not None
    assert silent[1] > (jackknife_interval([10, 20, 30, 0], [100, 100, 100, 0]) or (0, 0))[1]


def test_student_quantiles_are_those_of_the_tables() -> None:
    assert t_quantile(0.975, 1) == pytest.approx(12.7062, abs=1e-4)
    assert t_quantile(0.975, 9) == pytest.approx(2.2622, abs=1e-4)


def test_the_bootstrap_repeats_for_a_seed_and_differs_between_seeds() -> None:
    errors, words = [10, 20, 31, 7, 15], [100, 90, 110, 95, 103]

    assert bootstrap_interval(errors, words, seed=1) == bootstrap_interval(errors, words, seed=1)
    assert list(resample_rates(errors, words, resamples=50, seed=1)) != list(
        resample_rates(errors, words, resamples=50, seed=2)
    )


def test_the_bootstrap_stays_between_the_best_and_the_worst_block() -> None:
    low, high = bootstrap_interval([10, 20, 30], [100, 100, 100]) or (0, 0)

    assert 0.1 <= low < 0.2 < high <= 0.3


def test_a_draw_of_silent_blocks_only_has_no_rate() -> None:
    rates = resample_rates([1, 0], [10, 0], resamples=200, seed=0)

    assert 0 < sum(rate != rate for rate in rates) < 200
    assert bootstrap_interval([1, 0], [10, 0]) == (0.1, 0.1)


@pytest.mark.parametrize(
    ("count", "words", "state"),
    [
        (2, 9_000, "suppressed"),
        (40, 499, "suppressed"),
        (3, 500, "provisional"),
        (9, 9_000, "provisional"),
        (40, 1_999, "provisional"),
        (10, 2_000, "reportable"),
    ],
)
def test_a_dialect_is_shown_as_far_as_its_sample_allows(count: int, words: int, state: str) -> None:
    assert Thresholds().state(blocks=count, words=words) == state


def test_thresholds_can_be_set() -> None:
    small = Thresholds(provisional_speakers=2, provisional_words=50, reportable_speakers=6, reportable_words=300)

    assert small.state(blocks=6, words=300) == "reportable"


def test_speakers_of_one_conversation_form_a_block() -> None:
    blocks_by_speaker = blocks_of({"dan": ["s2"], "ann": ["s1"], "bob": ["s1", "s2"], "eve": [], "fay": ["s3"]})

    assert blocks_by_speaker == {"dan": "ann", "ann": "ann", "bob": "ann", "eve": "eve", "fay": "fay"}


@given(st.dictionaries(st.sampled_from("abcdefg"), st.lists(st.sampled_from("123"), max_size=2)), st.randoms())
def test_blocks_do_not_depend_on_the_order_of_speakers(sessions: dict[str, list[str]], chance: object) -> None:
    speakers = list(sessions)
    chance.shuffle(speakers)  # type: ignore[attr-defined]

    assert blocks_of(sessions) == blocks_of({speaker: sessions[speaker] for speaker in speakers})


def by_trying_all_signs(differences: list[int]) -> float:
    sums = [
        abs(sum(sign * difference for sign, difference in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    return sum(total >= abs(sum(differences)) for total in sums) / len(sums)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=8))
def test_sign_flips_are_counted_exactly(differences: list[int]) -> None:
    assert sign_flip_test(differences) == by_trying_all_signs(differences)


def test_many_blocks_are_sampled_and_come_close_to_the_exact_value() -> None:
    differences = [3, -1, 2, 0, 4, -2, 1, 1, 2, -3, 2, 1, 0, 2, -1, 3, 1, -2, 2, 1]
    exact = sign_flip_test(differences)
    sampled = sign_flip_test([*differences, 0])

    assert exact == pytest.approx(sampled, abs=0.005)
    assert sign_flip_test([1] * 60) == 1 / 100_001
    assert sign_flip_test([]) is None


def test_below_six_blocks_no_p_value_reaches_five_per_cent() -> None:
    assert [blocks for blocks in range(1, 9) if smallest_p(blocks) < 0.05] == [6, 7, 8]
    assert smallest_p(6) == sign_flip_test([1] * 6)
    assert smallest_p(0) == 1.0


def test_wilcoxon_ranks_are_those_of_the_tables() -> None:
    """All of six differences on one side: 2 / 64."""
    assert wilcoxon_test([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == pytest.approx(2 / 64)
    assert wilcoxon_test([1.0, 2.0, 3.0, 4.0, 5.0, -6.0]) == pytest.approx(28 / 64)
    assert wilcoxon_test([0.0, 0.0]) is None


def test_wilcoxon_ties_share_their_rank_and_zeros_count_for_nothing() -> None:
    """Ranks 1.5, 1.5, 3, 4: only all four signs alike reach a sum of 10, and none else but their mirror."""
    assert wilcoxon_test([2.0, 2.0, 3.0, 9.0, 0.0]) == 2 / 16
    assert wilcoxon_test([-2.0, 2.0, 3.0, 9.0]) == 6 / 16


def test_the_interval_of_a_difference_has_two_sides() -> None:
    assert difference_interval([-2, 2], [10, 10]) == pytest.approx((-2.5412, 2.5412), abs=1e-4)
    assert difference_interval([1], [10]) is None


def test_fewer_people_see_less() -> None:
    few = smallest_detectable([1, -1, 2, 0], [10] * 4)
    many = smallest_detectable([1, -1, 2, 0] * 5, [10] * 20)

    assert few is not None
    assert many is not None
    assert many < few / 2
    assert smallest_detectable([1], [10]) is None


@given(st.lists(st.none() | st.floats(0, 1), max_size=6))
def test_holm_never_lowers_a_value_nor_changes_their_order(values: list[float | None]) -> None:
    adjusted = holm(values)
    tests = [(p, adjusted_p) for p, adjusted_p in zip(values, adjusted, strict=True) if p is not None]

    assert [p is None for p in values] == [p is None for p in adjusted]
    assert all(p <= (adjusted_p or 0) <= 1 for p, adjusted_p in tests)
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(sorted(tests)))  # type: ignore[operator]
