"""
Read received recordings: samples, lengths, peaks, hashes; and erase them: silence in their place, or the file gone.

Only FLAC files that were written here are opened.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from transcribe.audio.container_detection import refusal_of
from transcribe.audio.integrity import renew_facts
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm
from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from soundfile import SoundFile


_SAMPLES_A_MS = SAMPLE_RATE_HZ // 1_000
#: In the folder of a model that is being tuned: the sound that it learns from.
SHARDS: Final = "shards"

_BLOCK = 10 * SAMPLE_RATE_HZ


def locate(folder: Path, recording: str) -> Path:
    """Return the path of the sound of *recording* below *folder*, the ``audio_folder`` of what received it."""
    return folder / recording[:2] / f"{recording}.flac"


def read_samples(
    path: Path, *, start: Milliseconds = 0, end: Milliseconds | None = None, channel: int | None = None
) -> Pcm:
    """
    Read samples of a received recording, int16 at 16 kHz, shape ``(samples,)``.

    Times outside the recording are brought to its ends, so that a span beyond it gives no samples.

    Args:
        path: `Received.path`.
        start: First moment.
        end: Moment after the last. ``None``: the end.
        channel: From 0. ``None`` averages them.

    Raises:
        InputError: ``E_LOST`` if the file is gone, damaged or not one of ours; ``E_CHANNEL`` if it lacks *channel*.
    """
    with _open(path) as file:
        first = min(max(0, start) * _SAMPLES_A_MS, file.frames)
        last = file.frames if end is None else min(max(0, end) * _SAMPLES_A_MS, file.frames)
        if channel is not None and not 0 <= channel < file.channels:
            wrong = f"has {file.channels} channels, and channel {channel} was asked for"
            raise refusal_of(path, "E_CHANNEL", wrong, "count from 0")
        file.seek(first)
        samples: npt.NDArray[np.int16] = file.read(max(0, last - first), dtype="int16", always_2d=True)
    if channel is not None or samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, channel or 0])
    mixed: Pcm = np.rint(samples.mean(axis=1)).astype(np.int16)
    return mixed


def duration(path: Path) -> Milliseconds:
    """Return the length of a received recording in whole milliseconds; raises as `read` does."""
    with _open(path) as file:
        return int(file.frames) // _SAMPLES_A_MS


def peaks(pcm: Pcm, *, per_second: int = 20) -> npt.NDArray[np.int8]:
    """
    Return the waveform as it is drawn: lowest and highest value of each stretch, shape ``(stretches, 2)``.

    A stretch is a 1/*per_second* of a second, the last one may be shorter. A value v stands for the int16 samples
    from 256 v to 256 v + 255.

    >>> peaks(np.array([0, -256, 32_767], np.int16)).tolist()
    [[-1, 127]]
    """
    size = SAMPLE_RATE_HZ // per_second
    if not len(pcm):
        return np.zeros((0, 2), np.int8)
    starts = np.arange(0, len(pcm), size)
    pairs = np.stack((np.minimum.reduceat(pcm, starts), np.maximum.reduceat(pcm, starts)), axis=1)
    return (pairs >> 8).astype(np.int8)


def quietest(pcm: Pcm, start: Milliseconds, end: Milliseconds) -> Milliseconds:
    """
    Find the moment from *start* to *end*, both included, around which 100 ms hold the least energy; the first of
    equals.

    >>> quietest(np.r_[np.ones(8_000), np.zeros(3_200), np.ones(8_000)].astype(np.int16), 300, 900)
    550
    """
    half, step = 5, 10 * _SAMPLES_A_MS
    first, last = start // 10 - half, end // 10 + half
    around = pcm[max(0, first) * step : last * step].astype(np.float64)
    if not len(around):
        return start
    energies = np.add.reduceat(around**2, np.arange(0, len(around), step))
    missing_frames = max(0, -first)
    energies = np.pad(energies, (missing_frames, max(0, last - first - missing_frames - len(energies))), mode="edge")
    sums = np.convolve(energies, np.ones(2 * half), mode="valid")
    return min(end, start + 10 * int(sums.argmin()))


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits: the id of a `Recording`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(path: Path) -> SoundFile:
    import soundfile

    lost = "is gone or damaged"
    try:
        # The descriptor is opened here, because libsndfile's message for a missing file is "System error".
        with path.open("rb"):
            file = soundfile.SoundFile(path)
    except (OSError, soundfile.LibsndfileError) as error:
        raise refusal_of(path, "E_LOST", lost, "ingest the recording again") from error
    if file.samplerate != SAMPLE_RATE_HZ:
        file.close()
        raise refusal_of(path, "E_LOST", "is not a file that was received here", "ingest it first")
    return file


def erase_sound(folder: Path, recording: str, spans: Sequence[tuple[Milliseconds, Milliseconds]] | None) -> bool:
    """
    Put silence on every channel of a received recording in *spans*; without spans, remove it.

    Works in blocks, whatever its length, and renames the new file into place.

    Returns:
        True if it was there.

    Raises:
        OSError: If the folder cannot be written.
    """
    file = locate(folder, recording)
    if spans is None or not file.exists():
        was_there = file.exists()
        file.unlink(missing_ok=True)
        renew_facts(file)
        return was_there
    fresh = file.with_name(f"{file.stem}.erasing")
    try:
        _silence(file, fresh, spans)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    handle = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    renew_facts(file)
    return True


def erase_training_sound(workspace: Path, recording: str) -> None:
    """
    Remove the audio of a recording that a killed training has cut.

    It lies mixed with that of others, and is cut anew when the training goes on.

    Raises:
        OSError: If a folder cannot be removed.
    """
    for folder in (workspace / "models").glob(f"*/{SHARDS}"):
        shutil.rmtree(folder)


def _silence(source: Path, target: Path, spans: Sequence[tuple[Milliseconds, Milliseconds]]) -> None:
    import soundfile

    with soundfile.SoundFile(source) as old:
        shape = {"samplerate": old.samplerate, "channels": old.channels, "format": "FLAC", "subtype": old.subtype}
        with soundfile.SoundFile(target, "w", **shape) as new:
            first = 0
            for block in old.blocks(_BLOCK, dtype="int32", always_2d=True):
                for start, end in spans:
                    a, b = (moment * SAMPLE_RATE_HZ // 1_000 - first for moment in (start, end))
                    block[max(0, a) : max(0, b)] = 0
                new.write(block)
                first += len(block)
    with target.open("rb") as written:
        os.fsync(written.fileno())
