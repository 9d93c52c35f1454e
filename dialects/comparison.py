"""Two models on the same segments: who errs less on each dialect, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dialects.dialect import Dialect
from dialects.errors import DialectError
from dialects.normalise import hash_of
from dialects.preparing import Prepared
from dialects.rows import Method, by_block, rounded
from dialects.scoring import Pair
from dialects.statistics import (
    Interval,
    State,
    difference_interval,
    holm,
    sign_flip_test,
    smallest_detectable,
    smallest_p,
    wilcoxon_test,
)
from dialects.tally import Tally, tally

#: Level at which a difference is called one.
ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Model B less model A on one dialect: below zero, B errs less."""

    #: Canonical tag, or ``overall``.
    dialect: str
    name: str
    blocks: int
    words: int
    state: State
    wer_a: float | None
    wer_b: float | None
    difference: float | None
    interval: Interval | None
    #: Paired sign flips over blocks.
    p: float | None
    #: The same, adjusted for all dialects compared (Holm).
    p_adjusted: float | None
    #: Least value that *p* can take with so many blocks.
    p_floor: float
    #: Wilcoxon's signed ranks over blocks.
    p_wilcoxon: float | None
    #: True difference that these blocks would show four times in five.
    detectable: float | None

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``no difference shown``, or ``cannot be shown`` where too few blocks were heard."""
        if self.p is None or self.difference is None or self.p_floor >= ALPHA:
            return "cannot be shown"
        if (self.p if self.p_adjusted is None else self.p_adjusted) >= ALPHA:
            return "no difference shown"
        return "better" if self.difference < 0 else "worse"

    def data(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.interval or (None, None)
        return {
            "dialect": self.dialect,
            "name": self.name,
            "blocks": self.blocks,
            "words": self.words,
            "state": self.state,
            "wer_a": self.wer_a,
            "wer_b": self.wer_b,
            "difference": rounded(self.difference),
            "ci_low": rounded(low),
            "ci_high": rounded(high),
            "p": rounded(self.p),
            "p_adjusted": rounded(self.p_adjusted),
            "p_floor": rounded(self.p_floor),
            "p_wilcoxon": rounded(self.p_wilcoxon),
            "detectable": rounded(self.detectable),
            "verdict": self.verdict,
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Model B against model A."""

    model_a: str | None
    model_b: str | None
    dialects: tuple[Contrast, ...]
    overall: Contrast
    #: Means over the dialects that are not suppressed, each weighing the same.
    macro_a: float | None
    macro_b: float | None
    normaliser_hash: str | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where the pooled rate hides that somebody is worse off."""
        if self.overall.difference is None or self.overall.difference >= 0:
            return ()
        found = []
        if self.macro_a is not None and self.macro_b is not None and self.macro_b > self.macro_a:
            found.append("W_MACRO: the pooled rate is lower, but the mean over dialects is higher")
        ranked = [one for one in self.dialects if one.state == "reportable"]
        before = max(((one.wer_a or 0.0) for one in ranked), default=0.0)
        after, worst = max(((one.wer_b or 0.0, one.dialect) for one in ranked), default=(0.0, ""))
        if after > before:
            found.append(f"W_WORST: the pooled rate is lower, but that of the worst dialect, {worst}, is higher")
        return tuple(found)

    def data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "model_a": self.model_a,
            "model_b": self.model_b,
            "test": "sign flips over blocks of speakers, Holm over dialects",
            "dialects": [one.data() for one in self.dialects],
            "overall": self.overall.data(),
            "macro_a": rounded(self.macro_a),
            "macro_b": rounded(self.macro_b),
            "normaliser_hash": self.normaliser_hash,
            "warnings": list(self.warnings),
        }

    def text(self) -> str:
        """A line for each dialect and one for all."""
        lines = [f"{self.model_b} against {self.model_a}: difference in points of WER, below zero is better"]
        for one in (*self.dialects, self.overall):
            if one.state == "suppressed" or one.difference is None or one.interval is None or one.p is None:
                lines.append(f"{one.dialect}: too little speech to show a difference")
                continue
            low, high = one.interval
            p = one.p if one.p_adjusted is None else one.p_adjusted
            lines.append(
                f"{one.dialect}: {100 * one.difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}), p = {p:.3f} "
                f"with {one.blocks} blocks: {one.verdict}; {100 * (one.detectable or 0):.1f} points could be seen"
            )
        return "\n".join([*lines, *self.warnings])


def compare(
    a: Sequence[Pair], b: Sequence[Pair], prepare: Callable[[Pair], Prepared], *, method: Method | None = None
) -> Comparison:
    """
    Model B against model A.

    Args:
        a: Pairs of one model.
        b: Pairs of the other, on the same ids with the same references, in any order.

    Raises:
        DialectError: E_PAIRS if the segments differ: only what both heard can be compared.
    """
    _refuse_other_segments(a, b)
    method = method or Method()
    sums = tally(a, prepare, with_recount=False), tally(b, prepare, with_recount=False)
    contrasts = [
        _contrast(tag, sums[0].dialects[tag], sums[0].by_dialect[tag], sums[1].by_dialect[tag], method)
        for tag in sums[0].by_dialect
    ]
    # A test that cannot come out would only make the others harder.
    adjusted = holm([one.p if one.p_floor < ALPHA else None for one in contrasts])
    dialects = tuple(replace(one, p_adjusted=p) for one, p in zip(contrasts, adjusted, strict=True))
    normalisers = [normaliser for group in sums[0].normalisers.values() for normaliser in group]
    return Comparison(
        model_a=a[0].model if a else None,
        model_b=b[0].model if b else None,
        dialects=dialects,
        overall=_contrast("overall", None, sums[0].everyone, sums[1].everyone, method),
        macro_a=_mean([one.wer_a for one in dialects if one.state != "suppressed"]),
        macro_b=_mean([one.wer_b for one in dialects if one.state != "suppressed"]),
        normaliser_hash=hash_of(normalisers) if normalisers else None,
    )


def _refuse_other_segments(a: Sequence[Pair], b: Sequence[Pair]) -> None:
    def keyed(pairs: Sequence[Pair]) -> dict[str, tuple[str, str, str]]:
        return {pair.id: (pair.reference, pair.dialect, pair.speaker) for pair in pairs}

    one, other = keyed(a), keyed(b)
    if one == other:
        return
    differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    message = (
        f"two models were to be compared; {len(differing)} segments are not the same, the first is {differing[0]!r}"
    )
    raise DialectError("E_PAIRS", message, hint="score both models on the same segments and references")


def _contrast(
    tag: str, dialect: Dialect | None, a: Mapping[str, Tally], b: Mapping[str, Tally], method: Method
) -> Contrast:
    blocks_a, blocks_b = by_block(a), by_block(b)
    words = [count for _, count in blocks_a.values()]
    differences = [blocks_b[block][0] - blocks_a[block][0] for block in blocks_a]
    total = sum(words)
    errors_a, errors_b = (sum(errors for errors, _ in blocks.values()) for blocks in (blocks_a, blocks_b))
    rates = [difference / count for difference, count in zip(differences, words, strict=True) if count]
    return Contrast(
        dialect=tag,
        name=dialect.name if dialect else "all dialects",
        blocks=len(words),
        words=total,
        state=method.thresholds.state(blocks=len(words), words=total),
        wer_a=errors_a / total if total else None,
        wer_b=errors_b / total if total else None,
        difference=sum(differences) / total if total else None,
        interval=difference_interval(differences, words, confidence=method.confidence),
        p=sign_flip_test(differences, seed=method.seed),
        p_adjusted=None,
        p_floor=smallest_p(len(words)),
        p_wilcoxon=wilcoxon_test(rates),
        detectable=smallest_detectable(differences, words),
    )


def _mean(rates: Sequence[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) / len(known) if known else None
