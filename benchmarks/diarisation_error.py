"""
How often does the diariser give speech to the wrong person? One line a corpus, JSON beside it.

    python -m benchmarks.diarisation_error [--model FOLDER] [--data DIR] [--peers]

``--peers`` measures three ways on real speech instead: what ships embedded, `diariser-real`, and the library's own
clustering on the same weights.

No speaker count is given, collar 0, overlap scored. Beside each figure: the same turns all given to one speaker, which
is what finding speech without telling people apart would reach, and seconds of work for an hour of sound.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measuring import write
from benchmarks.speaker_sets import Case, read_demo, read_meetings, reported_sets
from transcribe import embedded
from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.backends.model_cache import verify_folder
from transcribe.backends.model_catalogue import need_entry
from transcribe.backends.pipeline_folder import CONFIG_FILE
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.protocols import SAMPLE_RATE_HZ, LabelledSpan

ROOT = Path(__file__).resolve().parent.parent

#: Cosine distance at which the library's clustering was best on dialogues of two people.
STOCK_THRESHOLD = 0.6


def measure(corpus: Iterable[Case], diariser: PyannoteDiariser) -> dict[str, Any]:
    """Errors over all of *corpus*, pooled."""
    found, lumped = DiarisationError(), DiarisationError()
    rates: list[float] = []
    sound_s = work_s = 0.0
    recordings, right_count, content = 0, 0, hashlib.sha256()
    for case in corpus:
        began = time.process_time()
        turns = diariser.diarise(case.samples).turns
        work_s += time.process_time() - began
        end = len(case.samples) * 1_000 // SAMPLE_RATE_HZ
        errors = der(case.truth, turns, within=[(0, end)])
        found += errors
        rates += [errors.rate] if errors.rate is not None else []
        lumped += der(case.truth, one_speaker(turns), within=[(0, end)])
        sound_s += end / 1_000
        recordings += 1
        right_count += len({turn.label for turn in turns}) == len({turn.label for turn in case.truth})
        content.update(case.samples.tobytes())
    return {
        "recordings": recordings,
        "hours": round(sound_s / 3_600, 4),
        "der": found.rate,
        "mean_der": statistics.fmean(rates) if rates else None,
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
        found["demo test"] = lambda: read_demo(demo, "test")
    if data.is_dir():
        found["ami-mini dev"] = lambda: read_meetings(data / "ami-mini")
    return found


def stock_folder(real: Path, folder: Path) -> Path:
    """Copy the *real* diariser to *folder* with the library's clustering at the threshold that was best for it."""
    shutil.copytree(real, folder)
    document = yaml.safe_load((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    document["pipeline"]["name"] = "pyannote.audio.pipelines.SpeakerDiarization"
    document["params"]["clustering"] = {"method": "centroid", "min_cluster_size": 1, "threshold": STOCK_THRESHOLD}
    (folder / CONFIG_FILE).write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def measure_peers(data: Path, threads: int) -> dict[str, Any]:
    """Measure all ways on all reported sets, by set, then way."""
    entry = need_entry("diariser-real")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"embedded": embedded.diariser(), "real": verify_folder(entry)}
        folders["real, library's clustering"] = stock_folder(folders["real"], Path(scratch) / "stock")
        ways = {name: PyannoteDiariser(folder, device="cpu", threads=threads) for name, folder in folders.items()}
    found: dict[str, Any] = {}
    for name, corpus in reported_sets(data).items():
        found[name] = {way: measure(corpus(), diariser) for way, diariser in ways.items()}
        for way, row in found[name].items():
            print(
                f"{name:24} {way:27} mean DER {row['mean_der']:6.1%}, "
                f"{row['right_number_of_speakers']} of {row['recordings']} with the right number of speakers, "
                f"{row['seconds_an_hour'] / 60:.1f} processor s a minute",
                flush=True,
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=embedded.diariser())
    parser.add_argument("--demo", type=Path, default=embedded.demo_corpus())
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("BOLI_TEST_DATA", ROOT.parent / "shared/data"))
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    libraries = {name: version(name) for name in ("torch", "pyannote.audio", "pyannote.metrics")}
    if options.peers:
        peers = measure_peers(options.data, options.threads)
        print(write("diarisation_peers", peers, threads=options.threads, libraries=libraries))
        return
    diariser = PyannoteDiariser(options.model, device="cpu", threads=options.threads)
    found = {name: measure(corpus(), diariser) for name, corpus in corpora(options.data, options.demo).items()}
    for name, row in found.items():
        print(
            f"{name}: DER {row['der']:.1%} (one speaker {row['der_one_speaker']:.1%}), "
            f"{row['right_number_of_speakers']} of {row['recordings']} with the right number of speakers, "
            f"{row['seconds_an_hour']} s an hour of sound"
        )
    print(write("diarisation_error", found, model=diariser.id, threads=options.threads, libraries=libraries))


if __name__ == "__main__":
    main()
