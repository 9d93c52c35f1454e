"""
Makes the speech of `benchmarks.glossary`: sentences with names that no model knows, spoken by a speech synthesiser.

    python -m benchmarks.glossary_speech --model kokoro.onnx --voices FOLDER --out DIR

Needs `kokoro-onnx`, in an environment of its own; boli is not imported. The model is Kokoro-82M v1.0 as ONNX with 8-bit
weights, a voice is a file NAME.bin of float32 in the shape (510, 1, 256). Written are WAV files of 24 kHz, manifest.csv
(path, text, dialect, voice) and glossary.tsv with the names.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import tempfile
import wave
from pathlib import Path
from typing import Any, Final

import numpy as np

#: Invented, or so rare that no model of this size spells them.
NAMES: Final = (
    *("Zilbarra", "Quenthorpe", "Vashenko", "Oyelaran", "Thiruvarur", "Mbaruku", "Kozhikode", "Xantriva"),
    *("Brivaldi", "Nandigama", "Aelwyn", "Tolvamix", "Sreenivasan", "Jorvane", "Perambur", "Kaltrexin"),
    *("Umeshwari", "Drayvane", "Folorunsho", "Lindqvaere"),
)

#: Each name is said in two of them.
WITH_NAMES: Final = (
    "The parcel for {} came back on Tuesday.",
    "We spoke with {} about the new contract.",
    "Could you ask {} to call me before noon?",
    "Nobody had heard of {} until last year.",
    "They moved to {} when the children were small.",
    "I sent the whole report to {} this morning.",
    "In the second week we drove from here to {}.",
    "According to {} the price will rise again.",
    "She bought two boxes of {} at the market.",
    "The letter was signed by {} and two witnesses.",
)

#: Nothing in them is a name of the list.
WITHOUT_NAMES: Final = (
    "The train to the coast leaves in twenty minutes.",
    "My neighbour has a very old bicycle in the garden.",
    "Please put the green folder back on the shelf.",
    "It rained so hard that the road was closed.",
    "The doctor said that I should drink more water.",
    "We will meet again at the library on Friday.",
    "He forgot his umbrella under the wooden bench.",
    "Half of the apples were already sold by ten.",
    "The teacher wrote three numbers on the board.",
    "A quiet evening at home is all that I want.",
    "They painted the kitchen yellow and the door blue.",
    "Our bus was late because of the bridge repairs.",
    "I have never seen so many birds in one tree.",
    "The museum is free on the first Sunday of the month.",
    "Could you turn the music down a little, please?",
    "She found the missing key in her winter coat.",
    "Two cups of rice are enough for four people.",
    "The old lighthouse was built by hand long ago.",
    "Most of the questions were easier than we thought.",
    "Somebody left a basket of bread at the gate.",
)

VOICES: Final = ("af_heart", "am_michael", "bf_emma", "bm_george", "af_nicole", "am_fenrir", "bf_isabella", "bm_fable")
#: How fast they talk, of the voice's own pace.
PACES: Final = (1.0, 1.15, 0.9)


def make_sentences() -> list[str]:
    """All sentences: each name in two, and those without a name."""
    named = [
        WITH_NAMES[(number * 3 + turn * 5) % 10].format(name) for turn in (0, 1) for number, name in enumerate(NAMES)
    ]
    return [*named, *WITHOUT_NAMES]


def write_wav(file: Path, sound: Any, rate_hz: int) -> None:
    """Write *sound*, floats from -1 to 1 in the shape ``(samples,)``, as 16-bit mono."""
    with wave.open(str(file), "wb") as stream:
        stream.setparams((1, 2, rate_hz, 0, "NONE", ""))
        stream.writeframes((np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes())


def open_synthesiser(model: Path, voices: Path) -> Any:
    """The synthesiser with all voices that are used."""
    from kokoro_onnx import Kokoro

    styles = {name: np.fromfile(voices / f"{name}.bin", np.float32).reshape(510, 1, 256) for name in VOICES}
    with tempfile.NamedTemporaryFile(suffix=".npz") as packed:
        np.savez(packed, **styles)
        packed.flush()
        return Kokoro(str(model), packed.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()

    given.out.mkdir(parents=True, exist_ok=True)
    synthesiser = open_synthesiser(given.model, given.voices)
    with (given.out / "manifest.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["path", "text", "dialect", "voice"])
        for number, (text, voice, pace) in enumerate(
            zip(make_sentences(), itertools.cycle(VOICES), itertools.cycle(PACES), strict=False)
        ):
            dialect = "en-US" if voice.startswith("a") else "en-GB"
            sound, rate_hz = synthesiser.create(text, voice=voice, speed=pace, lang=dialect.lower())
            write_wav(given.out / f"{number:03}.wav", sound, rate_hz)
            rows.writerow([f"{number:03}.wav", text, dialect, voice])
    lines = ["term\tdialect\tspoken", *(f"{name}\t\t" for name in NAMES)]
    (given.out / "glossary.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
