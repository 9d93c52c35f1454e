"""
Figures as SVG text, without a drawing library: the same numbers give the same bytes, and a page needs nothing else.

Colours come from the page (``currentColor`` and the variables ``--accent``, ``--quiet``, ``--rule``), so that light,
dark and high contrast work alike. Every figure says in words what it shows, for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

#: Width of a figure in its own units; the page scales it.
WIDTH = 760
_LABEL = 190
_RIGHT = 90
_ROW = 26
_TOP = 8
_AXIS = 34
#: Room for a name in a scatter plot, from top to bottom.
_LINE = 14


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A line of a forest plot: a value with its interval, and perhaps a second, hollow value."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    second: float | None = None
    #: Small dots under the line, one a speaker.
    dots: tuple[float, ...] = ()
    #: Drawn pale: not enough speakers to be ranked.
    pale: bool = False


def forest(marks: Sequence[Mark], *, alt: str, line: float | None = None) -> str:
    """
    Draw values with intervals, one line each, in the given order.

    Args:
        marks: Shares, 0.2 for 20 %.
        alt: The content of the figure in a sentence.
        line: Where a vertical line marks a common value, such as the pooled rate, or zero for differences.
    """
    ends = [end for mark in marks for end in (mark.value, mark.low, mark.high, mark.second, *mark.dots)]
    known_ends = [end for end in (*ends, line) if end is not None]
    axis = _Axis.over(known_ends or [0.0])
    height = _TOP + _ROW * len(marks) + _AXIS
    parts = [*axis.draw(height)]
    if line is not None:
        x = axis.x_of(line)
        parts.append(f'<line class="common" x1="{x}" y1="{_TOP}" x2="{x}" y2="{height - _AXIS}"/>')
    for row, mark in enumerate(marks):
        parts += _forest_line(mark, _TOP + _ROW * row + _ROW / 2, axis)
    return _svg(parts, height, alt)


def _forest_line(mark: Mark, y: float, axis: _Axis) -> Iterator[str]:
    pale = ' class="pale"' if mark.pale else ""
    yield f"<g{pale}>{_text(_LABEL - 10, y + 4, mark.label, anchor='end')}"
    for dot in mark.dots:
        yield f'<circle class="dot" cx="{axis.x_of(dot)}" cy="{y + 7:g}" r="2"/>'
    if mark.low is not None and mark.high is not None:
        yield f'<line class="reach" x1="{axis.x_of(mark.low)}" y1="{y:g}" x2="{axis.x_of(mark.high)}" y2="{y:g}"/>'
    if mark.second is not None:
        yield f'<circle class="second" cx="{axis.x_of(mark.second)}" cy="{y:g}" r="4"/>'
    yield f'<circle class="value" cx="{axis.x_of(mark.value)}" cy="{y:g}" r="4.5"/>'
    yield f"{_text(WIDTH - 4, y + 4, f'{100 * mark.value:.1f}', anchor='end')}</g>"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A bar made of parts."""

    label: str
    #: Shares, in the order of the legend.
    parts: tuple[float, ...]


def stacks(bars: Sequence[Stack], legend: Sequence[str], *, alt: str) -> str:
    """Draw bars of stacked shares, one line each, with a legend under them."""
    axis = _Axis.over([0.0, *(sum(bar.parts) for bar in bars)])
    height = _TOP + _ROW * len(bars) + _AXIS + 24
    parts = [*axis.draw(height - 24)]
    for row, bar in enumerate(bars):
        y = _TOP + _ROW * row
        parts.append(_text(_LABEL - 10, y + _ROW / 2 + 4, bar.label, anchor="end"))
        start = 0.0
        for index, share in enumerate(bar.parts):
            start_x, end_x = axis.x_of(start), axis.x_of(start + share)
            width = f'width="{end_x - start_x:.1f}" height="{_ROW - 10}"'
            parts.append(f'<rect class="part{index}" x="{start_x}" y="{y + 5}" {width}/>')
            start += share
        parts.append(_text(WIDTH - 4, y + _ROW / 2 + 4, f"{100 * sum(bar.parts):.1f}", anchor="end"))
    for index, name in enumerate(legend):
        x = _LABEL + 150 * index
        parts.append(f'<rect class="part{index}" x="{x}" y="{height - 16}" width="12" height="12"/>')
        parts.append(_text(x + 18, height - 6, name))
    return _svg(parts, height, alt)


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of a scatter plot."""

    label: str
    x: float
    y: float
    #: Written beside the point. All names together would hide the points.
    named: bool = True
    pale: bool = False


def funnel(points: Sequence[Point], *, centre: float, spread: float, across: str, alt: str) -> str:
    """
    Draw rates against numbers of speakers, between the limits of chance around *centre*.

    Args:
        points: x is a number of speakers, y a rate.
        centre: Rate of all together.
        spread: Standard deviation of one speaker's rate; the limits are 1.96 of it by the root of the number.
        across: What the horizontal axis counts.
    """
    most = max((point.x for point in points), default=1.0) * 1.15
    counts = [1 + (most - 1) * step / 60 for step in range(61)]
    limits = [(count, 1.96 * spread / math.sqrt(count)) for count in counts]
    rates_in_view = [max(0.0, centre - spread), centre + spread, *(point.y for point in points)]
    rates = _Axis.over(rates_in_view)
    height = max(260, _TOP + _AXIS + _LINE * (1 + sum(point.named for point in points)))
    scale = (height - _TOP - _AXIS) / (rates.end - rates.start or 1)

    def x(count: float) -> float:
        return round(_LABEL + (WIDTH - _LABEL - _RIGHT) * count / most, 1)

    def y(rate: float) -> float:
        return round(height - _AXIS - scale * (min(max(rate, rates.start), rates.end) - rates.start), 1)

    upper = " ".join(f"{x(count)},{y(centre + reach)}" for count, reach in limits)
    lower = " ".join(f"{x(count)},{y(centre - reach)}" for count, reach in limits)
    parts = [f'<polyline class="limit" points="{line}"/>' for line in (upper, lower)]
    parts.append(f'<line class="common" x1="{x(0)}" y1="{y(centre)}" x2="{x(most)}" y2="{y(centre)}"/>')
    parts += [_text(_LABEL - 10, y(tick) + 4, f"{100 * tick:g}", anchor="end") for tick in rates.ticks()]
    parts += [_text(x(count), height - 14, f"{count:g}", anchor="middle") for count in _whole_ticks(most)]
    parts.append(_text(WIDTH - 4, height - 14, across, anchor="end"))
    parts += [_dot(x(point.x), y(point.y), pale=point.pale) for point in points]
    named = [(x(point.x), y(point.y), point.label) for point in points if point.named]
    parts += _names(named, lowest=height - _AXIS - 4)
    return _svg(parts, height, alt)


def _dot(x: float, y: float, *, pale: bool) -> str:
    return f'<circle class="value{" pale" if pale else ""}" cx="{x}" cy="{y}" r="4"/>'


def _names(points: Sequence[tuple[float, float, str]], *, lowest: float) -> Iterator[str]:
    """
    Draw names beside their points, none over another nor below *lowest*, each with a line to its point.

    Args:
        points: Across, down, name.
    """
    ordered = sorted(points, key=lambda point: (point[1], point[0], point[2]))
    lines: list[float] = []
    for _, down, _ in ordered:
        lines.append(max(down + 4, lines[-1] + _LINE) if lines else down + 4)
    # What was pushed below the axis pushes back.
    for index in reversed(range(len(lines))):
        lines[index] = min(lines[index], lines[index + 1] - _LINE if index + 1 < len(lines) else lowest)
    for (across, down, name), line in zip(ordered, lines, strict=True):
        yield f'<line class="grid" x1="{across + 5:g}" y1="{down:g}" x2="{across + 20:g}" y2="{line - 4:g}"/>'
        yield _text(across + 23, line, name)


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """A horizontal axis of shares, labelled in per cent at round values."""

    start: float
    end: float
    step: float

    @classmethod
    def over(cls, values: Sequence[float]) -> _Axis:
        low, high = min(0.0, *values, 0.0), max(*values, 0.01)
        step = _round_step((high - low) / 6)
        return cls(start=math.floor(low / step + 1e-9) * step, end=math.ceil(high / step - 1e-9) * step, step=step)

    def x_of(self, value: float) -> float:
        share = (value - self.start) / (self.end - self.start)
        return round(_LABEL + (WIDTH - _LABEL - _RIGHT) * share, 1)

    def ticks(self) -> list[float]:
        return [
            round(self.start + self.step * index, 9) for index in range(round((self.end - self.start) / self.step) + 1)
        ]

    def draw(self, height: float) -> Iterator[str]:
        for tick in self.ticks():
            x = self.x_of(tick)
            yield f'<line class="grid" x1="{x}" y1="{_TOP}" x2="{x}" y2="{height - _AXIS:g}"/>'
            yield _text(x, height - _AXIS + 18, f"{100 * tick:g}", anchor="middle")


def _round_step(least: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least - 1e-12)


def _whole_ticks(most: float) -> list[int]:
    step = max(1, round(_round_step(most / 6)))
    return list(range(0, int(most) + 1, step))


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: Sequence[str], height: float, alt: str) -> str:
    inside = "\n".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(alt)}">\n{inside}\n</svg>'
