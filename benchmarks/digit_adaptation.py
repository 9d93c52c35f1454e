"""
How much does half a minute, one and two minutes of one person's corrected speech teach a model that never heard them?

    python -m benchmarks.digit_adaptation --base FOLDER --speaker NAME [--data DIR] [--minutes 0.5 1 2] [--steps N]

FOLDER is a Whisper of transformers trained without NAME (`python -m transcribe.embedded.train_whisper export
--leave-out NAME` writes one, `whisper-hf`). Of the person's recorded digits numbered under 35 as many are corrected,
each once, as fill the minutes without any pause. All of them are taught and none is watched, since a few words say
nothing of when to stop; some digits of the others, which the base knows, are taught again against forgetting. Tested,
after conversion and by the drafter's engine, is the same speaker on unseen recordings, 35 to 49, all of them four times
in other orders: what a word stands beside changes how it is heard.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from benchmarks.measuring import write
from dialects.scoring import ErrorCount, count, from_counts
from transcribe import convert, frozen
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.backends.identity import folder_id
from transcribe.config import TrainSettings
from transcribe.embedded import digits
from transcribe.embedded.conversations import Conversation, converse
from transcribe.finetune import tune
from transcribe.frozen import Example
from transcribe.masking import Span
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm, Window
from transcribe.records import Turn, join_words
from transcribe.windows import join, pack, unite_speech

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BOLI_TEST_DATA", ROOT.parent / "shared" / "data"))
TAUGHT, TESTED = range(35), range(35, 50)
#: Of each of the others, so that their way of speaking is not forgotten.
KEPT_MINUTES = 0.5
ORDERS = 4


def filling(own: Sequence[digits.Digit], minutes: float) -> list[digits.Digit]:
    """The first of *own* that together last *minutes*, pauses not counted."""
    lengths = itertools.accumulate(len(one.samples) / one.rate_hz / 60 for one in own)
    return [one for one, length in zip(own, lengths, strict=False) if length <= minutes]


def talk(own: Sequence[digits.Digit], name: str, rng: random.Random) -> Conversation:
    """*own* digits, each once, in turns of one to six with pauses between."""
    left = list(own)
    clips = []
    while left:
        number = rng.randint(1, digits.MOST_DIGITS)
        clips.append(digits.join(left[:number], rng))
        left = left[number:]
    return converse(clips, rng, name=name, pause_ms=digits.PAUSE_MS, overlap=0, rate_hz=own[0].rate_hz)


def pcm_of(made: Conversation) -> Pcm:
    """Its samples at 16 kHz."""
    sound = soxr.resample(made.samples.astype(np.float32), made.rate_hz, SAMPLE_RATE_HZ)
    return np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)


def examples(made: Conversation) -> list[Example]:
    """The turns of *made* as a transcriber who makes no mistake would hand them in."""
    return [
        Example(
            id=f"{made.name}-{number}",
            audio=made.name,
            start=turn.start,
            end=turn.end,
            text=turn.text,
            dialect=turn.dialect,
            language="en",
            speaker=turn.speaker,
            split="train",
        )
        for number, turn in enumerate(made.spoken)
    ]


def heard(folder: Path, pcm: Pcm, spans: Sequence[Span], language: str | None) -> str:
    """What the model in *folder* writes of the speech in *spans*, packed into windows as drafting packs them."""
    recogniser = FasterWhisperRecogniser(folder, device="cpu", compute_type="int8", threads=1)
    turns = [Turn(recording="", speaker="", start=start, end=end) for start, end in spans]
    plans = pack(unite_speech(turns), duration=len(pcm) * 1000 // SAMPLE_RATE_HZ, longest=recogniser.window)
    windows = [Window(start=p.start, end=p.end, pieces=p.pieces, language=language) for p in plans]
    return join_words(join([answer.words for answer in recogniser.recognise(pcm, windows)], plans))


def errors(folder: Path, tested: Sequence[Conversation]) -> ErrorCount:
    """Errors of the model in *folder* on *tested*."""
    total = ErrorCount.zero()
    for made in tested:
        spans = [(turn.start, turn.end) for turn in made.spoken]
        said = " ".join(turn.text for turn in made.spoken)
        total += from_counts(count(said.split(), heard(folder, pcm_of(made), spans, "en").split()))
    return total


def tuned(base: Path, taught: Sequence[Conversation], settings: TrainSettings, to: Path) -> Path:
    """The base taught *taught*, converted."""
    dataset = frozen.write(to / "dataset", [one for talk in taught for one in examples(talk)])
    sounds = {one.name: one for one in taught}
    trained = tune(settings, base, dataset, lambda audio, channel: pcm_of(sounds[audio]), to)
    print(f"  {trained.steps} steps in {trained.seconds:.0f} s", flush=True)
    return convert.to_ctranslate2(trained.folder, to / "ct2").folder


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """WER without and with each number of corrected minutes."""
    taught, tested = (digits.load(given.data, recordings=part) for part in (TAUGHT, TESTED))
    rng = random.Random(given.seed)
    taught = {who: rng.sample(said, len(said)) for who, said in sorted(taught.items())}
    own = taught[given.speaker]
    kept = [
        talk(filling(said, KEPT_MINUTES), f"kept-{who}", rng)
        for who, said in taught.items()
        if said[0].dialect != own[0].dialect
    ]
    tests = {
        who: [talk(rng.sample(said, len(said)), f"test-{who}-{number}", rng) for number in range(ORDERS)]
        for who, said in sorted(tested.items())
    }
    settings = TrainSettings(
        focus=(own[0].dialect,),
        steps=given.steps,
        average_steps=100,
        device="cpu",
        threads=1,
        seed=given.seed,
    )
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for minutes in (0.0, *given.minutes):
            to = Path(folder) / f"{minutes:g}"
            corrected = filling(own, minutes)
            if corrected:
                model = tuned(given.base, [*kept, talk(corrected, "taught", rng)], settings, to)
            else:
                model = convert.to_ctranslate2(given.base, to).folder
            rates = {who: errors(model, one) for who, one in tests.items()}
            found[f"{minutes:g}"] = {
                "words_corrected": len(corrected),
                "errors": dataclasses.asdict(rates[given.speaker]),
                "wer": rates[given.speaker].rate,
                "wer_of_others": {who: one.rate for who, one in rates.items() if who != given.speaker},
            }
            print(f"{minutes:4g} min corrected: WER {rates[given.speaker].rate:.1%}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--speaker", required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--minutes", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"{given.speaker}, same speaker, unseen recordings")
    found = measure(given)
    facts = {"speaker": given.speaker, "seed": given.seed, "base": folder_id(given.base), "steps": given.steps}
    print(write(f"digit_adaptation_{given.speaker}", found, **facts))


if __name__ == "__main__":
    main()
