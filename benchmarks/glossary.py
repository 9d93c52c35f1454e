"""
What does it bring to tell the drafter a project's names? Their recall without and with the glossary, and false names.

    python -m benchmarks.glossary --speech DIR [--model whisper-base] [--every 1]

DIR holds WAV files with manifest.csv and glossary.tsv, as `benchmarks.glossary_speech` makes them: twenty names,
invented or rare, each in two sentences, and twenty sentences without a name, spoken by Kokoro-82M in eight voices.
Counted are names that are written down as they are spelt where they were said, and names that are written where they
were not, also in the sentences of real people (timit of `benchmarks.real_sets`, of which ``--every`` takes a part).
8-bit weights, one thread. Written to results/glossary.json.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import real_sets
from benchmarks.measuring import write
from benchmarks.real_sets import Clip
from benchmarks.real_speech import normalised, true_track
from dialects.dialect import load_catalogue
from dialects.scoring.word_errors import ErrorCount, count, from_counts
from tests.scripted import ScriptedDiariser
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.backends.voice_activity import SileroDetector
from transcribe.glossary import FILE, Glossary, fit, read_glossary
from transcribe.pipeline.assembly import assemble
from transcribe.pipeline.recipe import Recipe
from transcribe.redaction import fold_word


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Names that were said and written, and how well everything was written down."""

    spoken: int
    written: int
    #: Written where they were not said.
    false: int
    errors: ErrorCount

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            spoken=self.spoken + other.spoken,
            written=self.written + other.written,
            false=self.false + other.false,
            errors=self.errors + other.errors,
        )


def make_recipe(model: Path, glossary: Glossary) -> Recipe:
    """What `boli run` drafts with where the workspace has this glossary."""
    recogniser = FasterWhisperRecogniser(model, device="cpu", compute_type="int8", threads=1)
    return Recipe(
        diariser=ScriptedDiariser(),
        detector=SileroDetector(),
        recogniser=recogniser,
        catalogue=load_catalogue(),
        window=recogniser.window,
        glossary=glossary,
        count_tokens=recogniser.count_tokens,
    )


def count_names(text: str, names: Iterable[str]) -> dict[str, int]:
    """How often each of *names*, one word each, stands in *text*; case and signs do not count."""
    words = [fold_word(word) for word in text.split()]
    return {name: words.count(fold_word(name)) for name in names}


def measure(clips: Sequence[Clip], recipe: Recipe, names: Sequence[str]) -> Figures:
    """The figures of *clips*, each of one person."""
    total = Figures(spoken=0, written=0, false=0, errors=ErrorCount.zero())
    for clip in clips:
        text = draft_text(clip, recipe)
        truth, written = count_names(clip.text, names), count_names(text, names)
        total += Figures(
            spoken=sum(truth.values()),
            written=sum(min(truth[name], written[name]) for name in names),
            false=sum(max(0, written[name] - truth[name]) for name in names),
            errors=from_counts(count(normalised(clip, clip.text), normalised(clip, text))),
        )
    return total


def draft_text(clip: Clip, recipe: Recipe) -> str:
    """The text of all drafts of *clip*."""
    recording = clip.recording
    drafted = assemble(recording, [true_track(recording, clip, recipe.detector)], recipe)
    return " ".join(draft.text for draft in drafted.drafts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--model", default="whisper-base")
    parser.add_argument("--weights", type=Path, default=real_sets.WEIGHTS, help="folder of the models' folders")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--ways", default="without,with", help="one of them is printed and not written")
    given = parser.parse_args()

    began = time.perf_counter()
    glossary = read_glossary(given.speech / FILE, load_catalogue())
    names = [term.text for term in glossary.terms]
    with_glossary = make_recipe(given.weights / given.model, glossary)
    told_names = fit(glossary.of("en"), with_glossary.count_tokens)[0]
    spoken = list(real_sets.read_clips(given.speech))
    sets = {
        "with names": [clip for clip in spoken if any(count_names(clip.text, names).values())],
        "without names": [clip for clip in spoken if not any(count_names(clip.text, names).values())],
        "timit": list(itertools.islice(real_sets.SETS["timit"](), 0, None, given.every)),
    }
    results: dict[str, dict[str, dict[str, float | int | None]]] = {}
    recipes = {"without": replace(with_glossary, glossary=Glossary()), "with": with_glossary}
    ways = given.ways.split(",")
    for way, recipe in ((way, recipes[way]) for way in ways):
        for name, clips in sets.items():
            figures = measure(clips, recipe, names)
            results.setdefault(name, {})[way] = {
                "clips": len(clips),
                "said": figures.spoken,
                "written": figures.written,
                "recall": figures.written / figures.spoken if figures.spoken else None,
                "false": figures.false,
                "wer": figures.errors.rate,
            }
            print(f"{name:14} {way:8} {results[name][way]}", flush=True)
    if set(ways) != set(recipes):
        return
    facts = {"model": given.model, "names": len(names), "names_told": len(told_names), "every": given.every}
    speech = "Kokoro-82M v1.0, 8-bit ONNX, eight voices of American and British English"
    print(write("glossary", results, speech=speech, took_s=round(time.perf_counter() - began), **facts))


if __name__ == "__main__":
    main()
