"""The rows of a report: everything about one dialect, derived from the sums of its speakers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final

from dialects.dialect import Catalogue
from dialects.scoring.statistics import (
    Interval,
    State,
    Thresholds,
    blocks_of,
    bootstrap_interval,
    jackknife_interval,
    standard_error,
)
from dialects.scoring.sums import Tallies, Tally
from dialects.scoring.word_errors import ErrorCount
from dialects.text.guide import list_wider_tags
from dialects.text.normalise import Normaliser

#: Name of the row over all dialects.
OVERALL: Final = "overall"


@dataclass(frozen=True, kw_only=True)
class Method:
    """The settings of intervals and states. The same values give the same bytes."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    confidence: float = 0.95
    resamples: int = 10_000
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Row:
    """A dialect, or all of them together. Rates are shares, not per cent; ``None`` means that there is none."""

    #: Canonical tag; ``overall`` for all together.
    dialect: str
    name: str
    segments: int
    speakers: int
    blocks: int
    counts: ErrorCount
    #: Jackknife over blocks.
    interval: Interval | None
    #: Percentile bootstrap over blocks.
    bootstrap: Interval | None
    state: State
    cer: float | None
    ger: float | None
    #: ``wer``, or ``cer`` where the script does not put spaces between words.
    primary: str
    #: Ids of the normalisers, nearly always one.
    normalisers: tuple[str, ...]
    #: WER of the texts as they came.
    wer_raw: float | None
    #: WER where allowed spellings are free, over the same words.
    wer_variant: float | None
    #: WER after the lossy steps too.
    wer_lossy: float | None
    #: Mean and median over speakers, each weighing the same.
    speaker_wer_mean: float | None
    speaker_wer_median: float | None
    #: Variance over blocks by variance over segments: how much less the segments tell than they seem to.
    design_effect: float | None
    #: Share of reference words that the most talkative speaker has.
    largest_share: float | None
    tally: Tally
    #: (errors, words) of each block, by name in alphabetical order.
    by_block: Mapping[str, tuple[int, int]]

    @property
    def wer(self) -> float | None:
        """The errors over reference words."""
        return self.counts.rate

    @property
    def flags(self) -> tuple[str, ...]:
        """The warnings to heed before quoting the rate, as stable words."""
        low, high = self.interval or (0.0, 0.0)
        has_both = self.wer is not None and self.speaker_wer_mean is not None
        holds_by_flag = {
            "one_speaker_dominates": self.largest_share is not None and self.largest_share > 0.30,
            "wide_interval": high - low > 0.10,
            "speakers_differ_from_pool": has_both and abs((self.wer or 0) - (self.speaker_wer_mean or 0)) > 0.02,
            "words_changed_by_normaliser": abs(self.counts.words - self.tally.raw_words) > 0.02 * self.tally.raw_words,
            "missing_hypotheses": self.tally.missing_hypotheses > 0,
            "empty_references": self.tally.empty_references > 0,
            "words_without_spaces": self.primary == "cer",
        }
        return tuple(flag for flag, holds in holds_by_flag.items() if holds)


def row_of(
    dialect: str,
    name: str,
    speakers: Mapping[str, Tally],
    *,
    method: Method,
    normalisers: Sequence[str],
    primary: str = "wer",
) -> Row:
    """
    Make the row of the speakers of one dialect.

    It depends on nothing but these speakers: the same row comes out with or without other dialects in the file.
    """
    whole = reduce(Tally.__add__, speakers.values(), Tally())
    sums = by_block(speakers)
    errors, words = [errors for errors, _ in sums.values()], [words for _, words in sums.values()]
    rates = [part.counts.rate for part in speakers.values() if part.counts.rate is not None]
    counts = whole.counts
    return Row(
        dialect=dialect,
        name=name,
        segments=whole.segments,
        speakers=len(speakers),
        blocks=len(errors),
        counts=counts,
        interval=jackknife_interval(errors, words, confidence=method.confidence),
        bootstrap=bootstrap_interval(
            errors, words, confidence=method.confidence, resamples=method.resamples, seed=method.seed
        ),
        state=method.thresholds.state(blocks=len(errors), words=counts.words),
        cer=_share(whole.character_errors, whole.characters),
        ger=_share(whole.grapheme_errors, whole.graphemes),
        primary=primary,
        normalisers=tuple(normalisers),
        wer_raw=_share(whole.raw_errors, whole.raw_words),
        wer_variant=_share(whole.variant_errors, counts.words),
        wer_lossy=_share(whole.lossy_errors, whole.lossy_words),
        speaker_wer_mean=statistics.fmean(rates) if rates else None,
        speaker_wer_median=statistics.median(rates) if rates else None,
        design_effect=_design_effect(whole, standard_error(errors, words)),
        largest_share=_share(max((part.counts.words for part in speakers.values()), default=0), counts.words),
        tally=whole,
        by_block=sums,
    )


def dialect_row(sums: Tallies, tag: str, method: Method) -> Row:
    """Make the row of the dialect *tag*."""
    return row_of(
        tag,
        sums.dialects[tag].name,
        sums.by_dialect[tag],
        method=method,
        normalisers=[normaliser.id for normaliser in sums.normalisers[tag]],
        primary=_primary(sums.normalisers[tag]),
    )


def overall_row(sums: Tallies, method: Method) -> Row:
    """Make the row over all dialects."""
    used = {normaliser.id: normaliser for group in sums.normalisers.values() for normaliser in group}
    return row_of(
        OVERALL,
        "all dialects",
        sums.everyone,
        method=method,
        normalisers=sorted(used),
        primary=_primary(used.values()),
    )


def visible_row(overall: Row, rows: Sequence[Row], sums: Tallies, method: Method) -> Row:
    """Make the total that people are shown: of the visible *rows* where *overall* less them is too little."""
    if not _is_exposed(rows, sums, method):
        return overall
    visible = [row for row in rows if row.state != "suppressed"]
    normalisers = sorted({name for row in visible for name in row.normalisers})
    primary = "cer" if {row.primary for row in visible} == {"cer"} else "wer"
    speakers = _unite_speakers(visible, sums)
    return row_of(OVERALL, "all that is shown", speakers, method=method, normalisers=normalisers, primary=primary)


def _primary(normalisers: Iterable[Normaliser]) -> str:
    return "cer" if {normaliser.primary for normaliser in normalisers} == {"cer"} else "wer"


@dataclass(frozen=True, kw_only=True)
class SumRow:
    """A wider dialect over the rows below it, which are in the total already and must not be added again."""

    row: Row
    #: The tags that it sums, its own among them where somebody speaks just that.
    parts: tuple[str, ...]


def sum_rows(rows: Sequence[Row], sums: Tallies, catalogue: Catalogue, method: Method) -> tuple[SumRow, ...]:
    """
    Sum the *rows* below each wider dialect, in alphabetical order of tags: ``en-US`` over itself and ``en-US-x-nyc``.

    A bare language is a sum only where it is a row of its own, since all English together is no dialect. What a
    suppressed row hides must not follow from the sum less the others: the sum is suppressed with it.
    """
    parts_by_tag: dict[str, list[str]] = {}
    for row in rows:
        for tag in list_wider_tags(catalogue, row.dialect):
            parts_by_tag.setdefault(tag, []).append(row.dialect)
    row_by_tag = {row.dialect: row for row in rows}
    narrowest = {tuple(parts): tag for tag, parts in sorted(parts_by_tag.items(), key=lambda entry: len(entry[0]))}
    return tuple(
        SumRow(row=_sum_row(tag, [row_by_tag[part] for part in parts], sums, catalogue, method), parts=parts)
        for parts, tag in sorted(narrowest.items(), key=lambda entry: entry[1])
        if len(parts) > 1 and (tag in row_by_tag or "-" in tag)
    )


def _sum_row(tag: str, parts: Sequence[Row], sums: Tallies, catalogue: Catalogue, method: Method) -> Row:
    normalisers = sorted({name for part in parts for name in part.normalisers})
    primary = "cer" if {part.primary for part in parts} == {"cer"} else "wer"
    speakers = _unite_speakers(parts, sums)
    row = row_of(tag, catalogue.find(tag).name, speakers, method=method, normalisers=normalisers, primary=primary)
    return replace(row, state="suppressed") if _is_exposed(parts, sums, method) else row


def _is_exposed(rows: Sequence[Row], sums: Tallies, method: Method) -> bool:
    """Tell if the sum of *rows* less those that are shown would tell what the suppressed ones hide."""
    hidden = _unite_speakers([row for row in rows if row.state == "suppressed"], sums)
    words = sum(speaker.counts.words for speaker in hidden.values())
    return bool(hidden) and method.thresholds.state(blocks=len(by_block(hidden)), words=words) == "suppressed"


def _unite_speakers(rows: Sequence[Row], sums: Tallies) -> dict[str, Tally]:
    """Sum the speakers of *rows*, those of several dialects together."""
    speakers: dict[str, Tally] = {}
    for row in rows:
        for speaker, part in sums.by_dialect[row.dialect].items():
            speakers[speaker] = speakers.get(speaker, Tally()) + part
    return dict(sorted(speakers.items()))


def by_block(
    speakers: Mapping[str, Tally], *, of: Callable[[Tally], tuple[int, int]] | None = None
) -> dict[str, tuple[int, int]]:
    """Sum over each block of *speakers*, by default (errors, words); blocks in alphabetical order."""
    measure = of or (lambda part: (part.counts.errors, part.counts.words))
    block_of = blocks_of({speaker: sorted(part.sessions) for speaker, part in speakers.items()})
    sums = dict.fromkeys(sorted(set(block_of.values())), (0, 0))
    for speaker, part in speakers.items():
        errors, words = sums[block_of[speaker]]
        more_errors, more_words = measure(part)
        sums[block_of[speaker]] = errors + more_errors, words + more_words
    return sums


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _design_effect(whole: Tally, over_blocks: float | None) -> float | None:
    counts, segments = whole.counts, whole.segments
    if over_blocks is None or segments < 2 or not counts.words:
        return None
    errors, words = counts.errors, counts.words
    squares = words**2 * whole.errors_squared - 2 * errors * words * whole.errors_times_words
    squares += errors**2 * whole.words_squared
    over_segments = segments / (segments - 1) * squares / words**4
    return over_blocks**2 / over_segments if over_segments > 0 else None


#: Keys that stay when the privacy floor takes the rest of a suppressed dialect out.
_FLOOR = frozenset({"dialect", "name", "segments", "speakers", "blocks", "words", "state", "primary", "normalisers"})


def row_data(row: Row, privacy_floor: bool = False) -> dict[str, Any]:
    """
    Return the row as JSON has it, keys in the order of the columns.

    Args:
        privacy_floor: Leave only sizes of a suppressed dialect.
    """
    counts, sums = row.counts, row.tally
    cells = {
        "dialect": row.dialect,
        "name": row.name,
        "segments": row.segments,
        "speakers": row.speakers,
        "blocks": row.blocks,
        "words": counts.words,
        "hypothesis_words": counts.hypothesis_words,
        "hits": counts.hits,
        "substitutions": counts.substitutions,
        "deletions": counts.deletions,
        "insertions": counts.insertions,
        "wer": counts.rate,
        "ci_low": round_number(row.interval[0] if row.interval else None),
        "ci_high": round_number(row.interval[1] if row.interval else None),
        "state": row.state,
        "primary": row.primary,
        "cer": row.cer,
        "ger": row.ger,
        "mer": counts.match_error_rate,
        "characters": sums.characters,
        "character_errors": sums.character_errors,
        "graphemes": sums.graphemes,
        "grapheme_errors": sums.grapheme_errors,
        "wer_raw": row.wer_raw,
        "wer_variant": row.wer_variant,
        "forgiven": counts.errors - sums.variant_errors,
        "wer_lossy": row.wer_lossy,
        "words_raw": sums.raw_words,
        "words_folded": sums.folded,
        "bootstrap_low": round_number(row.bootstrap[0] if row.bootstrap else None),
        "bootstrap_high": round_number(row.bootstrap[1] if row.bootstrap else None),
        "speaker_wer_mean": round_number(row.speaker_wer_mean),
        "speaker_wer_median": round_number(row.speaker_wer_median),
        "design_effect": round_number(row.design_effect),
        "largest_speaker_share": round_number(row.largest_share),
        "hours": round_number(sums.milliseconds / 3_600_000 if sums.milliseconds else None),
        "empty_references": sums.empty_references,
        "silence_insertions": sums.silence_insertions,
        "missing_hypotheses": sums.missing_hypotheses,
        "normalisers": list(row.normalisers),
        "flags": list(row.flags),
    }
    if privacy_floor and row.state == "suppressed":
        empty: dict[str, Any] = {"flags": []}
        return {key: cell if key in _FLOOR else empty.get(key) for key, cell in cells.items()}
    return cells


def round_number(number: float | None) -> float | None:
    """Round to nine digits after the point: more differ between processors, fewer would show."""
    return None if number is None else round(number, 9)
