"""Two models on the same speech: of a workspace, of one table, or from two reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.actions.looking import settings_of
from transcribe.actions.scoring import (
    KEPT,
    method_of,
    model_named,
    preparer,
    split_named,
    table_pairs,
    workspace_pairs,
)
from transcribe.actions.sides import is_side, side_of
from transcribe.config import ReportSettings
from transcribe.console import Answer
from transcribe.errors import InputError
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from dialects.comparison import Side
    from dialects.counted import CountCache
    from dialects.scoring import Pair


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Who is compared on what."""

    #: Models by name or id, or two reports, folders with one, or tables of pairs.
    a: str
    b: str
    #: The table that has both models; without it the workspace, unless both are files.
    pairs: Path | None = None
    split: str = "all"
    normaliser: str | None = None


def compare(place: Path | None, asked: Contest) -> Answer:
    """Model B against model A: difference per dialect, paired by block of speakers."""
    from dialects.comparison import contrast

    warnings: tuple[str, ...] = ()
    if asked.pairs is not None:
        settings = settings_of(None).report
        sides = [_side(table_pairs(asked.pairs, model)[model], asked, settings) for model in (asked.a, asked.b)]
    elif is_side(Path(asked.a)) and is_side(Path(asked.b)):
        settings = settings_of(None).report
        sides = [side_of(Path(one), settings, normaliser=asked.normaliser) for one in (asked.a, asked.b)]
    else:
        sides, settings, warnings = _of_workspace(place, asked)
    found = contrast(*sides, method=method_of(settings))
    return Answer(data=found.data(), text=found.text(), warnings=warnings)


def _side(pairs: Sequence[Pair], asked: Contest, settings: ReportSettings, *, kept: CountCache | None = None) -> Side:
    from dialects.comparison import Side
    from dialects.tally import tally

    prepare = preparer(settings, normaliser=asked.normaliser)
    model = pairs[0].model if pairs else None
    return Side.of(tally(pairs, prepare, with_recount=False, cache=kept), model)


def _of_workspace(place: Path | None, asked: Contest) -> tuple[list[Side], ReportSettings, tuple[str, ...]]:
    """The sides of two models of a workspace, over the corrections whose recordings both have drafted."""
    from transcribe.store.kept_counts import ScoreCache

    split = split_named(asked.split)
    with Wiring.open(place) as wiring, ScoreCache(wiring.workspace / KEPT) as kept:
        models = [model_named(wiring.store, name) for name in (asked.a, asked.b)]
        both = [{pair.id: pair for pair in workspace_pairs(wiring.store, model, split)} for model in models]
        shared = both[0].keys() & both[1].keys()
        if not shared:
            message = f"{asked.a} and {asked.b} were to be compared; no corrected recording was drafted by both"
            raise InputError(message, code="E_PAIRS", hint="boli run --model drafts with the other one")
        settings = wiring.settings.report
        sides = [
            _side([pair for id, pair in pairs.items() if id in shared], asked, settings, kept=kept) for pairs in both
        ]
    left = len(both[0].keys() | both[1].keys()) - len(shared)
    told = f"W_UNDRAFTED: {left} corrections are of recordings that only one of them drafted, and are not compared"
    return sides, settings, (told,) if left else ()
