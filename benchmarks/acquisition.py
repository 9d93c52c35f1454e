"""
Does a model learn more from what `boli queue --first` asks for than from as many minutes by lot?

    python -m benchmarks.pool DIR                                         # 3 h from the demo's generator, drafted
    python -m benchmarks.acquisition DIR --seeds 5 --points 4 --steps 60

Each seed holds back a fifth of the conversations of each dialect to be measured on. At each point, the budget's
fraction of the rest is taken once in the order and once by lot, the embedded Whisper is tuned on it by adapters for so
many steps, and its WER on what was held back is noted. What is done is kept in DIR/acquisition.jsonl, so that it goes
on where it stopped; the result file has the means with their spread over seeds and the difference of each pair.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.growing import truth
from benchmarks.measuring import write
from transcribe import audio, embedded, frozen
from transcribe.actions.acquiring import correct_next
from transcribe.actions.scoring import preparer
from transcribe.config import TrainSettings
from transcribe.finetune import tune
from transcribe.frozen import Example
from transcribe.protocols import Pcm
from transcribe.records import Recording, Segment
from transcribe.wiring import Wiring

WAYS = ("order", "lot")


def measure(place: Path, *, seeds: int, points: int, steps: int, budget: float) -> None:
    """Every seed, way and point that is not noted yet, then the result file."""
    notes = place / "acquisition.jsonl"
    done = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()] if notes.exists() else []
    known = {(row["seed"], row["way"], row["point"], row["steps"]) for row in done}
    for seed in range(seeds):
        for point in range(1, points + 1):
            for way in WAYS:
                if (seed, way, point, steps) in known:
                    continue
                row = _one(place, seed, way, point, budget * point / points, steps)
                with notes.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(row) + "\n")
                done.append(row)
                print(f"seed {seed}, {way}, {row['minutes']:.1f} min: WER {row['wer']:.1%} in {row['seconds']:.0f} s")
    _tell([row for row in done if row["steps"] == steps], steps, budget)


def _one(place: Path, seed: int, way: str, point: int, minutes: float, steps: int) -> dict[str, Any]:
    chance = random.Random(seed)
    with Wiring.open(place / "w") as wiring:
        store, model = wiring.store, wiring.store.promoted()
        if model is None:
            raise SystemExit("the pool has no drafts: run prepare first")
        recordings = {one.id: one for one in store.recordings()}
        held = _held_back(list(recordings.values()), chance)
        ranked = correct_next(store, model, preparer(wiring.settings.report, normaliser=None), minutes=1e6)
        segments = {one.id: one for id in recordings for one in store.segments(id)}
        open_ones = [one for one in ranked if segments[one.id].recording not in held]
        if way == "lot":
            chance.shuffle(open_ones)
        chosen, left = set(), minutes * 60
        for one in open_ones:
            if one.seconds <= left:
                chosen.add(one.id)
                left -= one.seconds
        made = [_example(recordings[one.recording], one, chosen, held) for one in segments.values()]
        folder = place / "runs" / f"{seed}-{way}-{point}-{steps}"
        dataset = frozen.write(folder / "dataset", sorted(made, key=lambda one: one.place))

        def sound(recording: str, channel: int | None) -> Pcm:
            return audio.read(audio.place(wiring.audio_folder, recording), channel=channel)

        settings = TrainSettings(
            method="lora", steps=steps, test_every=steps, warmup_steps=5, average_steps=10, threads=1, seed=seed
        )
        tuned = tune(settings, embedded.whisper_for_training(), dataset, sound, folder / "tuned")
    return {
        "seed": seed,
        "way": way,
        "point": point,
        "steps": steps,
        "minutes": round(minutes - left / 60, 2),
        "wer": statistics.fmean(tuned.wer.values()),
        "by_dialect": dict(tuned.wer),
        "seconds": tuned.seconds,
    }


def _held_back(recordings: Sequence[Recording], chance: random.Random) -> set[str]:
    """A fifth of each dialect's conversations, at least one."""
    held: set[str] = set()
    for dialect in sorted({str(one.dialect) for one in recordings}):
        mine = sorted(one.id for one in recordings if str(one.dialect) == dialect)
        held.update(chance.sample(mine, max(1, len(mine) // 5)))
    return held


def _example(recording: Recording, segment: Segment, chosen: set[str], held: set[str]) -> Example:
    known = segment.recording in held or segment.id in chosen
    return Example(
        id=segment.id,
        audio=segment.recording,
        start=segment.start,
        end=segment.end,
        text=(truth(recording, segment) or None) if known else None,
        dialect=segment.dialect or recording.dialect,
        language=recording.language,
        speaker=segment.speaker,
        channel=segment.channel,
        session=recording.session,
        split="dev" if segment.recording in held else "train",
    )


def _tell(rows: Sequence[dict[str, Any]], steps: int, budget: float) -> None:
    found: dict[str, Any] = {}
    for point in sorted({row["point"] for row in rows}):
        of = {way: {row["seed"]: row for row in rows if row["point"] == point and row["way"] == way} for way in WAYS}
        pairs = [of["order"][seed]["wer"] - of["lot"][seed]["wer"] for seed in of["order"] if seed in of["lot"]]
        if not pairs:
            continue
        minutes = statistics.fmean(row["minutes"] for row in of["order"].values())
        told = {way: round(statistics.fmean(row["wer"] for row in of[way].values()), 4) for way in WAYS}
        spread = round(statistics.stdev(pairs), 4) if len(pairs) > 1 else None
        found[str(point)] = {
            "minutes": round(minutes, 1),
            "seeds": len(pairs),
            **{f"wer_{way}": rate for way, rate in told.items()},
            "difference": round(statistics.fmean(pairs), 4),
            "difference_spread": spread,
        }
        print(
            f"{minutes:.1f} min: order {told['order']:.1%}, lot {told['lot']:.1%}, {len(pairs)} seeds, spread {spread}"
        )
    print(write("acquisition", found, steps=steps, budget_minutes=budget))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--points", type=int, default=4)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--budget", type=float, default=24.0, help="minutes of sound at the last point")
    given = parser.parse_args()
    measure(given.place, seeds=given.seeds, points=given.points, steps=given.steps, budget=given.budget)


if __name__ == "__main__":
    main()
