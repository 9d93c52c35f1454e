"""
How much better does `boli improve --diariser` tell speakers apart, and does it refuse speakers that were mixed up?

    python -m benchmarks.improving_diariser [--corpus FOLDER | --composed]

FOLDER holds recordings, ``manifest.csv`` with splits and ``corrections.jsonl``; without it the demo's corpus serves,
and with ``--composed`` conversations of strangers' sentences. Twenty conversations of the train and dev parts are
corrected, some over a telephone among them, and all of the test: once as they are, once with the speakers of the twenty
dealt out by lot within each conversation. Collar 0, overlap scored, no speaker count given.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.composed_conversations import compose_conversations, deal_speakers, part_speakers, read_sentences
from benchmarks.measuring import write
from benchmarks.real_sets import DATA, read_pcm
from transcribe import embedded
from transcribe.protocols import SAMPLE_RATE_HZ
from transcribe.training.diariser_evaluation import is_narrow_band

#: Conversations that are corrected to be learnt from.
LEARNT = 20

#: A line of a corrections file.
Line = dict[str, Any]


def boli(*arguments: str | Path) -> dict[str, Any]:
    """Return the JSON document of a command, also of one that fails."""
    command = [sys.executable, "-m", "cli", *map(str, arguments), "--json"]
    document: dict[str, Any] = json.loads(
        subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    )
    return document


def compose_corpus(folder: Path) -> None:
    """Write conversations of speakers of speechocean762 and of Malayalam clips to *folder*, half over a telephone."""
    import soundfile

    shares = {"train": 3, "dev": 1, "test": 4}
    rows, lines = ["path,dialect,session,split"], []
    for corpus, dialect in (("speechocean762", "en-CN"), ("msc-ml", "ml")):
        sentences = read_sentences(DATA / "dialects" / corpus)
        parts = part_speakers(list(sentences), {part: 2 * share for part, share in shares.items()})
        for number, (part, people) in enumerate(parts.items()):
            own = {who: sentences[who] for who in people}
            count = {"train": 7, "dev": 3, "test": 10}[part]
            for made in compose_conversations(own, f"{dialect}-{part}", dialect, count, seed=number):
                soundfile.write(folder / f"{made.name}.flac", made.pcm, SAMPLE_RATE_HZ)
                rows.append(f"{made.name}.flac,{dialect},{made.name},{part}")
                lines += [
                    {
                        "recording": f"{made.name}.flac",
                        "start_ms": turn.start,
                        "end_ms": turn.end,
                        "speaker": turn.label,
                        "text": text,
                    }
                    for turn, text in zip(made.turns, made.texts, strict=True)
                ]
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    write_lines(folder / "corrections.jsonl", lines)


def write_lines(file: Path, lines: Iterable[Line]) -> None:
    """Write *lines* as JSON."""
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def read_corpus(corpus: Path) -> tuple[dict[str, str], dict[str, list[Line]]]:
    """Read the split and the corrections of each recording."""
    with (corpus / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        splits = {row["path"]: row["split"] for row in csv.DictReader(stream)}
    lines: dict[str, list[Line]] = defaultdict(list)
    for text in (corpus / "corrections.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        lines[line["recording"]].append(line)
    return splits, dict(lines)


def choose(corpus: Path, splits: Mapping[str, str]) -> list[str]:
    """Choose the conversations that are learnt from, a third of them at least over a telephone where there are such."""
    candidates = sorted(name for name, split in splits.items() if split != "test")
    random.Random(1).shuffle(candidates)
    narrow = [name for name in candidates if is_narrow_band(read_pcm(corpus / name))][: LEARNT // 3 + 1]
    others = [name for name in candidates if name not in narrow]
    return [*narrow, *others][:LEARNT]


def mix_up(lines: Sequence[Line], seed: int) -> list[Line]:
    """Deal the speakers of one conversation out by lot."""
    speakers = deal_speakers([(line["start_ms"], line["end_ms"], line["speaker"]) for line in lines], seed)
    return [line | {"speaker": speaker} for line, speaker in zip(lines, speakers, strict=True)]


def improve(corpus: Path, lines: Iterable[Line], folder: Path) -> dict[str, Any]:
    """Take *lines* in as corrections and walk the circle: error before and after, interval and decision."""
    folder.mkdir()
    write_lines(folder / "corrections.jsonl", lines)
    workspace = folder / "w"
    for step in (
        ("init", workspace),
        ("ingest", "--manifest", corpus / "manifest.csv", "--workspace", workspace),
        ("import", "corrections", folder / "corrections.jsonl", "--workspace", workspace),
    ):
        document = boli(*step)
        if not document["ok"]:
            raise SystemExit(f"{document['error']['code']}: {document['error']['message']}")
    plan = boli("improve", "--diariser", "--dry-run", "--workspace", workspace)["data"]
    answer = boli("improve", "--diariser", "--workspace", workspace)
    shown = boli("models", "show", plan["candidate"], "--workspace", workspace)
    decided = (shown["data"]["decision"] or {}) if shown["ok"] else {}
    return {
        "conversations": plan["conversations"],
        "promoted": bool(answer["ok"]),
        "refused_because": None if answer["ok"] else answer["error"]["message"],
        **{name: decided.get(name) for name in ("evaluation", "parameters", "tuning_notes", "seconds")},
    }


def measure(corpus: Path) -> dict[str, Any]:
    """Improve with the speakers as they are, and with speakers mixed up."""
    splits, lines = read_corpus(corpus)
    learnt = choose(corpus, splits)
    test = [line for name, split in splits.items() if split == "test" for line in lines[name]]
    right = [line for name in learnt for line in lines[name]]
    mixed = [line for number, name in enumerate(learnt) for line in mix_up(lines[name], number)]
    with tempfile.TemporaryDirectory() as folder:
        ways = {"as corrected": right, "speakers mixed up": mixed}
        return {
            way: improve(corpus, [*own, *test], Path(folder) / str(number))
            for number, (way, own) in enumerate(ways.items())
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=embedded.demo_corpus())
    parser.add_argument("--composed", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if options.composed:
            compose_corpus(Path(scratch))
        measured = measure(Path(scratch) if options.composed else options.corpus)
    for way, row in measured.items():
        verdict = "promoted" if row["promoted"] else f"refused: {row['refused_because']}"
        overall = (row["evaluation"] or {}).get("overall")
        rates = f"DER {overall['der_before']:.1%} -> {overall['der_after']:.1%}, " if overall else ""
        print(f"{way}: {rates}{verdict}")
    print(write("improving_diariser", measured, corpus="composed" if options.composed else options.corpus.name))


if __name__ == "__main__":
    main()
