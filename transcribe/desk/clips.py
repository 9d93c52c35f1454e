"""Clips: a segment cut out of its recording at its first opening, shaped, and saved beside its waveform."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

from transcribe import audio
from transcribe.desk_records import View
from transcribe.records import Milliseconds

#: Sound before and after a segment, so that no word is cut.
CONTEXT: Milliseconds = 300
#: Clips that are cut at a time; the rest waits, and submits go on.
_TURNS = threading.BoundedSemaphore(2)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One segment's sound: Opus in WebM, and its waveform."""

    path: Path
    #: JSON: ``per_second``, ``start_ms`` (of the clip, in the recording), and ``peaks``, lowest and highest in turn.
    peaks: Path


class Clips:
    """Clips of the recordings below *audio_folder*, kept below *folder*, which may be emptied at any time."""

    def __init__(self, audio_folder: Path, folder: Path, *, bitrate: int) -> None:
        self._audio, self._folder, self._bitrate = audio_folder, folder, bitrate

    def set_bitrate(self, bitrate: int) -> None:
        """Cut with *bitrate* from now on; clips of another one stay beside."""
        self._bitrate = bitrate

    def of(self, view: View) -> Clip:
        """
        Return the clip of a segment, cut if it was not yet.

        Raises:
            InputError: ``E_LOST`` if the recording's sound is gone.
        """
        # Another mask is another clip, so that none is ever served that was cut without it.
        mask_hash = hashlib.sha256(repr(sorted(view.masks)).encode()).hexdigest()[:12] if view.masks else "whole"
        name = f"{view.segment}-{self._bitrate}-{mask_hash}"
        folder = self._folder / view.segment[:2]
        clip = Clip(path=folder / f"{name}.webm", peaks=folder / f"{name}.json")
        # The sound is renamed into place last.
        if not clip.path.exists():
            with _TURNS:
                self._write_clip(view, clip)
        return clip

    def forget(self, segment: str, *, but: str = "") -> None:
        """Remove every clip of *segment*, however it was masked, *but* the one of that name."""
        for file in (self._folder / segment[:2]).glob(f"{segment}-*"):
            if file.stem != but:
                file.unlink(missing_ok=True)

    def _write_clip(self, view: View, clip: Clip) -> None:
        clip_start = start_of(view)
        source = audio.locate(self._audio, view.recording)
        samples = audio.read_samples(source, start=clip_start, end=view.end + CONTEXT, channel=view.channel)
        masks = [(start - clip_start, end - clip_start) for start, end in view.masks]
        pcm = audio.shape_clip(samples, view.start - clip_start, view.end - clip_start, context=CONTEXT, masks=masks)
        per_second = 20
        levels = audio.peaks(audio.silence_spans(pcm, masks), per_second=per_second).flatten().tolist()
        peaks = {"per_second": per_second, "start_ms": clip_start, "peaks": levels}
        clip.path.parent.mkdir(parents=True, exist_ok=True)
        self.forget(view.segment, but=clip.path.stem)
        _write(clip.peaks, json.dumps(peaks, separators=(",", ":")).encode())
        _write(clip.path, audio.encode_opus(pcm, bitrate=self._bitrate))


def start_of(view: View) -> Milliseconds:
    """Return where a segment's clip begins in the recording."""
    return max(0, view.start - CONTEXT)


def _write(path: Path, content: bytes) -> None:
    """Write *path* whole or not at all. What is lost in a power cut is cut again."""
    new_file = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    new_file.write_bytes(content)
    new_file.replace(path)
