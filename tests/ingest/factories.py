"""Small files that people hand in."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.faults.media import tone, wav
from transcribe.errors import Failure
from transcribe.ingest import Arrival, plan
from transcribe.ingest.manifest import SplitOf


def sound(path: Path, *, seconds: float = 0.5, pitch_hz: float = 220.0) -> Path:
    """A real WAV file. Another pitch makes another content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav(tone(seconds, pitch_hz=pitch_hz)))
    return path


def manifest(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """A CSV of *rows*, whose columns are those of all of them."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def plan_arrivals(file: Path, *, root: Path | str | None = None, split_of: SplitOf | None = None) -> list[Arrival]:
    """The arrivals of a manifest that has no failures."""
    arrivals = list(plan(manifest=file, root=root, split_of=split_of or (lambda speakers, session: None)))
    assert not [arrival for arrival in arrivals if isinstance(arrival, Failure)]
    return [arrival for arrival in arrivals if isinstance(arrival, Arrival)]


def list_failures(file: Path, *, root: Path | str | None = None, allow_roots: tuple[str, ...] = ()) -> list[Failure]:
    """The failures of a manifest."""
    failures = plan(manifest=file, root=root, allow_roots=allow_roots)
    return [failure for failure in failures if isinstance(failure, Failure)]
