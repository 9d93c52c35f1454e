"""
A pool of conversations, the demo's, drafted in a workspace.

    python -m benchmarks.pool DIR [--dialect TAG ...] [--model FOLDER]

The truth stands in the declared turns. DIR/w is the workspace; a second time it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Collection
from pathlib import Path

from transcribe import embedded
from transcribe.commands.recordings import Source, draft_recordings, ingest_source
from transcribe.console import Console
from transcribe.wiring import Wiring
from transcribe.workspace import create


def prepare(place: Path, *, dialects: Collection[str] = (), model: Path | None = None) -> None:
    """
    Ingest and draft a pool.

    Args:
        dialects: Those of the demo's that it is to have; none named: all.
        model: Folder of the Whisper that drafts, in CTranslate2; none: the one that drafts by default.
    """
    corpus, workspace = embedded.demo_corpus(), create(place / "w")
    manifest = _write_manifest(corpus / "manifest.csv", place / "pool.csv", dialects)
    console = Console("boli")
    chosen = {} if model is None else {"recogniser.model": str(model)}
    with Wiring.open(workspace, chosen) as wiring:
        ingest_source(wiring, Source(manifest=manifest, root=corpus), console)
        draft_recordings(wiring, console)


def _write_manifest(source: Path, file: Path, dialects: Collection[str]) -> Path:
    """Copy the rows of *dialects*, all to be learnt from: what is measured on is drawn later."""
    with source.open(encoding="utf-8", newline="") as stream:
        rows = [row | {"split": "train"} for row in csv.DictReader(stream)]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if not dialects or row["dialect"] in dialects)
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path)
    parser.add_argument("--dialect", action="append", default=[])
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    prepare(given.place, dialects=given.dialect, model=given.model)


if __name__ == "__main__":
    main()
