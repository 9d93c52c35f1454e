"""
Does a second model find bad drafts? Word error rates of the drafts that it disagrees with, and of all others.

    python -m benchmarks.second_model [--first whisper-base] [--second whisper-tiny.en] [--every 4] [--sets NAME,...]

Speech of `benchmarks.real_sets`, one person a clip, whose turn is known; 8-bit weights, one thread. Errors are counted
by draft: each clip's words are aligned with its truth, and a word that is missing counts for the draft before it. With
``--every 4`` every fourth clip is heard. Printed and written to results/second_model.json: drafts, words and WER of the
flagged ones and of the others, how often the second text stands beside the draft, and whether it is the better one.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import real_sets
from benchmarks.measuring import write
from benchmarks.real_sets import Clip
from benchmarks.real_speech import normalised, true_track
from dialects.dialect import load_catalogue
from dialects.scoring.word_errors import ErrorCount, align, count, from_counts
from tests.scripted import ScriptedDiariser
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.backends.voice_activity import SileroDetector
from transcribe.pipeline.assembly import assemble
from transcribe.pipeline.recipe import Recipe, SecondOpinion
from transcribe.records import Draft

SETS: Final = ("timit", "speechocean762", "duke-addresses")
#: Flagged drafts are worth looking at first where their WER is so many times that of the others.
WANTED_RATIO: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One draft with its errors, and those of the second text where that stands beside it."""

    disagrees: bool
    errors: ErrorCount
    #: Of clips that are one draft; ``None``: no second text stands there, or the clip has several drafts.
    second_errors: ErrorCount | None


def make_recipe(first: Path, second: Path) -> Recipe:
    """What `boli run` drafts with where ``recogniser.second_model`` names *second*."""
    drafter = FasterWhisperRecogniser(first, device="cpu", compute_type="int8", threads=1)
    other = FasterWhisperRecogniser(second, device="cpu", compute_type="int8", beam_size=1, threads=1)
    return Recipe(
        diariser=ScriptedDiariser(),
        detector=SileroDetector(),
        recogniser=drafter,
        catalogue=load_catalogue(),
        window=drafter.window,
        second=SecondOpinion(recogniser=other, window=other.window, language=other.only_language),
    )


def score_clip(clip: Clip, recipe: Recipe) -> Iterator[Scored]:
    """The drafts of *clip*, each with its errors."""
    recording = clip.recording
    drafts = assemble(recording, [true_track(recording, clip, recipe.detector)], recipe).drafts
    errors = split_errors(normalised(clip, clip.text), [normalised(clip, draft.text) for draft in drafts])
    for draft, counts in zip(drafts, errors, strict=True):
        alone = draft if len(drafts) == 1 else None
        yield Scored(disagrees="disagreement" in draft.flags, errors=counts, second_errors=_second_errors(clip, alone))


def _second_errors(clip: Clip, draft: Draft | None) -> ErrorCount | None:
    if draft is None or draft.alternative is None:
        return None
    return from_counts(count(normalised(clip, clip.text), normalised(clip, draft.alternative)))


def split_errors(truth: Sequence[str], drafts: Sequence[Sequence[str]]) -> list[ErrorCount]:
    """Errors of each of *drafts*, whose words follow one another; a missing word counts for the draft before it."""
    owners = [number for number, words in enumerate(drafts) for _ in words]
    kinds: list[dict[str, int]] = [defaultdict(int) for _ in drafts]
    position = 0
    for edit in align(truth, list(itertools.chain.from_iterable(drafts))):
        owner = owners[min(max(position - (edit.hypothesis is None), 0), len(owners) - 1)] if owners else 0
        if kinds:
            kinds[owner][f"{edit.kind}s"] += 1
        position += edit.hypothesis is not None
    return [ErrorCount(**counts) for counts in kinds]


def summarise(scored: Sequence[Scored]) -> dict[str, float | int | None]:
    """Counts and rates of flagged drafts and of the others, and how many times higher the first rate is."""
    flagged, others = ([draft for draft in scored if draft.disagrees is which] for which in (True, False))
    rates = [sum((draft.errors for draft in part), ErrorCount.zero()).rate for part in (flagged, others)]
    beside = [draft for draft in flagged if draft.second_errors is not None]
    better = [draft for draft in beside if draft.second_errors and draft.second_errors.errors < draft.errors.errors]
    return {
        "drafts_flagged": len(flagged),
        "drafts_others": len(others),
        "words_flagged": sum(draft.errors.words for draft in flagged),
        "words_others": sum(draft.errors.words for draft in others),
        "wer_flagged": rates[0],
        "wer_others": rates[1],
        "ratio": rates[0] / rates[1] if rates[0] is not None and rates[1] else None,
        "second_texts": len(beside),
        "second_texts_better": len(better),
    }


def print_line(name: str, figures: Mapping[str, float | int | None]) -> None:
    """One line a set."""
    counts = f"{figures['drafts_flagged']} flagged, {figures['drafts_others']} others"
    rates = ", ".join(f"{figures[key] or 0:.1%}" for key in ("wer_flagged", "wer_others"))
    verdict = "met" if (figures["ratio"] or 0) >= WANTED_RATIO else "not met"
    print(
        f"{name:16}{counts}: WER {rates}, {figures['ratio'] or 0:.1f} times (wanted {WANTED_RATIO:g}: {verdict}); "
        f"second text shown {figures['second_texts']} times, better {figures['second_texts_better']} times",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", default="whisper-base")
    parser.add_argument("--second", default="whisper-tiny.en")
    parser.add_argument("--weights", type=Path, default=real_sets.WEIGHTS, help="folder of the models' folders")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--sets", default=",".join(SETS))
    given = parser.parse_args()

    began = time.perf_counter()
    recipe = make_recipe(given.weights / given.first, given.weights / given.second)
    scored: list[Scored] = []
    figures = {}
    for name in given.sets.split(","):
        clips = itertools.islice(real_sets.SETS[name](), 0, None, given.every)
        drafts = [draft for clip in clips for draft in score_clip(clip, recipe)]
        figures[name] = summarise(drafts)
        scored += drafts
        print_line(name, figures[name])
    figures["all"] = summarise(scored)
    print_line("all", figures["all"])
    facts = {"first": given.first, "second": given.second, "every": given.every}
    print(write("second_model", figures, took_s=round(time.perf_counter() - began), **facts))


if __name__ == "__main__":
    main()
