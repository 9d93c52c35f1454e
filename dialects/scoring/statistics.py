"""
Intervals and tests of rates. The unit is the block of speakers, never the segment.

Segments of one speaker resemble each other: intervals over segments cover the truth only 46 to 82 % of the time at a
nominal 95 %, once speakers differ. Speakers who share a conversation resemble each other too and form one block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

State: TypeAlias = Literal["suppressed", "provisional", "reportable"]
#: Ends of an interval of a rate.
Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The sizes that a dialect needs before its rate is shown, and before it is ranked. Speakers count in blocks."""

    provisional_speakers: int = 3
    provisional_words: int = 500
    reportable_speakers: int = 10
    reportable_words: int = 2_000

    def state(self, *, blocks: int, words: int) -> State:
        """
        Return ``suppressed`` (counts only), ``provisional`` (shown, never ranked) or ``reportable``.

        >>> Thresholds().state(blocks=9, words=5_000)
        'provisional'
        """
        if blocks < self.provisional_speakers or words < self.provisional_words:
            return "suppressed"
        if blocks < self.reportable_speakers or words < self.reportable_words:
            return "provisional"
        return "reportable"


def blocks_of(sessions: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """
    Find the block of each speaker: speakers joined, directly or through others, by a shared conversation.

    Args:
        sessions: For each speaker the conversations that he or she speaks in. None means: with nobody else.

    Returns:
        For each speaker the name of the block, which is that of its alphabetically first speaker.

    >>> blocks_of({"a": ["s1"], "b": ["s1", "s2"], "c": ["s2"], "d": []})
    {'a': 'a', 'b': 'a', 'c': 'a', 'd': 'd'}
    """
    leader = {speaker: speaker for speaker in sessions}

    def find(speaker: str) -> str:
        while leader[speaker] != speaker:
            leader[speaker] = leader[leader[speaker]]
            speaker = leader[speaker]
        return speaker

    first_in: dict[str, str] = {}
    for speaker, spoken_in in sessions.items():
        for session in spoken_in:
            first, second = sorted((find(speaker), find(first_in.setdefault(session, speaker))))
            leader[second] = first
    return {speaker: find(speaker) for speaker in sessions}


def jackknife_interval(errors: Sequence[int], words: Sequence[int], *, confidence: float = 0.95) -> Interval | None:
    """
    Return the interval of sum(*errors*) / sum(*words*), by the jackknife over blocks with Student's t at K - 1 degrees.

    The ratio is linearised: block k deviates by e_k - R n_k, and the variance of R is K / (K - 1) times the sum of the
    squared deviations over the squared number of words. The lower end is clamped at 0. A block without words stays in,
    since its insertions count.

    Args:
        errors: Word errors of each block.
        words: Reference words of each block, same order.
        confidence: Share of repetitions whose interval holds the true rate.

    Returns:
        (low, high), or ``None`` with fewer than two blocks or without words.
    """
    spread = standard_error(errors, words)
    if spread is None:
        return None
    rate = sum(errors) / sum(words)
    reach = t_quantile((1 + confidence) / 2, len(errors) - 1) * spread
    return max(0.0, rate - reach), rate + reach


def standard_error(errors: Sequence[int], words: Sequence[int]) -> float | None:
    """Return the standard error of the pooled rate over blocks; ``None`` below two blocks or without words."""
    total, blocks = sum(words), len(errors)
    if blocks < 2 or total == 0:
        return None
    # In whole numbers up to the last division, so that blocks of equal rates give 0 and not a rounding error.
    pooled = sum(errors)
    squares = sum((error * total - pooled * count) ** 2 for error, count in zip(errors, words, strict=True))
    return float((blocks / (blocks - 1) * squares) ** 0.5 / total**2)


def t_quantile(probability: float, degrees: int) -> float:
    """Return the point below which Student's t with *degrees* of freedom falls with *probability*."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def bootstrap_interval(
    errors: Sequence[int],
    words: Sequence[int],
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval | None:
    """
    Return the percentile interval of the pooled rate over *resamples* draws of whole blocks, with replacement.

    Too narrow below some 20 blocks (coverage 82 to 92 %); it is the second column, and the way to intervals of gaps.
    A draw without reference words has no rate and is left out. Repeatable: PCG64 with *seed*.

    Returns:
        (low, high), or ``None`` with fewer than two blocks or without words.
    """
    if len(errors) < 2 or sum(words) == 0:
        return None
    rates = resample_rates(errors, words, resamples=resamples, seed=seed)
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(rates, [tail, 1 - tail])
    return float(low), float(high)


def resample_rates(errors: Sequence[int], words: Sequence[int], *, resamples: int, seed: int) -> NDArray[np.float64]:
    """Return the pooled rates of *resamples* draws of blocks, shape (resamples,); NaN for a draw without words."""
    draws = np.random.Generator(np.random.PCG64(seed)).multinomial(
        len(errors), np.full(len(errors), 1 / len(errors)), size=resamples
    )
    total_errors = draws @ np.asarray(errors, dtype=np.int64)
    total_words = draws @ np.asarray(words, dtype=np.int64)
    rates: NDArray[np.float64] = np.full(resamples, np.nan)
    np.divide(total_errors, total_words, out=rates, where=total_words > 0)
    return rates


#: Up to so many blocks every way of flipping signs is tried: a million sums.
EXACT_UP_TO = 20


def sign_flip_test(differences: Sequence[int], *, draws: int = 100_000, seed: int = 0) -> float | None:
    """
    Return the two-sided p-value of a paired permutation by block: how often chance makes two models differ as much.

    Were the models equal, each block's difference could as well have the other sign. All 2 ** K sign patterns are tried
    for K up to 20, else *draws* of them, counting the one observed. The smallest value is 2 / 2 ** K.

    Args:
        differences: Errors of one model less those of the other, for each block, on the same segments.

    Returns:
        The share of patterns whose sum is at least as far from zero; ``None`` without blocks.
    """
    values = np.asarray(differences, dtype=np.int64)
    if not len(values):
        return None
    observed = abs(int(values.sum()))
    if len(values) <= EXACT_UP_TO:
        sums = np.zeros(1, dtype=np.int64)
        for difference in values:
            sums = np.concatenate((sums - difference, sums + difference))
        return float(np.mean(np.abs(sums) >= observed))
    generator = np.random.Generator(np.random.PCG64(seed))
    as_far = 0
    for start in range(0, draws, 10_000):
        signs = generator.integers(0, 2, size=(min(10_000, draws - start), len(values))) * 2 - 1
        as_far += int((np.abs(signs @ values) >= observed).sum())
    return (as_far + 1) / (draws + 1)


def smallest_p(blocks: int) -> float:
    """Return the least p-value that :func:`sign_flip_test` can give: above 0.05 below six blocks."""
    return min(1.0, 2.0 / 2.0**blocks)


def wilcoxon_test(differences: Sequence[float]) -> float | None:
    """
    Return the two-sided p-value of Wilcoxon's signed ranks over blocks, ``None`` where no block differs.

    Blocks without a difference are left out and equal ones share their mean rank; the distribution is that of the sign
    flips of these ranks, exact up to 20 blocks.
    """
    nonzero = [difference for difference in differences if difference]
    sizes = sorted(abs(difference) for difference in nonzero)
    # Twice the mean rank of equal sizes: first and last place added, so that it stays a whole number.
    ranks = {size: 2 * sizes.index(size) + sizes.count(size) + 1 for size in set(sizes)}
    return sign_flip_test(
        [ranks[abs(difference)] if difference > 0 else -ranks[abs(difference)] for difference in nonzero]
    )


def difference_interval(
    differences: Sequence[int], words: Sequence[int], *, confidence: float = 0.95
) -> Interval | None:
    """Return the interval of sum(*differences*) / sum(*words*) by :func:`jackknife_interval`, on both sides of zero."""
    spread = standard_error(differences, words)
    if spread is None:
        return None
    rate = sum(differences) / sum(words)
    reach = t_quantile((1 + confidence) / 2, len(differences) - 1) * spread
    return rate - reach, rate + reach


def smallest_detectable(
    differences: Sequence[int], words: Sequence[int], *, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """Return the true difference of rates that as many blocks would show with *power* at level *alpha*."""
    spread = standard_error(differences, words)
    if spread is None:
        return None
    degrees = len(differences) - 1
    return (t_quantile(1 - alpha / 2, degrees) + t_quantile(power, degrees)) * spread


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """
    Adjust the p-values of several tests so that the chance of any false finding stays at the level (Holm 1979).

    ``None`` stays ``None`` and is no test.

    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    order = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - rank)))
        adjusted[index] = highest
    return adjusted
