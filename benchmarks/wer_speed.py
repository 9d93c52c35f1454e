"""
How fast are word errors counted, beside jiwer on the same segments?

    counts        ours: hits, substitutions, deletions and insertions of every segment, by minimum edits, maximum hits
    total edits   ours: their sum alone
    jiwer         process_words, one call a segment, as it is called where each segment's errors are kept
    jiwer list    process_words, one call for all segments
    kaldialign    batch_error_rate, one call for all segments, where it is installed
    report        boli wer --pairs FILE --html PAGE: 20 dialects, 50 speakers each, 100 segments each, 10,000 resamples

Made-up segments of 12 words on average over a vocabulary of 20,000, some 12 % of them wrong. All ways must find the
same number of errors and words, or the run ends in an error. Ways that hold all alignments in memory are left out above
200,000 segments.

    python -m benchmarks.wer_speed --segments 100000 --repeats 5
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jiwer

from benchmarks.measuring import compare, write
from dialects.scoring.word_errors import Pair, score, total_edits

#: Half of them in Devanagari, Tamil, Telugu and Malayalam, whose clusters take longer.
DIALECTS = (
    *("en-US", "en-GB", "en-IN", "en-NG", "en-KE", "en-JM", "en-scotland", "en-ZA", "en-AU", "en-NZ"),
    *("hi", "hi-FJ", "bho", "awa", "mai", "mag", "ta", "ta-LK", "te", "ml"),
)
#: Most segments for ways that take some 2.5 KB a segment.
MOST_IN_LISTS = 200_000


def segments(count: int, *, seed: int = 1) -> list[Pair]:
    """*count* segments of made-up words, the frequent ones frequent, as in speech."""
    chance = random.Random(seed)
    vocabulary = [f"word{number:05d}" for number in range(20_000)]

    def word() -> str:
        return vocabulary[min(len(vocabulary), int(chance.paretovariate(0.6))) - 1]

    def heard(reference: Sequence[str]) -> list[str]:
        words: list[str] = []
        for said in reference:
            fate = chance.random()
            if fate >= 0.03:
                words.append(word() if fate < 0.09 else said)
            if chance.random() < 0.03:
                words.append(word())
        return words

    made = []
    for number in range(count):
        reference = [word() for _ in range(max(1, round(chance.gauss(12, 4))))]
        pair = Pair(
            id=str(number),
            reference=" ".join(reference),
            hypothesis=" ".join(heard(reference)),
            dialect="en",
            speaker=str(number % 50),
        )
        made.append(pair)
    return made


def jiwer_each(pairs: Sequence[Pair]) -> int:
    total = 0
    for pair in pairs:
        output = jiwer.process_words(pair.reference, pair.hypothesis)
        total += output.substitutions + output.deletions + output.insertions
    return total


def jiwer_list(pairs: Sequence[Pair]) -> int:
    output = jiwer.process_words([pair.reference for pair in pairs], [pair.hypothesis for pair in pairs])
    return output.substitutions + output.deletions + output.insertions


def kaldialign_list(pairs: Sequence[Pair]) -> int:
    import kaldialign

    references = [pair.reference.split() for pair in pairs]
    hypotheses = [pair.hypothesis.split() for pair in pairs]
    return int(kaldialign.batch_error_rate(references, hypotheses)["total"])


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """*pairs* as a table, dealt out to the dialects and 50 speakers of each; letters follow the script."""
    indic = str.maketrans({"w": "न", "o": "ो", "r": "र", "d": "द"} | {str(n): chr(0x0915 + n) for n in range(10)})
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("id", "reference", "hypothesis", "dialect", "speaker", "duration_s"))
        for number, pair in enumerate(pairs):
            dialect = DIALECTS[number % len(DIALECTS)]
            texts = [pair.reference, pair.hypothesis]
            if not dialect.startswith("en"):
                texts = [text.translate(indic) for text in texts]
            speaker = f"{dialect}-{number // len(DIALECTS) % 50}"
            out.writerow((pair.id, *texts, dialect, speaker, 4.0))


def report(count: int = 20 * 50 * 100) -> dict[str, Any]:
    """Seconds and memory of the whole report of *count* segments, as a user runs it."""
    with tempfile.TemporaryDirectory() as folder:
        write_pairs(Path(folder) / "pairs.csv", segments(count, seed=2))
        command = [sys.executable, "-m", "cli", "wer", "--pairs", "pairs.csv", "--html", "report.html", "--json"]
        environment = {"PYTHONPATH": str(Path(__file__).parent.parent), "OMP_NUM_THREADS": "1"}
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
        page = (Path(folder) / "report.html").stat().st_size
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = {"segments": count, "cpu_s": round(cpu, 1), "wall_s": round(wall, 1), "page_bytes": page}
    found["peak_mb"] = round(after.ru_maxrss / 1024)
    print(f"report of {count} segments: {cpu:.1f} cpu-s, {wall:.1f} s, {found['peak_mb']} MB, page of {page} bytes")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()

    # First, while no other child of this process has used more memory.
    whole = report()
    pairs = segments(given.segments)
    ways: dict[str, Callable[[], object]] = {
        "counts": lambda: score(pairs).errors,
        "total edits": lambda: total_edits(pairs),
        "jiwer": lambda: jiwer_each(pairs),
    }
    if given.segments <= MOST_IN_LISTS:
        ways["jiwer list"] = lambda: jiwer_list(pairs)
    if given.segments <= MOST_IN_LISTS and importlib.util.find_spec("kaldialign"):
        ways["kaldialign"] = lambda: kaldialign_list(pairs)
    found = compare(ways, repeats=given.repeats)
    answers = {way["answer"] for way in found.values()}
    if len(answers) > 1:
        raise SystemExit(f"the ways disagree on the number of errors: {answers}")
    jiwer_s = found["jiwer"]["cpu_s"]["median"]
    times = {name: round(jiwer_s / found[name]["cpu_s"]["median"], 1) for name in ("counts", "total edits")}
    million = round(found["counts"]["cpu_s"]["median"] * 1_000_000 / len(pairs), 1)
    print(f"a million segments in {million} cpu-s; {times['counts']}x jiwer, {times['total edits']}x for totals alone")
    text = "\n".join(f"{pair.reference}\t{pair.hypothesis}" for pair in pairs)
    write(
        "wer_speed",
        found,
        segments=len(pairs),
        repeats=given.repeats,
        data_sha256=hashlib.sha256(text.encode()).hexdigest(),
        times_as_fast_as_jiwer=times,
        cpu_s_a_million=million,
        report=whole,
    )


if __name__ == "__main__":
    main()
