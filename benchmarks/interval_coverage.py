"""
How often does a 95 % interval hold the truth, and how often does a test find a difference that is not there?

    words       normal interval of a share, every word independent
    segments    jackknife over segments, as if they were independent
    bootstrap   bootstrap over speakers (the report's second column)
    jackknife   jackknife over speakers, Student's t (the report's interval)
    deleted     the same with speakers left out one at a time, instead of linearised

Simulated dialects: speakers differ by a normal effect in log odds, segments of one speaker by another; segments have
11 words on average, and some speakers have many more than others. The truth is the pooled rate of endless speakers.
What a line shows: the mean width in points, and the share of intervals that hold the truth.

Then two models on the same segments. They are equally good on the whole, but by speaker one or the other errs less, by
a normal effect in log odds; a line shows how often each test calls that a difference at 5 %. The last lines do the same
where a difference is there.

    segment z   matched pairs, every segment independent
    wilcoxon    signed ranks over speakers (the report's second test)
    sign flips  sign flips over speakers (the report's test)

    python -m benchmarks.interval_coverage --replicates 2000
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import write
from dialects.scoring.statistics import (
    Interval,
    bootstrap_interval,
    jackknife_interval,
    sign_flip_test,
    t_quantile,
    wilcoxon_test,
)

#: (speakers, mean segments of each, standard deviation of speakers in log odds)
SETTINGS = (
    *((10, 40, 0.0), (5, 40, 0.3), (10, 40, 0.3), (20, 40, 0.3), (40, 20, 0.3)),
    *((5, 40, 0.6), (10, 40, 0.6), (20, 40, 0.6), (40, 20, 0.6)),
)
#: (speakers, mean segments of each, standard deviation of the models' difference over speakers, mean difference)
CONTESTS = (
    *((6, 40, 0.0, 0.0), (6, 40, 0.2, 0.0), (12, 30, 0.0, 0.0), (12, 30, 0.2, 0.0), (16, 25, 0.2, 0.0)),
    *((30, 20, 0.2, 0.0), (12, 30, 0.2, -0.25), (30, 20, 0.2, -0.25)),
)
SPEAKER_SD = 0.4
LEVEL = 0.05
#: Sign patterns tried beyond 20 speakers: a tenth of what the report tries, for time.
DRAWS = 10_000
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
BY_SEGMENT: dict[str, Way] = {"words": of_words, "segments": jackknife_interval}


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


def contest(
    generator: np.random.Generator, speakers: int, segments: int, interaction: float, effect: float
) -> tuple[list[int], list[int], list[int]]:
    """Differences of errors by speaker and by segment, and words by speaker: model B less model A."""
    by_speaker, by_segment, sizes = [], [], []
    for level in generator.normal(0, SPEAKER_SD, speakers):
        count = max(2, int(generator.gamma(2.0, segments / 2.0)))
        words = 1 + generator.poisson(10, count)
        odds = CENTRE + level + generator.normal(0, SEGMENT_SD, count)
        # Half of it on either side, so that without an effect the two models can change places.
        half = generator.normal(effect, interaction) / 2
        found = [generator.binomial(words, 1 / (1 + np.exp(-(odds + shift)))) for shift in (-half, half)]
        apart = found[1] - found[0]
        by_speaker.append(int(apart.sum()))
        by_segment += apart.tolist()
        sizes.append(int(words.sum()))
    return by_speaker, by_segment, sizes


def of_segments(differences: Sequence[int]) -> float:
    """Two-sided p of a normal test that takes segments for independent."""
    spread = float(np.std(differences, ddof=1)) * len(differences) ** 0.5
    return math.erfc(abs(sum(differences)) / spread / 2**0.5) if spread else 1.0


def rejections(
    speakers: int, segments: int, interaction: float, effect: float, *, replicates: int, seed: int
) -> dict[str, float]:
    """Share of replicates in which each test finds a difference."""
    generator = np.random.Generator(np.random.PCG64(seed))
    found = dict.fromkeys(("segment z", "wilcoxon", "sign flips"), 0)
    for _ in range(replicates):
        by_speaker, by_segment, sizes = contest(generator, speakers, segments, interaction, effect)
        rates = [one / size for one, size in zip(by_speaker, sizes, strict=True)]
        found["segment z"] += of_segments(by_segment) < LEVEL
        found["wilcoxon"] += (wilcoxon_test(rates) or 1.0) < LEVEL
        found["sign flips"] += (sign_flip_test(by_speaker, draws=DRAWS) or 1.0) < LEVEL
    return {name: round(count / replicates, 3) for name, count in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    began = time.process_time()
    intervals = print_intervals(given.replicates, given.seed)
    tests = print_tests(given.replicates, given.seed)
    write(
        "interval_coverage",
        {"intervals": intervals, "tests": tests},
        replicates=given.replicates,
        seed=given.seed,
        resamples=RESAMPLES,
        nominal=0.95,
        level=LEVEL,
        cpu_s=round(time.process_time() - began),
    )


def print_intervals(replicates: int, seed: int) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    print(f"{'speakers x segments, sd':26}" + "".join(f"{name:>15}" for name in (*BY_SEGMENT, *BY_SPEAKER)))
    for speakers, segments, spread in SETTINGS:
        name = f"{speakers} x {segments}, {spread}"
        found[name] = measure(speakers, segments, spread, replicates=replicates, seed=seed)
        cells = "".join(f"{way['width_points']:8.1f} / {way['coverage']:.2f}" for way in found[name].values())
        print(f"{name:26}{cells}", flush=True)
    return found


def print_tests(replicates: int, seed: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    print(f"{'speakers x segments, sd':26}{'segment z':>15}{'wilcoxon':>15}{'sign flips':>15}")
    for speakers, segments, interaction, effect in CONTESTS:
        name = f"{speakers} x {segments}, {interaction}" + (f", effect {effect}" if effect else "")
        found[name] = rejections(speakers, segments, interaction, effect, replicates=replicates, seed=seed)
        print(f"{name:26}" + "".join(f"{share:15.3f}" for share in found[name].values()), flush=True)
    return found


if __name__ == "__main__":
    main()
