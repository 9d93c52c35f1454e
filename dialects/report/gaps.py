"""
The worst dialect and the gaps between dialects, each with what chance alone would show.

The best and the worst of several dialects differ even where none is truly worse: 6.1 points for eight dialects of ten
speakers. So a gap comes with its expectation under equality and with a p-value, both by permuting the blocks of
speakers over the dialects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dialects.columns import p_value
from dialects.scoring.rows import Method, Row, round_number
from dialects.scoring.statistics import Interval, standard_error


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A difference between dialects, observed and by chance."""

    value: float
    #: Percentile bootstrap over blocks within their dialects.
    interval: Interval
    #: Mean over random permutations of blocks over dialects.
    by_chance: float
    #: Share of such permutations with at least this value.
    p: float

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "value": round_number(self.value),
            "ci_low": round_number(self.interval[0]),
            "ci_high": round_number(self.interval[1]),
            "by_chance": round_number(self.by_chance),
            "p": round_number(self.p),
        }


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """The gaps between the reportable dialects."""

    #: Tags of the dialects compared.
    dialects: tuple[str, ...]
    #: The one with the highest rate.
    worst: str
    worst_wer: float
    worst_interval: Interval | None
    #: Rate of the worst one shrunk towards the mean, as far as its own sample is uncertain.
    worst_shrunken: float
    highest_less_lowest: Gap
    highest_by_lowest: Gap | None
    worst_less_rest: Gap
    #: Standard deviation over dialects.
    spread: Gap

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        low, high = self.worst_interval or (None, None)
        return {
            "dialects": list(self.dialects),
            "worst": {
                "dialect": self.worst,
                "wer": self.worst_wer,
                "ci_low": round_number(low),
                "ci_high": round_number(high),
                "shrunken": round_number(self.worst_shrunken),
            },
            "highest_less_lowest": self.highest_less_lowest.data(),
            "highest_by_lowest": self.highest_by_lowest.data() if self.highest_by_lowest else None,
            "worst_less_rest": self.worst_less_rest.data(),
            "standard_deviation": self.spread.data(),
        }

    def sentence(self) -> str:
        """Return the sentence that stands under a table."""
        gap = self.highest_less_lowest
        verdict = "more than chance shows" if gap.p < 0.05 else "no more than chance shows"
        return (
            f"worst {self.worst} {100 * self.worst_wer:.1f} % ({100 * self.worst_shrunken:.1f} % shrunken); best to "
            f"worst {100 * gap.value:.1f} points, by chance {100 * gap.by_chance:.1f}, {p_value(gap.p)}: {verdict}"
        )


#: Errors and words of each dialect, shape (..., dialects) each; leading axes are draws.
Sums: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]


def gaps(rows: Sequence[Row], method: Method) -> Gaps | None:
    """
    Measure the gaps between reportable dialects among *rows* that WER suits; ``None`` with fewer than two of them.

    Bootstrap and permutations take ``method.resamples`` draws of PCG64 with ``method.seed``.
    """
    ranked = [row for row in rows if row.state == "reportable" and row.primary == "wer"]
    if len(ranked) < 2:
        return None
    blocks = [np.array(list(row.by_block.values()), dtype=np.int64) for row in ranked]
    observed = _split_columns([group.sum(axis=0) for group in blocks])
    generator = np.random.Generator(np.random.PCG64(method.seed))
    resampled = _resample(blocks, method.resamples, generator)
    permuted = _permute(blocks, method.resamples, generator)

    def gap(measure: Measure) -> Gap:
        return _gap(float(measure(observed)), measure(resampled), measure(permuted), method.confidence)

    rates = _rates(observed)
    worst = int(np.argmax(rates))
    errors = [standard_error(group[:, 0].tolist(), group[:, 1].tolist()) or 0.0 for group in blocks]
    return Gaps(
        dialects=tuple(row.dialect for row in ranked),
        worst=ranked[worst].dialect,
        worst_wer=float(rates[worst]),
        worst_interval=ranked[worst].interval,
        worst_shrunken=shrink_rates(list(zip(rates.tolist(), errors, strict=True)))[worst],
        highest_less_lowest=gap(_range),
        highest_by_lowest=gap(_ratio) if rates.min() > 0 else None,
        worst_less_rest=gap(_worst_less_rest),
        spread=gap(_deviation),
    )


def shrink_rates(rates: Sequence[tuple[float, float]]) -> list[float]:
    """
    Shrink each rate towards their weighted mean by what its own standard error explains of the differences.

    Random effects with the moment estimator of DerSimonian and Laird (1986).

    Args:
        rates: (rate, standard error) of each group.
    """
    values = np.array([rate for rate, _ in rates])
    variances = np.array([max(error, 1e-9) ** 2 for _, error in rates])
    weights = 1 / variances
    mean = float(np.average(values, weights=weights))
    excess = float((weights * (values - mean) ** 2).sum()) - (len(rates) - 1)
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    between = max(0.0, excess / scale) if scale > 0 else 0.0
    if between == 0:
        return [mean] * len(rates)
    centre = float(np.average(values, weights=1 / (variances + between)))
    return [
        float(centre + between / (between + variance) * (rate - centre))
        for rate, variance in zip(values, variances, strict=True)
    ]


#: A measure of the rates of the dialects: sums in, one number a draw out.
Measure: TypeAlias = Callable[[Sums], NDArray[np.float64]]


def _rates(sums: Sums) -> NDArray[np.float64]:
    errors, words = sums
    rates: NDArray[np.float64] = np.full(errors.shape, np.nan)
    np.divide(errors, words, out=rates, where=words > 0)
    return rates


def _range(sums: Sums) -> NDArray[np.float64]:
    rates = _rates(sums)
    return np.asarray(rates.max(axis=-1) - rates.min(axis=-1))


def _ratio(sums: Sums) -> NDArray[np.float64]:
    rates = _rates(sums)
    lowest = rates.min(axis=-1)
    ratio: NDArray[np.float64] = np.full(lowest.shape, np.nan)
    np.divide(rates.max(axis=-1), lowest, out=ratio, where=lowest > 0)
    return ratio


def _worst_less_rest(sums: Sums) -> NDArray[np.float64]:
    """Return the highest rate less that of all others pooled: a group is no part of its own baseline."""
    errors, words = sums
    rates = _rates(sums)
    worst = np.argmax(rates, axis=-1, keepdims=True)
    of_worst = np.take_along_axis(errors, worst, axis=-1), np.take_along_axis(words, worst, axis=-1)
    others = errors.sum(axis=-1, keepdims=True) - of_worst[0], words.sum(axis=-1, keepdims=True) - of_worst[1]
    return np.asarray((_rates(of_worst) - _rates(others))[..., 0])


def _deviation(sums: Sums) -> NDArray[np.float64]:
    return np.asarray(_rates(sums).std(axis=-1, ddof=1))


def _split_columns(sums: Sequence[NDArray[np.int64]]) -> Sums:
    """Turn an array of (errors, words) for each dialect, shape (..., 2), into two of shape (..., dialects)."""
    stacked = np.stack(sums, axis=-2)
    return stacked[..., 0], stacked[..., 1]


def _resample(blocks: Sequence[NDArray[np.int64]], draws: int, generator: np.random.Generator) -> Sums:
    """Draw each dialect's blocks with replacement from itself, and sum them."""
    sums = []
    for group in blocks:
        times = generator.multinomial(len(group), np.full(len(group), 1 / len(group)), size=draws)
        sums.append(times @ group)
    return _split_columns(sums)


#: Permutations held in memory at a time.
_PERMUTATIONS_AT_ONCE = 1_000


def _permute(blocks: Sequence[NDArray[np.int64]], draws: int, generator: np.random.Generator) -> Sums:
    """Shuffle all blocks, deal as many to each dialect as it had, and sum them."""
    everyone = np.concatenate(blocks)
    starts = np.cumsum([0, *(len(group) for group in blocks[:-1])])
    sums: list[NDArray[np.int64]] = []
    for done in range(0, draws, _PERMUTATIONS_AT_ONCE):
        orders = np.tile(np.arange(len(everyone)), (min(_PERMUTATIONS_AT_ONCE, draws - done), 1))
        sums.append(np.add.reduceat(everyone[generator.permuted(orders, axis=1)], starts, axis=1))
    stacked = np.concatenate(sums)
    return stacked[..., 0], stacked[..., 1]


def _gap(observed: float, resampled: NDArray[np.float64], permuted: NDArray[np.float64], confidence: float) -> Gap:
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    # Permutations that repeat the observed one differ from it in the last digit.
    as_far = int((permuted >= observed - 1e-12).sum())
    return Gap(
        value=observed,
        interval=(float(low), float(high)),
        by_chance=float(np.nanmean(permuted)),
        p=(as_far + 1) / (len(permuted) + 1),
    )
