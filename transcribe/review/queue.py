"""Who is asked for what first: the dialects that a person knows, the neediest first. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
    progress: Sequence[DialectProgress], known: Collection[str], *, wanted: Collection[str] | None = None
) -> tuple[str, ...]:
    """
    The dialects that somebody is asked for, the one with the least accepted sound first; ties by tag.

    Args:
        known: What the person knows.
        wanted: Only these and what is below them.
    """
    mine = [each for each in progress if knows(known, each.dialect)]
    if wanted:
        mine = [each for each in mine if each.dialect != UNKNOWN and knows(wanted, each.dialect)]
    return tuple(each.dialect for each in sorted(mine, key=lambda each: (each.accepted, each.dialect)))
