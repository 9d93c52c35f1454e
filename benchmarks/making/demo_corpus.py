"""
Make the demo's corpus: short conversations of two natural voices in seven varieties, with the truth of every turn.

    python -m benchmarks.making.demo_corpus --weights FOLDER --out FOLDER

The weights are fetched into their folder if they are not there (120 MB, and 200 MB of programs). What is whole in the
other folder is not made again, so that the command goes on where it was ended; two processes share the work with
`--part 1/2` and `--part 2/2`. A fresh process makes the same samples from the same seed, weights and programs, on the
same kind of processor.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.making import texts, voices
from benchmarks.making.card import card
from benchmarks.making.sound import Clip, Conversation, converse, room, telephone, to_int16, write_opus
from benchmarks.making.synthesis import Synthesis
from benchmarks.making.texts import Script
from benchmarks.making.truth import MANIFEST_COLUMNS, json_lines, read_turns, turn_fields, write_table, write_truth
from benchmarks.making.voices import Person
from benchmarks.making.weights import fetch

SEED = 20_261
#: Shortest and longest pause between turns.
PAUSE_MS = (200, 1200)

FACTS = {
    "consent": "synthetic",
    "licence": "CC0-1.0",
    "source": "Kokoro-82M and espeak-ng, made by benchmarks.making.demo_corpus",
}
SPEAKER_COLUMNS = (
    "speaker",
    "recording",
    "main",
    "partner",
    "share",
    "speed",
    "warp",
    "espeak",
    "telephone",
    "noise_db",
)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How a conversation is heard."""

    telephone: bool
    #: Target share of the speech in which both talk.
    overlap: float
    #: The speech's power over that of the room's noise.
    noise_db: float


@dataclass(frozen=True, kw_only=True)
class Part:
    """One conversation to be made: its words, its people by the letter of their turns, and how it is heard."""

    script: Script
    people: Mapping[str, Person]
    conditions: Conditions

    @property
    def name(self) -> str:
        """The name of the recording and its files."""
        return self.script.name

    @property
    def recording(self) -> str:
        """The name of the sound's file."""
        return f"{self.name}.opus"


def plan(scripts: Sequence[Script]) -> list[Part]:
    """Give all conversations of *scripts* with their people and conditions, in their order."""
    people = voices.cast(scripts, SEED)
    conditions: dict[str, Conditions] = {}
    for variety, split in dict.fromkeys((script.variety, script.split) for script in scripts):
        names = [script.name for script in scripts if (script.variety, script.split) == (variety, split)]
        rng = random.Random(f"{SEED} conditions {variety} {split}")
        conditions |= dict(zip(names, draw_conditions(len(names), rng), strict=True))
    return [Part(script=it, people=people[it.name], conditions=conditions[it.name]) for it in scripts]


def draw_conditions(count: int, rng: random.Random) -> list[Conditions]:
    """Give *count* conditions: a quarter by telephone, half with interruptions, a third in a noisier room."""
    telephones = rng.sample(range(count), max(1, round(count / 4)))
    overlapped = rng.sample(range(count), round(count / 2))
    noisy = rng.sample(range(count), round(count / 3))
    return [
        Conditions(
            telephone=number in telephones,
            overlap=round(rng.uniform(0.05, 0.1), 3) if number in overlapped else 0.0,
            noise_db=round(rng.uniform(*((20, 26) if number in noisy else (30, 40))), 1),
        )
        for number in range(count)
    ]


def record(part: Part, sounds: Sequence[NDArray[np.float32]]) -> Conversation:
    """
    Let the two people of *part* talk, and give what is recorded of it.

    Args:
        part: The conversation.
        sounds: The sound of each of its lines, float32 (samples,) at 16 kHz.
    """
    rng = random.Random(f"{SEED} {part.name}")
    # Up to 4 dB between two people, as at one microphone.
    gains = {letter: 10 ** (rng.uniform(-2, 2) / 20) for letter in part.people}
    clips = [
        Clip(
            speaker=part.people[line.speaker].name,
            dialect=part.script.variety,
            text=line.text,
            samples=samples * gains[line.speaker],
        )
        for line, samples in zip(part.script.lines, sounds, strict=True)
    ]
    dry = converse(clips, rng, name=part.name, pause_ms=PAUSE_MS, overlap=part.conditions.overlap)
    heard = room(dry.samples, rng, noise_db=part.conditions.noise_db)
    if part.conditions.telephone:
        heard = telephone(heard)
    return Conversation(name=part.name, samples=to_int16(heard), spoken=dry.spoken)


def is_whole(out: Path, part: Part) -> bool:
    """Say if all files of *part* are in *out*, and the truth has the words of its script."""
    files = [out / f"{part.name}.{ending}" for ending in ("opus", "rttm", "jsonl")]
    if not all(file.exists() for file in files):
        return False
    written = sorted((turn.speaker, turn.text) for turn in read_turns(files[-1]))
    return written == sorted((part.people[line.speaker].name, line.text) for line in part.script.lines)


def write_conversation(out: Path, conversation: Conversation) -> None:
    """Write the sound and, when it is whole, the truth."""
    begun = out / f".{conversation.name}.opus"
    write_opus(begun, conversation.samples)
    begun.rename(out / f"{conversation.name}.opus")
    write_truth(out, conversation)


def write_tables(out: Path, parts: Sequence[Part]) -> None:
    """Write what tells about all conversations of *parts*: manifest, corrections, speakers, README."""
    turns = {part.name: read_turns(out / f"{part.name}.jsonl") for part in parts}
    write_table(out / "manifest.csv", MANIFEST_COLUMNS, map(manifest_row, parts))
    write_table(out / "speakers.csv", SPEAKER_COLUMNS, (row for part in parts for row in speaker_rows(part)))
    corrections = ({"recording": part.recording, **turn_fields(turn)} for part in parts for turn in turns[part.name])
    (out / "corrections.jsonl").write_text(json_lines(corrections), encoding="utf-8")
    (out / "README.md").write_text(card([part.script for part in parts], turns), encoding="utf-8")


def manifest_row(part: Part) -> dict[str, str]:
    """Give the manifest's line of one conversation."""
    return {
        "path": part.recording,
        "dialect": part.script.variety,
        "language": part.script.language,
        "session": part.name,
        "turns": f"{part.name}.jsonl",
        "split": part.script.split,
        **FACTS,
    }


def speaker_rows(part: Part) -> Iterator[dict[str, str]]:
    """Give who each person of *part* is, and how both are heard."""
    for person in part.people.values():
        yield {
            "speaker": person.name,
            "recording": part.recording,
            "main": person.main,
            "partner": person.partner,
            "share": f"{person.share:.2f}",
            "speed": f"{person.speed:.2f}",
            "warp": f"{person.warp:.2f}",
            "espeak": person.espeak,
            "telephone": "yes" if part.conditions.telephone else "no",
            "noise_db": f"{part.conditions.noise_db:.1f}",
        }


def print_list(out: Path, parts: Sequence[Part]) -> None:
    """Print each variety's figures, then each conversation and whether it is whole in *out*."""
    for figures in texts.figures_of([part.script for part in parts]):
        splits = ", ".join(f"{count} {split}" for split, count in figures.conversations.items())
        print(
            f"{figures.variety}: {splits}; {figures.turns} turns, {figures.running_words} words, "
            f"{figures.different_words} different, {figures.shared:.1%} of the test's four-word sequences in training"
        )
    for part in parts:
        print(f"{part.name}\t{'whole' if is_whole(out, part) else 'to be made'}\t{part.script.topic}")


def main() -> None:
    """Read the options and make what is not there."""
    parser = argparse.ArgumentParser(description="Make the demo's corpus of natural synthetic conversations.")
    parser.add_argument("--weights", type=Path, help="folder of the weights, fetched into it if they are not there")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, made if absent")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="make these conversations alone")
    parser.add_argument(
        "--part", metavar="K/N", type=read_share, default=(1, 1), help="make every Nth one, from the Kth on"
    )
    parser.add_argument("--list", action="store_true", help="print the conversations, and make none")
    options = parser.parse_args()
    parts = plan(texts.read_scripts())
    if options.list:
        print_list(options.out, parts)
        return
    if options.weights is None:
        parser.error("--weights is needed to make any")
    named = [part for part in parts if options.only is None or part.name in options.only]
    first, of = options.part
    make_all(options.out, by_turns(named)[first - 1 :: of], options.weights)
    if all(is_whole(options.out, part) for part in parts):
        write_tables(options.out, parts)


def by_turns(parts: Sequence[Part]) -> list[Part]:
    """Order *parts* by their place in their variety: the first of each, the second of each, and so on."""
    places: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for part in parts:
        places[part.name] = seen[part.script.variety]
        seen[part.script.variety] += 1
    return sorted(parts, key=lambda part: places[part.name])


def make_all(out: Path, parts: Sequence[Part], weights: Path) -> None:
    """Make those of *parts* that are not whole in *out*, and tell of each."""
    out.mkdir(parents=True, exist_ok=True)
    left = [part for part in parts if not is_whole(out, part)]
    if not left:
        return
    with Synthesis(fetch(weights)) as synthesis:
        for number, part in enumerate(left, start=1):
            lines = [(part.people[line.speaker], line.text) for line in part.script.lines]
            conversation = record(part, synthesis.speak(lines))
            write_conversation(out, conversation)
            print(f"{number} of {len(left)}: {part.name}, {conversation.duration / 1000:.0f} s", flush=True)


def read_share(text: str) -> tuple[int, int]:
    """
    Read which share of the work to do.

    >>> read_share("1/2")
    (1, 2)
    """
    first, of = map(int, text.split("/"))
    if not 1 <= first <= of:
        raise ValueError(text)
    return first, of


if __name__ == "__main__":
    main()
