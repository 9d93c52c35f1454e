"""Conversations laid out of spoken clips with the exact truth of who spoke when; what rooms and lines do to them."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcribe.records import Milliseconds

RATE_HZ = 16_000
#: Bits a second. Opus leaves speech of 16 kHz clear with it, and an hour takes 7 MB.
BIT_RATE = 16_000
#: The band of a telephone line, and its rate.
TELEPHONE_HZ = (300, 3400)
TELEPHONE_RATE_HZ = 8000


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """The sound of one turn to come, and what is said in it."""

    speaker: str
    dialect: str
    text: str
    #: float32 (samples,)
    samples: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """One turn as it was really spoken."""

    start: Milliseconds
    end: Milliseconds
    speaker: str
    dialect: str
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Conversation:
    """A recording whose truth is known."""

    name: str
    #: int16 (samples,), one channel.
    samples: NDArray[np.int16]
    #: Ordered by start.
    spoken: tuple[Spoken, ...]
    rate_hz: int = RATE_HZ

    @property
    def duration(self) -> Milliseconds:
        """Length of the recording."""
        return len(self.samples) * 1000 // self.rate_hz


def converse(
    clips: Sequence[Clip],
    rng: random.Random,
    *,
    name: str = "conversation",
    pause_ms: tuple[Milliseconds, Milliseconds] = (200, 1500),
    overlap: float = 0.1,
    rate_hz: int = RATE_HZ,
) -> Conversation:
    """
    Lay *clips* one after another as the turns of one conversation.

    A turn begins after a random pause, or, if another speaker held the floor, sometimes before the last one ended.
    At most two people talk at once, and an interruption takes at most two thirds of either turn.

    Args:
        clips: At least one; each is heard whole and in the given order.
        rng: Source of pauses and interruptions.
        name: Name of the conversation.
        pause_ms: Shortest and longest pause between turns, and before the first and after the last.
        overlap: Target share of the time with speech in which two people talk, as LibriCSS counts it (Chen et al.,
            "Continuous speech separation: dataset and analysis", 2020). Never exceeded; it is missed where speakers
            change too seldom, and by up to the length of one short interruption.
        rate_hz: Rate of all clips.

    Returns:
        A conversation whose times are those of the audible parts of the clips (40 dB under their peaks).
    """
    layout = _Layout(overlap)
    placed: list[tuple[int, NDArray[np.float32]]] = []
    spoken: list[Spoken] = []
    for clip in clips:
        first, last = audible(clip.samples)
        length = -(-(last - first) * 1000 // rate_hz)
        start = layout.place(clip.speaker, length, rng.randint(*pause_ms))
        placed.append((start * rate_hz // 1000 - first, clip.samples))
        end = start + length
        spoken.append(Spoken(start=start, end=end, speaker=clip.speaker, dialect=clip.dialect, text=clip.text))
    tail = max(turn.end for turn in spoken) + rng.randint(*pause_ms)
    mixed = _mix(placed, -(-tail * rate_hz // 1000))
    ordered = tuple(sorted(spoken, key=lambda turn: (turn.start, turn.speaker)))
    return Conversation(name=name, samples=to_int16(mixed), spoken=ordered, rate_hz=rate_hz)


class _Layout:
    """The places of turns: keeps the running share of overlapped speech at its target."""

    def __init__(self, overlap: float) -> None:
        self._target = overlap
        self._ends: dict[str, Milliseconds] = {}
        self._last_start = 0
        self._talk = 0
        self._both = 0

    def place(self, speaker: str, length: Milliseconds, pause: Milliseconds) -> Milliseconds:
        """Give the start of a turn of *length*, and remember the turn."""
        # Ties go to the speaker at hand, who then pauses.
        holder, floor_end = max(
            self._ends.items(), key=lambda entry: (entry[1], entry[0] == speaker), default=(speaker, 0)
        )
        start = floor_end + pause
        if holder != speaker:
            others = max((end for who, end in self._ends.items() if who != holder), default=0)
            earliest = max(others, floor_end - 2 * (floor_end - self._last_start) // 3, floor_end - 2 * length // 3)
            # x more overlapped of (talk + length - x) in all shall be the target: solved for x.
            owed = (self._target * (self._talk + length) - self._both) / (1 + self._target)
            # Saving up makes some turns overlap audibly and the others not at all.
            if owed >= 150:
                start = max(earliest, floor_end - round(owed))
        shared = max(0, min(floor_end, start + length) - start)
        self._talk += length - shared
        self._both += shared
        self._ends[speaker] = start + length
        self._last_start = start
        return start


def _mix(placed: Iterable[tuple[int, NDArray[np.float32]]], length: int) -> NDArray[np.float32]:
    mixed = np.zeros(length, np.float32)
    for start, samples in placed:
        # What lies before the start or after the end of the recording is under the audible floor.
        heard = samples[max(0, -start) :][: length - max(0, start)]
        mixed[max(0, start) :][: len(heard)] += heard
    return mixed


def audible(samples: NDArray[Any], *, floor: float = 0.01) -> tuple[int, int]:
    """
    Give the first sample above *floor* (a share of the peak, so 40 dB under it) and one past the last one.

    >>> audible(np.array([0.0, 0.001, 0.5, -1.0, 0.0]))
    (2, 4)
    """
    loud = np.flatnonzero(np.abs(samples) > floor * np.abs(samples).max(initial=0))
    return (int(loud[0]), int(loud[-1]) + 1) if loud.size else (0, 0)


def overlap_share(spoken: Iterable[Spoken]) -> float:
    """
    Give the share of the time with speech in which two or more people talk; 0 without speech.

    >>> turn = dict(dialect="en", text="")
    >>> overlap_share([Spoken(start=0, end=60, speaker="a", **turn), Spoken(start=40, end=100, speaker="b", **turn)])
    0.2
    """
    changes = sorted((time, step) for turn in spoken for time, step in ((turn.start, 1), (turn.end, -1)))
    any_ms = both_ms = talking = before = 0
    for time, step in changes:
        any_ms += (time - before) * (talking >= 1)
        both_ms += (time - before) * (talking >= 2)
        talking, before = talking + step, time
    return both_ms / any_ms if any_ms else 0.0


def room(
    samples: NDArray[Any],
    rng: random.Random,
    *,
    noise_db: float,
    decay_s: tuple[float, float] = (0.12, 0.35),
    direct_db: tuple[float, float] = (8.0, 16.0),
    rate_hz: int = RATE_HZ,
) -> NDArray[np.float32]:
    """
    Give *samples* as heard in a light random room: reverberation that decays exponentially, and steady noise.

    Args:
        samples: float in -1 to 1, or int16.
        rng: Source of the room.
        noise_db: The speech's mean power over that of the noise.
        decay_s: Range of the time in which the reverberation falls by 60 dB.
        direct_db: Range of the direct sound's energy over that of the reverberation.
        rate_hz: Rate of *samples*.

    Returns:
        float32 (samples,), as long as the input and with its peak.
    """
    dry = samples.astype(np.float64) / (32768 if samples.dtype == np.int16 else 1)
    noise = np.random.default_rng(rng.getrandbits(64))
    decay = rng.uniform(*decay_s)
    times = np.arange(int(decay * rate_hz)) / rate_hz
    tail = noise.standard_normal(len(times)) * 10 ** (-3 * times / decay)
    # The first 3 ms belong to the direct sound.
    tail[: int(0.003 * rate_hz)] = 0
    tail *= 10 ** (-rng.uniform(*direct_db) / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1
    size = len(dry) + len(tail) - 1
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(tail, size), size)[: len(dry)]
    # A little low-pass turns the hiss of white noise into the rush of a room.
    hiss = np.convolve(noise.standard_normal(len(dry)), [0.5, 0.3, 0.2], mode="same")
    hiss *= np.sqrt((wet**2).mean() / (hiss**2).mean()) * 10 ** (-noise_db / 20)
    heard = wet + hiss
    peak = np.abs(heard).max(initial=1e-9)
    return np.asarray(heard * (np.abs(dry).max(initial=0) / peak), dtype=np.float32)


def telephone(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Give *samples* at 16 kHz as a telephone line lets them through: 300 to 3400 Hz, 8 kHz, eight bits by mu-law.

    The filter has no delay, so that the times of the truth stay. The curve is that of ITU-T G.711, which a codec
    follows in straight pieces.

    Returns:
        float32 (samples,) at 16 kHz, as long as the input and with its peak.
    """
    import soxr
    from scipy.signal import butter, sosfiltfilt

    band = butter(4, TELEPHONE_HZ, "bandpass", fs=TELEPHONE_RATE_HZ, output="sos")
    line = sosfiltfilt(band, soxr.resample(samples, RATE_HZ, TELEPHONE_RATE_HZ))
    level = np.abs(samples).max(initial=0) / max(np.abs(line).max(initial=0), 1e-9)
    heard = soxr.resample(mu_law(line * level).astype(np.float32), TELEPHONE_RATE_HZ, RATE_HZ)
    return np.asarray(np.pad(heard, (0, max(0, len(samples) - len(heard))))[: len(samples)], dtype=np.float32)


def mu_law(samples: NDArray[Any]) -> NDArray[np.float64]:
    """
    Give *samples* (-1 to 1) as they come out of eight bits of the mu-law curve.

    >>> mu_law(np.array([-1.0, 0.0, 1.0])).round(2).tolist()
    [-1.0, 0.0, 1.0]
    """
    curve = np.sign(samples) * np.log1p(255 * np.abs(samples.clip(-1, 1))) / np.log(256)
    steps = np.round(curve * 127) / 127
    return np.asarray(np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255)


def to_int16(samples: NDArray[Any]) -> NDArray[np.int16]:
    """Give floats in -1 to 1 as 16 bit; louder ones are turned down as a whole, never clipped."""
    peak = float(np.abs(samples).max(initial=0.0))
    return np.asarray(np.round(samples * (32767 * min(1.0, 0.95 / max(peak, 1e-9)))), dtype=np.int16)


def write_opus(path: Path, samples: NDArray[np.int16]) -> None:
    """Write int16 (samples,) at 16 kHz as one channel of Opus in Ogg, the same bytes for the same samples."""
    import av

    # Without bitexact the serial number of the Ogg stream is random.
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
