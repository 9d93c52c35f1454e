"""
The worst dialect and the gaps between dialects, each with what chance alone would show.

The best and the worst of several dialects differ even where none is truly worse: 6.1 points for eight dialects of ten
speakers. So a gap comes with its expectation under equality and with a p-value, both by dealing the blocks of speakers
out to the dialects anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dialects.columns import p_value
from dialects.rows import Method, Row, rounded
from dialects.statistics import Interval, standard_error


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A difference between dialects, observed and by chance."""

    value: float
    #: Percentile bootstrap over blocks within their dialects.
    interval: Interval
    #: Mean where blocks are dealt out to dialects at random.
    by_chance: float
    #: Share of such deals with at least this value.
    p: float

    def data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "value": rounded(self.value),
            "ci_low": rounded(self.interval[0]),
            "ci_high": rounded(self.interval[1]),
            "by_chance": rounded(self.by_chance),
            "p": rounded(self.p),
        }


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """How far the reportable dialects are apart."""

    #: Tags of the dialects compared.
    dialects: tuple[str, ...]
    #: The one with the highest rate.
    worst: str
    worst_wer: float
    worst_interval: Interval | None
    #: Rate of the worst one drawn towards the mean, as far as its own sample is uncertain.
    worst_shrunken: float
    highest_less_lowest: Gap
    highest_by_lowest: Gap | None
    worst_less_rest: Gap
    #: Standard deviation over dialects.
    spread: Gap

    def data(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.worst_interval or (None, None)
        return {
            "dialects": list(self.dialects),
            "worst": {
                "dialect": self.worst,
                "wer": self.worst_wer,
                "ci_low": rounded(low),
                "ci_high": rounded(high),
                "shrunken": rounded(self.worst_shrunken),
            },
            "highest_less_lowest": self.highest_less_lowest.data(),
            "highest_by_lowest": self.highest_by_lowest.data() if self.highest_by_lowest else None,
            "worst_less_rest": self.worst_less_rest.data(),
            "standard_deviation": self.spread.data(),
        }

    def sentence(self) -> str:
        """What to print under a table."""
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
    The gaps between the reportable dialects among *rows* that WER suits; ``None`` with fewer than two of them.

    Bootstrap and permutations take ``method.resamples`` draws of PCG64 with ``method.seed``.
    """
    shown = [row for row in rows if row.state == "reportable" and row.primary == "wer"]
    if len(shown) < 2:
        return None
    blocks = [np.array(list(row.by_block.values()), dtype=np.int64) for row in shown]
    observed = _columns([group.sum(axis=0) for group in blocks])
    generator = np.random.Generator(np.random.PCG64(method.seed))
    drawn = _resampled(blocks, method.resamples, generator)
    dealt = _dealt(blocks, method.resamples, generator)

    def gap(measure: Measure) -> Gap:
        return _gap(float(measure(observed)), measure(drawn), measure(dealt), method.confidence)

    rates = _rates(observed)
    at = int(np.argmax(rates))
    errors = [standard_error(group[:, 0].tolist(), group[:, 1].tolist()) or 0.0 for group in blocks]
    return Gaps(
        dialects=tuple(row.dialect for row in shown),
        worst=shown[at].dialect,
        worst_wer=float(rates[at]),
        worst_interval=shown[at].interval,
        worst_shrunken=shrunken(list(zip(rates.tolist(), errors, strict=True)))[at],
        highest_less_lowest=gap(_range),
        highest_by_lowest=gap(_ratio) if rates.min() > 0 else None,
        worst_less_rest=gap(_worst_less_rest),
        spread=gap(_deviation),
    )


def shrunken(rates: Sequence[tuple[float, float]]) -> list[float]:
    """
    Each rate drawn towards their weighted mean by what its own standard error explains of the differences.

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
        float(centre + between / (between + own) * (rate - centre)) for rate, own in zip(values, variances, strict=True)
    ]


#: Something about the rates of the dialects: sums in, one number a draw out.
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
    """The highest rate less that of all others pooled: a group is no part of its own baseline."""
    errors, words = sums
    rates = _rates(sums)
    at = np.argmax(rates, axis=-1, keepdims=True)
    of_worst = np.take_along_axis(errors, at, axis=-1), np.take_along_axis(words, at, axis=-1)
    rest = errors.sum(axis=-1, keepdims=True) - of_worst[0], words.sum(axis=-1, keepdims=True) - of_worst[1]
    return np.asarray((_rates(of_worst) - _rates(rest))[..., 0])


def _deviation(sums: Sums) -> NDArray[np.float64]:
    return np.asarray(_rates(sums).std(axis=-1, ddof=1))


def _columns(sums: Sequence[NDArray[np.int64]]) -> Sums:
    """From one array of (errors, words) for each dialect, shape (..., 2), to two of shape (..., dialects)."""
    together = np.stack(sums, axis=-2)
    return together[..., 0], together[..., 1]


def _resampled(blocks: Sequence[NDArray[np.int64]], draws: int, generator: np.random.Generator) -> Sums:
    """Sums where each dialect's blocks are drawn anew from itself."""
    found = []
    for group in blocks:
        times = generator.multinomial(len(group), np.full(len(group), 1 / len(group)), size=draws)
        found.append(times @ group)
    return _columns(found)


#: Deals held in memory together.
_AT_ONCE = 1_000


def _dealt(blocks: Sequence[NDArray[np.int64]], draws: int, generator: np.random.Generator) -> Sums:
    """Sums where all blocks are shuffled and dealt out, as many to each dialect as it had."""
    everyone = np.concatenate(blocks)
    starts = np.cumsum([0, *(len(group) for group in blocks[:-1])])
    found: list[NDArray[np.int64]] = []
    for done in range(0, draws, _AT_ONCE):
        orders = np.tile(np.arange(len(everyone)), (min(_AT_ONCE, draws - done), 1))
        found.append(np.add.reduceat(everyone[generator.permuted(orders, axis=1)], starts, axis=1))
    together = np.concatenate(found)
    return together[..., 0], together[..., 1]


def _gap(observed: float, drawn: NDArray[np.float64], dealt: NDArray[np.float64], confidence: float) -> Gap:
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    # Deals that repeat the observed one differ from it in the last digit.
    as_far = int((dealt >= observed - 1e-12).sum())
    return Gap(
        value=observed,
        interval=(float(low), float(high)),
        by_chance=float(np.nanmean(dealt)),
        p=(as_far + 1) / (len(dealt) + 1),
    )
