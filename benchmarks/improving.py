"""
How much better does `boli demo --improve` draft Hindi and the weakest English, and what do the others pay?

    python -m benchmarks.improving [--workspace FOLDER]

Walks the demo's circle in FOLDER (or in one of its own) with the settings that ship. All rates are of the frozen test,
which neither tuning nor its dev part has seen, by the drafter's engine. Whisper's base writes Hindi in Arabic letters:
its errors by letter are also given after both sides are brought to one script (`benchmarks.one_script`), which tells
what was learnt of the script from what was learnt by the ear.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.measuring import write
from benchmarks.one_script import count_letters
from dialects.scoring.rows import round_number
from dialects.scoring.word_errors import ErrorCount, Pair
from transcribe.datasets import manifest
from transcribe.records import Lineage, Model
from transcribe.training.evaluate import pairs
from transcribe.wiring import Wiring

#: Dialects that are written in another script than they are heard in.
OTHER_SCRIPT = ("hi",)
COLUMNS = ("wer_a", "wer_b", "difference", "ci_low", "ci_high", "p_adjusted", "blocks", "words")


def boli(*arguments: str | Path) -> dict[str, Any]:
    """Give the document that the command answers; a gate that does not open is an answer too."""
    answer = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments), "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    return dict(json.loads(answer.stdout))


def measure(workspace: Path) -> dict[str, Any]:
    """Give rates before and after by dialect, the decision, and the minutes."""
    began = time.monotonic()
    document = boli("demo", workspace, "--improve")
    minutes = round((time.monotonic() - began) / 60, 1)
    with Wiring.open(workspace) as wiring:
        models = {model.id: model for model in wiring.store.models.fetch()}
        circles = {}
        for model in models.values():
            lineage, decided = wiring.store.models.find_lineage(model.id), wiring.store.models.find_decision(model.id)
            if lineage is not None and decided is not None:
                circle = measure_circle(wiring, models[lineage.base], model, lineage, decided)
                circles[str(lineage.parameters["focus"])] = circle
    if not circles:
        raise SystemExit(f"{document['error']['code']}: {document['error']['message']}")
    return {"minutes_in_all": minutes, "taught": circles}


def measure_circle(
    wiring: Wiring, before: Model, after: Model, lineage: Lineage, decided: dict[str, Any]
) -> dict[str, Any]:
    """Return rates of both models by dialect, the decision and the minutes."""
    dataset = manifest.read_dataset(wiring.workspace / "datasets" / lineage.dataset)
    letters = {
        label: letters_in_one_script(
            pairs(wiring.store, wiring.recipe_with(model.place), dataset, frozenset({before.id, after.id}))
        )
        for label, model in (("before", before), ("after", after))
    }
    decision = decided["decision"]
    rows = decided["evaluation"]["comparison"]["dialects"]
    return {
        "dialects": {row["dialect"]: {name: row[name] for name in COLUMNS} for row in rows},
        "letters_in_one_script": letters,
        "minutes": round(decided["seconds"] / 60, 1),
        "promoted": decision["promoted"],
        "reasons": [*decision["against"], *decision["reasons"], *decision["notes"]],
        "parameters": dict(lineage.parameters),
        "sound_ms": {
            part: {tag: cell["milliseconds"] for tag, cell in own.items()} for part, own in dataset.counts.items()
        },
    }


def letters_in_one_script(found: Iterable[Pair]) -> dict[str, float | None]:
    """Give the share of letters that are wrong once both sides are in one script, by dialect of OTHER_SCRIPT."""
    counts = dict.fromkeys(OTHER_SCRIPT, ErrorCount.zero())
    for pair in found:
        if pair.dialect in counts:
            counts[pair.dialect] += count_letters(pair.reference, pair.hypothesis)
    return {tag: round_number(counted.rate) for tag, counted in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.workspace or Path(folder) / "demo")
    for taught, circle in found["taught"].items():
        print(f"taught {taught}, {'promoted' if circle['promoted'] else 'refused'}: {circle['reasons']}")
        for tag, row in circle["dialects"].items():
            print(f"  {tag:12} {row['wer_a']:6.1%} -> {row['wer_b']:6.1%}")
        print(f"  letters in one script: {circle['letters_in_one_script']}")
    print(f"{found['minutes_in_all']} minutes in all")
    print(write("improving", found))


if __name__ == "__main__":
    main()
