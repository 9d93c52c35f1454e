"""
What it costs to take media in: processor seconds for an hour of sound, by format.

    ours            decoded in blocks, brought to 16 kHz int16, written as FLAC: the whole of what ingest does inside
    again           the FLAC read back, as every later step does
    faster-whisper  its decode_audio: PyAV, the whole file as floats in memory, nothing kept

The first way writes a file and the third does not; the comparison is with the decoding that faster-whisper's users
run for every pass. A last line says what the sandbox adds to a file: a fork, limits and a seal.

The sound is real speech, ``BOLI_TEST_DATA`` or ../shared/data, repeated to the wanted length.

    python -m benchmarks.decode --minutes 10 --repeats 5
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soxr

from benchmarks.measuring import compare, write
from transcribe import audio, sandbox
from transcribe.audio.decoding import Order, decode
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm

DATA = Path(os.environ.get("BOLI_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class Kind:
    """A way in which recordings arrive."""

    name: str
    container: str
    codec: str
    rate_hz: int
    channels: int
    bit_rate: int | None = None


KINDS = (
    Kind("wav 16 kHz", "wav", "pcm_s16le", 16_000, 1),
    Kind("wav 8 kHz", "wav", "pcm_s16le", 8_000, 1),
    Kind("wav 48 kHz stereo", "wav", "pcm_s16le", 48_000, 2),
    Kind("flac 48 kHz stereo", "flac", "flac", 48_000, 2),
    Kind("mp3 16 kHz", "mp3", "libmp3lame", 16_000, 1, 32_000),
    Kind("aac 48 kHz stereo", "ipod", "aac", 48_000, 2, 96_000),
    Kind("opus 48 kHz", "ogg", "libopus", 48_000, 1, 24_000),
)


def speech(minutes: float) -> Pcm:
    """Real meeting speech, repeated to the wanted length."""
    parts = [audio_of(path) for path in sorted((DATA / "ami-mini").glob("*.wav"))]
    return np.resize(np.concatenate(parts), int(minutes * 60 * SAMPLE_RATE_HZ))


def audio_of(path: Path) -> Pcm:
    import soundfile

    # Float files read as integers are not scaled by libsndfile: all of them would be silence.
    sound, _ = soundfile.read(path, dtype="float32")
    pcm: Pcm = (sound * 32_767).astype(np.int16)
    return pcm


def make(path: Path, pcm: Pcm, kind: Kind) -> None:
    """Write *pcm* as *kind*; the second channel is the first, a little later."""
    mono: npt.NDArray[np.int16] = soxr.resample(pcm, SAMPLE_RATE_HZ, kind.rate_hz).astype(np.int16)
    both = np.stack([np.roll(mono, 40 * channel) for channel in range(kind.channels)], axis=1)
    layout = "mono" if kind.channels == 1 else "stereo"
    with av.open(str(path), "w", format=kind.container) as output:
        stream = output.add_stream(kind.codec, rate=kind.rate_hz, layout=layout)
        if kind.bit_rate:
            stream.bit_rate = kind.bit_rate
        resampler = av.AudioResampler(format=stream.format, layout=layout, rate=kind.rate_hz, frame_size=960)
        for start in range(0, len(both), kind.rate_hz):
            block = np.ascontiguousarray(both[start : start + kind.rate_hz]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
            frame.sample_rate, frame.time_base, frame.pts = kind.rate_hz, Fraction(1, kind.rate_hz), start
            for ready in resampler.resample(frame):
                output.mux(stream.encode(ready))
        output.mux(stream.encode(None))


def keep(source: Path, target: Path) -> int:
    """What the sandboxed child does, here, where its time can be counted."""
    with source.open("rb") as incoming, target.open("w+b") as outgoing:
        words = decode((incoming.fileno(), outgoing.fileno()), asdict(Order(longest=12 * 3_600_000)))
    return int(words["duration"])


def again(target: Path) -> int:
    return len(audio.read_samples(target)) * 1_000 // SAMPLE_RATE_HZ


def whisper(source: Path) -> int:
    from faster_whisper import decode_audio

    return len(decode_audio(str(source), sampling_rate=SAMPLE_RATE_HZ)) * 1_000 // SAMPLE_RATE_HZ


def jail_ms(folder: Path, *, files: int) -> float:
    """Median wall milliseconds of a file in a sandbox, of which almost nothing is sound."""
    bounds = audio.Limits().bounds()
    source, target = folder / "short.wav", folder / "short.flac"
    make(source, np.zeros(1_600, np.int16), KINDS[0])
    taken = []
    with sandbox.Sandbox("transcribe.audio.decoding:decode") as one:
        for _ in range(files):
            with source.open("rb") as incoming, target.open("w+b") as outgoing:
                began = time.perf_counter()
                order = asdict(Order(longest=1_000))
                one.run(order, descriptors=(incoming.fileno(), outgoing.fileno()), bounds=bounds)
                taken.append(time.perf_counter() - began)
    return round(1_000 * statistics.median(taken[1:]), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()

    pcm = speech(given.minutes)
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in KINDS:
            print(kind.name)
            source, target = folder / f"in.{kind.container}", folder / "out.flac"
            make(source, pcm, kind)
            ways = {
                "ours": partial(keep, source, target),
                "again": partial(again, target),
                "faster-whisper": partial(whisper, source),
            }
            found[kind.name] = compare(ways, repeats=given.repeats)
            for way in found[kind.name].values():
                way["cpu_s_an_hour"] = round(way["cpu_s"]["median"] * 60 / given.minutes, 2)
        overhead = jail_ms(folder, files=50)
    print(f"sandbox             {overhead:8.2f} ms a file, {sandbox.level().name.lower()}")
    write("decode", found, minutes=given.minutes, jail_ms=overhead, jail_level=sandbox.level().name)


if __name__ == "__main__":
    main()
