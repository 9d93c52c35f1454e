"""
How fast are word errors counted, beside jiwer on the same segments?

    counts        ours: hits, substitutions, deletions and insertions of every segment, by minimum edits, maximum hits
    total edits   ours: their sum alone
    jiwer         process_words, one call a segment, as it is called where each segment's errors are kept
    jiwer list    process_words, one call for all segments
    kaldialign    batch_error_rate, one call for all segments, where it is installed

Made-up segments of 12 words on average over a vocabulary of 20,000, some 12 % of them wrong. All ways must find the
same number of errors and words, or the run ends in an error.

    python -m benchmarks.wer_speed --segments 100000 --repeats 5
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import random
from collections.abc import Callable, Sequence

import jiwer

from benchmarks.measuring import compare, write
from dialects.scoring import Pair, score, total_edits


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()

    pairs = segments(given.segments)
    ways: dict[str, Callable[[], object]] = {
        "counts": lambda: score(pairs).errors,
        "total edits": lambda: total_edits(pairs),
        "jiwer": lambda: jiwer_each(pairs),
        "jiwer list": lambda: jiwer_list(pairs),
    }
    if importlib.util.find_spec("kaldialign"):
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
    )


if __name__ == "__main__":
    main()
