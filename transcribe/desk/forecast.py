"""The days that the rest of a dialect takes at its recent pace. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from transcribe.records import Milliseconds
from transcribe.store.dashboard import Outlook

#: Days that the pace is taken from.
PACE_DAYS = 14
#: States of segments that nobody has written, that wait for a reviewer, and that are done with.
TO_WRITE = ("open", "held", "returned")
TO_REVIEW = ("review", "disputed", "aside")

DEFINITIONS: Mapping[str, str] = {
    "sound": "length of the segments, silence between them left out",
    "drafted": "sound that a machine has written a draft of",
    "waiting": "sound that nobody has written yet, or that was sent back",
    "reviewing": "sound whose text waits for a reviewer, two texts that differ among it",
    "accepted": "sound whose text stands; it scores and trains",
    "reviewed": "accepted by a reviewer's decision",
    "pace": f"sound written and accepted a day, over the last {PACE_DAYS} days or since the first of them",
    "days_left": "sound that is not accepted yet over the pace; nothing where there is no pace",
}


def row(outlook: Outlook, *, name: str, now: str) -> dict[str, Any]:
    """Return one dialect's line of the progress page."""
    sound = outlook.sound
    waiting = sum(sound.get(state, 0) for state in TO_WRITE)
    reviewing = sum(sound.get(state, 0) for state in TO_REVIEW)
    pace = pace_of(outlook.lately, outlook.lately_from, now)
    return {
        "dialect": outlook.dialect,
        "name": name,
        "segments": dict(sorted(outlook.segments.items())),
        "sound_ms": sum(sound.values()),
        "drafted_ms": outlook.drafted,
        "waiting_ms": waiting,
        "reviewing_ms": reviewing,
        "accepted_ms": sound.get("accepted", 0),
        "reviewed_ms": outlook.reviewed,
        "unclear_ms": sound.get("unclear", 0),
        "pace_ms_a_day": pace,
        "days_left": days_left(waiting + reviewing, pace),
        "oldest": dict(sorted(outlook.oldest.items())),
    }


def pace_of(lately: Milliseconds, since: str | None, now: str) -> Milliseconds:
    """Return milliseconds of sound a day. *since* is when the first was accepted; less than a day counts as one."""
    if since is None:
        return 0
    days = (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds() / 86_400
    return round(lately / min(max(days, 1.0), PACE_DAYS))


def days_left(remaining: Milliseconds, pace: Milliseconds) -> int | None:
    """
    Return the whole days that *remaining* takes; ``None`` if nothing moves.

    >>> days_left(0, 0), days_left(90, 60), days_left(1, 0)
    (0, 2, None)
    """
    if remaining == 0:
        return 0
    return math.ceil(remaining / pace) if pace > 0 else None
