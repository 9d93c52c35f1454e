"""Speech of the corpus' people: asked of the worker `speaking.py`, shaped here."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.making.sound import RATE_HZ, audible
from benchmarks.making.voices import Person
from benchmarks.making.weights import Weights

#: The rate of Kokoro's samples.
KOKORO_RATE_HZ = 24_000
#: Root mean square of every turn's speech; people are then made louder or softer by their conversation.
LEVEL = 0.08


class Synthesis:
    """One worker with the network loaded, for as long as the `with` lasts."""

    def __init__(self, weights: Weights) -> None:
        worker = Path(__file__).parent / "speaking.py"
        self._worker = subprocess.Popen(
            [str(weights.python), str(worker), str(weights.model), str(weights.voices)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._worker.communicate()
        self._folder.cleanup()

    def speak(self, lines: Sequence[tuple[Person, str]]) -> list[NDArray[np.float32]]:
        """
        Give each text of *lines* spoken by its person.

        Returns:
            For each line float32 (samples,) at 16 kHz, see `shape`.

        Raises:
            ChildProcessError: If the worker ended; what it wrote stands on the screen.
        """
        out = Path(self._folder.name) / "spoken.npz"
        job = {"out": str(out), "utterances": [utterance(person, text) for person, text in lines]}
        assert self._worker.stdin and self._worker.stdout  # both were asked for
        try:
            self._worker.stdin.write(json.dumps(job) + "\n")
            self._worker.stdin.flush()
            answer = self._worker.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        if answer != str(out):
            raise ChildProcessError("the worker that speaks has ended before its answer; its error stands above")
        with np.load(out) as spoken:
            return [shape(spoken[str(number)], person.warp) for number, (person, _) in enumerate(lines)]


def utterance(person: Person, text: str) -> dict[str, str | float]:
    """Give what the worker needs to know; the tempo makes up for what the shift of pitch will change."""
    return {
        "text": text,
        "espeak": person.espeak,
        "main": person.main,
        "partner": person.partner,
        "share": person.share,
        "speed": person.speed / person.warp,
    }


def shape(samples: NDArray[np.float32], warp: float) -> NDArray[np.float32]:
    """
    Give *samples* of the network as a turn: pitch and formants times *warp*, and so is the tempo.

    Returns:
        float32 (samples,) at 16 kHz, its root mean square at `LEVEL`, at most 20 ms of silence before and after it.

    Raises:
        ValueError: If nothing is heard.
    """
    import soxr

    # Read at a rate *warp* times too high, the same samples become a smaller person who talks faster.
    heard = soxr.resample(samples, KOKORO_RATE_HZ * warp, RATE_HZ)
    start, end = audible(heard)
    if end == 0:
        raise ValueError("a turn should have been spoken, but it came out silent")
    level = float(np.sqrt((heard[start:end].astype(np.float64) ** 2).mean()))
    margin = RATE_HZ // 50
    return np.asarray(heard[max(0, start - margin) : end + margin] * (LEVEL / level), dtype=np.float32)
