"""Pieces of a page: its head, tables, shaded tables and word diffs. Texts of any script turn with ``dir="auto"``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

from dialects.columns import percent
from dialects.scoring.word_errors import Edit, ErrorCount

# Colours and letters are those of the correction desk's screen too.
_LOOK = (resources.files("dialects") / "look.css").read_text(encoding="utf-8")
_STYLE = (
    f"\n{_LOOK}"
    """
body { font: 16px/1.5 var(--type); background: var(--paper); color: var(--ink);
  max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin-top: 1.5rem; }
figure { margin: 0.5rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.85rem; }
th, td { text-align: end; padding: 0.2rem 0.5rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th[scope=row], td.text, th.text { text-align: start; } th[scope=row] { font-weight: normal; }
td.text { white-space: normal; }
caption, .answer { text-align: start; color: var(--quiet); margin: 0.4rem 0; }
.pale, .floor { opacity: 0.6; } .warning { color: var(--warn); }
svg { width: 100%; height: auto; font-size: 13px; fill: currentColor; }
svg .grid { stroke: var(--rule); } svg .common { stroke: var(--accent); stroke-dasharray: 4 3; }
svg .reach { stroke: var(--accent); stroke-width: 2; } svg .value { fill: var(--accent); }
svg .second { fill: none; stroke: var(--accent); stroke-width: 1.5; } svg .dot { fill: var(--quiet); opacity: 0.5; }
svg .limit { fill: none; stroke: var(--quiet); stroke-dasharray: 2 3; }
svg .part0 { fill: var(--accent); } svg .part1 { fill: var(--quiet); } svg .part2 { fill: var(--warn); }
td[class^=heat] { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.heat1 { background: color-mix(in srgb, var(--warn) 12%, transparent); }
.heat2 { background: color-mix(in srgb, var(--warn) 24%, transparent); }
.heat3 { background: color-mix(in srgb, var(--warn) 36%, transparent); }
.heat4 { background: color-mix(in srgb, var(--warn) 50%, transparent); }
.diff { margin: 0.3rem 0; } .diff b { font-weight: normal; color: var(--quiet); font-size: 0.8rem; }
del { color: var(--warn); } ins { color: var(--accent); text-underline-offset: 3px; }
details { margin: 0.6rem 0; } summary { cursor: pointer; font-size: 1.1rem; }
@media print { html { font-size: 11px; } body { max-width: none; margin: 0; font-size: 1rem; }
  h2, h3 { break-after: avoid; } .wide { overflow: visible; } th, td { white-space: normal; padding: 0.1rem 0.3rem; }
  tr, figure, .diff { break-inside: avoid; } }
"""
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
#: Reference words under which a cell of a shaded table says nothing.
FEWEST_WORDS = 100


def document(title: str, parts: Iterable[str]) -> str:
    """Write a whole page that needs no network, runs no scripts and may load nothing."""
    head = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
    )
    return head + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, texts: int = 1) -> str:
    """Write an HTML table; the first cell of a row names it, the first *texts* columns are words, others numbers."""
    kinds = [" class=text" if index < texts else "" for index in range(len(header))]
    lines = [
        _row_head(row[0])
        + "".join(f'<td{kind} dir="auto">{escape(cell)}</td>' for cell, kind in zip(row[1:], kinds[1:], strict=True))
        for row in rows
    ]
    return _table(header, lines, caption=caption, texts=texts)


def heat(header: Sequence[str], rows: Sequence[tuple[str, Sequence[ErrorCount | None]]], *, caption: str) -> str:
    """
    Write a table of rates, darker the higher. Under 100 reference words a cell is a dash: so few say nothing.

    Args:
        rows: A name and its counts, one a column; ``None`` where nobody spoke.
    """
    rates = [[_rate(counts) for counts in row] for _, row in rows]
    highest = max((rate for row in rates for rate in row if rate is not None), default=0.0)
    lines = [
        _row_head(name) + "".join(f'<td{_shade(rate, highest)} dir="auto">{percent(rate)}</td>' for rate in row)
        for (name, _), row in zip(rows, rates, strict=True)
    ]
    return _table(header, lines, caption=caption, texts=1)


def _rate(counts: ErrorCount | None) -> float | None:
    return counts.rate if counts is not None and counts.words >= FEWEST_WORDS else None


def _shade(rate: float | None, highest: float) -> str:
    return "" if rate is None or not highest else f" class=heat{min(4, int(5 * rate / highest))}"


def _row_head(name: str) -> str:
    return f'<th scope=row dir="auto">{escape(name)}</th>'


def _table(header: Sequence[str], lines: Sequence[str], *, caption: str, texts: int) -> str:
    head = "".join(
        f"<th scope=col{' class=text' if index < texts else ''}>{escape(cell)}</th>"
        for index, cell in enumerate(header)
    )
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    caption_tag = f"<caption>{escape(caption)}</caption>"
    return (
        f"<div class=wide><table>{caption_tag}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def diff(name: str, path: Iterable[Edit]) -> str:
    """Write a segment word by word: deletions are struck out, insertions underlined."""
    words = []
    for edit in path:
        spoken, drafted = escape(edit.reference or ""), escape(edit.hypothesis or "")
        if edit.kind == "hit":
            words.append(spoken)
        else:
            words.append(" ".join([f"<del>{spoken}</del>"] * bool(spoken) + [f"<ins>{drafted}</ins>"] * bool(drafted)))
    return f'<p class=diff dir="auto">{" ".join(words)} <b>{escape(name)}</b></p>'


def section(question: str, figure: str, answer: str) -> str:
    """Write a heading, a figure and its caption."""
    caption = f"<figcaption class=answer>{escape(answer)}</figcaption>"
    return f"<h2>{escape(question)}</h2>\n<figure>{figure}{caption}</figure>"
