"""Comparison of two models on the same segments: differences by dialect, with intervals and tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from dialects.columns import p_value
from dialects.errors import DialectError
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method, by_block, round_number
from dialects.scoring.statistics import (
    Interval,
    State,
    difference_interval,
    holm,
    sign_flip_test,
    smallest_detectable,
    smallest_p,
    wilcoxon_test,
)
from dialects.scoring.sums import Tallies, tally
from dialects.scoring.word_errors import Pair
from dialects.text.normalise import hash_of

#: Level at which a difference is called one.
ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The difference of model B less model A on one dialect: below zero, B errs less."""

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
        """The verdict: ``better``, ``worse``, ``no difference shown``, or ``cannot be shown`` with too few blocks."""
        if self.p is None or self.difference is None or self.p_floor >= ALPHA:
            return "cannot be shown"
        if (self.p if self.p_adjusted is None else self.p_adjusted) >= ALPHA:
            return "no difference shown"
        return "better" if self.difference < 0 else "worse"

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        low, high = self.interval or (None, None)
        return {
            "dialect": self.dialect,
            "name": self.name,
            "blocks": self.blocks,
            "words": self.words,
            "state": self.state,
            "wer_a": self.wer_a,
            "wer_b": self.wer_b,
            "difference": round_number(self.difference),
            "ci_low": round_number(low),
            "ci_high": round_number(high),
            "p": round_number(self.p),
            "p_adjusted": round_number(self.p_adjusted),
            "p_floor": round_number(self.p_floor),
            "p_wilcoxon": round_number(self.p_wilcoxon),
            "detectable": round_number(self.detectable),
            "verdict": self.verdict,
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The comparison of model B with model A."""

    model_a: str | None
    model_b: str | None
    dialects: tuple[Contrast, ...]
    overall: Contrast
    #: Means over the dialects that are not suppressed, each weighing the same.
    macro_a: float | None
    macro_b: float | None
    normaliser_hash: str | None

    @property
    def regressions(self) -> tuple[Contrast, ...]:
        """The dialects, and all speech together, on which B is shown to err more."""
        return tuple(contrast for contrast in (*self.dialects, self.overall) if contrast.verdict == "worse")

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings where the pooled rate hides that somebody is worse off."""
        if self.overall.state == "suppressed" or self.overall.difference is None or self.overall.difference >= 0:
            return ()
        warnings = []
        if self.macro_a is not None and self.macro_b is not None and self.macro_b > self.macro_a:
            warnings.append("W_MACRO: the pooled rate is lower, but the mean over dialects is higher")
        ranked = [contrast for contrast in self.dialects if contrast.state == "reportable"]
        worst_a = max(((contrast.wer_a or 0.0) for contrast in ranked), default=0.0)
        worst_b, worst_dialect = max(
            ((contrast.wer_b or 0.0, contrast.dialect) for contrast in ranked), default=(0.0, "")
        )
        if worst_b > worst_a:
            warnings.append(
                f"W_WORST: the pooled rate is lower, but that of the worst dialect, {worst_dialect}, is higher"
            )
        return tuple(warnings)

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "model_a": self.model_a,
            "model_b": self.model_b,
            "test": "sign flips over blocks of speakers, Holm over dialects",
            "level": ALPHA,
            "dialects": [contrast.data() for contrast in self.dialects],
            "overall": self.overall.data(),
            "macro_a": round_number(self.macro_a),
            "macro_b": round_number(self.macro_b),
            "normaliser_hash": self.normaliser_hash,
            "warnings": list(self.warnings),
        }

    def text(self) -> str:
        """Format a line for each dialect and one for all."""
        lines = [f"{self.model_b} against {self.model_a}: difference in points of WER, below zero is better"]
        for row in (*self.dialects, self.overall):
            if row.state == "suppressed" or row.difference is None or row.interval is None or row.p is None:
                lines.append(f"{row.dialect}: too little speech to show a difference")
                continue
            low, high = row.interval
            p = row.p if row.p_adjusted is None else row.p_adjusted
            lines.append(
                f"{row.dialect}: {100 * row.difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}), {p_value(p)} "
                f"with {row.blocks} blocks: {row.verdict}; {100 * (row.detectable or 0):.1f} points could be seen"
            )
        return "\n".join([*lines, *self.warnings])


#: (errors, words) of each block, by a hash of its name, which shows no speaker's.
Blocks: TypeAlias = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Side:
    """The sums of one model by block, and no text: as much as a comparison needs."""

    model: str | None
    names: Mapping[str, str]
    #: By canonical tag, in alphabetical order.
    dialects: Mapping[str, Blocks]
    overall: Blocks
    normaliser_hash: str | None
    references_hash: str

    @classmethod
    def of(cls, sums: Tallies, model: str | None) -> Side:
        """Return the side of one model's sums."""
        normalisers = [normaliser for group in sums.normalisers.values() for normaliser in group]
        return cls(
            model=model,
            names={tag: dialect.name for tag, dialect in sums.dialects.items()},
            dialects={tag: hash_names(by_block(speakers)) for tag, speakers in sums.by_dialect.items()},
            overall=hash_names(by_block(sums.everyone)),
            normaliser_hash=hash_of(normalisers) if normalisers else None,
            references_hash=sums.references,
        )

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Side:
        """
        Read the side that the JSON of a report holds.

        Raises:
            DialectError: E_REPORT if it is none, or lacks the blocks because a privacy floor took them out.
        """
        try:
            dialects = {tag: _counts_of(blocks) for tag, blocks in data["blocks"]["dialects"].items()}
            missing = [row["dialect"] for row in data["dialects"] if row["dialect"] not in dialects]
            side = cls(
                model=data["model"],
                names={row["dialect"]: row["name"] for row in data["dialects"]},
                dialects=dialects,
                overall=_counts_of(data["blocks"]["overall"]),
                normaliser_hash=data["normaliser"]["hash"],
                references_hash=data["references_hash"],
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"a report was to be read; {type(error).__name__} at {error}"
            raise DialectError("E_REPORT", message, hint="write one with boli wer --out DIR") from None
        if missing:
            message = f"a report was to be compared; it lacks the sums of {', '.join(missing)}"
            raise DialectError("E_REPORT", message, hint="write it without --privacy-floor")
        return side


def hash_names(blocks: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Replace the names of *blocks* by hashes, which show no speaker's name; in the order of the hashes."""
    return dict(sorted((hashlib.sha256(name.encode()).hexdigest()[:16], sums) for name, sums in blocks.items()))


def _counts_of(blocks: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, int]]:
    return {name: (int(errors), int(words)) for name, (errors, words) in blocks.items()}


def compare(a: Sequence[Pair], b: Sequence[Pair], prepare: Preparer, *, method: Method | None = None) -> Comparison:
    """
    Compare model B with model A.

    Args:
        a: Pairs of one model.
        b: Pairs of the other, on the same ids with the same references, in any order.

    Raises:
        DialectError: E_PAIRS if the segments differ: only what both transcribed can be compared.
    """
    _check_segments(a, b)
    sides = [Side.of(tally(pairs, prepare, with_recount=False), pairs[0].model if pairs else None) for pairs in (a, b)]
    return contrast(*sides, method=method)


def contrast(a: Side, b: Side, *, method: Method | None = None) -> Comparison:
    """
    Compare model B with model A by the sums of both.

    Raises:
        DialectError: E_NORMALISER_DIFFERS if the texts were not normalised alike, E_PAIRS if the segments differ.
    """
    if a.normaliser_hash != b.normaliser_hash:
        message = (
            f"two models were to be compared; the texts of one were normalised by {str(a.normaliser_hash)[:12]}, "
            f"those of the other by {str(b.normaliser_hash)[:12]}"
        )
        raise DialectError("E_NORMALISER_DIFFERS", message, hint="score both again with the same normaliser and boli")
    if a.references_hash != b.references_hash:
        raise _differing_segments_error("their segments, references, dialects or speakers are not the same")
    method = method or Method()
    contrasts = [_contrast(tag, a.names[tag], a.dialects[tag], b.dialects[tag], method) for tag in a.dialects]
    # A test that cannot come out would only make the others harder.
    adjusted = holm([row.p if row.p_floor < ALPHA else None for row in contrasts])
    dialects = tuple(replace(row, p_adjusted=p) for row, p in zip(contrasts, adjusted, strict=True))
    return Comparison(
        model_a=a.model,
        model_b=b.model,
        dialects=dialects,
        overall=_contrast("overall", "all dialects", a.overall, b.overall, method),
        macro_a=_mean([row.wer_a for row in dialects if row.state != "suppressed"]),
        macro_b=_mean([row.wer_b for row in dialects if row.state != "suppressed"]),
        normaliser_hash=a.normaliser_hash,
    )


def _check_segments(a: Sequence[Pair], b: Sequence[Pair]) -> None:
    def facts_by_id(pairs: Sequence[Pair]) -> dict[str, tuple[str, str, str]]:
        return {pair.id: (pair.reference, pair.dialect, pair.speaker) for pair in pairs}

    segments_a, segments_b = facts_by_id(a), facts_by_id(b)
    if segments_a == segments_b:
        return
    differing = sorted(
        name for name in segments_a.keys() | segments_b.keys() if segments_a.get(name) != segments_b.get(name)
    )
    raise _differing_segments_error(f"{len(differing)} segments are not the same, the first is {differing[0]!r}")


def _differing_segments_error(reason: str) -> DialectError:
    message = f"two models were to be compared; {reason}"
    return DialectError("E_PAIRS", message, hint="score both models on the same segments and references")


def _contrast(tag: str, name: str, a: Blocks, b: Blocks, method: Method) -> Contrast:
    words = [count for _, count in a.values()]
    differences = [b[block][0] - a[block][0] for block in a]
    total = sum(words)
    errors_a, errors_b = (sum(errors for errors, _ in blocks.values()) for blocks in (a, b))
    rates = [difference / count for difference, count in zip(differences, words, strict=True) if count]
    return Contrast(
        dialect=tag,
        name=name,
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
    stated = [rate for rate in rates if rate is not None]
    return sum(stated) / len(stated) if stated else None
