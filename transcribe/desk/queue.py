"""The order in which a person is asked for dialects: those that they know, the neediest first. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from transcribe.desk_records import DialectProgress

#: What stands where nobody named a dialect.
UNKNOWN = "und"


def knows(tags: Collection[str], dialect: str) -> bool:
    """
    Check that somebody who knows *tags* is asked for *dialect*: for one of them, anything below it, or any if nobody
    said what they know. A dialect that nobody named is for everybody.

    >>> knows(["bho"], "bho-Deva-x-maur1239"), knows(["bho-Deva"], "bho"), knows([], "ta"), knows(["hi"], "hil")
    (True, False, True, False)
    """
    if not tags or dialect == UNKNOWN:
        return True
    lowered = dialect.casefold()
    return any(lowered == tag.casefold() or lowered.startswith(f"{tag.casefold()}-") for tag in tags)


def order_dialects(
    progress: Sequence[DialectProgress],
    tags: Collection[str],
    *,
    wanted: Collection[str] | None = None,
    widths: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """
    Return the dialects that somebody is asked for: first those whose error rate is known least, to a point, then the
    one with the least accepted sound; ties by tag. Segments without a dialect narrow no interval and come last.

    Args:
        tags: The dialects that the person knows.
        wanted: Only these and those below them.
        widths: Half the width of the interval by dialect; one that is missing is as wide as any.

    >>> facts = {"segments": {}, "sound": 9, "oldest": {}}
    >>> rows = [DialectProgress(dialect=tag, accepted=n, **facts) for n, tag in enumerate("abc")]
    >>> order_dialects(rows, [], widths={"a": 0.031, "b": 0.034})
    ('c', 'a', 'b')
    >>> order_dialects(rows, ["b", "a"], widths={"a": 0.01, "b": 0.2})
    ('b', 'a')
    """
    rows = [row for row in progress if knows(tags, row.dialect)]
    if wanted:
        rows = [row for row in rows if row.dialect != UNKNOWN and knows(wanted, row.dialect)]

    def need(row: DialectProgress) -> tuple[bool, float, int, str]:
        width = (widths or {}).get(row.dialect, math.inf)
        return row.dialect == UNKNOWN, -round(width, 2), row.accepted, row.dialect

    return tuple(row.dialect for row in sorted(rows, key=need))
