"""Read the chunks of a RIFF/WAVE or Wave64 file, and give its sound as a file whose header is true."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Final

from transcribe.audio.chunks import BIG_ENDIAN, RIFF, UNFILLED_FROM, WAVE64, Chunk, ChunkReader, is_padding
from transcribe.audio.container_detection import refusal
from transcribe.audio.spliced_file import Span, SplicedFile
from transcribe.records import Milliseconds

#: First four bytes, and the heads of the chunks. RF64 and BW64 keep sizes above 4 GB in a chunk of their own.
_FORMS: Final = {b"RIFF": RIFF, b"RIFX": BIG_ENDIAN, b"RF64": RIFF, b"BW64": RIFF, b"riff": WAVE64}
_LARGEST: Final = 0xFFFFFFFF
#: The format tag whose sub-format, a GUID, begins with the true one.
_EXTENSIBLE: Final = 0xFFFE
#: Compressed sound is longer than its number of samples by less than that.
_PADDED: Final[Milliseconds] = 1_000


@dataclass(frozen=True, kw_only=True)
class WaveLayout:
    """The chunks of a RIFF/WAVE file that make its sound."""

    identifier: bytes
    #: Body of the format chunk, as it stands.
    form: bytes
    format_tag: int
    block_bytes: int
    bytes_per_s: int
    #: The sound, in order.
    spans: tuple[Span, ...]
    #: Bytes that the data chunks claim; ``None``: nobody filled that in.
    declared: int | None
    #: Samples by the fact chunk, that compressed sound has; ``None`` without one.
    samples: int | None
    rate_hz: int
    #: Whether libraries that believe the header would miss a part of the sound, or take other bytes for it.
    is_odd: bool

    @property
    def present(self) -> int:
        """Bytes of sound."""
        return sum(span.size for span in self.spans)

    @property
    def stated(self) -> int:
        """Bytes of sound that there must be by the header, where it does not contradict itself."""
        is_false = self.declared is None or self._has_all_samples
        return self.present if is_false else max(self.declared or 0, self.present)

    @property
    def promised(self) -> Milliseconds | None:
        """The length that the header states, where it claims more bytes than there are; ``None`` where it does not."""
        if not self._is_overstated or self._has_all_samples:
            return None
        if self.samples and self.rate_hz:
            return self._counted_length
        return self._measure(self.declared or 0)

    @property
    def warnings(self) -> tuple[str, ...]:
        """List the odd things that were borne."""
        if len(self.spans) > 1 and self.declared is not None:
            return (f"W_HEADER: its sound stands in {len(self.spans)} data chunks; they were joined in their order",)
        if self._is_overstated and self._has_all_samples:
            stated = f"states {self.declared:,} bytes of sound, and {self.present:,} are there"
            return (f"W_HEADER: its header {stated}, as many as its number of samples takes",)
        return warn_of_size(self.declared, self.present)

    @property
    def _is_overstated(self) -> bool:
        return self.declared is not None and self.declared - self.present >= max(1, self.block_bytes)

    @property
    def _has_all_samples(self) -> bool:
        """The sign that the sound is as long as its number of samples says; coders add some at the end."""
        return bool(self.samples) and 0 <= self._measure(self.present) - self._counted_length < _PADDED

    @property
    def _counted_length(self) -> Milliseconds:
        return (self.samples or 0) * 1_000 // max(1, self.rate_hz)

    def _measure(self, size: int) -> Milliseconds:
        """Return how long *size* bytes last, by the mean rate that the header states."""
        return size * 1_000 // max(1, self.bytes_per_s)


def warn_of_size(declared: int | None, present: int) -> tuple[str, ...]:
    """Return the warning about a header that claims fewer bytes of sound than *present*, or ``None``, as a tuple."""
    if declared is None:
        return ("W_HEADER: its header does not state a length; the length was taken from the bytes that are there",)
    if declared < present:
        stated = f"states {declared:,} bytes of sound, and {present:,} are there"
        return (f"W_HEADER: its header {stated}; all of it was taken",)
    return ()


def read_layout(descriptor: int) -> WaveLayout | None:
    """
    Read format and data chunks of a file, in whatever order; ``None`` if it has no data chunk with sound.

    Raises:
        InputError: ``E_NOT_AUDIO`` if nothing in it says how its sound is to be read.
    """
    identifier = os.pread(descriptor, 4, 0)
    form, samples, form_came_first = b"", None, True
    sounds: list[Chunk] = []
    order = _read_order(identifier)
    for chunk in ChunkReader(descriptor, _FORMS[identifier]).iterate():
        if chunk.name == b"fmt ":
            form = form or os.pread(descriptor, min(chunk.span.size, 1_024), chunk.span.start)
            form_came_first = form_came_first and not sounds
        elif chunk.name == b"fact" and len(body := os.pread(descriptor, 4, chunk.span.start)) == 4:
            samples = struct.unpack(f"{order}I", body)[0]
        elif chunk.name == b"data" and chunk.span.size:
            sounds.append(chunk)
    if not sounds:
        return None
    if len(form) < 16:
        raise refusal(
            "E_NOT_AUDIO",
            "has a data chunk and no fmt chunk that says how to read it",
            "save it again in the program that made it",
        )
    tag, _, rate_hz, bytes_per_s, block, _ = struct.unpack(f"{order}HHIIHH", form[:16])
    if tag == _EXTENSIBLE and len(form) >= 26:
        tag = struct.unpack(f"{order}H", form[24:26])[0]
    sounds = [_cut_padding(descriptor, sounds[0], block, bytes_per_s)] if len(sounds) == 1 else sounds
    declared, present = (sum(sizes) for sizes in zip(*((s.stated, s.span.size) for s in sounds), strict=True))
    is_unfilled = any(chunk.is_unfilled for chunk in sounds)
    is_wrong = any(chunk.span.size != chunk.stated for chunk in sounds) and declared <= present
    return WaveLayout(
        identifier=identifier,
        form=form,
        format_tag=tag,
        block_bytes=block,
        bytes_per_s=bytes_per_s,
        spans=tuple(chunk.span for chunk in sounds),
        declared=None if is_unfilled else declared,
        samples=samples,
        rate_hz=rate_hz,
        is_odd=is_unfilled or len(sounds) > 1 or not form_came_first or is_wrong,
    )


def _read_order(identifier: bytes) -> str:
    """Return the byte order of the numbers, as `struct` has it."""
    return ">" if _FORMS[identifier] is BIG_ENDIAN else "<"


def _cut_padding(descriptor: int, chunk: Chunk, block_bytes: int, bytes_per_s: int) -> Chunk:
    """Return *chunk* without what follows its stated size, where that is no sound."""
    after = Span(start=chunk.span.start + chunk.stated, size=chunk.span.size - chunk.stated)
    if chunk.is_unfilled or after.size <= 0:
        return chunk
    if not is_padding(descriptor, after, block_bytes, bytes_per_s):
        return chunk
    return Chunk(name=chunk.name, span=Span(start=chunk.span.start, size=chunk.stated), stated=chunk.stated)


def open_wave(descriptor: int, layout: WaveLayout) -> SplicedFile:
    """Return the sound of *layout* behind a header that tells the truth."""
    return SplicedFile(descriptor, (_make_header(layout), *layout.spans))


def open_wave64(descriptor: int, layout: WaveLayout) -> SplicedFile:
    """Return a Wave64 file with the size that its sound has; compressed sound is read by what else stands in it."""
    first, last = layout.spans[0], layout.spans[-1]
    size = struct.pack("<q", last.start + last.size - first.start + WAVE64.head_counted)
    after = Span(start=first.start, size=os.fstat(descriptor).st_size - first.start)
    return SplicedFile(descriptor, (Span(start=0, size=first.start - len(size)), size, after))


def _make_header(layout: WaveLayout) -> bytes:
    """Return the bytes that stand before the sound; RF64 where 32 bits do not hold its size (EBU Tech 3306)."""
    order = _read_order(layout.identifier)
    form = layout.form + bytes(len(layout.form) % 2)
    form_chunk = struct.pack(f"{order}4sI", b"fmt ", len(layout.form)) + form
    present = layout.present
    whole = 4 + len(form_chunk) + 8 + present
    if whole < UNFILLED_FROM:
        identifier = layout.identifier if layout.identifier in (b"RIFF", b"RIFX") else b"RIFF"
        return (
            struct.pack(f"{order}4sI4s", identifier, whole, b"WAVE")
            + form_chunk
            + struct.pack(f"{order}4sI", b"data", present)
        )
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, whole + 36, present, present // max(1, layout.block_bytes), 0)
    return (
        struct.pack("<4sI4s", b"RF64", _LARGEST, b"WAVE") + sizes + form_chunk + struct.pack("<4sI", b"data", _LARGEST)
    )
