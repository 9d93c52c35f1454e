"""Checks of the machine: its clock, disk and GPU, the decoding of media and its sandbox, and SQLite."""

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

from transcribe import sandbox
from transcribe.backends.processors import preload_cublas
from transcribe.config import Settings
from transcribe.doctor.installation import Finding, import_quietly
from transcribe.store.engine import journal_mode

#: Years that a clock may show. Before the first of them this program was not there.
FIRST_YEAR, LAST_YEAR = 2026, 2100

#: Under this much a day of work may not fit: an hour of normalised sound takes about 60 MB.
ROOM_BYTES: Final = 2 * 1024**3

#: The codecs of recordings, as FFmpeg names its decoders.
DECODERS: Final = ("libopus", "flac", "aac", "mp3")

#: First FFmpeg whose readers of playlists cannot be sent in circles or past their checks (CVE-2026-107695, -107697).
SAFE_FFMPEG: Final = (8, 1, 3)


def check_clock(now: datetime) -> Finding:
    """Check that *now* can be: leases and the order of corrections hang on the clock."""
    if FIRST_YEAR <= now.year <= LAST_YEAR:
        return Finding(name="clock", state="ok", detail=f"The clock says {now:%Y-%m-%d %H:%M %Z}.")
    detail = f"The clock says {now:%Y-%m-%d}, which cannot be: leases would expire wrongly."
    return Finding(name="clock", state="warn", detail=detail, mend="timedatectl set-ntp true")


def check_room(folder: Path, *, wanted: int = ROOM_BYTES) -> Finding:
    """Check that *wanted* bytes are free at *folder*."""
    there = nearest_folder(folder)
    free = shutil.disk_usage(there).free
    detail = f"{free / 1024**3:.1f} GiB are free at {there}."
    if free >= wanted:
        return Finding(name="disk", state="ok", detail=detail)
    return Finding(name="disk", state="warn", detail=f"{detail} An hour of audio takes about 60 MB beside its source.")


def check_gpu(settings: Settings) -> Iterator[Finding]:
    """Check that CTranslate2 sees a GPU, and finds the library that it opens by name there."""
    loaded = [file.name for file in preload_cublas()]
    count = int(import_quietly("ctranslate2").get_cuda_device_count())
    if not count:
        yield report_no_gpu([name for name in ("diariser", "recogniser") if getattr(settings, name).device == "cuda"])
        return
    yield Finding(name="gpu", state="ok", detail=f"{count} for CTranslate2: {_describe_cards() or 'names unknown'}.")
    if "libcublas.so.12" in loaded:
        yield Finding(name="cublas", state="ok", detail=f"Loaded for CTranslate2: {', '.join(loaded)}.")
    else:
        detail = "CTranslate2 opens libcublas.so.12 on a GPU, and its package is not installed."
        yield Finding(name="cublas", state="missing", detail=detail, mend="pip install 'boli[gpu]'")


def report_no_gpu(parts: list[str]) -> Finding:
    """Report a machine without GPU, where the settings of *parts* want one."""
    lack = "CTranslate2 finds no NVIDIA GPU"
    if not parts:
        return Finding(name="gpu", state="ok", detail=f"{lack}; the CPU does the work.")
    mend = " ".join(f"BOLI_{name.upper()}__DEVICE=cpu" for name in parts) + " boli run"
    wanted = " and ".join(f"{name}.device" for name in parts)
    return Finding(name="gpu", state="missing", detail=f"{lack}, but {wanted} asks for one.", mend=mend)


def _describe_cards() -> str:
    """List name, memory and driver of each card from the driver's own tool; empty where it does not answer."""
    command = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, timeout=2, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return "; ".join(line.strip() for line in lines.splitlines() if line.strip())


def check_media(*, decoders: tuple[str, ...] = DECODERS, safe: tuple[int, ...] = SAFE_FFMPEG) -> Iterator[Finding]:
    """Check that PyAV has *decoders* for recordings, and that its FFmpeg is as new as *safe*."""
    av = import_quietly("av")
    missing = [name for name in decoders if name not in av.codecs_available]
    build = f"FFmpeg {av.ffmpeg_version_info} in PyAV {av.__version__}"
    if missing:
        detail = f"{build} does not decode {', '.join(missing)}."
        yield Finding(name="media", state="missing", detail=detail, mend="pip install --force-reinstall av")
    elif not at_least(av.ffmpeg_version_info, safe):
        wanted = ".".join(map(str, safe))
        detail = f"{build}; {wanted} mends what hostile media can do to it. Until then the sandbox holds them."
        yield Finding(name="media", state="warn", detail=detail, mend="pip install --upgrade av")
    else:
        yield Finding(name="media", state="ok", detail=f"{build} decodes {', '.join(decoders)}.")


def at_least(version: str, wanted: tuple[int, ...]) -> bool:
    """
    Check that FFmpeg *version* is *wanted* or newer. A build from a branch says no number and counts as older.

    >>> [at_least(version, (8, 1, 3)) for version in ("8.1.3", "n9.0", "8.1.2", "8.1", "N-118000-gabc")]
    [True, True, False, False, False]
    """
    numbers = re.match(r"n?(\d+(?:\.\d+)*)", version)
    return numbers is not None and tuple(map(int, numbers[1].split("."))) >= wanted


def check_sandbox(level: sandbox.Level) -> Finding:
    """Report the level of the sandbox in which foreign media is decoded."""
    if level is sandbox.Level.SEALED:
        detail = "Media is decoded in a process without network that may open nothing."
        return Finding(name="sandbox", state="ok", detail=detail)
    filtered = sys.platform != "linux" or importlib.util.find_spec("pyseccomp") is not None
    mend = None if filtered else "pip install pyseccomp"
    if level is sandbox.Level.OFFLINE:
        detail = "Media is decoded in a process without network that may open files: the kernel's filter is not there."
    else:
        detail = "Media is decoded in a process with limits on memory and time, but with network and files."
    return Finding(name="sandbox", state="warn", detail=detail, mend=mend)


def check_sqlite(version: tuple[int, ...]) -> Finding:
    """Report the journal mode that SQLite of *version* is trusted with."""
    major, minor, patch = version[:3]
    journal = journal_mode((major, minor, patch))
    why = "" if journal == "WAL" else ", because WAL can lose writes in this version; DELETE is safe and hardly slower"
    detail = f"SQLite {major}.{minor}.{patch} keeps its journal as {journal}{why}."
    return Finding(name="sqlite", state="ok", detail=detail)


def nearest_folder(folder: Path) -> Path:
    """Return *folder*, or the nearest one above it that is there."""
    absolute = folder.expanduser().absolute()
    return next(folder_above for folder_above in (absolute, *absolute.parents) if folder_above.is_dir())
