"""Who is asked for what first: the dialects that a person knows, the neediest first. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from transcribe.desk_records import DialectProgress
from transcribe.records import Milliseconds

#: Of a dialect with less accepted sound, minutes say more than an interval.
ENOUGH: Milliseconds = 30 * 60_000
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
    half_widths: Mapping[str, float] | None = None,
    wanted: Collection[str] | None = None,
) -> tuple[str, ...]:
    """
    The dialects that somebody is asked for, the neediest first.

    Those with less than half an hour of accepted sound come first, the one with the least before all; then those whose
    rate has the widest interval, the unknown width before all; ties by tag.

    Args:
        known: What the person knows.
        half_widths: Half the width of the interval of each dialect's rate, as far as there is one.
        wanted: Only these and what is below them.
    """
    widths = half_widths or {}
    mine = [each for each in progress if knows(known, each.dialect)]
    if wanted:
        mine = [each for each in mine if each.dialect != UNKNOWN and knows(wanted, each.dialect)]

    def need(each: DialectProgress) -> tuple[bool, float, str]:
        if each.accepted < ENOUGH:
            return (False, each.accepted, each.dialect)
        return (True, -widths.get(each.dialect, math.inf), each.dialect)

    return tuple(each.dialect for each in sorted(mine, key=need))
