"""What the machine gives: its clock, its disk, its GPU, how media is decoded, and which SQLite it has."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from transcribe import jail
from transcribe.backends.preload import preload_cublas
from transcribe.config import Settings
from transcribe.doctor.finding import Finding
from transcribe.doctor.installation import imported
from transcribe.store.database import journal_mode

#: Years that a clock may show. Before the first of them this program was not there.
FIRST_YEAR, LAST_YEAR = 2026, 2100

#: Under this much a day of work may not fit: an hour of normalised sound takes about 60 MB.
ROOM_BYTES: Final = 2 * 1024**3

#: What recordings come in, as FFmpeg names its decoders.
DECODERS: Final = ("libopus", "flac", "aac", "mp3")

#: First FFmpeg whose readers of playlists cannot be sent in circles or past their checks (CVE-2026-107695, -107697).
SAFE_FFMPEG: Final = (8, 1, 3)


def clock_of(now: datetime) -> Finding:
    """Whether *now* can be: leases and the order of corrections hang on the clock."""
    if FIRST_YEAR <= now.year <= LAST_YEAR:
        return Finding(name="clock", state="ok", detail=f"The clock says {now:%Y-%m-%d %H:%M %Z}.")
    detail = f"The clock says {now:%Y-%m-%d}, which cannot be: leases would expire wrongly."
    return Finding(name="clock", state="warn", detail=detail, mend="timedatectl set-ntp true")


def room(folder: Path, *, wanted: int = ROOM_BYTES) -> Finding:
    """Whether *wanted* bytes are free at *folder*."""
    there = nearest(folder)
    free = shutil.disk_usage(there).free
    found = f"{free / 1024**3:.1f} GiB are free at {there}."
    if free >= wanted:
        return Finding(name="disk", state="ok", detail=found)
    return Finding(name="disk", state="warn", detail=f"{found} An hour of audio takes about 60 MB beside its source.")


def gpu(settings: Settings) -> Iterator[Finding]:
    """Whether CTranslate2 sees a GPU, and finds the library that it opens by name there."""
    loaded = [file.name for file in preload_cublas()]
    count = int(imported("ctranslate2").get_cuda_device_count())
    if not count:
        yield no_gpu([name for name in ("diariser", "recogniser") if getattr(settings, name).device == "cuda"])
        return
    yield Finding(name="gpu", state="ok", detail=f"{count} for CTranslate2: {_cards() or 'names unknown'}.")
    if "libcublas.so.12" in loaded:
        yield Finding(name="cublas", state="ok", detail=f"Loaded for CTranslate2: {', '.join(loaded)}.")
    else:
        detail = "CTranslate2 opens libcublas.so.12 on a GPU, and its package is not installed."
        yield Finding(name="cublas", state="missing", detail=detail, mend="pip install 'boli[gpu]'")


def no_gpu(asked: list[str]) -> Finding:
    """A machine without GPU, where the settings of *asked* want one."""
    found = "CTranslate2 finds no NVIDIA GPU"
    if not asked:
        return Finding(name="gpu", state="ok", detail=f"{found}; the CPU does the work.")
    mend = " ".join(f"BOLI_{name.upper()}__DEVICE=cpu" for name in asked) + " boli run"
    wanted = " and ".join(f"{name}.device" for name in asked)
    return Finding(name="gpu", state="missing", detail=f"{found}, but {wanted} asks for one.", mend=mend)


def _cards() -> str:
    """Name, memory and driver of each card as the driver's own tool says them; empty where it does not answer."""
    asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=2, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return "; ".join(line.strip() for line in said.splitlines() if line.strip())


def media(*, decoders: tuple[str, ...] = DECODERS, safe: tuple[int, ...] = SAFE_FFMPEG) -> Iterator[Finding]:
    """Whether PyAV decodes what recordings come in, and whether its FFmpeg is as new as *safe*."""
    av = imported("av")
    lost = [name for name in decoders if name not in av.codecs_available]
    found = f"FFmpeg {av.ffmpeg_version_info} in PyAV {av.__version__}"
    if lost:
        detail = f"{found} does not decode {', '.join(lost)}."
        yield Finding(name="media", state="missing", detail=detail, mend="pip install --force-reinstall av")
    elif not at_least(av.ffmpeg_version_info, safe):
        wanted = ".".join(map(str, safe))
        detail = f"{found}; {wanted} mends what hostile media can do to it. Until then the jail holds them."
        yield Finding(name="media", state="warn", detail=detail, mend="pip install --upgrade av")
    else:
        yield Finding(name="media", state="ok", detail=f"{found} decodes {', '.join(decoders)}.")


def at_least(found: str, wanted: tuple[int, ...]) -> bool:
    """
    Whether FFmpeg *found* is *wanted* or newer. A build from a branch says no number and counts as older.

    >>> [at_least(found, (8, 1, 3)) for found in ("8.1.3", "n9.0", "8.1.2", "8.1", "N-118000-gabc")]
    [True, True, False, False, False]
    """
    numbers = re.match(r"n?(\d+(?:\.\d+)*)", found)
    return numbers is not None and tuple(map(int, numbers[1].split("."))) >= wanted


def walls(level: jail.Level) -> Finding:
    """How strong the jail is in which foreign media is decoded."""
    if level is jail.Level.SEALED:
        detail = "Media is decoded in a process without network that may open nothing."
        return Finding(name="jail", state="ok", detail=detail)
    filtered = sys.platform != "linux" or importlib.util.find_spec("pyseccomp") is not None
    mend = None if filtered else "pip install pyseccomp"
    if level is jail.Level.OFFLINE:
        detail = "Media is decoded in a process without network that may open files: the kernel's filter is not there."
    else:
        detail = "Media is decoded in a process with limits on memory and time, but with network and files."
    return Finding(name="jail", state="warn", detail=detail, mend=mend)


def sqlite(found: tuple[int, ...]) -> Finding:
    """Which journal SQLite of version *found* is trusted with."""
    major, minor, patch = found[:3]
    journal = journal_mode((major, minor, patch))
    why = "" if journal == "WAL" else ", because WAL can lose writes in this version; DELETE is safe and hardly slower"
    detail = f"SQLite {major}.{minor}.{patch} keeps its journal as {journal}{why}."
    return Finding(name="sqlite", state="ok", detail=detail)


def nearest(folder: Path) -> Path:
    """*folder*, or the nearest one above it that is there."""
    absolute = folder.expanduser().absolute()
    return next(place for place in (absolute, *absolute.parents) if place.is_dir())
