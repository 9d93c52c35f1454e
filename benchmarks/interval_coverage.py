"""
How often does a 95 % interval hold the truth?

    words       normal interval of a share, every word independent
    segments    bootstrap over segments
    bootstrap   bootstrap over speakers (the report's second column)
    jackknife   jackknife over speakers, Student's t (the report's interval)
    deleted     the same with speakers left out one at a time, instead of linearised

Simulated dialects: speakers differ by a normal effect in log odds, segments of one speaker by another; segments have
11 words on average, and some speakers have many more than others. The truth is the pooled rate of endless speakers.
What a line shows: the mean width in points, and the share of intervals that hold the truth.

    python -m benchmarks.interval_coverage --replicates 300
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import write
from dialects.statistics import Interval, bootstrap_interval, jackknife_interval, t_quantile

#: (speakers, mean segments of each, standard deviation of speakers in log odds)
SETTINGS = (
    *((10, 40, 0.0), (5, 40, 0.3), (10, 40, 0.3), (20, 40, 0.3), (40, 20, 0.3)),
    *((5, 40, 0.6), (10, 40, 0.6), (20, 40, 0.6), (40, 20, 0.6)),
)
CENTRE = -1.39
SEGMENT_SD = 0.8
RESAMPLES = 300


def draw(
    generator: np.random.Generator, speakers: int, segments: int, spread: float
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(errors, words) by segment, for each speaker."""
    made = []
    for effect in generator.normal(0, spread, speakers) if spread else np.zeros(speakers):
        count = max(2, int(generator.gamma(2.0, segments / 2.0)))
        words = 1 + generator.poisson(10, count)
        odds = CENTRE + effect + generator.normal(0, SEGMENT_SD, count)
        made.append((generator.binomial(words, 1 / (1 + np.exp(-odds))), words))
    return made


def of_words(errors: Sequence[int], words: Sequence[int]) -> Interval | None:
    total = sum(words)
    rate = sum(errors) / total
    reach = 1.96 * (rate * (1 - rate) / total) ** 0.5
    return rate - reach, rate + reach


def deleted(errors: Sequence[int], words: Sequence[int]) -> Interval | None:
    """Leaves each speaker out in turn, so it is asymmetric in who has how many words."""
    count, total_errors, total_words = len(errors), sum(errors), sum(words)
    rates = [(total_errors - one) / (total_words - other) for one, other in zip(errors, words, strict=True)]
    mean = sum(rates) / count
    spread = ((count - 1) / count * sum((rate - mean) ** 2 for rate in rates)) ** 0.5
    reach = t_quantile(0.975, count - 1) * spread
    return max(0.0, total_errors / total_words - reach), total_errors / total_words + reach


def bootstrapped(errors: Sequence[int], words: Sequence[int]) -> Interval | None:
    return bootstrap_interval(errors, words, resamples=RESAMPLES)


Way = Callable[[Sequence[int], Sequence[int]], Interval | None]
BY_SPEAKER: dict[str, Way] = {"bootstrap": bootstrapped, "jackknife": jackknife_interval, "deleted": deleted}
BY_SEGMENT: dict[str, Way] = {"words": of_words, "segments": bootstrapped}


def measure(speakers: int, segments: int, spread: float, *, replicates: int, seed: int) -> dict[str, dict[str, Any]]:
    generator = np.random.Generator(np.random.PCG64(seed))
    endless = draw(generator, 20_000, 20, spread)
    truth = sum(int(errors.sum()) for errors, _ in endless) / sum(int(words.sum()) for _, words in endless)
    held = dict.fromkeys((*BY_SEGMENT, *BY_SPEAKER), 0)
    widths = dict.fromkeys(held, 0.0)
    for _ in range(replicates):
        made = draw(generator, speakers, segments, spread)
        by_speaker = [int(errors.sum()) for errors, _ in made], [int(words.sum()) for _, words in made]
        by_segment = (
            [int(one) for errors, _ in made for one in errors],
            [int(one) for _, words in made for one in words],
        )
        for ways, sums in ((BY_SEGMENT, by_segment), (BY_SPEAKER, by_speaker)):
            for name, way in ways.items():
                low, high = way(*sums) or (0.0, 1.0)
                held[name] += low <= truth <= high
                widths[name] += 100 * (high - low)
    return {
        name: {"width_points": round(widths[name] / replicates, 1), "coverage": round(held[name] / replicates, 3)}
        for name in held
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    found: dict[str, dict[str, dict[str, Any]]] = {}
    print(f"{'speakers x segments, sd':26}" + "".join(f"{name:>15}" for name in (*BY_SEGMENT, *BY_SPEAKER)))
    for speakers, segments, spread in SETTINGS:
        name = f"{speakers} x {segments}, {spread}"
        found[name] = measure(speakers, segments, spread, replicates=given.replicates, seed=given.seed)
        cells = "".join(f"{way['width_points']:8.1f} / {way['coverage']:.2f}" for way in found[name].values())
        print(f"{name:26}{cells}", flush=True)
    write("interval_coverage", found, replicates=given.replicates, seed=given.seed, resamples=RESAMPLES, nominal=0.95)


if __name__ == "__main__":
    main()
