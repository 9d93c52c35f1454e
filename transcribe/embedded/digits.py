"""
Dialogues of two real people, put together from recordings of single spoken digits.

    python -m transcribe.embedded.digits --data DIR --out DIR

DIR holds recordings named `<digit>_<speaker>_<n>.wav` and a `manifest.csv` with at least the columns `path, text,
speaker, dialect`, as the Free Spoken Digit Dataset does. The rate stays that of the recordings, 8 kHz there.
"""

import argparse
import csv
import itertools
import random
import re
import wave
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.conversations import Clip, Conversation, converse, write_manifest, write_truth
from transcribe.errors import InputError
from transcribe.records import Milliseconds

#: Pauses between turns and between the digits of one turn.
PAUSE_MS: tuple[Milliseconds, Milliseconds] = (200, 1000)
GAP_MS: tuple[Milliseconds, Milliseconds] = (50, 300)
MOST_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Digit:
    """One recording of one spoken digit."""

    speaker: str
    #: BCP 47 tag.
    dialect: str
    text: str
    samples: NDArray[np.int16]
    rate_hz: int


def dialogues(
    data_root: Path,
    *,
    speakers: Sequence[str] | None = None,
    always: str | None = None,
    recordings: Container[int] = range(40, 50),
    count: int = 20,
    seconds: float = 60,
    overlap: float = 0.1,
    seed: int = 0,
) -> list[Conversation]:
    """
    Let two people at a time say digits to each other, one to six a turn.

    Every speaker is heard as soon as *count* allows it: an odd one out talks to someone who has talked already.

    Args:
        data_root: Folder with `manifest.csv`, or with a folder `fsdd` that has it.
        speakers: Whom to take; everybody by default.
        always: One of them who talks in every dialogue.
        recordings: Which repetitions to take, by the number `<n>` of the file name.
        count: Number of dialogues.
        seconds: Length that each dialogue just passes, within a few seconds.
        overlap: See `converse`.
        seed: The same seed gives the same dialogues.

    Raises:
        InputError: If there are fewer than two speakers, or a recording is not 16 bit mono or has a rate of its own.
    """
    said = load(data_root, speakers=speakers, recordings=recordings)
    if len(said) < 2 or always not in (None, *said):
        raise InputError(
            f"dialogues of two speakers were asked for, but {data_root} has {len(said)} with such recordings"
            f" ({', '.join(sorted(said)) or 'nobody'})",
            hint="name others, more of them, or other recordings",
        )
    rates = {digit.rate_hz for digits in said.values() for digit in digits}
    if len(rates) > 1:
        raise InputError(f"recordings of one rate were asked for, but {data_root} has {sorted(rates)} Hz")
    rng = random.Random(seed)
    pairs = itertools.cycle([pair for pair in pairings(sorted(said), rng) if always is None or always in pair])
    return [
        converse(
            _clips({who: said[who] for who in next(pairs)}, seconds, rng),
            rng,
            name=f"digits-{number:02}",
            pause_ms=PAUSE_MS,
            overlap=overlap,
            rate_hz=min(rates),
        )
        for number in range(1, count + 1)
    ]


def pairings(speakers: Sequence[str], rng: random.Random) -> list[tuple[str, str]]:
    """
    List every pair of *speakers*, such that the first half as many pairs, rounded up, name everybody.

    >>> sorted(map(sorted, pairings(["a", "b", "c"], random.Random(1))))
    [['a', 'b'], ['a', 'c'], ['b', 'c']]
    """
    order = rng.sample(speakers, len(speakers))
    # With an odd number the last one is left over and meets the first.
    first = list(zip(order[::2], [*order[1::2], order[0]], strict=False))
    met = {frozenset(pair) for pair in first}
    others = [pair for pair in itertools.combinations(order, 2) if frozenset(pair) not in met]
    rng.shuffle(others)
    return first + others


def load(
    data_root: Path, *, speakers: Sequence[str] | None = None, recordings: Container[int] = range(40, 50)
) -> dict[str, list[Digit]]:
    """Give the digits of each speaker, in the order of the manifest; see `dialogues`."""
    manifest = next((path for path in _manifests(data_root) if path.is_file()), None)
    if manifest is None:
        raise InputError(f"spoken digits were looked for in {data_root}, but there is no manifest.csv")
    said: defaultdict[str, list[Digit]] = defaultdict(list)
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            take = re.search(r"_(\d+)\.wav$", row["path"])
            wanted = speakers is None or row["speaker"] in speakers
            if wanted and take is not None and int(take[1]) in recordings:
                said[row["speaker"]].append(_read(_locate(manifest, row["path"]), row))
    return dict(said)


def write(out: Path, made: Sequence[Conversation], *, split: str = "", source: str = "") -> None:
    """Write each dialogue as `NAME.wav`, `NAME.rttm` and `NAME.jsonl` into the folder *out*, with `manifest.csv`."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for dialogue in made:
        with wave.open(str(out / f"{dialogue.name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(dialogue.rate_hz)
            file.writeframes(dialogue.samples.astype("<i2").tobytes())
        write_truth(out, dialogue)
        rows.append(_row(dialogue, split, source))
    write_manifest(out / "manifest.csv", rows)


def _manifests(data_root: Path) -> tuple[Path, Path]:
    return data_root / "manifest.csv", data_root / "fsdd" / "manifest.csv"


def _locate(manifest: Path, path: str) -> Path:
    # Manifests count paths from their own folder or, where several data sets lie side by side, from the one above.
    beside = manifest.parent / path
    return beside if beside.is_file() else manifest.parent.parent / path


def _read(path: Path, row: Mapping[str, str]) -> Digit:
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate_hz = file.getnchannels(), file.getsampwidth(), file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2" if width == 2 else "u1")
    except (OSError, EOFError, wave.Error) as error:
        raise InputError(f"a spoken digit was expected in {path}, but it cannot be read: {error}") from error
    if (channels, width) != (1, 2):
        raise InputError(f"16 bit mono was expected in {path}, but it has {channels} channels of {8 * width} bit")
    return Digit(
        speaker=row["speaker"],
        dialect=row["dialect"],
        text=row["text"],
        samples=samples.astype(np.int16),
        rate_hz=rate_hz,
    )


def _clips(said: Mapping[str, Sequence[Digit]], seconds: float, rng: random.Random) -> list[Clip]:
    """Give turns, the two by turns except for one in five, until they fill *seconds* with their pauses."""
    decks = {who: _deal(digits, rng) for who, digits in said.items()}
    people = rng.sample(list(said), len(said))
    clips: list[Clip] = []
    length = 0.0
    while length < seconds:
        digits = list(itertools.islice(decks[people[0]], rng.randint(1, MOST_DIGITS)))
        clips.append(join(digits, rng))
        # The mean pause, less what overlaps.
        length += len(clips[-1].samples) / digits[0].rate_hz + 0.3
        if rng.random() < 0.8:
            people.reverse()
    return clips


def _deal(digits: Sequence[Digit], rng: random.Random) -> Iterator[Digit]:
    """Give all *digits* in random order, again and again."""
    while True:
        yield from rng.sample(digits, len(digits))


def join(digits: Sequence[Digit], rng: random.Random) -> Clip:
    """Give one turn, with a peak of 0.7: some people of such data sets were recorded far too softly."""
    pieces: list[NDArray[np.int16]] = []
    for digit in digits:
        pieces += [np.zeros(rng.randint(*GAP_MS) * digit.rate_hz // 1000, np.int16), digit.samples]
    ends = itertools.accumulate(len(piece) for piece in pieces[1:])
    starts = [0, *list(ends)[1:-1:2]]
    samples = np.concatenate(pieces[1:]).astype(np.float32)
    return Clip(
        speaker=digits[0].speaker,
        dialect=digits[0].dialect,
        text=" ".join(digit.text for digit in digits),
        samples=np.asarray(samples * (0.7 / max(1.0, float(np.abs(samples).max()))), dtype=np.float32),
        word_starts=tuple(start * 1000 // digits[0].rate_hz for start in starts),
    )


def _row(dialogue: Conversation, split: str, source: str) -> dict[str, str]:
    dialects = {turn.dialect for turn in dialogue.spoken}
    # Two people of two dialects have no dialect in common but their language; each turn keeps its own.
    shared = dialects if len(dialects) == 1 else {dialect.split("-")[0] for dialect in dialects}
    return {
        "path": f"{dialogue.name}.wav",
        "dialect": min(shared) if len(shared) == 1 else "",
        "session": dialogue.name,
        "turns": f"{dialogue.name}.jsonl",
        "split": split,
        "source": source,
    }


def main() -> None:
    """Read the options and write the dialogues."""
    parser = argparse.ArgumentParser(description="Make dialogues out of recordings of single spoken digits.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the recordings and their manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, made if absent")
    parser.add_argument("--speaker", action="append", help="take this speaker; may be repeated (everybody)")
    parser.add_argument(
        "--recordings", type=int, nargs=2, default=(40, 50), help="first, and one past the last (40 50)"
    )
    parser.add_argument("--count", type=int, default=20, help="number of dialogues (20)")
    parser.add_argument("--seconds", type=float, default=60, help="length of a dialogue (60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("train", "dev", "test"), default="", help="written into the manifest")
    options = parser.parse_args()
    made = dialogues(
        options.data,
        speakers=options.speaker,
        recordings=range(*options.recordings),
        count=options.count,
        seconds=options.seconds,
        seed=options.seed,
    )
    write(options.out, made, split=options.split, source=options.data.name)


if __name__ == "__main__":
    main()
