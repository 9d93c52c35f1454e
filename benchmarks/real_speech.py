"""
How well is strangers' speech written down, beside faster-whisper's own ways with the same weights?

    python -m benchmarks.real_speech [--models whisper-base,whisper-tiny.en] [--sets NAME,...] [--ways NAME,...]

Ways, each in a process of its own, one thread, 8-bit weights, beam 5, word times on:

    boli            the whole chain: who speaks, where speech is, full windows, second hearings
    boli turns      the same with the true turns, where there are any
    whole           faster-whisper, the whole file
    vad             faster-whisper, the whole file with its voice activity filter
    batched         faster-whisper's batched pipeline

Printed a set: WER in time order by one normaliser (CER of Malayalam), deletions, words said twice, words where nobody
speaks, speech of a second without a word that is not flagged, speakers found, DER, windows, processor seconds, those of
the diariser apart; and the peak of memory of each way. What a way made of a set is kept in results/real_speech.parts,
so that a run that was ended goes on, and counting anew needs no second hearing; remove it to hear anew.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from benchmarks import real_sets
from benchmarks.measuring import RESULTS, write
from benchmarks.real_sets import Clip
from dialects.dialect import load_catalogue
from dialects.scoring.word_errors import ErrorCount, count, from_counts
from dialects.text.normalise import Normaliser, load_normaliser
from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.pipeline.coverage import find_missed
from transcribe.protocols import LabelledSpan, Span
from transcribe.records import Recording, Word, join_words

WAYS = ("boli", "boli turns", "whole", "vad", "batched")
BEAM = 5
KEPT = RESULTS / "real_speech.parts"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a way made of one clip."""

    words: tuple[Word, ...]
    windows: int
    cpu_s: float
    diariser_s: float = 0.0
    turns: tuple[LabelledSpan, ...] = ()
    #: Segments whose draft says that speech has no word.
    flagged: tuple[Span, ...] = ()
    #: Drafts, and those with any flag.
    drafts: int = 0
    drafts_flagged: int = 0


Hear = Callable[[Clip], Heard]


def count_windows(model: Any) -> Callable[[], int]:
    """Let *model*, a ``WhisperModel``, count the windows that its encoder hears; the number since the last call."""
    encode = model.encode
    total = [0]

    def counting(features: Any) -> Any:
        total[0] += 1 if features.ndim == 2 else features.shape[0]
        return encode(features)

    model.encode = counting

    def taken() -> int:
        windows, total[0] = total[0], 0
        return windows

    return taken


def peer(way: str, folder: Path) -> Hear:
    """faster-whisper's own way called *way*."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
    windows = count_windows(model)

    def hear(clip: Clip) -> Heard:
        began = time.process_time()
        sound = clip.pcm.astype("float32") / 32_768
        language = clip.dialect.split("-")[0]
        if way == "batched":
            ask = partial(BatchedInferencePipeline(model).transcribe, batch_size=8)
        else:
            ask = partial(model.transcribe, vad_filter=way == "vad")
        segments, _ = ask(sound, language=language, beam_size=BEAM, word_timestamps=True)
        words = tuple(
            Word(
                text=word.word.strip(),
                start=round(word.start * 1_000),
                end=round(word.end * 1_000),
                probability=float(word.probability),
                blank=word.word.startswith(" "),
            )
            for segment in segments
            for word in segment.words or ()
        )
        return Heard(words=words, windows=windows(), cpu_s=time.process_time() - began)

    return hear


def ours(way: str, folder: Path, diariser: Path) -> Hear:
    """boli as `boli run` drafts, with the diariser's turns or the true ones."""
    from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
    from transcribe.backends.pyannote_diariser import PyannoteDiariser
    from transcribe.backends.voice_activity import SileroDetector
    from transcribe.pipeline.assembly import assemble, diarise_track
    from transcribe.pipeline.recipe import Recipe

    recogniser = FasterWhisperRecogniser(folder, device="cpu", compute_type="int8", beam_size=BEAM, threads=1)
    windows = count_windows(recogniser._model)
    recipe = Recipe(
        diariser=PyannoteDiariser(diariser, device="cpu", threads=1),
        detector=SileroDetector(),
        recogniser=recogniser,
        catalogue=load_catalogue(),
        window=recogniser.window,
    )

    def hear(clip: Clip) -> Heard:
        recording = clip.recording
        began = time.process_time()
        if way == "boli":
            track = diarise_track(recording, clip.pcm, None, recipe)
        else:
            track = true_track(recording, clip, recipe.detector)
        diarised = time.process_time()
        drafted = assemble(recording, [track], recipe)
        ended = time.process_time()
        segments = {segment.id: segment for segment in drafted.segments}
        return Heard(
            words=tuple(sorted((w for draft in drafted.drafts for w in draft.words), key=lambda w: (w.start, w.end))),
            windows=windows(),
            cpu_s=ended - diarised,
            diariser_s=diarised - began,
            turns=tuple(LabelledSpan(start=t.start, end=t.end, label=t.speaker) for t in track.turns),
            flagged=tuple(
                Span(start=segments[draft.segment].start, end=segments[draft.segment].end)
                for draft in drafted.drafts
                if "no_words" in draft.flags
            ),
            drafts=len(drafted.drafts),
            drafts_flagged=sum(bool(draft.flags) for draft in drafted.drafts),
        )

    return hear


def true_track(recording: Recording, clip: Clip, detector: Any) -> Any:
    """The sound of *clip* with its true turns; all speech is one person's where there is one."""
    from transcribe.pipeline.assembly import Track
    from transcribe.pipeline.same_voice import name_turns

    speech = detector.detect(clip.pcm)
    turns = name_turns(recording, clip.turns or [LabelledSpan(start=s.start, end=s.end, label="one") for s in speech])
    return Track(pcm=clip.pcm, speech=speech, turns=turns, exclusive=turns)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one way made of one set."""

    errors: ErrorCount
    clips: int
    doubled: int
    invented: int
    missed_unflagged: int
    right_speakers: int
    der: DiarisationError
    windows: int
    cpu_s: float
    diariser_s: float
    flagged: float | None


def measure(clips: Sequence[Clip], heard: Sequence[Heard]) -> Figures:
    """The figures of all *clips* of one set."""
    from transcribe.backends.voice_activity import SileroDetector

    detector = SileroDetector()
    errors, found, doubled, invented, missed = ErrorCount.zero(), DiarisationError(), 0, 0, 0
    for clip, answer in zip(clips, heard, strict=True):
        speech = [Span(start=t.start, end=t.end) for t in clip.turns] or list(detector.detect(clip.pcm))
        reference, hypothesis = normalised(clip, clip.text), normalised(clip, join_words(answer.words))
        errors += from_counts(count(reference, hypothesis))
        doubled += max(0, repeated(hypothesis) - repeated(reference))
        invented += sum(not any(w.start < s.end and w.end > s.start for s in speech) for w in answer.words)
        missed += sum(not any(overlaps(span, f) for f in answer.flagged) for span in find_missed(speech, answer.words))
        if clip.turns and answer.turns:
            found += der(clip.turns, answer.turns, within=[(0, clip.duration)])
    drafts = sum(answer.drafts for answer in heard)
    return Figures(
        errors=errors,
        clips=len(clips),
        doubled=doubled,
        invented=invented,
        missed_unflagged=missed,
        right_speakers=sum(len({t.label for t in a.turns}) == c.speakers for c, a in zip(clips, heard, strict=True)),
        der=found,
        windows=sum(answer.windows for answer in heard),
        cpu_s=round(sum(answer.cpu_s for answer in heard), 2),
        diariser_s=round(sum(answer.diariser_s for answer in heard), 2),
        flagged=sum(answer.drafts_flagged for answer in heard) / drafts if drafts else None,
    )


@lru_cache
def normaliser_of(dialect: str) -> Normaliser:
    """The normaliser that the report of *dialect* counts by."""
    return load_normaliser(load_catalogue().find(dialect).normaliser)


def normalised(clip: Clip, text: str) -> list[str]:
    """Words of *text* as its dialect's report counts them; letters where the set is counted by CER."""
    words = normaliser_of(clip.dialect)(text).split()
    return list("".join(words)) if clip.dialect.startswith("ml") else words


def repeated(words: Sequence[str]) -> int:
    """Words that are said twice in a row."""
    return sum(one == other for one, other in itertools.pairwise(words))


def overlaps(one: Span, other: Span) -> bool:
    return one.start < other.end and one.end > other.start


def place_of(model: str) -> Path:
    """The folder of a model of the catalogue, which ``boli models get`` fetched."""
    from transcribe.backends.model_cache import locate

    return Path(locate(model))


def run_way(model: str, way: str, name: str, diariser: Path, folder: Path) -> dict[str, Any]:
    """What one way made of each clip of a set, and its peak of memory; what this process prints to its parent."""
    hear = ours(way, folder, diariser) if way.startswith("boli") else peer(way, folder)
    heard = [asdict(hear(clip)) for clip in real_sets.SETS[name]()]
    return {"heard": heard, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def read_heard(answer: dict[str, Any]) -> Heard:
    """What a process printed of one clip."""
    return Heard(
        **answer
        | {
            "words": tuple(Word(**word) for word in answer["words"]),
            "turns": tuple(LabelledSpan(**turn) for turn in answer["turns"]),
            "flagged": tuple(Span(**span) for span in answer["flagged"]),
        }
    )


def run_all(
    models: Sequence[str], ways: Sequence[str], sets: Sequence[str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each model and way with its figures; a process of its own hears each set, unless it was heard before."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for model, way in itertools.product(models, ways):
        able = [name for name in sets if not (model.endswith(".en") and name in real_sets.MALAYALAM)]
        figures, peaks = {}, []
        for name in able:
            place = KEPT / f"{model}.{way.replace(' ', '-')}.{name}.json"
            if not place.exists():
                command = [sys.executable, "-m", "benchmarks.real_speech", "--child", model, way, name]
                done = subprocess.run(
                    command, check=True, stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"}
                )
                place.write_bytes(done.stdout)
                print(f"{model} {way}: {name}", file=sys.stderr)
            kept = json.loads(place.read_text(encoding="utf-8"))
            figures[name] = asdict(measure(list(real_sets.SETS[name]()), [read_heard(one) for one in kept["heard"]]))
            peaks.append(kept["peak_mb"])
        yield model, way, {"sets": figures, "peak_mb": max(peaks)}


def rate(figures: dict[str, Any]) -> float:
    """Errors by word of the reference."""
    errors = figures["errors"]
    wrong = errors["substitutions"] + errors["deletions"] + errors["insertions"]
    return float(wrong / max(errors["hits"] + errors["substitutions"] + errors["deletions"], 1))


def print_table(model: str, found: dict[str, dict[str, Any]]) -> None:
    """One block a set, one line a way."""
    names = dict.fromkeys(name for way in found.values() for name in way["sets"])
    print(f"\n{model}")
    columns = {
        "WER": 11,
        "del": 6,
        "twice": 6,
        "silent": 7,
        "lost": 6,
        "spk": 9,
        "DER": 7,
        "win": 6,
        "cpu s": 8,
        "diar": 7,
    }
    print(" " * 23 + "".join(f"{column:>{width}}" for column, width in columns.items()))
    for name in [*names, "all English"]:
        for way, parts in found.items():
            figures = parts["sets"].get(name) or total(parts["sets"], name)
            if figures is None:
                continue
            error = figures["der"]
            confused = error["missed"] + error["false_alarm"] + error["confusion"]
            shown_der = f"{confused / error['speech']:.1%}" if error["speech"] else "-"
            speakers = f"{figures['right_speakers']}/{figures['clips']}" if way.startswith("boli") else "-"
            print(
                f"{name:16.16}{way:>10} {rate(figures):>6.1%}{figures['errors']['deletions']:>6}{figures['doubled']:>6}"
                f"{figures['invented']:>7}{figures['missed_unflagged'] if way.startswith('boli') else '-':>6}"
                f"{speakers:>9}{shown_der:>7}{figures['windows']:>6}{figures['cpu_s']:>8.1f}{figures['diariser_s']:>7.1f}"
            )
    print("peak memory: " + ", ".join(f"{way} {parts['peak_mb']} MB" for way, parts in found.items()))


def total(sets: dict[str, dict[str, Any]], name: str) -> dict[str, Any] | None:
    """The English sets of a way together."""
    own = [figures for key, figures in sets.items() if key in real_sets.ENGLISH]
    if name != "all English" or not own:
        return None
    sums: dict[str, Any] = {}
    for key, value in own[0].items():
        if isinstance(value, dict):
            sums[key] = {part: sum(figures[key][part] for figures in own) for part in value}
        elif key != "flagged":
            sums[key] = sum(figures[key] for figures in own)
    return sums


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="whisper-base,whisper-tiny.en")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--sets", default=",".join(real_sets.SETS))
    parser.add_argument("--child", nargs=3, metavar=("MODEL", "WAY", "SET"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    diariser = place_of("diariser-real")
    if given.child:
        model, way, name = given.child
        print(json.dumps(run_way(model, way, name, diariser, place_of(model))))
        return
    began = time.perf_counter()
    models = given.models.split(",")
    found: dict[str, dict[str, Any]] = {model: {} for model in models}
    for model, way, parts in run_all(models, given.ways.split(","), given.sets.split(",")):
        found[model][way] = parts
    for model, ways in found.items():
        print_table(model, ways)
    print(write("real_speech", found, beam=BEAM, compute_type="int8", took_s=round(time.perf_counter() - began)))


if __name__ == "__main__":
    main()
