"""
How far are the times of a known text's words from the truth, when Whisper's attention gives them?

    python -m benchmarks.word_times [--model whisper-base]

The dialogues of two people in `benchmarks.real_sets` (timit-dialogues) have the time of each word, set by hand. Each
turn's text is aligned with the turn's own sound, with no margin, as `boli export --of corrections` does; beside it
stand the times that the text gets without a draft, shared out evenly. 8-bit weights, one thread. Printed and written to
results/word_times.json: words, median errors of a word's start and end in ms, and the share of starts within 100 ms.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import real_sets
from benchmarks.measuring import write
from benchmarks.real_sets import read_pcm
from dialects.scoring.word_errors import align
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.ingest.timed import read_stm
from transcribe.pipeline.alignment import Aligner, Sound, time_words
from transcribe.protocols import Pcm
from transcribe.records import Correction, Milliseconds, Word
from transcribe.redaction import fold_word

#: Largest median error of a word's start that is wanted.
WANTED: Final[Milliseconds] = 80
#: A start this near is right for most uses.
NEAR: Final[Milliseconds] = 100
FOLDER: Final = real_sets.DATA / "dialects" / "timit-dialogues"


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """Sound with what each person says in it, and when each word is said."""

    pcm: Pcm
    turns: tuple[Correction, ...]
    #: Of both people, in order of their start.
    words: tuple[Word, ...]


def read_dialogue(ctm: Path) -> Dialogue:
    """The dialogue whose words *ctm* times; its turns stand beside it in STM."""
    turns = [
        Correction(id=f"{ctm.stem}-{number}", recording=ctm.stem, start=turn.start, end=turn.end, text=turn.text or "")
        for number, turn in enumerate(line.stretch for line in read_stm(ctm.with_suffix(".stm")))
    ]
    return Dialogue(
        pcm=read_pcm(next((FOLDER / "audio").glob(f"{ctm.stem}.*"))),
        turns=tuple(turns),
        words=tuple(sorted(read_words(ctm), key=lambda word: word.start)),
    )


def read_words(ctm: Path) -> Iterator[Word]:
    """The words of *ctm* with their times."""
    for _, _, start_s, length_s, text in map(str.split, ctm.read_text(encoding="utf-8").splitlines()):
        start = round(float(start_s) * 1_000)
        yield Word(text=text, start=start, end=start + round(float(length_s) * 1_000), probability=1.0)


def find_errors(dialogue: Dialogue, aligner: Aligner | None) -> Iterator[tuple[Milliseconds, Milliseconds]]:
    """How far start and end of each word are from the truth; words that both texts do not share are passed over."""
    sound = Sound(read=lambda channel: dialogue.pcm, channel_of=lambda turn: None, language_of=lambda turn: "en")
    for timed in time_words([(turn, ()) for turn in dialogue.turns], sound, aligner):
        turn = timed.correction
        true = [word for word in dialogue.words if turn.start <= (word.start + word.end) // 2 <= turn.end]
        timed_words, expected = iter(timed.words), iter(true)
        for edit in align([fold_word(word.text) for word in true], [fold_word(word.text) for word in timed.words]):
            true_word = next(expected) if edit.reference is not None else None
            timed_word = next(timed_words) if edit.hypothesis is not None else None
            if edit.kind == "hit" and true_word is not None and timed_word is not None:
                yield abs(timed_word.start - true_word.start), abs(timed_word.end - true_word.end)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="whisper-base")
    parser.add_argument("--weights", type=Path, default=real_sets.WEIGHTS, help="folder of the models' folders")
    given = parser.parse_args()

    began = time.perf_counter()
    aligner = FasterWhisperRecogniser(given.weights / given.model, device="cpu", compute_type="int8", threads=1)
    dialogues = [read_dialogue(ctm) for ctm in sorted(FOLDER.glob("*.ctm"))]
    figures = {}
    for way, hearing in {"heard": aligner, "shared out evenly": None}.items():
        errors = [error for dialogue in dialogues for error in find_errors(dialogue, hearing)]
        starts, ends = zip(*errors, strict=True)
        figures[way] = {
            "words": len(starts),
            "median_start_ms": statistics.median(starts),
            "median_end_ms": statistics.median(ends),
            "starts_within_100_ms": sum(error <= NEAR for error in starts) / len(starts),
        }
        print(way, figures[way])
    print("wanted", WANTED, "ms:", "met" if figures["heard"]["median_start_ms"] <= WANTED else "not met")
    print(write("word_times", figures, model=given.model, took_s=round(time.perf_counter() - began)))


if __name__ == "__main__":
    main()
