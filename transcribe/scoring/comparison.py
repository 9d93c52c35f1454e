"""Comparison of two models on the same speech: of a workspace, of one table, or from two reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dialects.scoring.comparison import Comparison, Side, contrast
from dialects.scoring.sums import CountCache, tally
from dialects.scoring.word_errors import Pair
from transcribe.config import ReportSettings
from transcribe.errors import InputError, explain
from transcribe.scoring.pairs import read_table, stream_pairs
from transcribe.scoring.rules import make_preparer, parse_split, read_method
from transcribe.store.score_cache import ScoreCache
from transcribe.wiring import Wiring, read_settings
from transcribe.workspace import COUNTS_FILE, find_model

#: Endings of tables of pairs.
TABLES = (".csv", ".jsonl", ".ndjson", ".parquet")


def is_side(path: Path) -> bool:
    """Tell if *path* can be read as a side, so that it is no model's name."""
    if path.is_dir():
        return (path / "report.json").is_file()
    return path.is_file() and path.suffix.lower() in (".json", *TABLES)


def read_side(path: Path, settings: ReportSettings, *, normaliser: str | None) -> Side:
    """
    Read the side that *path* holds.

    Raises:
        InputError: If nothing is there, it is no report, or a table has several models.
        DialectError: For a table that cannot be taken.
    """
    if not path.exists():
        raise InputError(f"{path} was to be compared; it is not there", code="E_REPORT", item=str(path))
    if path.suffix.lower() in TABLES:
        models = read_table(path)
        if len(models) > 1:
            message = f"{path.name} was to be one side; it has the models {', '.join(map(str, models))}"
            raise InputError(message, code="E_MODEL", hint="boli compare A B --pairs FILE compares two of one table")
        ((model, pairs),) = models.items()
        prepare = make_preparer(settings, normaliser=normaliser)
        return Side.of(tally(pairs, prepare, with_recount=False), model)
    return Side.parse(_read_report(path / "report.json" if path.is_dir() else path))


def _read_report(file: Path) -> dict[str, object]:
    hint = "write one with boli wer --out DIR"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{file} was to be read as a report; {explain(error)}"
        raise InputError(message, code="E_REPORT", hint=hint, item=str(file)) from None
    # What --json printed holds the report inside.
    report = document.get("data", document) if isinstance(document, dict) else None
    if not isinstance(report, dict):
        raise InputError(f"{file} was to be read as a report; it is none", code="E_REPORT", hint=hint, item=str(file))
    return report


@dataclass(frozen=True, kw_only=True)
class ComparisonRequest:
    """The two models to compare, and the speech to compare them on."""

    #: Models by name or id, or two reports, folders with one, or tables of pairs.
    a: str
    b: str
    #: The table that has both models; without it the workspace, unless both are files.
    pairs: Path | None = None
    split: str = "all"
    normaliser: str | None = None


def compare(workspace: Path | None, request: ComparisonRequest) -> tuple[Comparison, tuple[str, ...]]:
    """Compare model B with model A, paired by block of speakers; the second item are warnings."""
    warnings: tuple[str, ...] = ()
    if request.pairs is not None:
        settings = read_settings(None).report
        sides = [
            _make_side(read_table(request.pairs, name)[name], request, settings) for name in (request.a, request.b)
        ]
    elif is_side(Path(request.a)) and is_side(Path(request.b)):
        settings = read_settings(None).report
        sides = [read_side(Path(path), settings, normaliser=request.normaliser) for path in (request.a, request.b)]
    else:
        sides, settings, warnings = _read_workspace(workspace, request)
    return contrast(*sides, method=read_method(settings)), warnings


def _make_side(
    pairs: Sequence[Pair], request: ComparisonRequest, settings: ReportSettings, *, cache: CountCache | None = None
) -> Side:
    prepare = make_preparer(settings, normaliser=request.normaliser)
    model = pairs[0].model if pairs else None
    return Side.of(tally(pairs, prepare, with_recount=False, cache=cache), model)


def _read_workspace(
    workspace: Path | None, request: ComparisonRequest
) -> tuple[list[Side], ReportSettings, tuple[str, ...]]:
    """Read the sides of two models of a workspace, over the corrections whose recordings both have drafted."""
    split = parse_split(request.split)
    with Wiring.open(workspace) as wiring, ScoreCache(wiring.workspace / COUNTS_FILE) as cache:
        models = [find_model(wiring.store, name) for name in (request.a, request.b)]
        pair_by_id, other_by_id = (
            {pair.id: pair for pair in stream_pairs(wiring.store, model, split)} for model in models
        )
        shared = pair_by_id.keys() & other_by_id.keys()
        if not shared:
            message = f"{request.a} and {request.b} were to be compared; no corrected recording was drafted by both"
            raise InputError(message, code="E_PAIRS", hint="boli run --model drafts with the other one")
        settings = wiring.settings.report
        sides = [
            _make_side([pair for id, pair in pairs.items() if id in shared], request, settings, cache=cache)
            for pairs in (pair_by_id, other_by_id)
        ]
    count = len(pair_by_id.keys() ^ other_by_id.keys())
    warning = f"W_UNDRAFTED: {count} corrections are of recordings that only one of them drafted, and are not compared"
    return sides, settings, (warning,) if count else ()
