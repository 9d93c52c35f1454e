"""
The encoder's answers to windows, computed once and kept on disk: float16, of the full 30 s that Whisper hears.

An encoder that is not tuned gives the same answers at every step, and on a processor they are most of the work. A file
holds those of one window, under its recording and the encoder, behind the SHA-256 of what it is and says. One that is
damaged is computed again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from transcribe.augmenting import Recipe, augment, change_speed
from transcribe.errors import Interrupted
from transcribe.finetune.hearing import Features, encode, to_wave
from transcribe.finetune.shards import Sound, cut_pieces
from transcribe.passages import Cut, Passage
from transcribe.protocols import Pcm, Span

#: Frames of a full window.
FRAMES: Final = 3_000
#: Length of a SHA-256.
_DIGEST: Final = 32
#: Speed of each variant of the sound; variant 0 is the sound as it is.
FACTORS: Final = (1.0, 0.9, 1.1, 0.95, 1.05)
#: How a variant is changed beside its speed.
VARIANT: Final = Recipe(speed=0.0, noise=0.5, telephone=0.3, room=0.2)


@dataclass(frozen=True, kw_only=True)
class KeptWindow:
    """The sound that an answer is to: of which recording, which pieces, and which variant of it."""

    audio: str
    channel: int | None
    pieces: tuple[Span, ...]
    variant: int = 0

    @classmethod
    def of(cls, passage: Passage, cut: Cut, variant: int = 0) -> KeptWindow:
        """Return the sound of *cut*, a window of *passage*."""
        return cls(audio=passage.audio, channel=passage.channel, pieces=cut.pieces, variant=variant)

    @property
    def name(self) -> str:
        """What it is called within its recording."""
        spans = "_".join(f"{piece.start}-{piece.end}" for piece in self.pieces)
        place = hashlib.sha256(spans.encode()).hexdigest()[:16] if len(self.pieces) > 1 else spans
        return f"{'' if self.channel is None else self.channel}.{place}.{self.variant}"


class Answers:
    """Answers of one encoder, kept below a folder that those of other encoders share."""

    def __init__(self, folder: Path, net: Any, features: Features, sound: Sound, *, most_bytes: int) -> None:
        """
        Args:
            folder: Where all answers of a workspace are.
            net: WhisperModel of transformers, whose encoder stays as it is.
            features: Gives the spectrograms that it hears.
            sound: Gives the samples of a recording.
            most_bytes: What all files below *folder* may take; answers beyond that are computed each time.
        """
        self._all, self._folder = folder, folder / encoder_id(net)
        self._net, self._features, self._sound, self._most = net, features, sound, most_bytes
        self._shape = int(net.config.max_source_positions), int(net.config.d_model)
        self._newest: tuple[tuple[str, int | None], Pcm] | None = None

    @property
    def size(self) -> int:
        """Bytes of one file."""
        return _DIGEST + 2 * self._shape[0] * self._shape[1]

    def compute(
        self,
        windows: Iterable[KeptWindow],
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
        stop: threading.Event | None = None,
    ) -> None:
        """
        Compute and keep what of *windows* is missing, as far as there is room; a killed call goes on where it stopped.

        Raises:
            Interrupted: *stop* was set; what was computed is kept.
        """
        needed = {self._place(window): window for window in windows}
        missing = [window for place, window in needed.items() if not place.is_file()]
        missing.sort(key=lambda window: (window.audio, -1 if window.channel is None else window.channel, window.name))
        room = (self._make_room(set(needed), len(missing) * self.size)) // self.size
        for done, window in enumerate(missing[:room], 1):
            if stop is not None and stop.is_set():
                raise Interrupted("tuning was stopped; what was heard is kept", hint="run the same command to go on")
            self._keep(window, self._answer(window))
            progress(done, min(room, len(missing)))

    def of(self, window: KeptWindow) -> Tensor:
        """Return the answer to *window*, shape (positions, width), float16: the one that is kept, or a fresh one."""
        place = self._place(window)
        content = place.read_bytes() if place.is_file() else b""
        kept = content[_DIGEST:]
        if len(content) == self.size and content[:_DIGEST] == self._digest(window, kept):
            return torch.from_numpy(np.frombuffer(kept, np.float16).reshape(self._shape).copy())
        answer = self._answer(window)
        if place.is_file():
            self._keep(window, answer)
        return answer

    def _answer(self, window: KeptWindow) -> Tensor:
        wave = vary(to_wave(self._samples(window)), window)
        mel = self._features([wave])
        with torch.no_grad():
            heard = encode(self._net, F.pad(mel, (0, FRAMES - mel.shape[-1])))
        return heard.states[0].to("cpu", torch.float16)

    def _samples(self, window: KeptWindow) -> Pcm:
        """Samples of *window*; the newest recording stays in memory, as windows of one follow each other."""
        key = (window.audio, window.channel)
        if self._newest is None or self._newest[0] != key:
            self._newest = key, self._sound(*key)
        return cut_pieces(self._newest[1], window.pieces)

    def _keep(self, window: KeptWindow, answer: Tensor) -> None:
        place, content = self._place(window), answer.numpy().tobytes()
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_suffix(".part")
        part.write_bytes(self._digest(window, content) + content)
        part.replace(place)

    def _make_room(self, needed: set[Path], wanted: int) -> int:
        """Return the bytes that may still be written, at most *wanted*; what is not *needed* goes first, the oldest."""
        sizes = {place: place.stat() for place in self._all.rglob("*") if place.is_file()}
        free = self._most - sum(found.st_size for found in sizes.values())
        for place in sorted(sizes.keys() - needed, key=lambda place: sizes[place].st_mtime_ns):
            if free >= wanted:
                break
            place.unlink(missing_ok=True)
            free += sizes[place].st_size
        return max(0, min(free, wanted))

    def _place(self, window: KeptWindow) -> Path:
        return self._folder / window.audio / f"{window.name}.f16"

    @staticmethod
    def _digest(window: KeptWindow, content: bytes) -> bytes:
        return hashlib.sha256(f"{window!r}\n".encode() + content).digest()


def vary(wave: Tensor, window: KeptWindow) -> Tensor:
    """Return *wave* as the variant of *window* sounds: the same each time."""
    if not window.variant:
        return wave
    seed = hashlib.sha256(repr(window).encode()).digest()
    generator = Generator().manual_seed(int.from_bytes(seed[:7], "little"))
    return augment(change_speed(wave, FACTORS[window.variant]), generator, recipe=VARIANT)


def encoder_id(net: Any) -> str:
    """Return a hash of the weights of the encoder of *net*: 32 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, weights in sorted(net.encoder.state_dict().items()):
        digest.update(f"{name} {tuple(weights.shape)}\n".encode())
        digest.update(weights.detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]
