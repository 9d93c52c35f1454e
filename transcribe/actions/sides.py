"""One side of a comparison, from wherever it lies: a report, a folder with one, or a table of pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.actions.scoring import preparer, table_pairs
from transcribe.config import ReportSettings
from transcribe.errors import InputError

if TYPE_CHECKING:
    from dialects.comparison import Side

#: Endings of tables of pairs.
TABLES = (".csv", ".jsonl", ".ndjson", ".parquet")


def is_side(place: Path) -> bool:
    """Whether *place* can be read as one, so that it is no model's name."""
    return (place.is_dir() and (place / "report.json").is_file()) or (
        place.is_file() and place.suffix.lower() in (".json", *TABLES)
    )


def side_of(place: Path, settings: ReportSettings, *, normaliser: str | None) -> Side:
    """
    The side that *place* holds.

    Raises:
        InputError: If nothing is there, it is no report, or a table has several models.
        DialectError: For a table that cannot be taken.
    """
    from dialects.comparison import Side
    from dialects.tally import tally

    if not place.exists():
        raise InputError(f"{place} was to be compared; it is not there", code="E_REPORT", item=str(place))
    if place.suffix.lower() in TABLES:
        models = table_pairs(place)
        if len(models) > 1:
            message = f"{place.name} was to be one side; it has the models {', '.join(map(str, models))}"
            raise InputError(message, code="E_MODEL", hint="boli compare A B --pairs FILE compares two of one table")
        ((model, pairs),) = models.items()
        prepare = preparer(settings, normaliser=normaliser)
        return Side.of(tally(pairs, prepare, with_recount=False), model)
    return Side.read(_report(place / "report.json" if place.is_dir() else place))


def _report(file: Path) -> dict[str, object]:
    hint = "write one with boli wer --out DIR"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{file} was to be read as a report; {error}"
        raise InputError(message, code="E_REPORT", hint=hint, item=str(file)) from None
    # What --json printed holds the report inside.
    inner = found.get("data", found) if isinstance(found, dict) else None
    if not isinstance(inner, dict):
        raise InputError(f"{file} was to be read as a report; it is none", code="E_REPORT", hint=hint, item=str(file))
    return inner
