"""
How well does the whole chain write down conversations of real spoken digits that no training heard?

    python -m benchmarks.digit_dialogues [--data DIR] [--model FOLDER] [--left-out NAME]

Dialogues of two speakers are built from single recorded digits (pauses of 0.2 to 1 s, 10 % of the speech overlapped,
8 kHz), ingested, diarised without a speaker count and drafted, as `boli ingest` and `boli run` do. Printed: WER in time
order, which asks only what was said, with the words of both sides in the order in which they begin; the same with each
turn of the reference kept whole, as a transcript with turns has it; and cpWER, which asks who said it too (where
meeteval is installed). With --left-out one person talks in every dialogue, whom the training of the model named by
--model never heard.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import write
from dialects.scoring import ErrorCount, count
from transcribe import actions, embedded, workspace
from transcribe.backends.identity import folder_id
from transcribe.console import Console
from transcribe.embedded import digits
from transcribe.embedded.conversations import Conversation
from transcribe.records import Word
from transcribe.wiring import Wiring

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BOLI_TEST_DATA", ROOT.parent / "shared" / "data")) / "fsdd"


def drafted(
    made: Sequence[Conversation], model: Path, diariser: Path, folder: Path
) -> dict[str, dict[str, list[Word]]]:
    """Words of each speaker found in each dialogue, by the dialogue's name."""
    digits.write(folder / "dialogues", made, split="test", source="digits")
    values = {"recogniser": {"model": str(model)}, "diariser": {"model": str(diariser)}}
    quiet = Console("digit_dialogues", progress="none")
    found: dict[str, dict[str, list[Word]]] = defaultdict(lambda: defaultdict(list))
    with Wiring.open(workspace.create(folder / "workspace", values)) as wiring:
        # No sidecars: names of speakers would be an answer to the question.
        source = actions.Source(paths=tuple(sorted((folder / "dialogues").glob("*.wav"))), dialect="en")
        for answer in (actions.ingest(wiring, source, quiet), actions.run(wiring, quiet)):
            if answer.failures:
                raise SystemExit(f"{len(answer.failures)} failed: {answer.failures[0].message}")
        promoted = wiring.store.promoted()
        for recording in wiring.store.recordings():
            for segment, draft in wiring.store.drafted(recording.id, promoted.id if promoted else ""):
                found[Path(recording.path).stem][segment.speaker] += draft.words
    return found


def by_word(dialogue: Conversation) -> list[str]:
    """All words in the order in which they begin."""
    said = [pair for turn in dialogue.spoken for pair in zip(turn.word_starts, turn.text.split(), strict=True)]
    return [word for _, word in sorted(said, key=lambda pair: pair[0])]


def by_turn(dialogue: Conversation) -> list[str]:
    """All words, turn after turn in the order in which the turns begin."""
    return [word for turn in dialogue.spoken for word in turn.text.split()]


def in_time_order(
    made: Iterable[Conversation],
    found: dict[str, dict[str, list[Word]]],
    reference: Callable[[Conversation], list[str]] = by_word,
) -> ErrorCount:
    """Errors of all words in order of their start, whoever said them."""
    total = ErrorCount.zero()
    for dialogue in made:
        words = sorted((word for own in found[dialogue.name].values() for word in own), key=lambda w: (w.start, w.end))
        hits, substitutions, deletions, insertions = count(reference(dialogue), [word.text for word in words])
        total += ErrorCount(hits=hits, substitutions=substitutions, deletions=deletions, insertions=insertions)
    return total


def with_speakers(made: Iterable[Conversation], found: dict[str, dict[str, list[Word]]]) -> float | None:
    """cpWER by meeteval; ``None`` where it is not installed."""
    if importlib.util.find_spec("meeteval") is None:
        return None
    from meeteval.wer import combine_error_rates, cp_word_error_rate

    rates = []
    for dialogue in made:
        truth: dict[str, list[str]] = defaultdict(list)
        for turn in sorted(dialogue.spoken, key=lambda t: t.start):
            truth[turn.speaker].append(turn.text)
        own = {who: sorted(words, key=lambda w: w.start) for who, words in found[dialogue.name].items()}
        rates.append(
            cp_word_error_rate(
                {who: " ".join(texts) for who, texts in truth.items()},
                {who: " ".join(word.text for word in words) for who, words in own.items()} or {"nobody": ""},
                reference_sort=False,
                hypothesis_sort=False,
            )
        )
    return float(combine_error_rates(rates).error_rate)


def measure(data: Path, model: Path, diariser: Path, *, always: str | None, seed: int) -> dict[str, Any]:
    """Figures of 20 dialogues of 60 s, with *always* in each of them (anybody, if ``None``)."""
    made = digits.dialogues(data, always=always, recordings=range(40, 50), count=20, seconds=60, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        found = drafted(made, model, diariser, Path(folder))
    errors = in_time_order(made, found)
    return {
        "speakers": sorted({turn.speaker for dialogue in made for turn in dialogue.spoken}),
        "words": errors.words,
        "substitutions": errors.substitutions,
        "deletions": errors.deletions,
        "insertions": errors.insertions,
        "wer_in_time_order": errors.rate,
        "wer_by_turn": in_time_order(made, found, by_turn).rate,
        "cpwer": with_speakers(made, found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--model", type=Path, default=embedded.whisper())
    parser.add_argument("--diariser", type=Path, default=embedded.diariser())
    parser.add_argument("--left-out", help="who talks in every dialogue")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found = measure(given.data, given.model, given.diariser, always=given.left_out, seed=given.seed)
    cpwer = "not measured (no meeteval)" if found["cpwer"] is None else f"{found['cpwer']:.1%}"
    whom = f"{given.left_out} left out" if given.left_out else "all trained on"
    print(
        f"{whom}: WER in time order {found['wer_in_time_order']:.1%}, by turn {found['wer_by_turn']:.1%}, cpWER {cpwer}"
    )
    name = f"digit_dialogues_without_{given.left_out}" if given.left_out else "digit_dialogues"
    print(write(name, found, seed=given.seed, model=folder_id(given.model), diariser=folder_id(given.diariser)))


if __name__ == "__main__":
    main()
