"""The request for error rates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ScoreRequest:
    """A request for error rates: the speech to score, how to score it, and the reports to write."""

    model: str | None = None
    split: str = "all"
    normaliser: str | None = None
    #: Folders with variant files, or such files.
    variants: tuple[Path, ...] = ()
    #: Lists of keys, ``dialect,speaker``: a table for each.
    by: tuple[str, ...] = ()
    #: Half the width of the interval that is wanted, in points, to be told what to record next.
    next: float | None = None
    #: Errors of whole conversations too: cpWER, what wrong attribution costs, and DER.
    conversations: bool = False
    #: A train manifest. Pairs that it shares with the test are refused, or counted in rows of their own.
    train: Path | None = None
    allow_seen: bool = False
    html: Path | None = None
    out: Path | None = None
    overwrite: bool = False
    #: Conditions that must not hold.
    fail_if: tuple[str, ...] = ()
    #: A report, or a table of pairs, that must not be better.
    fail_if_regressed: Path | None = None
    privacy_floor: bool = False
