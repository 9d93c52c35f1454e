"""
A report as one HTML file that needs nothing else: no network, no scripts, readable by screen readers and in print.

Every figure stands beside a table with the same numbers. Texts of any script carry ``dir="auto"``.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from dialects.columns import percent
from dialects.learning_curve import MORE_MINUTES, LearningCurve
from dialects.report.breakdown import DURATIONS_S, KINDS, SNRS_DB, Breakdown, Example, labels_of
from dialects.report.figures import Mark, Point, Stack, forest, funnel, stacks
from dialects.report.grouping import Grouping
from dialects.report.html import FEWEST_WORDS, heat, template
from dialects.report.table import Report
from dialects.sample_size import STEPS, Amount, needs
from dialects.scoring.agreement import HEADER, HumanBaseline, baseline_cells
from dialects.scoring.comparison import Comparison
from dialects.scoring.meetings import Meetings
from dialects.scoring.rows import Row
from dialects.scoring.word_errors import ErrorCount

_HeatRow: TypeAlias = tuple[str, list[ErrorCount | None]]
#: What the template calls and names, whatever the report.
_CONSTANTS: Final[dict[str, Any]] = {
    "kinds": KINDS,
    "fewest_words": FEWEST_WORDS,
    "forest": forest,
    "stacks": stacks,
    "funnel": funnel,
    "heat": heat,
}


def page(
    report: Report,
    *,
    title: str = "Word error rates by dialect",
    model: str | None = None,
    breakdowns: Mapping[str, Breakdown] | None = None,
    examples: Mapping[str, Sequence[Example]] | None = None,
    comparison: Comparison | None = None,
    groupings: Sequence[Grouping] = (),
    baselines: Mapping[str, HumanBaseline] | None = None,
    meetings: Meetings | None = None,
    curves: Sequence[LearningCurve] = (),
    half_width: float = 0.05,
) -> str:
    """
    Write *report* as an HTML text; suppressed dialects show their size and nothing else.

    Args:
        title: Heading of the page.
        model: What people call the model, where its id is no name.
        breakdowns: Kinds of errors, by dialect.
        examples: Segments to read, by dialect.
        comparison: This model against another one.
        groupings: Rates of parts of the speech.
        baselines: Disagreement of two people, by dialect.
        meetings: Errors of whole conversations.
        curves: Rates against corrections so far.
        half_width: Half the width of the interval that is good enough.
    """
    rows = [row for row in report.rows if row.state != "suppressed"]
    breakdown_by_dialect = {
        row.dialect: breakdowns[row.dialect] for row in rows if breakdowns and row.dialect in breakdowns
    }
    wer_by_dialect = {row.dialect: row.wer for row in rows}
    baseline_rows = [baseline_cells(baseline, wer_by_dialect.get(tag)) for tag, baseline in (baselines or {}).items()]
    return template("page.html").render(
        _list_figures(rows, report),
        title=title,
        model=model,
        report=report,
        comparison=comparison,
        **_list_contrasts(comparison),
        **_list_needs(rows, report, half_width),
        curves=curves,
        curve_header=("dialect", "minutes", "WER", *(f"+{more} min" for more in MORE_MINUTES)),
        curve_rows=[_curve_cells(curve) for curve in curves],
        baseline_header=HEADER,
        baseline_rows=baseline_rows,
        meetings=meetings,
        groupings=groupings,
        heat_maps=_list_heat_maps(breakdown_by_dialect),
        breakdowns=breakdown_by_dialect.values(),
        examples=examples or {},
        listens=any(example.clip for of_dialect in (examples or {}).values() for example in of_dialect),
        **_CONSTANTS,
    )


def _list_figures(rows: Sequence[Row], report: Report) -> dict[str, Any]:
    """List what the figures draw: the dialects that WER suits, best first."""
    suited = (row for row in rows if row.wer is not None and row.primary == "wer")
    rated = sorted(suited, key=lambda row: (row.wer or 0, row.dialect))
    rates = [errors / words for row in rated for errors, words in row.by_block.values() if words]
    spread = statistics.stdev(rates) if len(rates) > 1 else 0.0
    centre = report.visible.wer or 0.0
    return {
        "rated": rated,
        "marks": [_to_mark(row) for row in rated],
        "bars": [_to_stack(row) for row in rated],
        "points": [_to_point(row, centre, spread) for row in rated],
        "spread": spread,
    }


def _to_mark(row: Row) -> Mark:
    low, high = row.interval or (None, None)
    return Mark(
        label=row.dialect,
        value=row.wer or 0.0,
        low=low,
        high=high,
        second=row.wer_variant if row.wer_variant != row.wer else None,
        dots=tuple(errors / words for errors, words in row.by_block.values() if words),
        pale=row.state != "reportable",
    )


def _to_stack(row: Row) -> Stack:
    edits = (row.counts.substitutions, row.counts.deletions, row.counts.insertions)
    return Stack(label=row.dialect, parts=tuple(count / row.counts.words for count in edits))


def _to_point(row: Row, centre: float, spread: float) -> Point:
    """Make the point of a dialect in the funnel; it is named where it is outside of the limits of chance."""
    rate = row.wer or 0.0
    outside = abs(rate - centre) > 1.96 * spread / row.blocks**0.5
    return Point(label=row.dialect, x=row.blocks, y=rate, named=outside, pale=row.state != "reportable")


def _list_contrasts(comparison: Comparison | None) -> dict[str, Any]:
    contrasts = (*comparison.dialects, comparison.overall) if comparison else ()
    visible = [contrast for contrast in contrasts if contrast.state != "suppressed"]
    marks = []
    for contrast in visible:
        if contrast.difference is not None:
            low, high = contrast.interval or (None, None)
            pale = contrast.verdict not in ("better", "worse")
            marks.append(Mark(label=contrast.dialect, value=contrast.difference, low=low, high=high, pale=pale))
    return {"contrasts": visible, "differences": marks}


def _list_needs(rows: Sequence[Row], report: Report, wanted: float) -> dict[str, Any]:
    needed = [need for need in needs(rows, report.method, half_width=wanted) if need.curve]
    header = ("dialect", *("now" if not step else f"+{step} speakers" for step in STEPS), f"more for ±{100 * wanted:g}")
    return {
        "need_header": header,
        "need_rows": [
            (need.dialect, *(f"±{100 * width.estimate:.1f}" for _, width in need.curve), _range(need.more_speakers))
            for need in needed
        ],
        "advice": [need.sentence for need in needed if (need.half_width or 0.0) > wanted],
    }


def _curve_cells(curve: LearningCurve) -> tuple[str, ...]:
    last = curve.points[-1]
    rates = [_rate_range(rate) for _, rate in curve.forecast] or ["–"] * len(MORE_MINUTES)
    return curve.dialect, f"{last.minutes:.0f}", percent(last.wer), *rates


def _rate_range(rate: Amount) -> str:
    return f"{percent(rate.estimate)} ({percent(rate.low)} – {percent(rate.high)})"


def _range(amount: Amount | None) -> str:
    if amount is None:
        return "–"
    high = "?" if amount.high is None else f"{amount.high:,.0f}"
    return f"{amount.estimate:,.0f} ({amount.low:,.0f} – {high})"


def _list_heat_maps(breakdowns: Mapping[str, Breakdown]) -> list[tuple[str, tuple[str, ...], list[_HeatRow]]]:
    """List a question, a header and rows for each shaded table that anything is known for."""
    by_length = {tag: breakdown.durations for tag, breakdown in breakdowns.items()}
    by_noise = {tag: breakdown.snrs for tag, breakdown in breakdowns.items()}
    maps = []
    for question, labels, bins in (
        ("Does length matter?", labels_of(DURATIONS_S, "s"), by_length),
        ("Does noise matter?", labels_of(SNRS_DB, "dB"), by_noise),
    ):
        counts = {tag: {part.label: part.counts for part in parts} for tag, parts in bins.items() if parts}
        rows = [(tag, [by_label.get(label) for label in labels]) for tag, by_label in counts.items()]
        if rows:
            maps.append((question, ("dialect", *labels), rows))
    return maps
