"""
What a clip for a transcriber costs, cut and encoded when it is first played.

    opus            ours: a slice of the FLAC, shaped, as Opus in WebM, all in this process
    flac            the same slice as FLAC, unshaped: what an eager export would write
    pydub           one AudioSegment.export a clip, which starts an ffmpeg
    ffmpeg          one ffmpeg a clip, which seeks and encodes

A batch run cuts no clips at all: that cost is 0, and no way of this table. The last two need an ``ffmpeg`` on the
PATH and are left out, aloud, without one. Processor seconds count the children, where half of the work is.

    python -m benchmarks.clips --clips 100 --repeats 5
"""

from __future__ import annotations

import argparse
import io
import resource
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.decode import speech
from benchmarks.measuring import write
from transcribe import audio
from transcribe.protocols import SAMPLE_RATE_HZ

CLIP_MS = 5_000


def opus(recording: Path, start: int) -> int:
    context = 300
    pcm = audio.read_samples(recording, start=start - context, end=start + CLIP_MS + context)
    lead = min(start, context)
    return len(audio.encode_opus(audio.shape_clip(pcm, lead, lead + CLIP_MS, context=context)))


def flac(recording: Path, start: int) -> int:
    target = io.BytesIO()
    pcm = audio.read_samples(recording, start=start, end=start + CLIP_MS)
    soundfile.write(target, pcm, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return len(target.getvalue())


def pydub_export(recording: Path, start: int) -> int:
    from pydub import AudioSegment

    pcm = audio.read_samples(recording, start=start, end=start + CLIP_MS)
    clip = AudioSegment(data=pcm.tobytes(), sample_width=2, frame_rate=SAMPLE_RATE_HZ, channels=1)
    with tempfile.NamedTemporaryFile(suffix=".webm") as target:
        clip.export(target.name, format="webm", codec="libopus", bitrate="16k")
        return Path(target.name).stat().st_size


def ffmpeg(recording: Path, start: int) -> int:
    options = ["-c:a", "libopus", "-b:a", "16k", "-f", "webm", "-"]
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-ss", str(start / 1_000), "-t", str(CLIP_MS / 1_000), "-i", recording, *options],
        capture_output=True,
        check=True,
    )
    return len(done.stdout)


def cpu_s() -> float:
    """Processor seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(way: Callable[[int], int], starts: list[int]) -> tuple[float, int]:
    """Processor seconds for an hour of clips, and their mean bytes."""
    before = cpu_s()
    sizes = [way(start) for start in starts]
    return (cpu_s() - before) * 3_600_000 / (CLIP_MS * len(starts)), round(statistics.mean(sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()

    minutes = 10
    starts = [int(start) for start in np.linspace(0, minutes * 60_000 - 2 * CLIP_MS, given.clips)]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        recording = Path(name) / "recording.flac"
        soundfile.write(recording, speech(minutes), SAMPLE_RATE_HZ, subtype="PCM_16")
        ways = {"opus": partial(opus, recording), "flac": partial(flac, recording)}
        if shutil.which("ffmpeg"):
            ways |= {"pydub": partial(pydub_export, recording), "ffmpeg": partial(ffmpeg, recording)}
        else:
            print("no ffmpeg on the PATH: the ways with a process a clip are left out")
        for way in ways.values():
            way(starts[0])
        rounds: dict[str, list[tuple[float, int]]] = {name: [] for name in ways}
        for _ in range(given.repeats):
            for name, way in ways.items():
                rounds[name].append(measure(way, starts))
    for name, taken in rounds.items():
        costs = [cost for cost, _ in taken]
        ratio = statistics.median(cost / ours for (cost, _), (ours, _) in zip(taken, rounds["opus"], strict=True))
        found[name] = {
            "cpu_s_an_hour": {
                "median": round(statistics.median(costs), 2),
                "min": round(min(costs), 2),
                "max": round(max(costs), 2),
            },
            "bytes_a_clip": taken[0][1],
            "ratio": round(ratio, 2),
        }
        print(f"{name:8} {statistics.median(costs):8.2f} cpu-s an hour {taken[0][1]:8} bytes a clip {ratio:7.2f}x")
    write("clips", found, clips=given.clips, clip_ms=CLIP_MS, repeats=given.repeats)


if __name__ == "__main__":
    main()
