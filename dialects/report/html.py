"""
The templates of a page: HTML and SVG stand in ``templates/``, where every text is escaped.

Texts of any script turn with ``dir="auto"``. A page may load nothing, so its style is included from files here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dialects.columns import p_value, percent
from dialects.scoring.word_errors import ErrorCount

if TYPE_CHECKING:
    from jinja2 import Environment, Template

#: Reference words under which a cell of a shaded table says nothing.
FEWEST_WORDS = 100


def template(file: str) -> Template:
    """Load a template of ``templates/``."""
    return _environment().get_template(file)


def macro(file: str, name: str, **constants: object) -> Callable[..., str]:
    """Load a macro of a template, which writes a part of a page and knows *constants*."""
    function: Callable[..., str] = getattr(template(file).make_module(constants), name)
    return function


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    here = Path(__file__).parent
    # Colours and letters, look.css, are those of the correction desk's screen too.
    loader = FileSystemLoader([here / "templates", here.parent])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "p_value": p_value, "g": "{:g}".format}
    return environment


def heat(header: Sequence[str], rows: Sequence[tuple[str, Sequence[ErrorCount | None]]], *, caption: str) -> str:
    """
    Write a table of rates, darker the higher. Under 100 reference words a cell is a dash: so few say nothing.

    Args:
        rows: A name and its counts, one a column; ``None`` where nobody spoke.
    """
    rates = [(name, [_rate(counts) for counts in row]) for name, row in rows]
    highest = max((rate for _, row in rates for rate in row if rate is not None), default=0.0)
    return macro("parts.html", "heat")(header, rates, highest, caption)


def _rate(counts: ErrorCount | None) -> float | None:
    return counts.rate if counts is not None and counts.words >= FEWEST_WORDS else None
