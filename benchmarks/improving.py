"""
How much better does `boli improve` draft the demo's weak dialect, what do the others pay, and how long does it take?

    python -m benchmarks.improving [--workspace FOLDER]

Makes the demo's workspace in FOLDER (or in one of its own), or takes the one that stands there, and walks the circle
with the settings that ship. All rates are of the frozen test, which neither tuning nor its dev part has seen.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import write


def boli(*arguments: str | Path) -> dict[str, Any]:
    """``data`` of what the command answers; a gate that does not open is an answer too."""
    said = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments), "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    document: dict[str, Any] = json.loads(said.stdout)
    if not document["ok"]:
        raise SystemExit(f"{document['error']['code']}: {document['error']['message']}")
    return dict(document["data"])


def measure(workspace: Path) -> dict[str, Any]:
    """Rates before and after by dialect, the decision, and the minutes."""
    if not (workspace / "boli.toml").is_file():
        boli("demo", workspace)
    found = boli("improve", "--workspace", workspace)
    kept = ("wer_a", "wer_b", "difference", "ci_low", "ci_high", "p_adjusted", "blocks", "words")
    rows = found["evaluation"]["comparison"]["dialects"]
    return {
        "dialects": {row["dialect"]: {name: row[name] for name in kept} for row in rows},
        "focus": found["focus"],
        "minutes": found["cost"]["minutes"],
        "promoted": found["decision"]["promoted"],
        "reasons": found["decision"]["reasons"],
        "steps": found["steps"],
        "sound_ms": {part: sum(one["milliseconds"] for one in own.values()) for part, own in found["counts"].items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.workspace or Path(folder) / "demo")
    for tag, row in found["dialects"].items():
        print(f"{tag:12} {row['wer_a']:6.1%} -> {row['wer_b']:6.1%}")
    print(f"{found['minutes']} minutes, {'promoted' if found['promoted'] else 'refused'}")
    print(write("improving", found))


if __name__ == "__main__":
    main()
