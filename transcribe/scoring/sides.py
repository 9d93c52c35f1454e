"""One side of a comparison, read from a file: a report, a folder with one, or a table of pairs."""

from __future__ import annotations

import json
from pathlib import Path

from dialects.scoring.comparison import Side
from dialects.scoring.sums import tally
from transcribe.config import ReportSettings
from transcribe.errors import InputError, explain
from transcribe.scoring.pairs import read_table
from transcribe.scoring.rules import make_preparer

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
