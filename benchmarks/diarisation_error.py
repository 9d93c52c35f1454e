"""
How often does the diariser give speech to the wrong person? One line a corpus, JSON beside it.

    python -m benchmarks.diarisation_error [--model FOLDER] [--data DIR]

No speaker count is given, collar 0, overlap scored. Beside each figure: the same turns all given to one speaker, which
is what finding speech without telling people apart would reach, and seconds of work for an hour of sound.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measuring import write
from transcribe import embedded
from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.embedded.train_diariser import cases
from transcribe.embedded.train_diariser.cases import Case
from transcribe.protocols import SAMPLE_RATE_HZ, LabelledSpan

ROOT = Path(__file__).resolve().parent.parent


def measure(corpus: Iterable[Case], diariser: PyannoteDiariser) -> dict[str, Any]:
    """Errors over all of *corpus*, pooled."""
    found, lumped = DiarisationError(), DiarisationError()
    sound_s = work_s = 0.0
    recordings, right_count, content = 0, 0, hashlib.sha256()
    for case in corpus:
        began = time.perf_counter()
        turns = diariser.diarise(case.samples).turns
        work_s += time.perf_counter() - began
        end = len(case.samples) * 1_000 // SAMPLE_RATE_HZ
        found += der(case.truth, turns, within=[(0, end)])
        lumped += der(case.truth, one_speaker(turns), within=[(0, end)])
        sound_s += end / 1_000
        recordings += 1
        right_count += len({turn.label for turn in turns}) == len({turn.label for turn in case.truth})
        content.update(case.samples.tobytes())
    return {
        "recordings": recordings,
        "hours": round(sound_s / 3_600, 4),
        "der": found.rate,
        "parts_ms": dataclasses.asdict(found),
        "der_one_speaker": lumped.rate,
        "right_number_of_speakers": right_count,
        "seconds_an_hour": round(work_s / sound_s * 3_600, 1) if sound_s else None,
        "sha256": content.hexdigest(),
    }


def one_speaker(turns: Iterable[LabelledSpan]) -> list[LabelledSpan]:
    """The speech of *turns*, all given to one person; overlapping turns become one."""
    joined: list[LabelledSpan] = []
    for turn in sorted(turns, key=lambda turn: turn.start):
        if joined and turn.start <= joined[-1].end:
            joined[-1] = dataclasses.replace(joined[-1], end=max(turn.end, joined[-1].end))
        else:
            joined.append(dataclasses.replace(turn, label="one"))
    return joined


def corpora(data: Path, demo: Path) -> dict[str, Callable[[], Iterable[Case]]]:
    """Every corpus that is there, by name."""
    found: dict[str, Callable[[], Iterable[Case]]] = {}
    if (demo / "manifest.csv").is_file():
        found["demo test"] = lambda: cases.demo(demo, "test")
    if data.is_dir():
        found["ami-mini dev"] = lambda: cases.development_meetings(data / "ami-mini")
        found["fsdd 40-49 dialogues"] = lambda: cases.dialogues(data, range(40, 50), 12, 40.0)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=embedded.diariser())
    parser.add_argument("--demo", type=Path, default=embedded.demo_corpus())
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("BOLI_TEST_DATA", ROOT.parent / "shared/data"))
    )
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    diariser = PyannoteDiariser(options.model, device="cpu", threads=options.threads)
    found = {name: measure(corpus(), diariser) for name, corpus in corpora(options.data, options.demo).items()}
    for name, row in found.items():
        print(
            f"{name}: DER {row['der']:.1%} (one speaker {row['der_one_speaker']:.1%}), "
            f"{row['right_number_of_speakers']} of {row['recordings']} with the right number of speakers, "
            f"{row['seconds_an_hour']} s an hour of sound"
        )
    libraries = {name: version(name) for name in ("torch", "pyannote.audio", "pyannote.metrics")}
    print(write("diarisation_error", found, model=diariser.id, threads=options.threads, libraries=libraries))


if __name__ == "__main__":
    main()
