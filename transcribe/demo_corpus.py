"""The parts of the demo's corpus that a demo drafts, corrects, learns from and leaves to write."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from transcribe import embedded
from transcribe.backends import model_cache, model_catalogue
from transcribe.errors import InputError

#: A dialect of the demo has few conversations: it is called reportable sooner, and the report says so. On its desk one
#: person of each kind works: each text is reviewed, none is written twice, and everybody sees what the others do.
SETTINGS: Final[dict[str, Mapping[str, Any]]] = {
    "report": {"provisional_words": 100, "reportable_speakers": 5, "reportable_words": 300},
    "desk": {"review_share": 1.0, "second_share": 0.0, "gold_share": 0.0},
    # A processor multiplies whole numbers faster than floats, and the model writes nearly the same words.
    "recogniser": {"compute_type": "int8"},
}
#: What is heard worst is taught, each language by itself and no longer than somebody waits who tries it on two cores.
TAUGHT_SETTINGS: Final[dict[str, Mapping[str, Any]]] = {
    "hi": {
        "train.steps": 225,
        "train.windows": 4,
        "train.test_every": 45,
        "train.frozen_layers": 3,
    },
    "en-scotland": {
        "train.steps": 75,
        "train.windows": 12,
        "train.test_every": 15,
        "train.rate": 7e-5,
        "train.frozen_layers": 2,
    },
}
#: Models that draft the demo, whatever else was fetched to this machine, so that everybody sees the same.
MODELS: Final = {"recogniser": "whisper-base", "diariser": "diariser-real"}
#: Test conversations that the demo drafts, a quarter of an hour: four dialects with enough to be reportable, the others
#: with one each.
DRAFTED_COUNTS: Final = {"en-US": 5, "en-GB": 6, "en-scotland": 6, "hi": 5, "en-IN": 1, "hi-x-mixed": 1, "ta": 1}
#: Where it improves too: enough of what is taught that a difference can be certain.
TESTED_COUNTS: Final = DRAFTED_COUNTS | {"en-scotland": 12, "hi": 8}
#: Where the desk opens: of each dialect so many to write, and so many of the test.
SERVED_COUNTS: Final = {"train": 2, "test": 1}


def read_settings() -> Mapping[str, Mapping[str, Any]]:
    """Give the demo's settings with the models that draft it: real ones where both are here, else the embedded ones."""
    entries = {kind: model_catalogue.need_entry(name) for kind, name in MODELS.items()}
    real = all(model_cache.is_here(entry) for entry in entries.values())
    models = {kind: {"model": entry.name if real else embedded.NAME} for kind, entry in entries.items()}
    return SETTINGS | {kind: {**SETTINGS.get(kind, {}), **model} for kind, model in models.items()}


def read_rows(conversations: Sequence[str]) -> list[dict[str, str]]:
    """
    Read the rows of the corpus's manifest; of *conversations* alone, where any are named.

    Raises:
        InputError: The corpus has no such conversation.
    """
    manifest = embedded.demo_corpus() / "manifest.csv"
    with manifest.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    unknown = set(conversations) - {Path(row["path"]).stem for row in rows}
    if unknown:
        raise InputError(
            f"--conversation {', '.join(sorted(unknown))} was asked for, the demo has no such one",
            hint=f"{manifest} lists them, for example {Path(rows[0]['path']).stem}",
        )
    return [row for row in rows if not conversations or Path(row["path"]).stem in conversations]


def choose_rows(rows: Sequence[dict[str, str]], counts: Mapping[str, int], split: str = "test") -> list[dict[str, str]]:
    """
    Choose so many rows of each dialect as *counts* says: the first ones of *split*.

    >>> tests = [{"dialect": "ta", "split": "test", "path": path} for path in "ab"]
    >>> [row["path"] for row in choose_rows([{"dialect": "ta", "split": "dev", "path": "c"}, *tests], {"ta": 1})]
    ['a']
    """
    by_dialect: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["split"] == split:
            by_dialect.setdefault(row["dialect"], []).append(row)
    return [row for dialect, part in by_dialect.items() for row in part[: counts.get(dialect, 0)]]


def choose_served(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Choose the rows that a desk opens with."""
    dialects = {row["dialect"] for row in rows}
    return [
        row
        for split, count in SERVED_COUNTS.items()
        for row in choose_rows(rows, dict.fromkeys(dialects, count), split)
    ]


def find_held_back(rows: Sequence[dict[str, str]]) -> set[str]:
    """
    Return the paths of the conversations whose corrections are held back, so that there is work to do.

    These are, of each dialect, all of those to learn from, and half of those to measure with.

    >>> row = {"dialect": "hi", "split": "test"}
    >>> sorted(find_held_back([row | {"path": path} for path in "abc"] + [row | {"path": "d", "split": "dev"}]))
    ['c', 'd']
    """
    measuring: dict[str, list[str]] = {}
    for row in rows:
        if row["split"] == "test":
            measuring.setdefault(row["dialect"], []).append(row["path"])
    with_texts = {path for paths in measuring.values() for path in paths[: (len(paths) + 1) // 2]}
    return {row["path"] for row in rows} - with_texts


def write_manifest(file: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Write *rows* as a manifest to *file*, and return it."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def write_corrections(file: Path, paths: Collection[str]) -> Path:
    """Write the corrections of the recordings with those *paths* to *file*, and return it."""
    corrections = embedded.demo_corpus() / "corrections.jsonl"
    lines = corrections.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if json.loads(line)["recording"] in paths), encoding="utf-8")
    return file
