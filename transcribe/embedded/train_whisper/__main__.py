"""Commands: bank, vocabulary, train, export, measure; each reads and writes folders given as options."""

from __future__ import annotations

import argparse
import json
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcribe.embedded import texts
from transcribe.embedded.train_whisper import bank, tokenizer
from transcribe.embedded.train_whisper.stages import STAGES
from transcribe.embedded.train_whisper.windows import Mix, Shelf, Window, lay_out

if TYPE_CHECKING:
    from transcribe.embedded.train_whisper.train import Recipe

TRAINING = bank.Amount(voices=160, sentences=6, salads=4, digits=4)
WATCHING = bank.Amount(voices=10, sentences=4, salads=2, digits=3)
TEXT_TOKENS = 1_400


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m transcribe.embedded.train_whisper", description=__doc__)
    parser.add_argument("command", choices=["bank", "vocabulary", "train", "export", "measure"])
    parser.add_argument("--work", type=Path, required=True, help="folder of the bank, tokenizer and checkpoints")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("BOLI_TEST_DATA", "../shared/data")))
    parser.add_argument("--stage", choices=list(STAGES), default="synthetic")
    parser.add_argument("--leave-out", default="", help="speakers of recorded digits to leave out, with commas")
    parser.add_argument("--start", type=Path, help="train: begin with the weights of this folder of transformers")
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--bfloat16", action="store_true", help="train: multiply in bfloat16, where the processor can")
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
    """Checkpoint of *stage*, by its name and, where it hears recorded people, those left out."""
    left_out = names(options.leave_out) if STAGES[stage].hears_recorded else ()
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
    """Train one stage from the weights of the stage before, of the folder given as a start, or from nothing."""
    from transcribe.embedded.train_whisper.batches import Scribe
    from transcribe.embedded.train_whisper.export import averaged
    from transcribe.embedded.train_whisper.model import Shape
    from transcribe.embedded.train_whisper.train import Learner, train

    stage = STAGES[options.stage]
    spoken = tokenizer.load(options.start or options.work)
    compact = tokenizer.Compact(spoken)
    utterances = bank.load_bank(options.work / "bank")
    scribe = Scribe(spoken, bank.inventory(utterances))
    shape = Shape(vocabulary=compact.size, phones=len(scribe.phones), encoder_layers=stage.encoder_layers)
    learner = Learner(shape, compact)
    checkpoint = checkpoint_path(options, options.stage)
    if stage.hears_recorded:
        utterances += bank.recorded_digits(options.data, without=names(options.leave_out))
    if checkpoint.exists():
        learner.load(checkpoint)
    elif options.start:
        learner.begin(averaged(options.start, compact))
    elif stage.after:
        learner.begin(torch_state(checkpoint_path(options, stage.after))["average"])
    rng = random.Random(5)
    prompts = [texts.sentence(rng.choice(bank.DIALECTS), rng) for _ in range(300)]
    dev = dev_windows(options.work / "dev", options.data)
    train(learner, Shelf(utterances), scribe, recipe(options), checkpoint=checkpoint, dev=dev, prompts=prompts)


def torch_state(checkpoint: Path) -> dict[str, Any]:
    """What a stage left in *checkpoint*."""
    import torch

    return dict(torch.load(checkpoint, weights_only=True))


def recipe(options: argparse.Namespace) -> Recipe:
    """What a stage is trained on, how fast and for how long."""
    from transcribe.embedded.train_whisper.train import Recipe

    stage = STAGES[options.stage]
    return Recipe(
        minutes=options.minutes,
        peak_rate=stage.peak_rate,
        last_rate=stage.last_rate,
        usual_length=stage.usual_length,
        mix=stage.mix,
        threads=options.threads,
        seed=stage.seed,
        bfloat16=options.bfloat16,
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
