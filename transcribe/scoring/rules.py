"""The request for error rates, and the settings of reports as rules of texts and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from transcribe.errors import UsageError
from transcribe.records import Split

if TYPE_CHECKING:
    from dialects.scoring.prepare import Preparer
    from dialects.scoring.rows import Method
    from transcribe.config import ReportSettings


SPLITS: tuple[Split, ...] = get_args(Split)


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
    #: Address of the desk, that a page's examples link to.
    desk: str | None = None
    out: Path | None = None
    overwrite: bool = False
    #: Conditions that must not hold.
    fail_if: tuple[str, ...] = ()
    #: A report, or a table of pairs, that must not be better.
    fail_if_regressed: Path | None = None
    privacy_floor: bool = False


def make_preparer(
    settings: ReportSettings,
    *,
    normaliser: str | None = None,
    variants: tuple[Path, ...] = (),
    remember: bool = False,
) -> Preparer:
    """Build the rules that texts go through before comparison; *remember* for several rounds over the same pairs."""
    from dialects.dialect import load_catalogue
    from dialects.scoring.prepare import Preparer

    return Preparer(
        load_catalogue(), normaliser=normaliser or settings.normaliser, variant_paths=variants, remember=remember
    )


def read_method(settings: ReportSettings) -> Method:
    """Read from *settings* how intervals and states are made."""
    from dialects.scoring.rows import Method
    from dialects.scoring.statistics import Thresholds

    limits = settings.model_dump(include=set(Thresholds.__dataclass_fields__))
    return Method(thresholds=Thresholds(**limits), confidence=settings.confidence)


def parse_split(name: str) -> Split | None:
    """
    Return the part called *name*; ``None`` for all of them.

    Raises:
        UsageError: There is no such part.
    """
    if name not in (*SPLITS, "all"):
        raise UsageError(f"--split {name} was asked for, the parts are {', '.join(SPLITS)} and all")
    return next((split for split in SPLITS if split == name), None)
