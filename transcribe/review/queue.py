"""Who is asked for what first: the dialects that a person knows, the neediest first. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from transcribe.desk_records import DialectProgress

#: What stands where nobody named a dialect.
UNKNOWN = "und"


def knows(known: Collection[str], dialect: str) -> bool:
    """
    Whether somebody who knows *known* is asked for *dialect*: for one of them, anything below it, or any if nobody
    said what they know. A dialect that nobody named is for everybody.

    >>> knows(["bho"], "bho-Deva-x-maur1239"), knows(["bho-Deva"], "bho"), knows([], "ta"), knows(["hi"], "hil")
    (True, False, True, False)
    """
    if not known or dialect == UNKNOWN:
        return True
    asked = dialect.casefold()
    return any(asked == tag.casefold() or asked.startswith(f"{tag.casefold()}-") for tag in known)


def order(
    progress: Sequence[DialectProgress],
    known: Collection[str],
    *,
    wanted: Collection[str] | None = None,
    widths: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """
    The dialects that somebody is asked for: first those whose error rate is known least, to a point, then the one with
    the least accepted sound; ties by tag. What nobody named a dialect of narrows no interval and comes last.

    Args:
        known: What the person knows.
        wanted: Only these and what is below them.
        widths: Half the width of the interval by dialect; one that is missing is as wide as any.

    >>> facts = {"segments": {}, "sound": 9, "oldest": {}}
    >>> told = [DialectProgress(dialect=tag, accepted=n, **facts) for n, tag in enumerate("abc")]
    >>> order(told, [], widths={"a": 0.031, "b": 0.034}), order(told, ["b", "a"], widths={"a": 0.01, "b": 0.2})
    (('c', 'a', 'b'), ('b', 'a'))
    """
    mine = [each for each in progress if knows(known, each.dialect)]
    if wanted:
        mine = [each for each in mine if each.dialect != UNKNOWN and knows(wanted, each.dialect)]

    def need(each: DialectProgress) -> tuple[bool, float, int, str]:
        width = (widths or {}).get(each.dialect, math.inf)
        return each.dialect == UNKNOWN, -round(width, 2), each.accepted, each.dialect

    return tuple(each.dialect for each in sorted(mine, key=need))
