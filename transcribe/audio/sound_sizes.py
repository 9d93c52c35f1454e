"""Hold what AIFF, CAF and AU files state of the size of their sound against the bytes that are there."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Final

from transcribe.audio.chunks import BIG_ENDIAN, CAF, Chunk, ChunkReader, is_padding
from transcribe.audio.riff import warn_of_size
from transcribe.audio.spliced_file import Span, SplicedFile
from transcribe.records import Milliseconds

#: Bits of a sample by the compression of AIFF-C; ``None``: those that the header states.
_BITS_BY_COMPRESSION: Final = {
    **dict.fromkeys((b"NONE", b"twos", b"sowt", b"in24", b"in32", b"42ni", b"23ni", b"raw ")),
    **dict.fromkeys((b"alaw", b"ALAW", b"ulaw", b"ULAW"), 8),
    **dict.fromkeys((b"fl32", b"FL32"), 32),
    **dict.fromkeys((b"fl64", b"FL64"), 64),
}
#: What stands in the chunk before the sound: offset and block size of AIFF, the edit count of CAF.
_BEFORE: Final = {"aiff": 8, "caf": 4, "au": 0}
#: Bytes and samples of a block of one channel of the compression "ima4".
_IMA4_BYTES: Final = 34
_IMA4_SAMPLES: Final = 64
#: Bytes of a sample by the encoding of AU (Sun, audio file format).
_AU_BYTES: Final = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
#: The size of an AU file that was made while it was sent.
_AU_UNKNOWN: Final = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class SoundSizes:
    """The sizes that a file states of its sound, and the bytes that stand for wrong ones."""

    #: Bytes of sound: the most that the header claims, and those that are there. ``None``: nobody filled it in.
    declared: int | None
    present: int
    #: Bytes of a sample of all channels, and of a second; 0 where a codec makes them vary.
    block_bytes: int
    bytes_per_s: float
    warnings: tuple[str, ...]
    #: Offsets, and the bytes that belong there.
    patches: tuple[tuple[int, bytes], ...]
    #: Where the file ends, without what is no whole sample.
    end: int

    @property
    def promised(self) -> Milliseconds | None:
        """The length that the header states, where it claims more than there is; ``None`` where it does not."""
        if self.declared is None or not self.bytes_per_s or self.declared - self.present < max(1, self.block_bytes):
            return None
        return int(self.declared * 1_000 / self.bytes_per_s)

    def open(self, descriptor: int) -> SplicedFile:
        """Return the file with sizes that are true."""
        pieces: list[bytes | Span] = []
        end = 0
        for offset, correct in sorted(self.patches):
            pieces += [Span(start=end, size=offset - end), correct]
            end = offset + len(correct)
        return SplicedFile(descriptor, [*pieces, Span(start=end, size=self.end - end)])


@dataclass(frozen=True, kw_only=True)
class _Form:
    """The layout of the samples, by the chunk that states it."""

    block_bytes: int = 0
    bytes_per_s: float = 0.0
    #: Samples by the header, and where their number stands; only AIFF states it.
    frames: int = 0
    frames_offset: int = 0

    @property
    def counts_frames(self) -> bool:
        """The sign that the number of samples tells how many bytes there must be."""
        return self.frames_offset > 0 and self.block_bytes > 0


def read_sizes(descriptor: int, demuxer: str | None) -> SoundSizes | None:
    """Read the sizes of an AIFF, CAF or AU file whose header is not true; ``None`` if it is, and for other files."""
    if demuxer not in _BEFORE:
        return None
    if demuxer == "au":
        return _read_au(descriptor)
    form, sound = _Form(), None
    for chunk in ChunkReader(descriptor, BIG_ENDIAN if demuxer == "aiff" else CAF).iterate():
        if chunk.name == b"COMM":
            form = _read_common(descriptor, chunk)
        elif chunk.name == b"desc":
            form = _read_description(descriptor, chunk)
        elif chunk.name in (b"SSND", b"data") and sound is None:
            sound = chunk
    if sound is None or sound.span.size <= _BEFORE[demuxer]:
        return None
    return _compare(descriptor, form, sound, _BEFORE[demuxer])


def _compare(descriptor: int, form: _Form, sound: Chunk, before: int) -> SoundSizes | None:
    """Return the sizes of *sound*, whose samples begin *before* bytes after its head; ``None`` if they are true."""
    stated = max(0, sound.stated - before)
    counted = form.frames * form.block_bytes if form.counts_frames else stated
    largest, is_open = max(stated, counted), sound.is_unfilled
    present = sound.span.size - before
    after = Span(start=sound.span.start + before + largest, size=present - largest)
    if not is_open and after.size > 0 and is_padding(descriptor, after, form.block_bytes, int(form.bytes_per_s)):
        present = largest
    sizes = (present, stated, counted)
    # In CAF a size of -1 lasts until the end.
    if max(sizes) - min(sizes) < max(2, form.block_bytes) or sound.stated < 0:
        return None
    # FFmpeg takes no chunk of odd size at the end of a file.
    whole = present - present % max(1, form.block_bytes)
    size = before + whole - whole % 2
    patches = [_patch_size(sound, size)]
    if form.counts_frames:
        patches.append((form.frames_offset, struct.pack(">I", present // form.block_bytes)))
    declared = None if largest == 0 or is_open else largest
    file_bytes = os.fstat(descriptor).st_size
    is_last = sound.span.start + sound.span.size == file_bytes
    return SoundSizes(
        declared=declared,
        present=present,
        block_bytes=form.block_bytes,
        bytes_per_s=form.bytes_per_s,
        warnings=_warn(declared, min(stated, counted), present, can_be_timed=form.bytes_per_s > 0),
        patches=tuple(patches),
        end=sound.span.start + size if is_last else file_bytes,
    )


def _warn(declared: int | None, smallest: int, present: int, *, can_be_timed: bool) -> tuple[str, ...]:
    """Return the warning about a header that states from *smallest* to *declared* bytes, as a tuple."""
    if declared is not None and smallest < present == declared:
        return ("W_HEADER: its header states two sizes of the sound; the larger one is there, and was taken",)
    if declared is not None and declared > present and not can_be_timed:
        return (f"W_HEADER: its header states {declared:,} bytes of sound, and {present:,} are there",)
    return warn_of_size(declared, present)


def _patch_size(sound: Chunk, size: int) -> tuple[int, bytes]:
    """Return where the size in the head of *sound* stands, and the bytes of *size*."""
    if sound.name == b".snd":
        return 8, struct.pack(">I", size)
    correct = struct.pack(">I" if sound.name == b"SSND" else ">q", size)
    return sound.span.start - len(correct), correct


def _read_au(descriptor: int) -> SoundSizes | None:
    """Read the header of AU, after which there is nothing but sound."""
    head = os.pread(descriptor, 24, 0)
    if len(head) < 24:
        return None
    start, stated, encoding, rate_hz, channels = struct.unpack(">4x5I", head)
    present = os.fstat(descriptor).st_size - start
    if stated == _AU_UNKNOWN or present <= 0 or encoding not in _AU_BYTES:
        return None
    block = channels * _AU_BYTES[encoding]
    sound = Chunk(name=b".snd", span=Span(start=start, size=present), stated=stated, is_unfilled=stated == 0)
    return _compare(descriptor, _Form(block_bytes=block, bytes_per_s=block * rate_hz), sound, 0)


def _read_common(descriptor: int, chunk: Chunk) -> _Form:
    """Read the common chunk of AIFF and AIFF-C (Audio Interchange File Format, version 1.3)."""
    body = os.pread(descriptor, 22, chunk.span.start)
    if len(body) < 18:
        return _Form()
    channels, frames, bits, exponent, mantissa = struct.unpack(">HIHHQ", body[:18])
    rate_hz = mantissa * 2.0 ** ((exponent & 0x7FFF) - 16_383 - 63) if exponent & 0x7FFF < 16_500 else 0.0
    is_plain = os.pread(descriptor, 4, 8) == b"AIFF"
    if not is_plain and body[18:22] == b"ima4":
        block, block_hz = channels * _IMA4_BYTES, rate_hz / _IMA4_SAMPLES
        return _Form(block_bytes=block, bytes_per_s=block * block_hz, frames=frames, frames_offset=chunk.span.start + 2)
    if not is_plain and body[18:22] not in _BITS_BY_COMPRESSION:
        return _Form()
    bits = (None if is_plain else _BITS_BY_COMPRESSION[body[18:22]]) or bits
    block = channels * ((bits + 7) // 8)
    return _Form(block_bytes=block, bytes_per_s=block * rate_hz, frames=frames, frames_offset=chunk.span.start + 2)


def _read_description(descriptor: int, chunk: Chunk) -> _Form:
    """Read the audio description of CAF (Apple Core Audio Format Specification 1.0)."""
    body = os.pread(descriptor, 32, chunk.span.start)
    if len(body) < 32:
        return _Form()
    rate_hz, _, _, packet_bytes, packet_frames, _, _ = struct.unpack(">d4sIIIII", body)
    if not packet_bytes or not packet_frames or not 0 < rate_hz < 1e7:
        return _Form()
    return _Form(block_bytes=packet_bytes, bytes_per_s=packet_bytes * rate_hz / packet_frames)
