"""The files that hold the truth of a corpus, as boli and the tools of the field read them."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.making.sound import Conversation, Spoken

#: The columns of a manifest that `boli ingest --manifest` reads.
MANIFEST_COLUMNS = (
    "path",
    "dialect",
    "language",
    "speaker",
    "session",
    "turns",
    "split",
    "consent",
    "licence",
    "source",
)


def rttm(conversation: Conversation) -> str:
    """Give the turns as RTTM SPEAKER lines: NIST's Rich Transcription format, seconds with three decimals."""
    return "".join(
        f"SPEAKER {conversation.name} 1 {turn.start / 1000:.3f} {(turn.end - turn.start) / 1000:.3f} "
        f"<NA> <NA> {turn.speaker} <NA> <NA>\n"
        for turn in conversation.spoken
    )


def turn_fields(turn: Spoken) -> dict[str, int | str]:
    """Give one turn under the names of the sidecar."""
    return {
        "start_ms": turn.start,
        "end_ms": turn.end,
        "speaker": turn.speaker,
        "dialect": turn.dialect,
        "text": turn.text,
    }


def json_lines(rows: Iterable[dict[str, int | str]]) -> str:
    """Give *rows* as JSON, a line each, every script in its own letters."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_turns(path: Path) -> list[Spoken]:
    """Read the turns of a sidecar that `write_truth` wrote."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        Spoken(
            start=row["start_ms"], end=row["end_ms"], speaker=row["speaker"], dialect=row["dialect"], text=row["text"]
        )
        for row in rows
    ]


def write_truth(folder: Path, conversation: Conversation) -> None:
    """Write `NAME.rttm` and, last, the sidecar `NAME.jsonl`."""
    (folder / f"{conversation.name}.rttm").write_text(rttm(conversation), encoding="utf-8")
    rows = map(turn_fields, conversation.spoken)
    (folder / f"{conversation.name}.jsonl").write_text(json_lines(rows), encoding="utf-8")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[dict[str, str]]) -> None:
    """Write *rows* with *columns* as CSV; an absent column is an unknown fact and stays empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
