"""
What freezing a dataset costs: a million accepted corrections of twelve words each, in an SQLite workspace.

One in ten recordings is tested, one in ten watched; a tenth of the sentences of the training are said in the test too,
so that the second look at every line has work to do. Each correction was made on a drafted segment.

    python -m benchmarks.freeze --corrections 1000000

Written to results/freeze.json, with the memory of a process of its own that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from benchmarks.insert_segments import OF_ONE, recordings, work_on
from benchmarks.measuring import write
from dialects.dialect import load_catalogue
from transcribe.datasets import Rules, freeze
from transcribe.records import Drafted, Recording, Split
from transcribe.store import Store
from transcribe.store.rows import insert_rows
from transcribe.store.schema import CORRECTIONS

WORDS = ["बोलचाल", "में", "हर", "गाँव", "की", "अपनी", "बोली", "होती", "है", "और", "लोग", "उसे", "सुनते", "हैं"]
SPLITS: tuple[Split, ...] = ("test", "dev", *get_args(Split)[:1] * 8)
#: Of a correction, in the order of `rows`.
COLUMNS = (
    "id",
    "recording",
    "segment",
    "start_ms",
    "end_ms",
    "text",
    "speaker",
    "dialect",
    "author",
    "accepted",
    "added_at",
)
#: What many say: a tenth of all.
COMMON = [" ".join(random.Random(number).sample(WORDS, 12)) for number in range(200)]


def fill(url: str, count: int) -> None:
    """A workspace with *count* corrections."""
    rng = random.Random(0)
    with Store.open(url) as store:
        for number, bare in zip(range(max(count // OF_ONE, 1)), recordings(), strict=False):
            facts = {"split": SPLITS[number % len(SPLITS)], "dialect": "hi", "language": "hi", "session": f"s{number}"}
            recording = Recording(**{**vars(bare), **facts})
            store.recordings.add([recording])
            drafted = work_on(recording)
            store.drafts.save(drafted)
            with store.database.begin_write() as connection:
                insert_rows(connection, CORRECTIONS, COLUMNS, list(rows(number + 1, drafted, rng)))


def rows(recording: int, drafted: Drafted, rng: random.Random) -> Iterator[tuple[str | float | None, ...]]:
    """A correction of each segment, by row numbers; one in ten says what others say too."""
    for number, segment in enumerate(drafted.segments, 1 + (recording - 1) * OF_ONE):
        own = " ".join([*rng.sample(WORDS, 11), str(rng.randrange(10**9))])
        text = rng.choice(COMMON) if rng.random() < 0.1 else own
        span = (segment.start, segment.end)
        yield f"c-{segment.id}", recording, number, *span, text, segment.speaker, "hi", "somebody", 1, "now"


def once(url: str, folder: Path) -> dict[str, object]:
    """Freeze; what it took and what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    with Store.open(url) as store:
        frozen = freeze(store, folder, Rules(catalogue=load_catalogue()))
    return {
        "wall_s": round(time.perf_counter() - wall, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        # KiB on Linux.
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "stretches": sum(cell["stretches"] for found in frozen.counts.values() for cell in found.values()),
        "left_out": frozen.facts["left_out"],
        "sha256": frozen.sha256,
        "manifest_mib": (folder / "manifest.jsonl").stat().st_size >> 20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corrections", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--database", type=Path, help="made if it is not there, and kept; default: a passing one")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once is not None:
        print(json.dumps(once(f"sqlite:///{given.database}", given.once)))
        return
    with tempfile.TemporaryDirectory() as folder:
        database = given.database or Path(folder) / "boli.db"
        if not database.exists():
            fill(f"sqlite:///{database}", given.corrections)
        rounds = []
        for number in range(given.repeats):
            own = ["--database", str(database), "--once", f"{folder}/{number}"]
            command = [sys.executable, "-m", "benchmarks.freeze", *own]
            rounds.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            print(rounds[-1])
    assert len({found["sha256"] for found in rounds}) == 1, "the same store gave different bytes"
    write("freeze", {"rounds": rounds}, corrections=given.corrections, words_a_text=12)


if __name__ == "__main__":
    main()
