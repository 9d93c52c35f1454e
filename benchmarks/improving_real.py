"""
How much better does `boli improve` draft strangers' speech with a real Whisper, without a model hub or a GPU?

    python -m benchmarks.improving_real [--set NAME ...] [--workspaces FOLDER]

Each set has a workspace of its own in FOLDER, where the whole circle is walked with the settings that ship: ingest,
run, import corrections, improve. Killed and started again it goes on. Tested are people whom no training heard, through
the drafter's engine:

    malayalam         msc-ml: ten people teach, two of them watched while tuning; seven are tested. Sentences that the
                      training has too are counted apart, so the vocabulary is declared closed
    mandarin-adults   speechocean762, English of adults from China: four teach, one of them watched; six are tested
    mandarin-children the same of children
    indian-addresses  duke-addresses, English of India whatever the home language: eight teach, three watch, eight test

Who teaches and who is tested is drawn by a hash of the name. A set on which nothing is shown to be better is told as
such: its model does not draft.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import RESULTS, write
from benchmarks.real_sets import DATA, ROOT, read_manifest
from dialects.dialect import load_catalogue
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import by_block, round_number
from dialects.scoring.statistics import jackknife_interval
from dialects.scoring.sums import Tally, tally
from dialects.scoring.word_errors import Pair
from dialects.text.normalise import load_normaliser
from transcribe.datasets import manifest as frozen
from transcribe.datasets.manifest import Frozen
from transcribe.records import Split
from transcribe.training.evaluate import pairs
from transcribe.wiring import Wiring

NAME = "improving_real"


@dataclass(frozen=True, kw_only=True)
class SpeechSet:
    """Clips of one dialect, and how many people teach, watch and are tested."""

    folder: str
    dialect: str
    #: What the dialect of a row begins with.
    rows: str
    #: People of the train, dev and test part; the dev part's are those of the first ones with the fewest clips.
    people: tuple[int, int, int]
    settings: str = ""


SETS = {
    "malayalam": SpeechSet(
        folder="msc-ml",
        dialect="ml-IN",
        rows="ml",
        people=(8, 2, 7),
        settings="[dataset]\nclosed_vocabulary = true\n",
    ),
    "mandarin-adults": SpeechSet(
        folder="speechocean762", dialect="en-CN-x-adult", rows="en-CN-x-adult", people=(3, 1, 6)
    ),
    "mandarin-children": SpeechSet(
        folder="speechocean762", dialect="en-CN-x-child", rows="en-CN-x-child", people=(3, 1, 6)
    ),
    "indian-addresses": SpeechSet(folder="duke-addresses", dialect="en-IN", rows="en-IN", people=(8, 3, 8)),
}


def boli(*arguments: str | Path) -> dict[str, Any]:
    """The document that the command answers."""
    answer = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ROOT,
    )
    return dict(json.loads(answer.stdout))


def must(*arguments: str | Path) -> dict[str, Any]:
    """``data`` of a command that has to succeed."""
    document = boli(*arguments)
    if not document["ok"]:
        raise SystemExit(f"{arguments[0]}: {document['error']['code']}: {document['error']['message']}")
    return dict(document["data"])


def rows_of(speech: SpeechSet) -> list[dict[str, str]]:
    """Rows of the set's manifest."""
    rows = read_manifest(DATA / "dialects" / speech.folder)
    return [row for row in rows if row["dialect"] == speech.rows or row["dialect"].startswith(f"{speech.rows}-")]


def splits(speech: SpeechSet, rows: Sequence[dict[str, str]]) -> dict[str, Split]:
    """The part that each person is in."""
    clips: dict[str, int] = {}
    for row in rows:
        clips[row["speaker"]] = clips.get(row["speaker"], 0) + 1
    people = sorted(clips, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    train, dev, test = speech.people
    learned, tested = people[: train + dev], people[train + dev : train + dev + test]
    watched = sorted(learned, key=lambda name: (clips[name], name))[:dev]
    parts: dict[str, Split] = dict.fromkeys(learned, "train")
    return parts | dict.fromkeys(watched, "dev") | dict.fromkeys(tested, "test")


def write_rows(place: Path, header: Sequence[str], rows: Iterator[Sequence[object]]) -> None:
    """Write a table."""
    with place.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


def walk(name: str, workspace: Path) -> dict[str, Any]:
    """Walk the circle in *workspace*: what `boli improve` answered, promoted or not."""
    speech = SETS[name]
    rows = rows_of(speech)
    split = splits(speech, rows)
    if not (workspace / "boli.toml").is_file():
        must("init", workspace)
        (workspace / "boli.toml").write_text(speech.settings, encoding="utf-8")
    source = DATA / "dialects" / speech.folder
    kept = [row for row in rows if row["speaker"] in split]
    manifest, corrections = workspace / "manifest.csv", workspace / "corrections.csv"
    people = ((row["path"], speech.dialect, row["speaker"], 1, split[row["speaker"]]) for row in kept)
    write_rows(manifest, ("path", "dialect", "speaker", "num_speakers", "split"), people)
    must("ingest", "--manifest", manifest, "--root", source, "--workspace", workspace)
    must("run", "--workspace", workspace)
    texts = {row["path"]: row["text"] for row in kept}
    with Wiring.open(workspace) as wiring:
        lines = [
            (one.path, 0, one.duration, one.speaker, one.dialect, texts[one.path])
            for one in wiring.store.recordings.fetch()
        ]
    header = ("recording", "start_ms", "end_ms", "speaker", "dialect", "text")
    write_rows(corrections, header, iter(lines))
    must("import", "corrections", corrections, "--workspace", workspace)
    return boli("improve", "--workspace", workspace)


def measure(name: str, workspace: Path) -> dict[str, Any]:
    """What came of one set."""
    document = walk(name, workspace)
    with Wiring.open(workspace) as wiring:
        tuned = [
            model for model in wiring.store.models.fetch() if wiring.store.models.find_lineage(model.id) is not None
        ]
        if not tuned:
            # Nothing was gained on the dev part: there is no model to hold against the one before.
            return {"promoted": False, "reasons": [document["error"]["message"]]}
        candidate = tuned[-1]
        lineage, kept = wiring.store.models.find_lineage(candidate.id), wiring.store.models.find_decision(candidate.id)
        if lineage is None or kept is None:
            raise SystemExit(f"{name}: {document['error']['message']}")
        before = next(model for model in wiring.store.models.fetch() if model.id == lineage.base)
        dataset = frozen.read_dataset(workspace / "datasets" / lineage.dataset)
        rates = {
            label: rates_of(list(pairs(wiring.store, wiring.recipe_with(model.place), dataset, frozenset())), dataset)
            for label, model in (("before", before), ("after", candidate))
        }
        decision = kept["decision"]
        return {
            "promoted": decision["promoted"],
            "reasons": [*decision["against"], *decision["reasons"], *decision["notes"]],
            "minutes": round(kept["seconds"] / 60, 1),
            "steps": lineage.parameters["steps"],
            "counts": {part: dict(own) for part, own in dataset.counts.items()},
            "rates": rates,
            "comparison": kept["evaluation"]["comparison"]["dialects"],
        }


def rates_of(found: Sequence[Pair], dataset: Frozen) -> dict[str, Any]:
    """Errors with their intervals by speaker: of all, of sentences that the training has too, and of the others."""
    taught = {sentence(one.text or "", one.dialect) for one in dataset.examples("train")}
    known = [pair for pair in found if sentence(pair.reference, pair.dialect) in taught]
    new = [pair for pair in found if sentence(pair.reference, pair.dialect) not in taught]
    return {"all": errors(found), "known sentences": errors(known), "new sentences": errors(new)}


def sentence(text: str, dialect: str | None) -> str:
    """*text* without what does not count."""
    return load_normaliser(load_catalogue().find(dialect or "und").normaliser)(text)


def errors(found: Sequence[Pair]) -> dict[str, Any]:
    """WER and CER with their intervals."""
    people = tally(found, Preparer(load_catalogue()), with_recount=False).everyone
    return {
        "texts": len(found),
        "speakers": len(people),
        "wer": rate(people, lambda part: (part.counts.errors, part.counts.words)),
        "cer": rate(people, lambda part: (part.character_errors, part.characters)),
    }


def rate(people: Mapping[str, Tally], of: Callable[[Tally], tuple[int, int]]) -> dict[str, Any]:
    """A share of errors, with its interval by speaker."""
    blocks = by_block(people, of=of).values()
    wrong, whole = [one for one, _ in blocks], [one for _, one in blocks]
    interval = jackknife_interval(wrong, whole) if len(wrong) > 1 and sum(whole) else None
    share = sum(wrong) / sum(whole) if sum(whole) else None
    return {
        "rate": round_number(share),
        "interval": None if interval is None else [round_number(end) for end in interval],
    }


def told(name: str, found: dict[str, Any]) -> str:
    """What came of a set, in a few lines."""
    lines = [f"{name}: {'promoted' if found['promoted'] else 'not promoted'}"]
    for label in ("all", "known sentences", "new sentences") if "rates" in found else ():
        before, after = found["rates"]["before"][label], found["rates"]["after"][label]
        for kind in ("wer", "cer"):
            if after[kind]["rate"] is not None:
                low, high = after[kind]["interval"] or (float("nan"), float("nan"))
                change = f"{before[kind]['rate']:.1%} -> {after[kind]['rate']:.1%} ({low:.1%} to {high:.1%})"
                lines.append(f"  {kind.upper()} of {label} ({after['texts']} texts): {change}")
    return "\n".join([*lines, *(f"  {reason}" for reason in found["reasons"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", choices=sorted(SETS), dest="sets")
    parser.add_argument("--workspaces", type=Path, default=Path(tempfile.gettempdir()) / "boli-improving-real")
    given = parser.parse_args()
    place = RESULTS / f"{NAME}.json"
    found = json.loads(place.read_text(encoding="utf-8"))["found"] if place.is_file() else {}
    for name in given.sets or SETS:
        found[name] = measure(name, given.workspaces / name)
        print(told(name, found[name]))
        write(NAME, found)


if __name__ == "__main__":
    main()
