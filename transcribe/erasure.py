"""Erasure of a speaker's voice and words, or of what is older than the settings allow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcribe import audio
from transcribe.desk.clips import Clips
from transcribe.errors import UnfitError
from transcribe.speaker_links import group_speakers
from transcribe.store.erasure import Erasure
from transcribe.store.snapshot import list_copies
from transcribe.wiring import Wiring
from transcribe.workspace import COUNTS_FILE

#: Kinds of files in which texts are found as they are.
_READABLE = frozenset({".html", ".json", ".jsonl", ".csv", ".md", ".txt", ".stm", ".srt", ".vtt", ".eaf", ".textgrid"})
#: Folders whose files are made again; elsewhere a file is named and left to its owner.
_OURS = ("reports", "cache")
_LARGEST = 64 << 20


@dataclass(frozen=True, kw_only=True)
class ErasurePlan:
    """The erasure of a speaker, or of what is older than the settings allow."""

    #: ``None``: of what is too old.
    speaker: str | None
    erasures: Sequence[Erasure]
    #: Recordings of which the audio alone is too old.
    audio_only: Sequence[Erasure]
    #: Files of the workspace that hold erased texts: those that are made again, and those that are left to their owner.
    files: Sequence[Path]
    remaining: Sequence[Path]
    #: Other names that accepted links give the speaker.
    linked: Sequence[str]


def plan_erasure(wiring: Wiring, speaker: str | None, recording: str | None = None) -> ErasurePlan:
    """Find all that is to be erased of *speaker*, or of *recording*, or, without either, of what is too old."""
    if speaker is not None:
        erasures = wiring.store.erasure.find_by_speaker(speaker)
    elif recording is not None:
        erasures = wiring.store.erasure.find_by_recording(recording)
    else:
        erasures = _find_expired(wiring, "retention_days")
    texts = frozenset().union(*(wiring.store.erasure.fetch_texts(erasure, speaker=speaker) for erasure in erasures))
    files, remaining = _find_files(wiring.workspace, texts)
    return ErasurePlan(
        speaker=speaker,
        erasures=erasures,
        audio_only=[] if speaker is not None or recording is not None else _find_expired_audio(wiring, erasures),
        files=files,
        remaining=remaining,
        linked=find_linked(wiring, speaker),
    )


def find_linked(wiring: Wiring, speaker: str | None) -> list[str]:
    """Return the other names that accepted links give *speaker*, in order."""
    groups = group_speakers(wiring.store.speakers.fetch_links())
    return sorted(groups.get(speaker or "", frozenset()) - {speaker})


def erase(wiring: Wiring, plan: ErasurePlan) -> int:
    """
    Erase audio, clips and files, then the database's rows, and return the number of texts.

    Audio goes first and the database's memory of where it lay last, so that a killed erasure is found again.

    Raises:
        UnfitError: A file cannot be erased.
    """
    clips = Clips(wiring.audio_folder, wiring.workspace / "cache" / "clips", bitrate=0)
    try:
        for erasure in [*plan.erasures, *plan.audio_only]:
            spans = None if erasure in plan.audio_only else erasure.spans
            audio.erase_sound(wiring.audio_folder, erasure.recording, spans)
            audio.erase_training_sound(wiring.workspace, erasure.recording)
            for segment in erasure.segments:
                clips.forget(segment)
        for file in [*plan.files, wiring.workspace / COUNTS_FILE] if plan.erasures else ():
            file.unlink(missing_ok=True)
    except OSError as error:
        raise UnfitError(f"{error.filename} could not be erased: {error.strerror}", hint="run it again") from error
    texts = wiring.store.erasure.erase(plan.erasures, speaker=plan.speaker)
    if plan.erasures:
        wiring.store.erasure.vacuum()
        _remove_copies(wiring)
    return texts


def _remove_copies(wiring: Wiring) -> None:
    """Remove the copies from before migrations: they hold what was erased."""
    for copy in list_copies(wiring.store.database.location, wiring.workspace):
        shutil.rmtree(copy) if copy.is_dir() else copy.unlink()


def _find_expired(wiring: Wiring, setting: str) -> tuple[Erasure, ...]:
    days = getattr(wiring.settings.desk, setting)
    return () if days is None else wiring.store.erasure.find_before(wiring.store.database.later(-days * 86_400))


def _find_expired_audio(wiring: Wiring, erasures: Sequence[Erasure]) -> list[Erasure]:
    """Return the recordings whose audio alone is too old, without those of *erasures*."""
    erased = {erasure.recording for erasure in erasures}
    return [
        expired
        for expired in _find_expired(wiring, "sound_retention_days")
        if expired.recording not in erased and audio.locate(wiring.audio_folder, expired.recording).exists()
    ]


def _find_files(workspace: Path, texts: frozenset[str]) -> tuple[list[Path], list[Path]]:
    """Return files of the workspace that hold one of *texts*: those that are made again, and the others."""
    ours: list[Path] = []
    theirs: list[Path] = []
    for file in _list_readable(workspace) if texts else ():
        content = file.read_text(encoding="utf-8", errors="replace")
        if any(text in content for text in texts):
            (ours if file.relative_to(workspace).parts[0] in _OURS else theirs).append(file)
    return ours, theirs


def _list_readable(workspace: Path) -> Iterator[Path]:
    for file in sorted(workspace.rglob("*")):
        if file.suffix.casefold() in _READABLE and file.is_file() and file.stat().st_size <= _LARGEST:
            yield file
