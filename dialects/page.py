"""
A report as one HTML file that needs nothing else: no network, no scripts, readable by screen readers and in print.

Every figure stands beside a table with the same numbers. Texts of any script carry ``dir="auto"``.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape

from dialects.agreement import HEADER, Floor, floor_cells
from dialects.breakdown import DURATIONS_S, KINDS, SNRS_DB, Bin, Breakdown, Invented, Pattern, labels_of
from dialects.columns import p_value, percent
from dialects.comparison import Comparison
from dialects.examples import Example
from dialects.figures import Mark, Point, Stack, forest, funnel, stacks
from dialects.grouping import Grouping
from dialects.learning import MORE_MINUTES, LearningCurve
from dialects.markup import FEWEST_WORDS, diff, document, heat, section, table
from dialects.meetings import Meetings
from dialects.report import Report
from dialects.rows import Row
from dialects.sampling import STEPS, Amount, needs


def page(
    report: Report,
    *,
    title: str = "Word error rates by dialect",
    breakdowns: Mapping[str, Breakdown] | None = None,
    examples: Mapping[str, Sequence[Example]] | None = None,
    comparison: Comparison | None = None,
    groupings: Sequence[Grouping] = (),
    floors: Mapping[str, Floor] | None = None,
    meetings: Meetings | None = None,
    curves: Sequence[LearningCurve] = (),
    half_width: float = 0.05,
) -> str:
    """
    The HTML text of *report*; suppressed dialects show their size and nothing else.

    Args:
        title: Heading of the page.
        breakdowns: What the errors are, by dialect.
        examples: Segments to read, by dialect.
        comparison: This model against another one.
        groupings: Rates of parts of the speech.
        floors: How far two people differ, by dialect.
        meetings: Errors of whole conversations.
        curves: How rates fell with corrections so far.
        half_width: Half the width of the interval that is good enough.
    """
    shown = [row for row in report.rows if row.state != "suppressed"]
    told = {row.dialect: breakdowns[row.dialect] for row in shown if breakdowns and row.dialect in breakdowns}
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p class=answer>{escape(report.model or 'model not named')}</p>",
        *(f"<p class=warning>{escape(warning)}</p>" for warning in report.warnings),
        _main_table(report),
        *(f"<p class=answer>{escape(note)}</p>" for note in report.notes()),
        *_figures(shown, report),
        *(_comparison(comparison) if comparison else ()),
        *_more_speakers(shown, report, half_width),
        *_learnt(curves),
        *_people(floors or {}, {row.dialect: row.wer for row in report.rows}),
        *(_conversations(meetings) if meetings else ()),
        *(part for grouping in groupings for part in _grouping(grouping)),
        *_heat_maps(told),
        *(part for found in told.values() for part in _breakdown(found, (examples or {}).get(found.dialect, ()))),
    ]
    return document(title, parts)


def _main_table(report: Report) -> str:
    header, rows = report.table()
    return table(header, rows, caption="Each dialect, and all together; a dash is no number", texts=2)


def _figures(shown: Sequence[Row], report: Report) -> list[str]:
    """Figures of the dialects that WER suits, best first."""
    suited = (row for row in shown if row.wer is not None and row.primary == "wer")
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
    told = f"Outside: {', '.join(outside)}." if outside else "No dialect is outside."
    answer = f"{alt}; only those outside are named. {told}"
    figure = funnel(points, centre=centre, spread=spread, across="blocks of speakers", alt=alt)
    return section("Could it be chance?", figure, answer)


def _more_speakers(shown: Sequence[Row], report: Report, wanted: float) -> list[str]:
    found = [need for need in needs(shown, report.method, half_width=wanted) if need.curve]
    if not found:
        return []
    rows = [
        (need.dialect, *(f"±{100 * width.estimate:.1f}" for _, width in need.curve), _range(need.more_speakers))
        for need in found
    ]
    header = ("dialect", *("now" if not step else f"+{step} speakers" for step in STEPS), f"more for ±{100 * wanted:g}")
    caption = "Half the width of the interval, in points, with so many more speakers, and how many it takes"
    lines = [f"<li>{escape(need.sentence)}</li>" for need in found if (need.half_width or 0.0) > wanted]
    return [
        "<h2>What to record or transcribe next?</h2>",
        table(header, rows, caption=caption),
        *([f"<ul class=answer>{''.join(lines)}</ul>"] if lines else []),
    ]


def _learnt(curves: Sequence[LearningCurve]) -> list[str]:
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
    by_length = {tag: found.durations for tag, found in breakdowns.items()}
    by_noise = {tag: found.snrs for tag, found in breakdowns.items()}
    return [
        *_heat_map("Does length matter?", labels_of(DURATIONS_S, "s"), by_length),
        *_heat_map("Does noise matter?", labels_of(SNRS_DB, "dB"), by_noise),
    ]


def _heat_map(question: str, labels: Sequence[str], bins: Mapping[str, Sequence[Bin]]) -> list[str]:
    counts = {tag: {one.label: one.counts for one in found} for tag, found in bins.items() if found}
    if not counts:
        return []
    rows = [(tag, [found.get(label) for label in labels]) for tag, found in counts.items()]
    caption = f"WER in per cent, darker is worse; a dash is fewer than {FEWEST_WORDS} words"
    return [f"<h2>{question}</h2>", heat(("dialect", *labels), rows, caption=caption)]


def _comparison(comparison: Comparison) -> list[str]:
    shown = [one for one in (*comparison.dialects, comparison.overall) if one.state != "suppressed"]
    marks = [
        Mark(
            label=one.dialect,
            value=one.difference,
            low=one.interval[0] if one.interval else None,
            high=one.interval[1] if one.interval else None,
            pale=one.verdict not in ("better", "worse"),
        )
        for one in shown
        if one.difference is not None
    ]
    alt = f"Difference in points of WER, {comparison.model_b} less {comparison.model_a}; left of zero is better"
    rows = [
        (
            one.dialect,
            one.verdict,
            str(one.blocks),
            percent(one.wer_a),
            percent(one.wer_b),
            "–" if one.difference is None else f"{100 * one.difference:+.1f}",
            "–" if one.p is None else p_value(one.p if one.p_adjusted is None else one.p_adjusted).removeprefix("p = "),
            percent(one.detectable),
        )
        for one in shown
    ]
    header = ("dialect", "verdict", "blocks", "WER A", "WER B", "difference", "p", "could be seen")
    return [
        section(
            f"Is {comparison.model_b} better than {comparison.model_a}?", forest(marks, alt=alt, line=0.0), f"{alt}."
        ),
        *(f"<p class=warning>{escape(warning)}</p>" for warning in comparison.warnings),
        table(header, rows, caption="p by sign flips over blocks of speakers, adjusted for all dialects", texts=2),
    ]


def _people(floors: Mapping[str, Floor], wers: Mapping[str, float | None]) -> list[str]:
    if not floors:
        return []
    rows = [floor_cells(floor, wers.get(tag)) for tag, floor in floors.items()]
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


def _breakdown(found: Breakdown, shown: Sequence[Example]) -> list[str]:
    parts = [f"<details open><summary>Errors of {escape(found.dialect)}</summary>"]
    if shown:
        said = "Words said and not heard are struck out, words heard and not said underlined"
        parts.append(f"<p class=answer>{said}</p>")
        parts += [diff(example.id, example.path) for example in shown]
    for kind in KINDS:
        patterns = [pattern for pattern in found.top(kind) if pattern.of_the_dialect]
        if patterns:
            rows = [_pattern_cells(pattern) for pattern in patterns]
            header: tuple[str, ...] = ("reference", "hypothesis", "count", "% of errors", "speakers")
            parts.append(table(header, rows, caption=f"{kind.capitalize()}s of three speakers or more", texts=2))
    if found.confusions:
        rows = [(one, other, str(count)) for one, other, count in found.confusions[:20]]
        parts.append(table(("reference", "hypothesis", "count"), rows, caption="Letters taken for others", texts=2))
    header = ("condition", "segments", "words", "WER %")
    for caption, bins in (("By length of the segment", found.durations), ("By noise", found.snrs)):
        if bins:
            parts.append(table(header, [_bin_cells(one) for one in bins], caption=caption))
    if found.invented.segments:
        rows = [(text, str(count)) for text, count in found.invented.phrases]
        parts.append(table(("text", "count"), rows, caption=_invented_caption(found.invented)))
    return [*parts, "</details>"]


def _invented_caption(found: Invented) -> str:
    hourly = "" if found.words_per_hour is None else f", {found.words_per_hour:.0f} an hour"
    return f"Written where nobody spoke: {found.words} words in {found.segments} segments{hourly}"


def _pattern_cells(pattern: Pattern) -> tuple[str, ...]:
    share = f"{100 * pattern.share:.1f}"
    return pattern.reference or "–", pattern.hypothesis or "–", str(pattern.count), share, str(pattern.speakers)


def _bin_cells(found: Bin) -> tuple[str, ...]:
    return found.label, f"{found.segments:,}", f"{found.counts.words:,}", percent(found.counts.rate)
