"""Whose voice each moment is: what holds whatever the vectors are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.backends.voice_windows import HOP, REACH, Following, Pooled, cluster, follow, refine, spread_to_hops

FOLLOWING = Following(threshold=0.5, evidence=0.4, cost=16.0)
WIDE = np.full(8, 20.0)

seeds = st.integers(0, 2**32 - 1)


def talk(seed: int, *spans: tuple[int, int], noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of windows, *spans* of a voice and a number of windows, and whose each is."""
    rng = np.random.default_rng(seed)
    whose = np.concatenate([np.full(length, voice) for voice, length in spans])
    return 8 * (np.eye(8)[whose] + noise / np.sqrt(8) * rng.normal(size=(len(whose), 8))), whose


def same(labels: np.ndarray) -> np.ndarray:
    return labels[:, None] == labels[None]


@given(seeds)
def test_a_voice_alone_stays_one(seed: int) -> None:
    vectors, _ = talk(seed, (0, 60))
    assert set(follow(vectors, vectors, WIDE, FOLLOWING)) == {0}


@given(seeds)
def test_two_voices_that_take_turns_are_two(seed: int) -> None:
    vectors, whose = talk(seed, (0, 30), (1, 30), (0, 30), (1, 30))
    assert np.array_equal(same(follow(vectors, vectors, WIDE, FOLLOWING)), same(whose))


@given(seeds, st.integers(1, 5), st.integers(0, 4))
def test_hints_are_kept_as_far_as_there_are_windows(seed: int, least: int, more: int) -> None:
    vectors, _ = talk(seed, (0, 12), (1, 9), (2, 9), noise=1.0)
    speakers = follow(vectors, vectors, WIDE, FOLLOWING, least=least, most=least + more)
    assert least <= len(set(speakers)) <= least + more


@given(seeds, st.integers(0, 3))
def test_speakers_are_numbered_without_gaps_in_order_of_appearance(seed: int, windows: int) -> None:
    vectors, _ = talk(seed, *((number % 3, windows + number) for number in range(5)), noise=1.0)
    speakers = follow(vectors, vectors, WIDE, FOLLOWING)
    firsts = [int(np.argmax(speakers == speaker)) for speaker in range(speakers.max() + 1)]
    assert set(speakers) == set(range(speakers.max() + 1))
    assert firsts == sorted(firsts)


@given(seeds)
def test_the_numbers_of_clusters_mean_nothing(seed: int) -> None:
    vectors, _ = talk(seed, (0, 20), (1, 20), (2, 20), noise=1.0)
    labels = cluster(vectors, threshold=0.5)
    other = np.random.default_rng(seed).permutation(labels.max() + 1)[labels]
    once, again = (refine(numbered, vectors, WIDE, FOLLOWING) for numbered in (labels, other))
    assert np.array_equal(once, again)


def test_more_windows_than_are_clustered_join_the_nearest() -> None:
    vectors, whose = talk(1, (0, 2_500), (1, 2_600), noise=0.1)
    assert np.array_equal(same(cluster(vectors, threshold=0.5))[::50], same(whose)[::50])


@given(seeds, st.integers(1, 30))
def test_a_window_pools_what_its_frames_would_give_at_once(seed: int, hops: int) -> None:
    rng = np.random.default_rng(seed)
    frames, speech = rng.normal(size=(hops * HOP, 4)), rng.random(hops * HOP) < 0.6
    by_hop = (speech[:, None] * frames).reshape(hops, HOP, 4)
    pooled = Pooled(
        frames=speech.reshape(hops, HOP).sum(axis=1).astype(float),
        sums=by_hop.sum(axis=1),
        squares=(by_hop**2).sum(axis=1),
    )
    middle = hops // 2
    window = slice(max(0, middle - REACH) * HOP, (middle + REACH + 1) * HOP)
    pooled_frames = frames[window][speech[window]]
    if len(pooled_frames) > 1:
        expected = np.concatenate([pooled_frames.mean(axis=0), pooled_frames.std(axis=0, ddof=1)])
        assert pooled.windows().statistics()[middle] == pytest.approx(expected, abs=1e-6)


def test_a_hop_without_a_window_has_the_nearest_speaker() -> None:
    assert spread_to_hops(np.array([3, 5]), np.array([2, 7]), 9).tolist() == [3, 3, 3, 3, 3, 5, 5, 5, 5]
