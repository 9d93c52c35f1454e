"""
A report as one HTML file that needs nothing else: no network, no scripts, readable by screen readers and in print.

Every figure stands beside a table with the same numbers. Texts of any script carry ``dir="auto"``.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape

from dialects.breakdown import KINDS, Bin, Breakdown, Pattern
from dialects.comparison import Comparison
from dialects.figures import Mark, Point, Stack, forest, funnel, stacks
from dialects.report import Report
from dialects.rows import Row

_STYLE = """
:root { color-scheme: light dark; --accent: #14567a; --quiet: #6b6b6b; --rule: #d9d9d9; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --accent: #7cc4ea; --quiet: #a0a0a0; --rule: #3c3c3c; --warn: #f0b060; } }
body { font: 16px/1.5 system-ui, "Noto Sans", "Noto Sans Devanagari", "Noto Sans Tamil", sans-serif;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { text-align: end; padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--rule); }
th[scope=row], td.text, th.text { text-align: start; font-weight: normal; }
caption, .answer { text-align: start; color: var(--quiet); margin: 0.4rem 0; }
.pale, .floor { opacity: 0.6; } .warning { color: var(--warn); }
svg { width: 100%; height: auto; font-size: 13px; fill: currentColor; }
svg .grid { stroke: var(--rule); } svg .common { stroke: var(--accent); stroke-dasharray: 4 3; }
svg .reach { stroke: var(--accent); stroke-width: 2; } svg .value { fill: var(--accent); }
svg .second { fill: none; stroke: var(--accent); stroke-width: 1.5; } svg .dot { fill: var(--quiet); opacity: 0.5; }
svg .limit { fill: none; stroke: var(--quiet); stroke-dasharray: 2 3; }
svg .part0 { fill: var(--accent); } svg .part1 { fill: var(--quiet); } svg .part2 { fill: var(--warn); }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(
    report: Report,
    *,
    title: str = "Word error rates by dialect",
    breakdowns: Mapping[str, Breakdown] | None = None,
    comparison: Comparison | None = None,
) -> str:
    """
    The HTML text of *report*; suppressed dialects show their size and nothing else.

    Args:
        title: Heading of the page.
        breakdowns: What the errors are, by dialect.
        comparison: Another model against this one.
    """
    shown = [row for row in report.rows if row.state != "suppressed"]
    told = {row.dialect for row in shown}
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p class=answer>{escape(report.model or 'model not named')}</p>",
        *(f"<p class=warning>{escape(warning)}</p>" for warning in report.warnings),
        _main_table(report),
        *(f"<p class=answer>{escape(note)}</p>" for note in report.notes()),
        *_figures(shown, report),
        *(_comparison(comparison) if comparison else ()),
        *(part for tag, found in (breakdowns or {}).items() if tag in told for part in _breakdown(found)),
    ]
    head = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
    )
    return head + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, texts: int = 1) -> str:
    """An HTML table; the first cell of a row names it, the first *texts* columns are words and the rest numbers."""
    kinds = [" class=text" if at < texts else "" for at in range(len(header))]
    head = "".join(f"<th scope=col{kind}>{escape(cell)}</th>" for cell, kind in zip(header, kinds, strict=True))
    lines = [
        f'<tr><th scope=row dir="auto">{escape(row[0])}</th>'
        + "".join(f'<td{kind} dir="auto">{escape(cell)}</td>' for cell, kind in zip(row[1:], kinds[1:], strict=True))
        + "</tr>"
        for row in rows
    ]
    body = "\n".join(lines)
    named = f"<caption>{escape(caption)}</caption>"
    return f"<table>{named}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def _main_table(report: Report) -> str:
    header, rows = report.table()
    return table(header, rows, caption="Each dialect, and all together; a dash is no number", texts=2)


def _section(question: str, figure: str, answer: str) -> str:
    return (
        f"<h2>{escape(question)}</h2>\n<figure>{figure}<figcaption class=answer>{escape(answer)}</figcaption></figure>"
    )


def _figures(shown: Sequence[Row], report: Report) -> list[str]:
    """Figures of the dialects that WER suits, best first."""
    suited = (row for row in shown if row.wer is not None and row.primary == "wer")
    rated = sorted(suited, key=lambda row: (row.wer or 0, row.dialect))
    if not rated:
        return []
    return [_forest(rated, report), _parts(rated), _funnel(rated, report), _more_speakers(rated)]


def _forest(rated: Sequence[Row], report: Report) -> str:
    marks = [
        Mark(
            label=row.dialect,
            value=row.wer or 0.0,
            low=row.interval[0] if row.interval else None,
            high=row.interval[1] if row.interval else None,
            second=row.wer_variant if row.wer_variant != row.wer else None,
            dots=tuple(errors / words for errors, words in row.by_block if words),
            pale=row.state != "reportable",
        )
        for row in rated
    ]
    best, worst = (f"{row.dialect} {_percent(row.wer)}" for row in (rated[0], rated[-1]))
    alt = f"WER in per cent with intervals, from {best} to {worst}"
    answer = (
        f"{alt}. Dots below a line are blocks of speakers; a ring is the rate where allowed spellings are free; "
        "pale lines have too few speakers to be ranked; the dashed line is all speech together."
    )
    return _section("Which dialects are heard worst?", forest(marks, alt=alt, line=report.overall.wer), answer)


def _parts(rated: Sequence[Row]) -> str:
    bars = []
    for row in rated:
        counts, words = row.counts, row.counts.words
        parts = (counts.substitutions / words, counts.deletions / words, counts.insertions / words)
        bars.append(Stack(label=row.dialect, parts=parts))
    alt = "Substitutions, deletions and insertions in per cent of reference words, by dialect"
    figure = stacks(bars, ("substitutions", "deletions", "insertions"), alt=alt)
    return _section("What are the errors?", figure, f"{alt}.")


def _funnel(rated: Sequence[Row], report: Report) -> str:
    points = [Point(label=row.dialect, x=row.blocks, y=row.wer or 0.0, pale=row.state != "reportable") for row in rated]
    rates = [errors / words for row in rated for errors, words in row.by_block if words]
    spread = statistics.stdev(rates) if len(rates) > 1 else 0.0
    centre = report.overall.wer or 0.0
    outside = [point.label for point in points if abs(point.y - centre) > 1.96 * spread / point.x**0.5]
    alt = "WER in per cent against the number of speakers, with the limits of chance"
    answer = f"{alt}. " + (f"Outside: {', '.join(outside)}." if outside else "No dialect is outside.")
    figure = funnel(points, centre=centre, spread=spread, across="speakers", alt=alt)
    return _section("Could it be chance?", figure, answer)


def _more_speakers(rated: Sequence[Row]) -> str:
    """Half-widths fall with the root of the number of speakers."""
    rows = []
    for row in sorted(rated, key=lambda row: (-_half(row), row.dialect)):
        if row.interval is None:
            continue
        widths = [_half(row) * (row.blocks / (row.blocks + more)) ** 0.5 for more in (0, 5, 10, 20, 40)]
        rows.append((row.dialect, str(row.blocks), *(f"±{100 * width:.1f}" for width in widths)))
    header = ("dialect", "speakers now", "now", "+5", "+10", "+20", "+40")
    caption = "Half the width of the interval, in points, with so many more speakers"
    return f"<h2>Where would more speakers tell most?</h2>\n{table(header, rows, caption=caption)}"


def _half(row: Row) -> float:
    return (row.interval[1] - row.interval[0]) / 2 if row.interval else 0.0


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
            _percent(one.wer_a),
            _percent(one.wer_b),
            "–" if one.difference is None else f"{100 * one.difference:+.1f}",
            "–" if one.p is None else f"{one.p if one.p_adjusted is None else one.p_adjusted:.3f}",
            _percent(one.detectable),
        )
        for one in shown
    ]
    header = ("dialect", "verdict", "blocks", "WER A", "WER B", "difference", "p", "could be seen")
    return [
        _section("Is the other model better?", forest(marks, alt=alt, line=0.0), f"{alt}."),
        *(f"<p class=warning>{escape(warning)}</p>" for warning in comparison.warnings),
        table(header, rows, caption="p by sign flips over blocks of speakers, adjusted for all dialects", texts=2),
    ]


def _breakdown(found: Breakdown) -> list[str]:
    parts = [f"<h2>Errors of {escape(found.dialect)}</h2>"]
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
        parts.append(table(("text", "count"), rows, caption="Written where nobody spoke"))
    return parts


def _pattern_cells(pattern: Pattern) -> tuple[str, ...]:
    share = f"{100 * pattern.share:.1f}"
    return pattern.reference or "–", pattern.hypothesis or "–", str(pattern.count), share, str(pattern.speakers)


def _bin_cells(found: Bin) -> tuple[str, ...]:
    return found.label, f"{found.segments:,}", f"{found.counts.words:,}", _percent(found.counts.rate)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
