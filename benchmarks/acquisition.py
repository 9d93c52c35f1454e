"""
Does a model learn more from what `boli prioritise` asks for than from as many minutes by lot?

    python -m benchmarks.pool DIR --dialect hi --dialect en-scotland      # the demo's conversations, drafted
    python -m benchmarks.acquisition DIR --seeds 3 --points 3 --steps 60

Each seed holds back three conversations of each dialect to be measured on. At each point, the budget's fraction of
the rest is written down, with all that is heard in it: once by lot, once as people are asked by the order, who write
what one point adds before they are asked for the next. Segments that overlap are written together in both. The
Whisper that drafted the pool is then tuned on it for so many steps, fewer than `boli improve` takes. Its WER on what
was held back is that of the drafter's engine, the mean over dialects. What is done is kept in DIR/acquisition.jsonl,
so that it goes on where it stopped; the result file has the means with their spread over seeds, the difference of
each pair, and the share of the minutes after which the order is where the lot ends, with each seed left out too.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import shutil
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import update

from benchmarks.growing import EDGE, people_write, spread
from benchmarks.measuring import write
from dialects.active_learning import UnlabelledSegment
from dialects.dialect import load_catalogue
from dialects.scoring.word_errors import ErrorCount, count, from_counts
from dialects.text.normalise import load_normaliser
from transcribe import audio
from transcribe.active_learning import correct_next
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.backends.identity import folder_id
from transcribe.config import TrainSettings
from transcribe.datasets import manifest
from transcribe.datasets.manifest import Example
from transcribe.pipeline.windows import join, pack, unite_speech
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm, Window
from transcribe.records import Milliseconds, Recording, Segment, Turn, join_words
from transcribe.scoring.rules import make_preparer
from transcribe.store.schema import RECORDINGS
from transcribe.training import convert
from transcribe.training.finetune import tune
from transcribe.training.shards import AudioReader
from transcribe.tuning_dependencies import build_dependencies
from transcribe.wiring import Wiring

WAYS = ("order", "lot")
#: Conversations of each dialect that are measured on.
HELD = 3
#: Half as many windows a step as by default, and half of the encoder, so that a trial takes two minutes of two cores.
TUNING: dict[str, Any] = {
    "method": "full",
    "rate": 1e-4,
    "windows": 4,
    "frozen_layers": 3,
    "warmup_steps": 5,
    "average_steps": 20,
}


def measure(place: Path, *, seeds: Sequence[int], points: int, steps: int, budget: float) -> None:
    """Every seed, way and point that is not noted yet, then the result file."""
    notes = place / "acquisition.jsonl"
    done = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()] if notes.exists() else []
    known = {(row["seed"], row["way"], row["point"], row["steps"]) for row in done}
    for seed in seeds:
        for point in range(1, points + 1):
            for way in WAYS:
                if (seed, way, point, steps) in known:
                    continue
                row = trial(place, seed, way, [budget / points] * point, steps)
                with notes.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(row) + "\n")
                done.append(row)
                print(f"seed {seed}, {way}, {row['minutes']:.1f} min: WER {row['wer']:.1%} in {row['seconds']:.0f} s")
    _tell([row for row in done if row["steps"] == steps and row["seed"] in seeds], steps, budget)


def trial(place: Path, seed: int, way: str, rounds: Sequence[float], steps: int, **more: Any) -> dict[str, Any]:
    """Choose in *rounds* of so many minutes, write, tune, and measure on what was held back."""
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder)
        shutil.copytree(place / "w", to / "w", ignore=shutil.ignore_patterns("audio", "reports"))
        with Wiring.open(place / "w") as pool, Wiring.open(to / "w") as copy:

            def sound(recording: str, channel: int | None) -> Pcm:
                return audio.read_samples(audio.locate(pool.audio_folder, recording), channel=channel)

            held = _held_back(copy, random.Random(seed))
            made = _written(copy, rounds, None if way == "order" else random.Random(seed))
            dataset = manifest.write(to / "dataset", sorted(made, key=lambda one: one.sort_key))
            settings = TrainSettings(**({**TUNING, "steps": steps, "seed": seed} | more))
            base = find_base(pool)
            tuned = tune(settings, base, dataset, sound, to / "tuned")
            rates = _rates(convert.to_ctranslate2(tuned.folder, to / "ct2").folder, held, sound)
    spent: dict[str, float] = defaultdict(float)
    for each in made:
        if each.text is not None:
            spent[str(each.dialect)] += (each.end - each.start) / 60_000
    return {
        "seed": seed,
        "way": way,
        "point": len(rounds),
        "steps": steps,
        "minutes": round(sum(spent.values()), 2),
        "base": folder_id(base),
        "minutes_by_dialect": {tag: round(found, 2) for tag, found in sorted(spent.items())},
        "wer": statistics.fmean(rates.values()),
        "by_dialect": rates,
        "seconds": tuned.seconds,
    }


def find_base(wiring: Wiring) -> Path:
    """Find the transformers folder of the Whisper that drafts, derived once."""
    dependencies = build_dependencies(wiring)
    return dependencies.base_of(dependencies.current.place)


def _held_back(wiring: Wiring, chance: random.Random) -> list[Recording]:
    """Three conversations of each dialect, which nobody is asked to write from now on."""
    held: list[Recording] = []
    recordings = list(wiring.store.recordings.fetch())
    for dialect in sorted({str(one.dialect) for one in recordings}):
        held += chance.sample([one for one in recordings if str(one.dialect) == dialect], HELD)
    with wiring.store.database.begin_write() as connection:
        mine = RECORDINGS.c.id.in_([one.id for one in held])
        connection.execute(update(RECORDINGS).where(mine).values(split="test"))
    return held


def _written(wiring: Wiring, rounds: Sequence[float], chance: random.Random | None) -> list[Example]:
    """
    Segments of the conversations that are worked on, those that are chosen with what people write there.

    Each round knows what was written in those before. By *chance*: not in the order, but by lot.
    """
    store, model = wiring.store, wiring.store.models.find_promoted()
    if model is None:
        raise SystemExit("the pool has no drafts: run benchmarks.pool first")
    prepare = make_preparer(wiring.settings.report)
    recordings = {one.id: one for one in store.recordings.fetch() if one.split == "train"}
    segments = {one.id: one for id in recordings for one in store.drafts.fetch_segments(id)}
    chosen: set[str] = set()
    for minutes in [*rounds] if chance is None else [sum(rounds)]:
        ranked = correct_next(store, model, prepare, minutes=minutes if chance is None else math.inf)
        new = {one.id for one in (ranked if chance is None else _by_lot(ranked, chance, minutes * 60))}
        touched = [recordings[id] for id in sorted({segments[id].recording for id in new})]
        people_write(wiring, touched, new, everything)
        chosen |= new
    worked_on = sorted({segments[id].recording for id in chosen})
    return [one for id in worked_on for one in _examples(recordings[id], list(store.drafts.fetch_segments(id)), chosen)]


def _by_lot(waiting: Sequence[UnlabelledSegment], chance: random.Random, seconds: float) -> Iterator[UnlabelledSegment]:
    """What fills *seconds*, by *chance*, unbroken speech together."""
    islands: dict[str, list[UnlabelledSegment]] = defaultdict(list)
    for one in waiting:
        islands[one.island].append(one)
    for name in chance.sample(sorted(islands), len(islands)):
        length = sum(one.seconds for one in islands[name])
        if length <= seconds:
            yield from islands[name]
            seconds -= length


def _rates(folder: Path, held: Sequence[Recording], sound: AudioReader) -> dict[str, float]:
    """WER of the model in *folder* on each dialect of *held*: what was said when, against what it writes of it."""
    counts: dict[str, ErrorCount] = defaultdict(ErrorCount.zero)
    for recording in held:
        said = sorted((turn for turn in recording.declared if turn.text), key=lambda turn: turn.start)
        spans = [(turn.start, turn.end) for turn in said]
        written = transcribe_spans(folder, sound(recording.id, None), spans, recording.language)
        dialect = str(recording.dialect)
        normalise = load_normaliser(load_catalogue().find(dialect).normaliser)
        texts = " ".join(turn.text or "" for turn in said), written
        counts[dialect] += from_counts(count(*(normalise(text).split() for text in texts)))
    return {tag: round(one.rate or 0.0, 4) for tag, one in sorted(counts.items())}


def transcribe_spans(
    folder: Path, pcm: Pcm, spans: Sequence[tuple[Milliseconds, Milliseconds]], language: str | None
) -> str:
    """Transcribe the speech in *spans* by the model in *folder*, packed into windows as drafting packs them."""
    recogniser = FasterWhisperRecogniser(folder, device="cpu", compute_type="int8")
    turns = [Turn(recording="", speaker="", start=start, end=end) for start, end in spans]
    plans = pack(unite_speech(turns), duration=len(pcm) * 1000 // SAMPLE_RATE_HZ, longest=recogniser.window)
    windows = [Window(start=p.start, end=p.end, pieces=p.pieces, language=language) for p in plans]
    return join_words(join([answer.words for answer in recogniser.recognise(pcm, windows)], plans))


def _examples(recording: Recording, segments: Sequence[Segment], chosen: set[str]) -> list[Example]:
    """All *segments* of *recording*, those that are *chosen* with what people write there."""
    said = everything(recording, segments)
    return [
        Example(
            id=segment.id,
            audio=segment.recording,
            start=segment.start,
            end=segment.end,
            text=said.get(segment.id, "") if segment.id in chosen else None,
            dialect=segment.dialect or recording.dialect,
            language=recording.language,
            speaker=segment.speaker,
            channel=segment.channel,
            session=recording.session,
            split="train",
        )
        for segment in segments
    ]


def everything(recording: Recording, segments: Sequence[Segment]) -> dict[str, str]:
    """
    What people write who leave no word out: a word for its speaker's segment, or for another that holds it.

    A text that lacks a voice which can be heard teaches a model to leave words out.
    """
    written: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for turn in recording.declared:
        for middle, word in spread(turn):
            far = {one.id: max(one.start - middle, middle - one.end, 0) for one in segments}
            own = [one.id for one in segments if one.speaker == turn.speaker and far[one.id] <= EDGE]
            home = min(own or (id for id in far if not far[id]), key=far.__getitem__, default=None)
            if home is not None:
                written[home].append((middle, word))
    return {id: " ".join(word for _, word in sorted(words)) for id, words in written.items()}


def _tell(rows: Sequence[dict[str, Any]], steps: int, budget: float) -> None:
    """Write down what whole seeds have shown: by point, by pair, and what it would be with one seed fewer."""
    of = {(row["seed"], row["way"], row["point"]): row for row in rows}
    points = sorted({point for _, _, point in of})
    whole = Counter(row["seed"] for row in rows)
    seeds = sorted(seed for seed, trials in whole.items() if trials == len(points) * len(WAYS))
    if not seeds:
        return
    found: dict[str, Any] = {}
    for point in points:
        pairs = [of[seed, "order", point]["wer"] - of[seed, "lot", point]["wer"] for seed in seeds]
        told = {way: round(statistics.fmean(of[seed, way, point]["wer"] for seed in seeds), 4) for way in WAYS}
        minutes = round(statistics.fmean(of[seed, "order", point]["minutes"] for seed in seeds), 1)
        found[str(point)] = {
            "minutes": minutes,
            **{f"wer_{way}": rate for way, rate in told.items()},
            "difference": round(statistics.fmean(pairs), 4),
            "difference_spread": round(statistics.stdev(pairs), 4) if len(pairs) > 1 else None,
            "differences": {str(seed): round(pair, 4) for seed, pair in zip(seeds, pairs, strict=True)},
        }
        print(f"{minutes:.1f} min: order {told['order']:.1%}, lot {told['lot']:.1%}, {len(seeds)} seeds")
    share = _share(of, seeds, points)
    fewer = [_share(of, [one for one in seeds if one != seed], points) for seed in seeds] if len(seeds) > 1 else []
    print(f"the order is where the lot ends after {'no part' if share is None else f'{share:.0%}'} of the minutes")
    facts = {
        "base": rows[0]["base"],
        "steps": steps,
        "budget_minutes": budget,
        "seeds": seeds,
        "longest_tuning_s": max(row["seconds"] for row in rows),
        "share_without_one_seed": fewer,
    }
    print(write("acquisition", found, **facts, share_of_minutes=share))


def _share(
    of: Mapping[tuple[int, str, int], dict[str, Any]], seeds: Sequence[int], points: Sequence[int]
) -> float | None:
    """Share of the minutes after which the order's mean is where the lot's ends; ``None``: it never is."""

    def mean(way: str, point: int, what: str) -> float:
        return statistics.fmean(of[seed, way, point][what] for seed in seeds)

    curve = [(mean("order", point, "minutes"), mean("order", point, "wer")) for point in points]
    found = reached(curve, mean("lot", points[-1], "wer"))
    return None if found is None else round(found / curve[-1][0], 3)


def reached(curve: Sequence[tuple[float, float]], wer: float) -> float | None:
    """
    Minutes after which *curve*, of minutes and WER, is at *wer*, on straight lines between its points.

    >>> reached([(6, 0.4), (12, 0.2)], 0.25)
    10.5
    >>> reached([(6, 0.4), (12, 0.2)], 0.45)
    6
    """
    for (before, high), (after, low) in itertools.pairwise([curve[0], *curve]):
        if low <= wer:
            return after if high <= wer or high == low else before + (after - before) * (high - wer) / (high - low)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--points", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--budget", type=float, default=9.0, help="minutes of sound at the last point")
    given = parser.parse_args()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    measure(given.place, seeds=seeds, points=given.points, steps=given.steps, budget=given.budget)


if __name__ == "__main__":
    main()
