"""
Read the chunks of a RIFF/WAVE file, and give its sound as a file whose header is true.

Recorders that cannot seek back, that stop while they write or that write their sound in parts leave sizes that are
wrong. Libraries believe them, each in its own way; here what follows decides.
"""

from __future__ import annotations

import io
import os
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from transcribe.audio.container_detection import refusal

#: First four bytes, and the byte order of the numbers. RF64 and BW64 keep sizes above 4 GB in a chunk of their own.
_ORDERS: Final = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
_LARGEST: Final = 0xFFFFFFFF
#: Sizes from here on are those of recorders that never went back to fill them in.
_UNFILLED_FROM: Final = 0x7FFF0000
#: Sound that may follow the last chunk unread, as padding does: a tenth of a second.
_PADDING_S: Final = 0.1
#: Chunks are at most this many; a file of empty ones would be walked through for minutes.
_MOST_CHUNKS: Final = 10_000
#: Chunks that may stand after the sound, and be cut off there.
_CHUNKS: Final = frozenset(
    (b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"fact", b"iXML", b"smpl", b"inst", b"PEAK", b"JUNK", b"FLLR")
)


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of the file's bytes."""

    start: int
    size: int


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
    #: Whether libraries that believe the header would miss a part of the sound, or take other bytes for it.
    is_odd: bool

    @property
    def present(self) -> int:
        """Bytes of sound."""
        return sum(span.size for span in self.spans)

    @property
    def warnings(self) -> tuple[str, ...]:
        """List the odd things that were borne."""
        if self.declared is None:
            return ("W_HEADER: its header does not state a length; the length was taken from the bytes that are there",)
        if len(self.spans) > 1:
            return (f"W_HEADER: its sound stands in {len(self.spans)} data chunks; they were joined in their order",)
        if self.declared < self.present:
            found = f"states {self.declared:,} bytes of sound, and {self.present:,} are there"
            return (f"W_HEADER: its header {found}; all of it was taken",)
        return ()


def read_layout(descriptor: int) -> WaveLayout | None:
    """
    Read format and data chunks of a RIFF/WAVE file, in whatever order; ``None`` if it has no data chunk with sound.

    Raises:
        InputError: ``E_NOT_AUDIO`` if nothing in it says how its sound is to be read.
    """
    size = os.fstat(descriptor).st_size
    identifier = os.pread(descriptor, 4, 0)
    reader = _ChunkReader(descriptor, size, _ORDERS[identifier])
    spans: list[Span] = []
    form, declared, fault = b"", 0, False
    form_came_first = True
    for name, start, length in reader.iterate():
        if name == b"fmt ":
            form = form or os.pread(descriptor, min(length, 1_024), start)
            form_came_first = form_came_first and not spans
        elif name == b"data" and (span := reader.measure(start, length)).size:
            spans.append(span)
            declared += length
            fault = fault or span.size != length
    if not spans:
        return None
    if len(form) < 16:
        raise refusal(
            "E_NOT_AUDIO",
            "has a data chunk and no fmt chunk that says how to read it",
            "save it again in the program that made it",
        )
    tag, _, _, bytes_per_s, block, _ = struct.unpack(f"{reader.order}HHIIHH", form[:16])
    present = sum(span.size for span in spans)
    padding = max(block, _PADDING_S * bytes_per_s)
    if len(spans) == 1 and not reader.is_unfilled and 0 < present - declared < padding:
        spans, present, fault = [Span(start=spans[0].start, size=declared)], declared, False
    is_cut = declared > present
    return WaveLayout(
        identifier=identifier,
        form=form,
        format_tag=tag,
        block_bytes=block,
        bytes_per_s=bytes_per_s,
        spans=tuple(spans),
        declared=None if reader.is_unfilled else declared,
        is_odd=reader.is_unfilled or len(spans) > 1 or not form_came_first or (fault and not is_cut),
    )


class _ChunkReader:
    """Walks the chunks of one file."""

    def __init__(self, descriptor: int, size: int, order: str) -> None:
        self.order = order
        #: Whether a data chunk was met whose size was never filled in.
        self.is_unfilled = False
        self._descriptor = descriptor
        self._size = size
        self._large: int | None = None

    def iterate(self) -> Iterator[tuple[bytes, int, int]]:
        """Yield name, start and stated size of each chunk."""
        offset = 12
        for _ in range(_MOST_CHUNKS):
            head = os.pread(self._descriptor, 8, offset)
            if len(head) < 8:
                return
            name, length = struct.unpack(f"{self.order}4sI", head)
            start = offset + 8
            if name == b"ds64":
                self._large = struct.unpack("<Q", os.pread(self._descriptor, 16, start)[8:].ljust(8, b"\0"))[0]
            if name == b"data" and length == _LARGEST and self._large:
                length = self._large
            yield name, start, length
            if name == b"data":
                span = self.measure(start, length)
                offset = span.start + span.size
                offset += 0 if self._are_chunks(offset) or offset % 2 == start % 2 else 1
            else:
                offset = start + length + length % 2

    def measure(self, start: int, length: int) -> Span:
        """Return the bytes of the data chunk that begins at *start*, whatever *length* it states."""
        rest = max(0, self._size - start)
        if length >= _UNFILLED_FROM and length > rest and length != self._large:
            self.is_unfilled = True
            return Span(start=start, size=rest)
        if length >= rest or (end := start + length) == self._size:
            return Span(start=start, size=rest)
        if self._are_chunks(end) or self._are_chunks(end + length % 2):
            return Span(start=start, size=length)
        self.is_unfilled = self.is_unfilled or length == 0
        return Span(start=start, size=rest)

    def _are_chunks(self, offset: int) -> bool:
        """Tell if chunks follow one another from *offset* to the end; the last may be cut."""
        for _ in range(_MOST_CHUNKS):
            head = os.pread(self._descriptor, 8, offset)
            if len(head) < 8:
                return offset <= self._size
            name, length = struct.unpack(f"{self.order}4sI", head)
            if not all(32 <= byte < 127 for byte in name) or not any(chr(byte).isalpha() for byte in name):
                return False
            if name == b"data":
                return True
            end = offset + 8 + length
            if end > self._size and name not in _CHUNKS:
                return False
            offset = end + length % 2
        return False


class SplicedFile(io.RawIOBase):
    """
    Bytes and spans of *descriptor*, one after the other, as a file that is read only. Nothing is copied.
    """

    def __init__(self, descriptor: int, pieces: Sequence[bytes | Span]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._pieces = pieces
        sizes = (len(piece) if isinstance(piece, bytes) else piece.size for piece in pieces)
        #: Where each piece begins in this file; at last, where it ends.
        self._starts = list(accumulate(sizes, initial=0))
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._position >= self._starts[-1] or not view.nbytes:
            return 0
        index = bisect_right(self._starts, self._position) - 1
        piece, offset = self._pieces[index], self._position - self._starts[index]
        if isinstance(piece, bytes):
            part = piece[offset : offset + view.nbytes]
        else:
            part = os.pread(self._descriptor, min(view.nbytes, piece.size - offset), piece.start + offset)
        view[: len(part)] = part
        self._position += len(part)
        return len(part)


def open_wave(descriptor: int, layout: WaveLayout) -> SplicedFile:
    """Return the sound of *layout* behind a header that tells the truth."""
    return SplicedFile(descriptor, (_make_header(layout), *layout.spans))


def open_aiff(descriptor: int) -> SplicedFile | None:
    """
    Return an AIFF file whose sound chunk has the size that its number of frames asks for, if it states a smaller one.

    ``None`` if it can be believed, or if what it asks for is not there.
    """
    size, offset, need = os.fstat(descriptor).st_size, 12, 0
    is_plain = os.pread(descriptor, 4, 8) == b"AIFF"
    for _ in range(_MOST_CHUNKS):
        head = os.pread(descriptor, 8, offset)
        if len(head) < 8 or not is_plain:
            return None
        name, length = struct.unpack(">4sI", head)
        if name == b"COMM" and len(form := os.pread(descriptor, 8, offset + 8)) == 8:
            channels, frames, bits = struct.unpack(">HIH", form)
            need = frames * channels * ((bits + 7) // 8) + 8
        if name == b"SSND" and length < need and offset + 8 + need <= size:
            after = Span(start=offset + 8, size=size - offset - 8)
            return SplicedFile(descriptor, (Span(start=0, size=offset + 4), struct.pack(">I", need), after))
        offset += 8 + length + length % 2
    return None


def _make_header(layout: WaveLayout) -> bytes:
    """Return the bytes that stand before the sound; RF64 where 32 bits do not hold its size (EBU Tech 3306)."""
    order = _ORDERS[layout.identifier]
    form = layout.form + bytes(len(layout.form) % 2)
    form_chunk = struct.pack(f"{order}4sI", b"fmt ", len(layout.form)) + form
    present = layout.present
    whole = 4 + len(form_chunk) + 8 + present
    if whole < _UNFILLED_FROM:
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
