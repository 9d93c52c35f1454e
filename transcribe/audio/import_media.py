"""
Take foreign media in: decode each file once, in a sandbox, into a FLAC file named by its content.

    <folder>/<first two of the hash>/<hash>.flac   16 kHz, int16
    <folder>/<first two of the hash>/<hash>.json   what it was, and hashes, written last; without it the FLAC counts not
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import math
import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from transcribe.audio import readers
from transcribe.audio.container_detection import escape_name, format_length, is_misnamed, refusal_of, unwritable
from transcribe.audio.integrity import write_facts
from transcribe.audio.temporary_files import part
from transcribe.errors import BoliError, InputError, explain
from transcribe.protocols import SAMPLE_RATE_HZ
from transcribe.records import ChannelMode, Milliseconds, Quality
from transcribe.sandbox import Bounds, Outcome, Sandbox, Words

_MOST_CHANNELS = 8
#: Longest line that is taken from a child, and the parts of its error.
_LONGEST_LINE = 600
_ERROR = ("code", "message", "hint")
_MEASURES = tuple(field.name for field in fields(Quality))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of what one file may cost."""

    #: Longest recording that is taken.
    longest: Milliseconds = 12 * 3_600_000
    memory_bytes: int = 512 << 20
    #: Processor seconds that every file has, and those that a second of its sound is worth, if that is more.
    cpu_s: int = 30
    cpu_s_a_second: float = 0.1
    #: Wall clock. ``None``: a quarter of *longest*, two minutes at least, because machines are shared.
    wall_s: float | None = None
    #: Size of the FLAC. ``None``: what *longest* takes without any compression.
    written_bytes: int | None = None

    def bounds(self, *, channels: int = 1) -> Bounds:
        """Return the limits of the sandbox, where up to *channels* channels are written."""
        longest_s = self.longest / 1_000
        most = int(longest_s * SAMPLE_RATE_HZ * 2 * channels * 1.05) + (1 << 20)
        return Bounds(
            memory_bytes=self.memory_bytes,
            cpu_s=self.cpu_s,
            most_cpu_s=max(self.cpu_s, int(longest_s * self.cpu_s_a_second) + 1),
            wall_s=max(120.0, longest_s / 4) if self.wall_s is None else self.wall_s,
            written_bytes=most if self.written_bytes is None else self.written_bytes,
        )


@dataclass(frozen=True, kw_only=True)
class Received:
    """A medium that was taken in."""

    #: SHA-256 of the medium as received.
    sha256: str
    #: The 16 kHz int16 FLAC that everything later reads.
    path: Path
    duration: Milliseconds
    #: Rate, channels and codec of the medium.
    rate_hz: int
    channels: int
    codec: str
    #: ``W_CODE: sentence``, for each thing that was odd but bearable.
    warnings: tuple[str, ...] = ()
    #: ``None`` for what was taken in before quality was measured.
    quality: Quality | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file for `receive_many`, with the options of `receive`."""

    source: Path
    channel_mode: ChannelMode = "mix"
    stream: int | None = None
    allow_partial: bool = False
    root: Path | None = None


def receive(
    source: Path,
    folder: Path,
    *,
    limits: Limits = Limits(),
    channel_mode: ChannelMode = "mix",
    stream: int | None = None,
    allow_partial: bool = False,
    root: Path | None = None,
) -> Received:
    """
    Take a medium in: hash it, decode it in a sandbox, keep the sound under its hash.

    Content that is known already is not decoded again. Sound that was taken with its channels apart serves a later
    "mix" too; the other way round it is decoded once more.

    Args:
        source: A regular file, or a link to one below *root*.
        folder: Where the FLAC files live; made if it is not there.
        limits: What this file may cost.
        channel_mode: "mix" averages the channels, "split" keeps up to eight of them.
        stream: Number of the audio track, from 1, where a file has several.
        allow_partial: Take the readable part of a file that was cut off, with W_TRUNCATED.
        root: Where links may lead. Default: the folder that *source* stands in.

    Raises:
        InputError: With the code and the sentence of the verdict.
        UnfitError: If *folder* cannot be written.
        MissingError: If a library for decoding is not installed.
    """
    job = Job(source=source, channel_mode=channel_mode, stream=stream, allow_partial=allow_partial, root=root)
    with _open_source(job) as (descriptor, state):
        sha256 = _hash(job, descriptor)
        _refuse_change(job, descriptor, state)
        file = readers.locate(folder, sha256)
        received = _find_received(file, job)
        if received is not None:
            return received
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with part(file) as (sound, keep):
                facts = _decode(job, (descriptor, sound), limits)
                _refuse_change(job, descriptor, state, sha256)
                os.fsync(sound)
                size = os.fstat(sound).st_size
                keep()
            write_facts(file, {**facts, "mode": channel_mode, "stream": stream, "bytes": size})
        except OSError as error:
            raise unwritable(folder, error) from error
    return _make_received(file, facts, job)


def receive_many(
    jobs: Iterable[Job], folder: Path, *, limits: Limits = Limits(), workers: int = 2
) -> Iterator[tuple[Job, Received | InputError]]:
    """
    Run `receive` for each job, *workers* at a time; pairs come in the order of *jobs*, which may be endless.

    An error of one file is its answer and stops nothing; one that would meet every file, a full disk say, is raised.
    """
    jobs = iter(jobs)
    waiting: deque[tuple[Job, Future[Received]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="receive") as pool:
        try:
            while True:
                for job in itertools.islice(jobs, 2 * workers - len(waiting)):
                    waiting.append((job, pool.submit(receive, folder=folder, limits=limits, **vars(job))))
                if not waiting:
                    return
                job, future = waiting.popleft()
                try:
                    yield job, future.result()
                except InputError as error:
                    yield job, error
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            _decoder().close()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@cache
def _decoder() -> Sandbox:
    """Return this process's one server; it holds the libraries, so that a file costs a fork and not an import."""
    return Sandbox("transcribe.audio.decoding:decode")


@contextlib.contextmanager
def _open_source(job: Job) -> Iterator[tuple[int, os.stat_result]]:
    """Open the source once for all that follows, and give its descriptor and its state at that moment."""
    path = _resolve_source(job)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY)
    except OSError as error:
        raise _unreadable_error(job, error) from error
    try:
        state = os.fstat(descriptor)
        _refuse_irregular(job, state)
        yield descriptor, state
    finally:
        os.close(descriptor)


def _resolve_source(job: Job) -> Path:
    """Return the source's real path; only regular files are opened, since to open a device may do harm."""
    wrong = "E_NOT_REGULAR"
    try:
        source = job.source.absolute()
        root = (source.parent if job.root is None else job.root).resolve()
        target = source.resolve(strict=True)
        state = target.stat()
    except FileNotFoundError as error:
        if job.source.is_symlink():
            raise refusal_of(job.source, wrong, "is a link to nothing", "hand in the file itself") from error
        raise refusal_of(job.source, "E_NOT_FOUND", "is not there", "see that the path is right") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise _unreadable_error(job, error) from error
    if not target.is_relative_to(root):
        lies = "is a link that leads out of" if job.source.is_symlink() else "lies outside of"
        raise refusal_of(
            job.source, wrong, f"{lies} {escape_name(root)}", "hand in the file itself, or allow its folder"
        )
    _refuse_irregular(job, state)
    return target


def _refuse_irregular(job: Job, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
        kind = kinds.get(stat.S_IFMT(state.st_mode), "a device")
        raise refusal_of(job.source, "E_NOT_REGULAR", f"is {kind}, not a file", "hand in files")
    if state.st_size == 0:
        raise refusal_of(job.source, "E_EMPTY", "is 0 bytes long", "copy it again from where it was recorded")


def _unreadable_error(job: Job, error: Exception) -> BoliError:
    if isinstance(error, PermissionError):
        return refusal_of(
            job.source, "E_PERMISSION", "may not be read by this user", "give yourself the right to read it"
        )
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return refusal_of(job.source, "E_NOT_REGULAR", "is a link that leads in a circle", "hand in the file itself")
    return refusal_of(job.source, "E_UNREADABLE", f"cannot be read ({explain(error)})", "see that its disk is well")


def _hash(job: Job, descriptor: int) -> str:
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable_error(job, error) from error


def _refuse_change(job: Job, descriptor: int, first_state: os.stat_result, sha256: str | None = None) -> None:
    """
    Refuse a file whose decoded bytes are not the hashed ones, or not those that the path names any more.

    With *sha256* the content is hashed once more: a write through a memory map may leave the times alone.
    """
    states = [os.fstat(descriptor)]
    with contextlib.suppress(OSError):
        states.append(job.source.stat())
    marks = {(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns) for state in (first_state, *states)}
    if len(marks) > 1 or len(states) < 2 or (sha256 is not None and _hash(job, descriptor) != sha256):
        raise refusal_of(
            job.source, "E_CHANGED", "changed while it was read", "wait until its copying is done, then repeat"
        )


def _decode(job: Job, descriptors: tuple[int, int], limits: Limits) -> dict[str, Any]:
    split = job.channel_mode == "split"
    order = {
        "longest": limits.longest,
        "split": split,
        "stream": job.stream,
        "partial": job.allow_partial,
        "cpu_s": limits.cpu_s,
        "cpu_s_a_second": limits.cpu_s_a_second,
    }
    bounds = limits.bounds(channels=_MOST_CHANNELS if split else 1)
    outcome = _decoder().run(order, descriptors=descriptors, bounds=bounds)
    if outcome.error is not None and outcome.error["code"] == "E_WRITE":
        if os.fstat(descriptors[1]).st_size < bounds.written_bytes - (1 << 16):
            raise OSError(errno.ENOSPC, "no space left")
        raise refusal_of(job.source, "E_TOO_LONG", "makes more sound than is allowed", "cut it into parts")
    if outcome.answer is None:
        raise _explain_failure(job, outcome, bounds)
    return _check_facts(job, outcome.answer)


def _check_facts(job: Job, answer: Words) -> dict[str, Any]:
    """Convert the child's facts to their types; a decoder that was taken over may say anything."""
    try:
        facts: dict[str, Any] = {name: max(0, int(answer[name])) for name in ("duration", "rate_hz", "channels")}
        facts["codec"] = escape_name(str(answer["codec"]))
        facts["demuxer"] = None if answer["demuxer"] is None else escape_name(str(answer["demuxer"]))
        facts["warnings"] = [escape_name(str(line), longest=_LONGEST_LINE) for line in answer["warnings"]]
        facts["quality"] = _check_quality(answer["quality"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise refusal_of(job.source, "E_DECODER", "made the decoder talk nonsense", "save it as WAV or FLAC") from error
    return facts


def _check_quality(answer: Any) -> dict[str, Any]:
    """Convert the child's measures to finite numbers; ``None`` stays."""
    numbers = {name: None if answer[name] is None else float(answer[name]) for name in _MEASURES}
    if not all(number is None or math.isfinite(number) for number in numbers.values()):
        raise ValueError("a measure is not finite")
    whole = ("bandwidth_hz", "cancelled", "dead")
    return {name: int(number) if number is not None and name in whole else number for name, number in numbers.items()}


def _explain_failure(job: Job, outcome: Outcome, bounds: Bounds) -> BoliError:
    """Return the error for a file without sound, as the user reads it."""
    doubt = "play it elsewhere; if that works, save it as WAV or FLAC and hand that in"
    if outcome.error is not None:
        code, message, hint = (escape_name(str(outcome.error.get(name)), longest=_LONGEST_LINE) for name in _ERROR)
        if code == "E_MEMORY":
            return refusal_of(job.source, code, f"needs more than {bounds.memory_bytes >> 20} MB to decode", doubt)
        if code == "E_BUG":
            error = refusal_of(job.source, "E_DECODER", f"made the decoder fail ({message})", doubt)
            error.add_note(str(outcome.error.get("trace")))
            return error
        return refusal_of(job.source, code, message, hint)
    if outcome.death in ("SIGXCPU", "wall"):
        spent = format_length(int(outcome.cpu_s * 1_000))
        return refusal_of(job.source, "E_TOO_SLOW", f"was still not decoded after {spent} of work", doubt)
    return refusal_of(job.source, "E_DECODER", f"made the decoder die ({outcome.death})", doubt)


def _find_received(file: Path, job: Job) -> Received | None:
    """Return what an earlier run made of the same bytes, if it serves this job."""
    try:
        facts = json.loads(file.with_suffix(".json").read_bytes())
        whole = file.stat().st_size == facts["bytes"]
    except (OSError, ValueError, KeyError):
        return None
    if not whole or (job.channel_mode == "split" and facts["mode"] != "split" and facts["channels"] > 1):
        return None
    if job.stream is not None and job.stream != (facts["stream"] or 1):
        taken = f"was received before with audio track {facts['stream'] or 1}"
        raise refusal_of(job.source, "E_STREAM", taken, "use that track, or a workspace of its own for the other one")
    return _make_received(file, facts, job)


def _make_received(file: Path, facts: dict[str, Any], job: Job) -> Received:
    warnings = tuple(facts["warnings"])
    demuxer = facts["demuxer"]
    if demuxer is not None and is_misnamed(job.source.suffix, demuxer):
        warnings += (
            f"W_EXTENSION: it is named {escape_name(job.source.suffix)} and holds {demuxer} with {facts['codec']}",
        )
    return Received(
        sha256=file.stem,
        path=file,
        duration=facts["duration"],
        rate_hz=facts["rate_hz"],
        channels=facts["channels"],
        codec=facts["codec"],
        warnings=warnings,
        quality=Quality(**facts["quality"]) if facts.get("quality") else None,
    )
