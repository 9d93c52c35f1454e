"""
Walk the chunks of RIFF, RIFX, RF64, Wave64, AIFF and CAF files, and measure their sound by the bytes that are there.

Recorders that cannot seek back, that stop while they write or that write their sound in parts leave sizes that are
wrong. Libraries believe them, each in its own way; here what follows decides.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from transcribe.audio.spliced_file import Span

#: Sizes in 32 bits from here on are those of recorders that never went back to fill them in.
UNFILLED_FROM: Final = 0x7FFF0000
#: Sizes in 64 bits from here on likewise: a terabyte.
_UNFILLED_64_FROM: Final = 1 << 40
#: The size of a chunk of RF64 whose true one stands in the chunk "ds64".
_LARGEST: Final = 0xFFFFFFFF
#: Chunks are at most this many; a file of empty ones would be walked through for minutes.
_MOST_CHUNKS: Final = 10_000
#: Chunks of sound.
_SOUND: Final = frozenset((b"data", b"SSND"))
#: Chunks that may stand after the sound, and be cut off there: of RIFF, Wave64, AIFF and CAF.
_AFTER: Final = frozenset(
    (
        *(b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"fact", b"iXML", b"smpl", b"inst", b"PEAK", b"JUNK", b"FLLR"),
        *(b"list", b"levl", b"junk", b"COMM", b"MARK", b"INST", b"COMT", b"NAME", b"AUTH", b"(c) ", b"ANNO"),
        *(b"APPL", b"CHAN", b"FVER", b"pakt", b"info", b"free", b"kuki", b"chan", b"uuid", b"strg", b"mark", b"fmt "),
        *(b"_PMX", b"axml", b"chna", b"afsp", b"ovvw", b"peak", b"midi"),
    )
)
_AFTER_PATTERN: Final = re.compile(b"|".join(re.escape(name) for name in sorted(_AFTER)))
#: An ID3v1 tag stands in the last bytes of a file.
_ID3V1_BYTES: Final = 128
#: Bytes at the end of a file in which chunks after a sound of wrong size are looked for.
_TAIL: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ChunkForm:
    """The layout of the heads of chunks."""

    #: Where the first chunk begins.
    first: int
    #: Name and size, as `struct` reads them.
    head: struct.Struct
    alignment: int
    #: Sizes from here on were never filled in, where there is less.
    unfilled_from: int = _UNFILLED_64_FROM
    #: Bytes of its head that a chunk's size counts.
    head_counted: int = 0


RIFF: Final = ChunkForm(first=12, head=struct.Struct("<4sI"), alignment=2, unfilled_from=UNFILLED_FROM)
#: RIFX and AIFF.
BIG_ENDIAN: Final = ChunkForm(first=12, head=struct.Struct(">4sI"), alignment=2, unfilled_from=UNFILLED_FROM)
#: Names are GUIDs whose first four bytes are those of RIFF.
WAVE64: Final = ChunkForm(first=40, head=struct.Struct("<4s12xq"), alignment=8, head_counted=24)
CAF: Final = ChunkForm(first=8, head=struct.Struct(">4sq"), alignment=1)


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One chunk: where its body is, and which bytes of it are there."""

    name: bytes
    span: Span
    #: Bytes that its head states; negative: until the end.
    stated: int
    #: Whether nobody filled the size in.
    is_unfilled: bool = False


class ChunkReader:
    """Walks the chunks of one file."""

    def __init__(self, descriptor: int, form: ChunkForm) -> None:
        self._descriptor = descriptor
        self._form = form
        self._size = os.fstat(descriptor).st_size
        self._large: int | None = None

    def iterate(self) -> Iterator[Chunk]:
        """Yield the chunks in their order."""
        offset = self._form.first
        for _ in range(_MOST_CHUNKS):
            head = self._read_head(offset)
            if head is None:
                return
            name, stated = head
            start = offset + self._form.head.size
            if name == b"ds64":
                self._large = struct.unpack("<Q", os.pread(self._descriptor, 16, start)[8:].ljust(8, b"\0"))[0]
            if name == b"data" and stated == _LARGEST and self._large:
                stated = self._large
            if name in _SOUND:
                chunk = self._measure(name, start, stated)
                end = start + chunk.span.size
                offset = end if self._are_chunks(end) else self._align(end)
            else:
                chunk = Chunk(name=name, span=Span(start=start, size=max(0, stated)), stated=stated)
                offset = self._align(start + max(0, stated))
            yield chunk

    def _measure(self, name: bytes, start: int, stated: int) -> Chunk:
        """Return the chunk of sound that begins at *start*, with the bytes that are there, whatever it states."""
        present = max(0, self._size - start)
        limit = _UNFILLED_64_FROM if stated == self._large else self._form.unfilled_from
        is_unfilled = False
        if stated < 0 or stated > present:
            is_unfilled = stated < 0 or stated >= limit
            present = self._find_end(start) - start
        elif stated < present:
            end = start + stated
            if self._are_chunks(end) or self._are_chunks(self._align(end)):
                present = stated
            else:
                present, is_unfilled = self._find_end(start) - start, stated == 0
        return Chunk(name=name, span=Span(start=start, size=present), stated=stated, is_unfilled=is_unfilled)

    def _find_end(self, start: int) -> int:
        """Find where the sound from *start* ends: at the chunks with which the file ends, or at its end."""
        first = max(start, self._size - _TAIL)
        tail = os.pread(self._descriptor, self._size - first, first)
        visited: set[int] = set()
        for match in _AFTER_PATTERN.finditer(tail):
            if self._are_chunks(first + match.start(), visited):
                return first + match.start()
        return self._size

    def _are_chunks(self, offset: int, visited: set[int] | None = None) -> bool:
        """
        Tell if chunks follow one another from *offset* to the end; the last may be cut.

        Args:
            visited: Where walks that failed have been, to which this one is added; the last chunk must then be whole.
        """
        for _ in range(_MOST_CHUNKS):
            if visited is not None:
                if offset in visited:
                    return False
                visited.add(offset)
            head = self._read_head(offset)
            if head is None:
                begun = os.pread(self._descriptor, self._form.head.size, offset)
                may_begin = visited is None and any(name.startswith(begun[:4]) for name in _AFTER)
                return offset <= self._size and (may_begin or not begun.strip(b"\0"))
            name, stated = head
            if not all(32 <= byte < 127 for byte in name) or not any(chr(byte).isalpha() for byte in name):
                return False
            if name in _SOUND:
                return True
            end = offset + self._form.head.size + stated
            if stated < 0 or end > self._size:
                return stated >= 0 and visited is None and name in _AFTER
            offset = self._align(end)
        return False

    def _read_head(self, offset: int) -> tuple[bytes, int] | None:
        """Read name and size at *offset*; ``None`` at the end."""
        head = os.pread(self._descriptor, self._form.head.size, offset)
        if len(head) < self._form.head.size:
            return None
        name, stated = self._form.head.unpack(head)
        return name, max(0, stated - self._form.head_counted) if self._form.head_counted else stated

    def _align(self, offset: int) -> int:
        return offset + (self._form.first - offset) % self._form.alignment


def is_padding(descriptor: int, span: Span, block_bytes: int, bytes_per_s: int) -> bool:
    """Tell if the bytes that follow a sound are none of it: less than a sample, less than 0.1 s of zeros, a tag."""
    if span.size < block_bytes:
        return True
    if span.size >= bytes_per_s // 10 and span.size != _ID3V1_BYTES:
        return False
    tail = os.pread(descriptor, span.size, span.start)
    return not tail.strip(b"\0") or (len(tail) == _ID3V1_BYTES and tail.startswith(b"TAG"))
