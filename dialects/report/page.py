"""
A report as one HTML file that needs nothing else: no network, no scripts, readable by screen readers and in print.

Every figure stands beside a table with the same numbers. Texts of any script carry ``dir="auto"``.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape

from dialects.columns import p_value, percent
from dialects.learning_curve import MORE_MINUTES, LearningCurve
from dialects.report.breakdown import (
    DURATIONS_S,
    KINDS,
    SNRS_DB,
    Bin,
    Breakdown,
    Example,
    InventedText,
    Pattern,
    labels_of,
)
from dialects.report.figures import Mark, Point, Stack, forest, funnel, stacks
from dialects.report.grouping import Grouping
from dialects.report.html import FEWEST_WORDS, diff, document, heat, section, table
from dialects.report.table import Report
from dialects.sample_size import STEPS, Amount, needs
from dialects.scoring.agreement import HEADER, HumanBaseline, baseline_cells
from dialects.scoring.comparison import Comparison
from dialects.scoring.meetings import Meetings
from dialects.scoring.rows import Row


def page(
    report: Report,
    *,
    title: str = "Word error rates by dialect",
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
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p class=answer>{escape(report.model or 'model not named')}</p>",
        *(f"<p class=warning>{escape(warning)}</p>" for warning in report.warnings),
        _main_table(report),
        *(f"<p class=answer>{escape(note)}</p>" for note in report.notes()),
        *_figures(rows, report),
        *(_comparison(comparison) if comparison else ()),
        *_more_speakers(rows, report, half_width),
        *_learning_curves(curves),
        *_people(baselines or {}, {row.dialect: row.wer for row in report.rows}),
        *(_conversations(meetings) if meetings else ()),
        *(part for grouping in groupings for part in _grouping(grouping)),
        *_heat_maps(breakdown_by_dialect),
        *(
            part
            for breakdown in breakdown_by_dialect.values()
            for part in _breakdown(breakdown, (examples or {}).get(breakdown.dialect, ()))
        ),
    ]
    return document(title, parts)


def _main_table(report: Report) -> str:
    header, rows = report.table()
    return table(header, rows, caption="Each dialect, and all together; a dash is no number", texts=2)


def _figures(rows: Sequence[Row], report: Report) -> list[str]:
    """Draw the figures of the dialects that WER suits, best first."""
    suited = (row for row in rows if row.wer is not None and row.primary == "wer")
    rated = sorted(suited, key=lambda row: (row.wer or 0, row.dialect))
    if not rated:
        return []
    return [_forest(rated, report), _parts(rated), _funnel(rated, report)]


def _forest(rated: Sequence[Row], report: Report) -> str:
    marks = [
        Mark(
            label=row.dialect,
            value=row.wer or 0.0,
            low=row.interval[0] if row.interval else None,
            high=row.interval[1] if row.interval else None,
            second=row.wer_variant if row.wer_variant != row.wer else None,
            dots=tuple(errors / words for errors, words in row.by_block.values() if words),
            pale=row.state != "reportable",
        )
        for row in rated
    ]
    best, worst = (f"{row.dialect} {percent(row.wer)}" for row in (rated[0], rated[-1]))
    alt = f"WER in per cent with intervals, from {best} to {worst}"
    answer = (
        f"{alt}. Dots below a line are blocks of speakers; a ring is the rate where allowed spellings are free; "
        "pale lines have too few speakers to be ranked; the dashed line is all speech together."
    )
    return section("Which dialects are heard worst?", forest(marks, alt=alt, line=report.overall.wer), answer)


def _parts(rated: Sequence[Row]) -> str:
    bars = []
    for row in rated:
        counts, words = row.counts, row.counts.words
        parts = (counts.substitutions / words, counts.deletions / words, counts.insertions / words)
        bars.append(Stack(label=row.dialect, parts=parts))
    alt = "Substitutions, deletions and insertions in per cent of reference words, by dialect"
    figure = stacks(bars, ("substitutions", "deletions", "insertions"), alt=alt)
    return section("What are the errors?", figure, f"{alt}.")


def _funnel(rated: Sequence[Row], report: Report) -> str:
    rates = [errors / words for row in rated for errors, words in row.by_block.values() if words]
    spread = statistics.stdev(rates) if len(rates) > 1 else 0.0
    centre = report.overall.wer or 0.0
    outside = [row.dialect for row in rated if abs((row.wer or 0.0) - centre) > 1.96 * spread / row.blocks**0.5]
    points = [
        Point(
            label=row.dialect,
            x=row.blocks,
            y=row.wer or 0.0,
            named=row.dialect in outside,
            pale=row.state != "reportable",
        )
        for row in rated
    ]
    alt = "WER in per cent against the number of blocks of speakers, with the limits of chance"
    names = f"Outside: {', '.join(outside)}." if outside else "No dialect is outside."
    answer = f"{alt}; only those outside are named. {names}"
    figure = funnel(points, centre=centre, spread=spread, across="blocks of speakers", alt=alt)
    return section("Could it be chance?", figure, answer)


def _more_speakers(rows: Sequence[Row], report: Report, wanted: float) -> list[str]:
    needed = [need for need in needs(rows, report.method, half_width=wanted) if need.curve]
    if not needed:
        return []
    cells = [
        (need.dialect, *(f"±{100 * width.estimate:.1f}" for _, width in need.curve), _range(need.more_speakers))
        for need in needed
    ]
    header = ("dialect", *("now" if not step else f"+{step} speakers" for step in STEPS), f"more for ±{100 * wanted:g}")
    caption = "Half the width of the interval, in points, with so many more speakers, and how many it takes"
    lines = [f"<li>{escape(need.sentence)}</li>" for need in needed if (need.half_width or 0.0) > wanted]
    return [
        "<h2>What to record or transcribe next?</h2>",
        table(header, cells, caption=caption),
        *([f"<ul class=answer>{''.join(lines)}</ul>"] if lines else []),
    ]


def _learning_curves(curves: Sequence[LearningCurve]) -> list[str]:
    if not curves:
        return []
    header = ("dialect", "minutes", "WER", *(f"+{more} min" for more in MORE_MINUTES))
    rows = [
        (
            curve.dialect,
            f"{curve.points[-1].minutes:.0f}",
            percent(curve.points[-1].wer),
            *(_rate_range(rate) for _, rate in curve.forecast or [(0, None)] * len(MORE_MINUTES)),
        )
        for curve in curves
    ]
    caption = "WER in per cent with so many more corrected minutes, and the range that holds it four times in five"
    lines = "".join(f"<li>{escape(curve.sentence)}</li>" for curve in curves)
    return [
        "<h2>What have corrections brought?</h2>",
        table(header, rows, caption=caption),
        f"<ul class=answer>{lines}</ul>",
    ]


def _rate_range(rate: Amount | None) -> str:
    return "–" if rate is None else f"{percent(rate.estimate)} ({percent(rate.low)} – {percent(rate.high)})"


def _range(amount: Amount | None) -> str:
    if amount is None:
        return "–"
    high = "?" if amount.high is None else f"{amount.high:,.0f}"
    return f"{amount.estimate:,.0f} ({amount.low:,.0f} – {high})"


def _heat_maps(breakdowns: Mapping[str, Breakdown]) -> list[str]:
    by_length = {tag: breakdown.durations for tag, breakdown in breakdowns.items()}
    by_noise = {tag: breakdown.snrs for tag, breakdown in breakdowns.items()}
    return [
        *_heat_map("Does length matter?", labels_of(DURATIONS_S, "s"), by_length),
        *_heat_map("Does noise matter?", labels_of(SNRS_DB, "dB"), by_noise),
    ]


def _heat_map(question: str, labels: Sequence[str], bins: Mapping[str, Sequence[Bin]]) -> list[str]:
    counts = {tag: {part.label: part.counts for part in parts} for tag, parts in bins.items() if parts}
    if not counts:
        return []
    rows = [(tag, [by_label.get(label) for label in labels]) for tag, by_label in counts.items()]
    caption = f"WER in per cent, darker is worse; a dash is fewer than {FEWEST_WORDS} words"
    return [f"<h2>{question}</h2>", heat(("dialect", *labels), rows, caption=caption)]


def _comparison(comparison: Comparison) -> list[str]:
    contrasts = [contrast for contrast in (*comparison.dialects, comparison.overall) if contrast.state != "suppressed"]
    marks = [
        Mark(
            label=contrast.dialect,
            value=contrast.difference,
            low=contrast.interval[0] if contrast.interval else None,
            high=contrast.interval[1] if contrast.interval else None,
            pale=contrast.verdict not in ("better", "worse"),
        )
        for contrast in contrasts
        if contrast.difference is not None
    ]
    alt = f"Difference in points of WER, {comparison.model_b} less {comparison.model_a}; left of zero is better"
    rows = [
        (
            contrast.dialect,
            contrast.verdict,
            str(contrast.blocks),
            percent(contrast.wer_a),
            percent(contrast.wer_b),
            "–" if contrast.difference is None else f"{100 * contrast.difference:+.1f}",
            "–"
            if contrast.p is None
            else p_value(contrast.p if contrast.p_adjusted is None else contrast.p_adjusted).removeprefix("p = "),
            percent(contrast.detectable),
        )
        for contrast in contrasts
    ]
    header = ("dialect", "verdict", "blocks", "WER A", "WER B", "difference", "p", "could be seen")
    return [
        section(
            f"Is {comparison.model_b} better than {comparison.model_a}?", forest(marks, alt=alt, line=0.0), f"{alt}."
        ),
        *(f"<p class=warning>{escape(warning)}</p>" for warning in comparison.warnings),
        table(header, rows, caption="p by sign flips over blocks of speakers, adjusted for all dialects", texts=2),
    ]


def _people(baselines: Mapping[str, HumanBaseline], wers: Mapping[str, float | None]) -> list[str]:
    if not baselines:
        return []
    rows = [baseline_cells(baseline, wers.get(tag)) for tag, baseline in baselines.items()]
    caption = "Two people who wrote the same speech, each from the sound alone: below this no model can be measured"
    return ["<h2>How far do people agree?</h2>", table(HEADER, rows, caption=caption)]


def _conversations(meetings: Meetings) -> list[str]:
    header, rows = meetings.table()
    caption = "Words under the right name: errors of whole conversations in per cent, intervals by conversation"
    notes = [f"<p class=answer>{escape(note)}</p>" for note in meetings.notes()]
    return ["<h2>Who said it?</h2>", table(header, rows, caption=caption), *notes]


def _grouping(grouping: Grouping) -> list[str]:
    keys = ", ".join(grouping.keys)
    header, rows = grouping.table()
    return [f"<h2>By {escape(keys)}</h2>", table(header, rows, caption=f"Errors by {keys}", texts=len(grouping.keys))]


def _breakdown(breakdown: Breakdown, examples: Sequence[Example]) -> list[str]:
    parts = [f"<details open><summary>Errors of {escape(breakdown.dialect)}</summary>"]
    if examples:
        legend = "Words said and not heard are struck out, words heard and not said underlined"
        parts.append(f"<p class=answer>{legend}</p>")
        parts += [diff(example.id, example.path) for example in examples]
    for kind in KINDS:
        patterns = [pattern for pattern in breakdown.top(kind) if pattern.of_the_dialect]
        if patterns:
            rows = [_pattern_cells(pattern) for pattern in patterns]
            header: tuple[str, ...] = ("reference", "hypothesis", "count", "% of errors", "speakers")
            parts.append(table(header, rows, caption=f"{kind.capitalize()}s of three speakers or more", texts=2))
    if breakdown.confusions:
        rows = [(reference, hypothesis, str(count)) for reference, hypothesis, count in breakdown.confusions[:20]]
        parts.append(table(("reference", "hypothesis", "count"), rows, caption="Letters taken for others", texts=2))
    header = ("condition", "segments", "words", "WER %")
    for caption, bins in (("By length of the segment", breakdown.durations), ("By noise", breakdown.snrs)):
        if bins:
            parts.append(table(header, [_bin_cells(part) for part in bins], caption=caption))
    if breakdown.invented.segments:
        rows = [(text, str(count)) for text, count in breakdown.invented.phrases]
        parts.append(table(("text", "count"), rows, caption=_invented_caption(breakdown.invented)))
    return [*parts, "</details>"]


def _invented_caption(invented: InventedText) -> str:
    hourly = "" if invented.words_per_hour is None else f", {invented.words_per_hour:.0f} an hour"
    return f"Written where nobody spoke: {invented.words} words in {invented.segments} segments{hourly}"


def _pattern_cells(pattern: Pattern) -> tuple[str, ...]:
    share = f"{100 * pattern.share:.1f}"
    return pattern.reference or "–", pattern.hypothesis or "–", str(pattern.count), share, str(pattern.speakers)


def _bin_cells(speech_bin: Bin) -> tuple[str, ...]:
    return speech_bin.label, f"{speech_bin.segments:,}", f"{speech_bin.counts.words:,}", percent(speech_bin.counts.rate)
