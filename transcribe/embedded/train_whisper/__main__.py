"""Commands: bank, vocabulary, train, export, measure; each reads and writes folders given as options."""

from __future__ import annotations

import argparse
import json
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.embedded import texts
from transcribe.embedded.train_whisper import bank, tokenizer
from transcribe.embedded.train_whisper.windows import Mix, Shelf, Window, lay_out

if TYPE_CHECKING:
    from transcribe.embedded.train_whisper.train import Recipe

TRAINING = bank.Amount(voices=160, sentences=6, salads=4, digits=4)
WATCHING = bank.Amount(voices=10, sentences=4, salads=2, digits=3)
TEXT_TOKENS = 1_400

#: Layers of the encoder in each stage, in order: early steps need no deep encoder, and are quicker without it.
STAGES = {"synthetic": 4, "recorded": 6, "overlapped": 8}


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m transcribe.embedded.train_whisper", description=__doc__)
    parser.add_argument("command", choices=["bank", "vocabulary", "train", "export", "measure"])
    parser.add_argument("--work", type=Path, required=True, help="folder of the bank, tokenizer and checkpoints")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("BOLI_TEST_DATA", "../shared/data")))
    parser.add_argument("--stage", choices=list(STAGES), default="synthetic")
    parser.add_argument("--leave-out", default="", help="speakers of recorded digits to leave out, with commas")
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", type=Path, default=Path(__file__).parents[1] / "models")
    parser.add_argument("--only", default="", help="measure: digit conversations with these speakers, and nothing else")
    options = parser.parse_args()
    commands = {
        "bank": make_bank,
        "vocabulary": make_vocabulary,
        "train": make_network,
        "export": make_folders,
        "measure": measure_folder,
    }
    commands[options.command](options)


def make_bank(options: argparse.Namespace) -> None:
    """Synthesise training speech, and a little of other voices to watch progress with."""
    bank.synthesise(options.work / "bank", TRAINING, seed=7)
    bank.synthesise(options.work / "dev", WATCHING, seed=8)


def make_vocabulary(options: argparse.Namespace) -> None:
    """Learn the tokenizer from the words of the dialects that are trained on."""
    words = [word for dialect in bank.DIALECTS for word in texts.vocabulary(dialect)] + list(texts.DIGITS) * 20
    learned = tokenizer.learn(words, TEXT_TOKENS)
    learned.save(str(options.work / "tokenizer.json"))
    print(json.dumps({"text tokens": tokenizer.ids(learned).end}))


def names(listed: str) -> tuple[str, ...]:
    """Names out of a list with commas."""
    return tuple(filter(None, listed.split(",")))


def checkpoint_path(options: argparse.Namespace, stage: str) -> Path:
    """Checkpoint of *stage*, by its name and the speakers left out; the first stage hears no recorded speaker."""
    left_out = names(options.leave_out) if stage != "synthetic" else ()
    return Path(options.work / f"{'-without-'.join([stage, *left_out])}.pt")


def make_folders(options: argparse.Namespace) -> None:
    """Write the folders whisper and whisper-hf under --models from a stage's checkpoint."""
    from transcribe.embedded.train_whisper.export import export

    folder, checkpoint = options.models, checkpoint_path(options, options.stage)
    export(checkpoint, tokenizer.load(options.work), hf=folder / "whisper-hf", ct2=folder / "whisper")


def measure_folder(options: argparse.Namespace) -> None:
    """Print the error rates of the folder whisper under --models as one JSON document."""
    from transcribe.embedded.train_whisper import measure

    engine = measure.Engine(options.models / "whisper", threads=options.threads)
    found: dict[str, object] = {"digits": measure.digit_rates(engine, options.data, only=names(options.only))}
    if not options.only:
        found["dialects"] = measure.dialect_rates(engine)
        found["word start error ms"] = measure.word_start_error(engine, bank.load_bank(options.work / "dev")[::12])
    print(json.dumps(found))


def make_network(options: argparse.Namespace) -> None:
    """Train one stage; each but the first starts from the weights of the one before."""
    from transcribe.embedded.train_whisper.batches import Scribe
    from transcribe.embedded.train_whisper.model import Shape
    from transcribe.embedded.train_whisper.train import Learner, train

    without, stage = names(options.leave_out), options.stage
    spoken = tokenizer.load(options.work)
    compact = tokenizer.Compact(spoken)
    utterances = bank.load_bank(options.work / "bank")
    scribe = Scribe(spoken, bank.inventory(utterances))
    shape = Shape(vocabulary=compact.size, phones=len(scribe.phones), encoder_layers=STAGES[stage])
    learner = Learner(shape, compact)
    checkpoint = checkpoint_path(options, stage)
    if stage != "synthetic":
        utterances += bank.recorded_digits(options.data, without=without)
    if checkpoint.exists():
        learner.load(checkpoint)
    elif stage != "synthetic":
        earlier = list(STAGES)[list(STAGES).index(stage) - 1]
        learner.load(checkpoint_path(options, earlier), afresh=True)
    rng = random.Random(5)
    prompts = [texts.sentence(rng.choice(bank.DIALECTS), rng) for _ in range(300)]
    dev = dev_windows(options.work / "dev", options.data)
    train(learner, Shelf(utterances), scribe, recipe(options), checkpoint=checkpoint, dev=dev, prompts=prompts)


def recipe(options: argparse.Namespace) -> Recipe:
    """What a stage is trained on, and how fast."""
    from transcribe.embedded.train_whisper.train import Recipe

    minutes, threads = options.minutes, options.threads
    if options.stage == "synthetic":
        return Recipe(minutes=minutes, peak_rate=2e-3, last_rate=5e-4, threads=threads)
    mix, rate, seed = Mix(digits=0.1, recorded=0.32, overlapping=0.65, clean=0.35), 1.2e-3, 2
    if options.stage == "overlapped":
        mix, rate, seed = Mix(digits=0.08, recorded=0.38, overlapping=0.75, clean=0.35), 8e-4, 3
    return Recipe(
        minutes=minutes, peak_rate=rate, last_rate=1e-5, usual_length=7_000, mix=mix, threads=threads, seed=seed
    )


def dev_windows(folder: Path, data: Path, *, each: int = 16) -> dict[str, list[Window]]:
    """Windows to watch progress with: other voices, other recordings of the digits."""
    utterances, rng = bank.load_bank(folder), random.Random(3)
    groups = {
        "en": [u for u in utterances if u.language == "en"],
        "hi": [u for u in utterances if u.language == "hi"],
        "ta": [u for u in utterances if u.language == "ta"],
        "recorded": bank.recorded_digits(data, recordings=range(bank.FIRST_DEV_RECORDING, bank.FIRST_TEST_RECORDING)),
    }
    windows = {}
    for name, group in groups.items():
        mix = Mix(digits=0.0, recorded=float(name == "recorded"), empty=0.0, clean=1.0)
        windows[name] = [lay_out(rng, Shelf(group), mix, 5_000) for _ in range(each)]
    return windows


if __name__ == "__main__":
    main()
