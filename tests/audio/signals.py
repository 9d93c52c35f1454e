"""Sound that tests make, what is in it, and where it stands."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.faults import media
from transcribe import audio
from transcribe.protocols import Pcm

LENGTH_MS = 11_000
#: Real stretches of the base signal that no variant here loses, in ms.
BEFORE, AFTER = 600, 8_500


def tone(seconds: float = 1.0, *, pitch_hz: float = 440.0, level: float = 0.3) -> Pcm:
    return np.frombuffer(media.tone(seconds, pitch_hz=pitch_hz, level=level), np.int16)


def saved(folder: Path, pcm: Pcm, *, name: str = "talk.wav", rate_hz: int = 16_000) -> Path:
    """*pcm* as a WAV file; a second dimension holds channels."""
    path = folder / name
    path.write_bytes(media.wav(pcm.tobytes(), rate_hz=rate_hz, channels=1 if pcm.ndim == 1 else pcm.shape[1]))
    return path


def loudest_hz(pcm: Pcm) -> float:
    return float(np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))).argmax() * 16_000 / len(pcm))


def write_film(path: Path, container: str, tracks: str, sounds: list[bytes], *, codec: str, pictures: str) -> None:
    """
    Write 11 s of small pictures and mono int16 *sounds* at 16 kHz, interleaved.

    Args:
        tracks: The order of the tracks, a letter each: "v" for the pictures, "a" for the next sound.
        codec: Of the sounds.
        pictures: Codec of the pictures.
    """
    with av.open(str(path), "w", format=container) as output:
        packets: list[av.Packet] = []
        waiting = iter(sounds)
        streams = []
        for letter in tracks:
            if letter == "v":
                stream = output.add_stream(pictures, rate=10, width=32, height=32, pix_fmt="yuv420p")
            else:
                stream = output.add_stream(codec, rate=16_000, layout="mono")
            streams.append(stream)
        for stream, letter in zip(streams, tracks, strict=True):
            packets += _encode_pictures(stream, 110) if letter == "v" else media._packets(stream, next(waiting), 16_000)
        timed = [packet for packet in packets if packet.dts is not None]
        for packet in sorted(timed, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)


def _encode_pictures(stream: av.VideoStream, number: int) -> list[av.Packet]:
    packets = []
    for index in range(number):
        picture = av.VideoFrame(32, 32, "yuv420p")
        picture.pts, picture.time_base = index, Fraction(1, 10)
        packets += stream.encode(picture)
    return packets + stream.encode(None)


def find_offset_ms(pcm: Pcm, original: Pcm, start: int, *, length: int = 2_000) -> float:
    """How much later than in *original* its part from *start* ms stands in *pcm*, by cross-correlation."""
    part = original[start * 16 : (start + length) * 16].astype(float)
    size = 1 << 19
    correlation = np.fft.irfft(np.fft.rfft(pcm.astype(float), size) * np.conj(np.fft.rfft(part, size)), size)
    first = int(correlation[: len(pcm)].argmax())
    alike = np.corrcoef(pcm[first : first + len(part)], part[: len(pcm) - first])[0, 1]
    assert alike > 0.8, f"the part from {start} ms is nowhere"
    return first / 16 - start


def take(path: Path, **options: bool) -> tuple[audio.Received, Pcm]:
    received = audio.receive(path, path.parent / "kept", **options)
    return received, audio.read_samples(received.path)


def codes(received: audio.Received) -> list[str]:
    return [warning.partition(":")[0] for warning in received.warnings]
