"""Erasure of a speaker's voice and words, or of what is older than the settings allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from transcribe import audio, terminal
from transcribe.actions.scoring import COUNTS_FILE
from transcribe.actions.tables import stack, table
from transcribe.console import Answer
from transcribe.errors import UnfitError, UsageError
from transcribe.speaker_links import group_speakers
from transcribe.store.erasing import Erasure
from transcribe.wiring import Wiring

#: Kinds of files in which texts are found as they are.
_READABLE = frozenset({".html", ".json", ".jsonl", ".csv", ".md", ".txt", ".stm", ".srt", ".vtt", ".eaf", ".textgrid"})
#: Folders whose files are made again; elsewhere a file is named and left to its owner.
_OURS = ("reports", "cache")
_LARGEST = 64 << 20


def erase(wiring: Wiring, *, speaker: str | None, expired: bool, dry_run: bool) -> Answer:
    """
    Erase audio, drafts, people's texts, clips, counts and reports of a speaker, or of what is *expired*.

    Audio goes first and the database's memory of where it lay last, so that a killed erasure is found again.
    """
    if (speaker is None) is not expired:
        raise UsageError("one of --speaker and --expired was asked for, found none or both", hint="boli erase --help")
    erasures = (
        wiring.store.erasures_of_speaker(speaker) if speaker is not None else _find_expired(wiring, "retention_days")
    )
    audio_only = [] if speaker is not None else _find_expired_audio(wiring, erasures)
    texts = frozenset().union(*(wiring.store.texts_in(erasure, speaker=speaker) for erasure in erasures))
    ours, theirs = _find_files(wiring.workspace, texts)
    linked = _find_linked(wiring, speaker)
    document = {
        "dry_run": dry_run,
        "recordings": [
            {"recording": erasure.recording, "whole": erasure.spans is None, "sound_ms": erasure.sound}
            for erasure in erasures
        ],
        "linked": linked,
        "sound_only": [erasure.recording for erasure in audio_only],
        "files": [str(file) for file in ours],
        "remaining": [str(file) for file in theirs],
        "texts": None if dry_run else _erase(wiring, erasures, audio_only, ours, speaker),
    }
    rows = [
        (erasure.path, "all" if erasure.spans is None else "a part", terminal.minutes(erasure.sound))
        for erasure in erasures
    ]
    rows += [(erasure.path, "sound", terminal.minutes(erasure.duration)) for erasure in audio_only]
    verb = "would be erased" if dry_run else "erased"
    lines = [f"{len(rows)} recordings hold what {verb if dry_run else 'was erased'}"] if rows else ["nothing to erase"]
    lines += [f"{speaker} is linked with {', '.join(linked)}, to be erased by name of their own"] * bool(linked)
    lines += [f"{len(ours)} reports {verb}"] * bool(ours)
    lines += [f"{file} holds texts of it and is not ours to remove" for file in theirs]
    lines += ["copies outside the workspace, backups and models that learned from it are not reached"] * bool(rows)
    return Answer(data=document, text=stack(lines, table(("recording", "what", "sound"), rows)))


def _find_linked(wiring: Wiring, speaker: str | None) -> list[str]:
    """Return the other names that accepted links give *speaker*, in order."""
    groups = group_speakers(wiring.store.speaker_links())
    return sorted(groups.get(speaker or "", frozenset()) - {speaker})


def _erase(
    wiring: Wiring,
    erasures: Sequence[Erasure],
    audio_only: Sequence[Erasure],
    files: Sequence[Path],
    speaker: str | None,
) -> int:
    """Erase audio and files, then the database's rows, and return the number of texts."""
    from transcribe.desk.clips import Clips

    clips = Clips(wiring.audio_folder, wiring.workspace / "cache" / "clips", bitrate=0)
    try:
        for erasure in [*erasures, *audio_only]:
            spans = None if erasure in audio_only else erasure.spans
            audio.erase_sound(wiring.audio_folder, erasure.recording, spans)
            audio.erase_training_sound(wiring.workspace, erasure.recording)
            for segment in erasure.segments:
                clips.forget(segment)
        for file in [*files, wiring.workspace / COUNTS_FILE] if erasures else ():
            file.unlink(missing_ok=True)
    except OSError as error:
        raise UnfitError(f"{error.filename} could not be erased: {error.strerror}", hint="run it again") from error
    texts = wiring.store.erase(erasures, speaker=speaker)
    if erasures:
        wiring.store.forget_pages()
    return texts


def _find_expired(wiring: Wiring, setting: str) -> tuple[Erasure, ...]:
    days = getattr(wiring.settings.desk, setting)
    return () if days is None else wiring.store.erasures_before(wiring.store.later(-days * 86_400))


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
