"""Erasure: a speaker's voice and words, or what is older than it may become, out of the workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from transcribe import audio, printing
from transcribe.actions.scoring import KEPT
from transcribe.actions.tables import stacked, table
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
    Sound, drafts, people's texts, clips, counts and reports of a speaker, or of what is older than the settings allow.

    Sound goes first and the database's memory of where it lay last, so that a killed erasure is found again.
    """
    if (speaker is None) is not expired:
        raise UsageError("one of --speaker and --expired was asked for, found none or both", hint="boli erase --help")
    found = wiring.store.erasures_of_speaker(speaker) if speaker is not None else _expired(wiring, "retention_days")
    silent = [] if speaker is not None else _silent(wiring, found)
    texts = frozenset().union(*(wiring.store.texts_in(each, speaker=speaker) for each in found))
    ours, theirs = _files_with(wiring.workspace, texts)
    linked = _linked_with(wiring, speaker)
    data = {
        "dry_run": dry_run,
        "recordings": [
            {"recording": each.recording, "whole": each.spans is None, "sound_ms": each.sound} for each in found
        ],
        "linked": linked,
        "sound_only": [each.recording for each in silent],
        "files": [str(file) for file in ours],
        "remaining": [str(file) for file in theirs],
        "texts": None if dry_run else _erase(wiring, found, silent, ours, speaker),
    }
    rows = [(each.path, "all" if each.spans is None else "a part", printing.minutes(each.sound)) for each in found]
    rows += [(each.path, "sound", printing.minutes(each.duration)) for each in silent]
    verb = "would be erased" if dry_run else "erased"
    lines = [f"{len(rows)} recordings hold what {verb if dry_run else 'was erased'}"] if rows else ["nothing to erase"]
    lines += [f"{speaker} is linked with {', '.join(linked)}, to be erased by name of their own"] * bool(linked)
    lines += [f"{len(ours)} reports {verb}"] * bool(ours)
    lines += [f"{file} holds texts of it and is not ours to remove" for file in theirs]
    lines += ["copies outside the workspace, backups and models that learned from it are not reached"] * bool(rows)
    return Answer(data=data, text=stacked(lines, table(("recording", "what", "sound"), rows)))


def _linked_with(wiring: Wiring, speaker: str | None) -> list[str]:
    """The other names that accepted links give *speaker*, in order."""
    groups = group_speakers(wiring.store.speaker_links())
    return sorted(groups.get(speaker or "", frozenset()) - {speaker})


def _erase(
    wiring: Wiring, found: Sequence[Erasure], silent: Sequence[Erasure], files: Sequence[Path], speaker: str | None
) -> int:
    from transcribe.review.clips import Clips

    clips = Clips(wiring.audio_folder, wiring.workspace / "cache" / "clips", bitrate=0)
    try:
        for each in [*found, *silent]:
            audio.erase_sound(wiring.audio_folder, each.recording, None if each in silent else each.spans)
            audio.erase_training_sound(wiring.workspace, each.recording)
            for segment in each.segments:
                clips.forget(segment)
        for file in [*files, wiring.workspace / KEPT] if found else ():
            file.unlink(missing_ok=True)
    except OSError as error:
        raise UnfitError(f"{error.filename} could not be erased: {error.strerror}", hint="run it again") from error
    texts = wiring.store.erase(found, speaker=speaker)
    if found:
        wiring.store.forget_pages()
    return texts


def _expired(wiring: Wiring, setting: str) -> tuple[Erasure, ...]:
    days = getattr(wiring.settings.desk, setting)
    return () if days is None else wiring.store.erasures_before(wiring.store.later(-days * 86_400))


def _silent(wiring: Wiring, whole: Sequence[Erasure]) -> list[Erasure]:
    """Recordings whose sound is too old, and not yet all of them."""
    gone = {each.recording for each in whole}
    return [
        each
        for each in _expired(wiring, "sound_retention_days")
        if each.recording not in gone and audio.locate(wiring.audio_folder, each.recording).exists()
    ]


def _files_with(workspace: Path, texts: frozenset[str]) -> tuple[list[Path], list[Path]]:
    """Files of the workspace in which one of *texts* stands: those that are made again, and the others."""
    ours: list[Path] = []
    theirs: list[Path] = []
    for file in _readable(workspace) if texts else ():
        content = file.read_text(encoding="utf-8", errors="replace")
        if any(text in content for text in texts):
            (ours if file.relative_to(workspace).parts[0] in _OURS else theirs).append(file)
    return ours, theirs


def _readable(workspace: Path) -> Iterator[Path]:
    for file in sorted(workspace.rglob("*")):
        if file.suffix.casefold() in _READABLE and file.is_file() and file.stat().st_size <= _LARGEST:
            yield file
