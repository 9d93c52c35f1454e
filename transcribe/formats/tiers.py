"""The layout of tiers, for programs that draw a line of intervals for each speaker."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from transcribe.formats.records import TimedText


def lay_out(items: Iterable[TimedText], *, unknown: str) -> list[tuple[str, list[TimedText]]]:
    """
    Return named rows of *items* in which nothing overlaps, in the order in which speakers begin.

    What overlaps something of the same speaker goes to a further row, ``Asha [2]``.

    Args:
        items: Of one recording, ordered by start.
        unknown: Name of the row for items without a speaker.
    """
    rows: dict[str, list[TimedText]] = {}
    for stretch in items:
        speaker = stretch.speaker or unknown
        number = 1
        name = speaker
        while rows.get(name) and rows[name][-1].end > stretch.start:
            number += 1
            name = f"{speaker} [{number}]"
        rows.setdefault(name, []).append(stretch)
    return list(rows.items())


def speaker_of(row: str, rows: Collection[str], *, unknown: str) -> str | None:
    """
    Return the speaker of the row called *row* among *rows*.

    >>> speaker_of("Asha [2]", ["Asha", "Asha [2]"], unknown="speech")
    'Asha'
    """
    base = re.sub(r" \[\d+\]$", "", row)
    name = base if base in rows else row
    return None if name in (unknown, "") else name
