"""
Figures as SVG text, without a drawing library: the same numbers give the same bytes, and a page needs nothing else.
The places of things are computed here; ``templates/figures.svg`` draws them.

Colours come from the page (``currentColor`` and the variables ``--accent``, ``--quiet``, ``--rule``), so that light,
dark and high contrast work alike. Every figure says in words what it shows, for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from dialects.report.html import macro

#: Width of a figure in its own units; the page scales it.
WIDTH = 760
_LABEL = 190
_RIGHT = 90
_ROW = 26
_TOP = 26
_AXIS = 54
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


def forest(marks: Sequence[Mark], *, alt: str, line: float | None = None, across: str = "WER in per cent") -> str:
    """
    Draw values with intervals, one line each, in the given order.

    Args:
        marks: Shares, 0.2 for 20 %.
        alt: The content of the figure in a sentence.
        line: Where a vertical line marks a common value, such as the pooled rate, or zero for differences.
        across: What the horizontal scale counts.
    """
    ends = [end for mark in marks for end in (mark.value, mark.low, mark.high, mark.second, *mark.dots)]
    known_ends = [end for end in (*ends, line) if end is not None]
    return _draw("forest", marks=marks, axis=_Axis.over(known_ends or [0.0]), line=line, across=across, alt=alt)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A bar made of parts."""

    label: str
    #: Shares, in the order of the legend.
    parts: tuple[float, ...]

    def spans(self) -> Iterator[tuple[float, float]]:
        """Yield the start and the end of each part."""
        return pairwise(accumulate(self.parts, initial=0.0))


def stacks(bars: Sequence[Stack], legend: Sequence[str], *, alt: str) -> str:
    """Draw bars of stacked shares, one line each, with a legend under them."""
    axis = _Axis.over([0.0, *(sum(bar.parts) for bar in bars)])
    return _draw("stacks", bars=bars, axis=axis, legend=legend, alt=alt)


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
    field = _Field(
        most=max((point.x for point in points), default=1.0) * 1.15,
        rates=_Axis.over([max(0.0, centre - spread), centre + spread, *(point.y for point in points)]),
        height=max(260, _TOP + _AXIS + _LINE * (1 + sum(point.named for point in points))),
    )
    counts = [1 + (field.most - 1) * step / 60 for step in range(61)]
    limits = [
        [(field.x_of(count), field.y_of(centre + side * spread / math.sqrt(count))) for count in counts]
        for side in (1.96, -1.96)
    ]
    named = [(field.x_of(point.x), field.y_of(point.y), point.label) for point in points if point.named]
    names = _place_names(named, lowest=field.height - _AXIS - 4)
    return _draw(
        "funnel", field=field, points=points, names=names, limits=limits, centre=centre, across=across, alt=alt
    )


def _place_names(points: Sequence[tuple[float, float, str]], *, lowest: float) -> list[tuple[float, float, float, str]]:
    """
    Place names beside their points, none over another nor below *lowest*.

    Args:
        points: Across, down, name.

    Returns:
        Across and down of the point, down of its name, name.
    """
    ordered = sorted(points, key=lambda point: (point[1], point[0], point[2]))
    lines: list[float] = []
    for _, down, _ in ordered:
        lines.append(max(down + 4, lines[-1] + _LINE) if lines else down + 4)
    # What was pushed below the axis pushes back.
    for index in reversed(range(len(lines))):
        lines[index] = min(lines[index], lines[index + 1] - _LINE if index + 1 < len(lines) else lowest)
    return [(across, down, line, name) for (across, down, name), line in zip(ordered, lines, strict=True)]


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


@dataclass(frozen=True, kw_only=True)
class _Field:
    """The area of a scatter plot: numbers from left to right, rates from the bottom to the top."""

    most: float
    rates: _Axis
    height: int

    def x_of(self, count: float) -> float:
        return round(_LABEL + (WIDTH - _LABEL - _RIGHT) * count / self.most, 1)

    def y_of(self, rate: float) -> float:
        start, end = self.rates.start, self.rates.end
        scale = (self.height - _TOP - _AXIS) / (end - start or 1)
        return round(self.height - _AXIS - scale * (min(max(rate, start), end) - start), 1)

    def whole_ticks(self) -> range:
        return range(0, int(self.most) + 1, max(1, round(_round_step(self.most / 6))))


def _round_step(least: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least - 1e-12)


def _draw(figure: str, **places: Any) -> str:
    return macro("figures.svg", figure, width=WIDTH, left=_LABEL, row=_ROW, top=_TOP, under=_AXIS)(**places)
