"""The segments that a report shows: where each is said, in words that people know it by, and its clip to listen to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from urllib.parse import quote, urlsplit

from dialects.report.breakdown import Example
from transcribe import audio
from transcribe.errors import InputError, UsageError
from transcribe.protocols import SAMPLE_RATE_HZ
from transcribe.records import Milliseconds, Recording
from transcribe.wiring import Wiring

#: Folder of the clips beside a page.
CLIPS = "clips"
#: Sound around a segment, so that no word is cut.
_CONTEXT: Milliseconds = 300


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A segment of a workspace, by the recording it is said in."""

    recording: Recording
    start: Milliseconds
    end: Milliseconds
    #: Segment of the desk that it was written on; ``None`` for texts that came in a file.
    segment: str | None

    @property
    def name(self) -> str:
        """The name of the file with the time, as people look for it: ``talk.wav 1:02.5``."""
        return f"{PurePath(self.recording.path).name} {format_time(self.start)}"


def format_time(moment: Milliseconds) -> str:
    """
    Format a moment of a recording as people say it.

    >>> format_time(62_540), format_time(3_725_000)
    ('1:02.5', '1:02:05.0')
    """
    minutes, milliseconds = divmod(moment, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{milliseconds // 1_000:02}.{milliseconds % 1_000 // 100}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def find_passages(wiring: Wiring, ids: Collection[str]) -> dict[str, Passage]:
    """Find where the corrections with *ids* are said; those of recordings that are gone are left out."""
    corrections = wiring.store.corrections.fetch_by_id(ids)
    wanted = {correction.recording for correction in corrections}
    recordings = {recording.id: recording for recording in wiring.store.recordings.fetch(ids=wanted)}
    return {
        correction.id: Passage(
            recording=recordings[correction.recording],
            start=correction.start,
            end=correction.end,
            segment=correction.segment,
        )
        for correction in corrections
        if correction.recording in recordings
    }


def describe_examples(
    examples: Mapping[str, Sequence[Example]], passages: Mapping[str, Passage], desk: str | None
) -> dict[str, tuple[Example, ...]]:
    """Give *examples* the names that people know them by and, where the *desk* has an address, links to it."""

    def describe(example: Example) -> Example:
        passage = passages.get(example.id)
        if passage is None:
            return example
        on_desk = desk is not None and passage.segment is not None
        link = f"{str(desk).rstrip('/')}/#/segment/{quote(str(passage.segment), safe='')}" if on_desk else None
        return replace(example, name=passage.name, link=link)

    return {tag: tuple(map(describe, of_dialect)) for tag, of_dialect in examples.items()}


def write_clips(
    wiring: Wiring, folder: Path, examples: Mapping[str, Sequence[Example]], passages: Mapping[str, Passage]
) -> tuple[dict[str, tuple[Example, ...]], list[Path]]:
    """
    Write a clip of each of *examples* into ``clips`` below *folder*, and return them with its place, and the files.

    There is none where something is masked or the sound is gone. Clips of an earlier report are removed.
    """
    files: list[Path] = []
    for earlier in (folder / CLIPS).glob("*.webm"):
        earlier.unlink()

    def add_clip(example: Example) -> Example:
        clip = _cut_clip(wiring, passages[example.id]) if example.id in passages and not example.masked else None
        if clip is None:
            return example
        # Ids come from files too, and need be no names of files.
        name = f"{quote(example.id, safe='')[:150]}.webm"
        file = folder / CLIPS / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(clip)
        files.append(file)
        return replace(example, clip=f"{CLIPS}/{quote(name)}")

    return {tag: tuple(map(add_clip, of_dialect)) for tag, of_dialect in examples.items()}, files


def _cut_clip(wiring: Wiring, passage: Passage) -> bytes | None:
    """Return the sound of *passage* as Opus in WebM; ``None`` where it touches what is masked, or is gone."""
    start, end = max(0, passage.start - _CONTEXT), passage.end + _CONTEXT
    masks = wiring.store.redaction.fetch_masks(recording=passage.recording.id)
    if any(mask.start < end and mask.end > start for mask in masks):
        return None
    with suppress(InputError):
        pcm = audio.read_samples(audio.locate(wiring.audio_folder, passage.recording.id), start=start, end=end)
        length = len(pcm) * 1_000 // SAMPLE_RATE_HZ
        return audio.encode_opus(audio.shape_clip(pcm, 0, length, context=0))
    return None


def check_desk(address: str | None) -> str | None:
    """
    Return the desk's *address* if a browser can open it.

    Raises:
        UsageError: It is no address.
    """
    if address is None:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{address} was given as the desk's address", hint="write https://desk.example.org")
    return address
