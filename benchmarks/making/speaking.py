"""
The worker that speaks: run as a file by the Python of the fetched environment, which knows nothing of boli.

    PYTHON speaking.py MODEL VOICES

Each line of its input is a JSON list of utterances with `text, espeak, main, partner, share, speed`, and the path `out`
of an npz to write; it answers with the same path when the file is whole. The arrays `0`, `1`, ... are float32
(samples,) at 24 kHz. Utterances do not depend on each other, so the samples are the same in any order.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import phonemizer
from kokoro_onnx.tokenizer import Tokenizer

#: What Kokoro never learnt, by what it knows. The colon is how espeak-ng's Scottish voice writes a long a.
NEAREST = {"ʉ": "u", "ʍ": "hw", "ɭ": "l", ":": "ː", "̩": "", "।": "."}


class Synthesiser:
    """Kokoro on one thread, so that the same utterance always has the same samples."""

    def __init__(self, model: Path, voices: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._voices = voices
        self._tokenizer = Tokenizer()
        self._quiet = logging.getLogger("phonemizer")
        self._quiet.setLevel(logging.ERROR)

    def speak(self, text: str, espeak: str, style: np.ndarray, speed: float) -> np.ndarray:
        """
        Give *text* with the phonemes of the espeak-ng voice *espeak*, in the *style* (lengths, 1, 256) of a voice.

        Raises:
            ValueError: If a phoneme is not known, or the text has more of them than the network can hold.
        """
        phonemes = self.phonemes(text, espeak)
        tokens = self._tokenizer.tokenize(phonemes)
        if len(tokens) != len(phonemes) or len(tokens) >= len(style):
            unknown = sorted(set(phonemes) - set(self._tokenizer.vocab))
            raise ValueError(f"{text!r} has {len(phonemes)} phonemes, unknown among them: {unknown}")
        fed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style[len(tokens) - 1],
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self._session.run(None, fed)[0], np.float32).ravel()

    def phonemes(self, text: str, espeak: str) -> str:
        """Give the phonemes of *text*; words of a second language are said by espeak-ng's own switch."""
        raw = phonemizer.phonemize(
            text.replace("।", "."),
            espeak,
            preserve_punctuation=True,
            with_stress=True,
            language_switch="remove-flags",
            logger=self._quiet,
        )
        return "".join(NEAREST.get(phoneme, phoneme) for phoneme in " ".join(raw.split()))

    def style(self, main: str, partner: str, share: float) -> np.ndarray:
        """Give *share* of the style of the voice *main*, and the rest of that of *partner*: float32 (510, 1, 256)."""
        ours, theirs = (
            np.fromfile(self._voices / f"{name}.bin", "<f4").reshape(-1, 1, 256) for name in (main, partner)
        )
        return np.asarray(share * ours + (1 - share) * theirs, np.float32)

    def write(self, job: dict[str, Any]) -> None:
        """Speak all utterances of *job* and write them to its file."""
        spoken = {
            str(number): self.speak(
                it["text"], it["espeak"], self.style(it["main"], it["partner"], it["share"]), it["speed"]
            )
            for number, it in enumerate(job["utterances"])
        }
        np.savez(job["out"], **spoken)


def main() -> None:
    """Speak what the lines of the input ask for until it ends."""
    synthesiser = Synthesiser(Path(sys.argv[1]), Path(sys.argv[2]))
    for line in sys.stdin:
        job = json.loads(line)
        synthesiser.write(job)
        print(job["out"], flush=True)


if __name__ == "__main__":
    main()
