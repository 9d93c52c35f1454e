"""Tell from the bytes of a file if it was cut off: what its containers and frames state, held against what is there."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Final

from transcribe.records import Milliseconds

#: Header, table of segments and body of the largest Ogg page.
_LARGEST_PAGE = 27 + 255 + 255 * 255
#: Kilobits a second by layer and the index in the header, from 1, of MPEG 1; of MPEG 2 and 2.5 by layer.
_KILOBITS: Final = {
    1: tuple(range(32, 480, 32)),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_LOW: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_LOW_KILOBITS: Final = {1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256), 2: _LOW, 3: _LOW}
_LAYERS: Final = {"mp1": 1, "mp2": 2, "mp3": 3}
#: Kilobits a second of AC-3 by half the frame size code (ATSC A/52, table 5.18).
_AC3_KILOBITS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
#: Bytes at the end of a program stream that hold several packs, which are of some kilobytes.
_LAST_PACKS: Final = 1 << 18
#: Matroska elements that hold others, by their id: Segment and Cluster (RFC 9559, section 5).
_SEGMENT: Final = 0x18538067
_CLUSTER: Final = 0x1F43B675
#: Elements of a Matroska file that are walked through: hours of sound.
_MOST_ELEMENTS: Final = 5_000_000
#: The file properties object of ASF, and where its numbers stand (ASF specification, section 3.2).
_ASF_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def is_frame_cut(packet: bytes, codec: str | None) -> bool:
    """
    Tell if the header of an MPEG, AAC or AC-3 frame states more bytes than *packet* has (ISO 11172-3, 13818-7).

    >>> is_frame_cut(bytes.fromhex("fffb9064") + bytes(413), "mp3"), is_frame_cut(bytes.fromhex("fffb9064"), "mp3")
    (False, True)
    """
    if codec is None:
        return False
    if codec in ("ac3", "eac3"):
        return len(packet) < 7 or _measure_ac3_frame(packet) > len(packet)
    if len(packet) < 7 or packet[0] != 0xFF:
        return codec in ("aac", *_LAYERS) and 0 < len(packet) < 7
    if codec == "aac":
        return packet[1] & 0xF0 == 0xF0 and ((packet[3] & 3) << 11 | packet[4] << 3 | packet[5] >> 5) > len(packet)
    return codec in _LAYERS and _measure_frame(packet, _LAYERS[codec]) > len(packet)


def _measure_frame(packet: bytes, layer: int) -> int:
    """Return the bytes that the header of an MPEG frame of *layer* states; 0 where it states none."""
    bit_rate, rate, padding = packet[2] >> 4, packet[2] >> 2 & 3, packet[2] >> 1 & 1
    if 4 - (packet[1] >> 1 & 3) != layer or bit_rate in (0, 15) or rate == 3:
        return 0
    is_first = packet[1] >> 3 & 3 == 3
    bits = 1_000 * (_KILOBITS if is_first else _LOW_KILOBITS)[layer][bit_rate - 1]
    rate_hz = (44_100, 48_000, 32_000)[rate] >> (0 if is_first else 1 if packet[1] >> 3 & 3 == 2 else 2)
    if layer == 1:
        return (12 * bits // rate_hz + padding) * 4
    return (72 if layer == 3 and not is_first else 144) * bits // rate_hz + padding


def _measure_ac3_frame(packet: bytes) -> int:
    """Return the bytes that the header of an AC-3 or E-AC-3 frame states; 0 where it states none (ATSC A/52)."""
    if not packet.startswith(b"\x0b\x77"):
        return 0
    if packet[5] >> 3 > 10:
        return 2 * (((packet[2] & 7) << 8 | packet[3]) + 1)
    rate, code = packet[4] >> 6, packet[4] & 0x3F
    if rate == 3 or code // 2 >= len(_AC3_KILOBITS):
        return 0
    words = _AC3_KILOBITS[code // 2] * 96_000 // (48_000, 44_100, 32_000)[rate]
    return 2 * (words + (code & 1 if rate == 1 else 0))


def _is_ogg_cut(descriptor: int) -> bool:
    """Tell if the last page of an Ogg file is not whole or does not end its stream (RFC 3533, section 6)."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - _LARGEST_PAGE)
    tail = os.pread(descriptor, _LARGEST_PAGE, start)
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return True
    segments = tail[page + 27 : page + 27 + tail[page + 26]]
    return not tail[page + 5] & 4 or page + 27 + tail[page + 26] + sum(segments) > len(tail)


def lacks_index(descriptor: int, demuxer: str | None) -> bool:
    """Tell if an MP4 or CAF file was cut before the end of the index without which nothing can be read."""
    if demuxer == "caf":
        return _is_caf_cut(descriptor)
    if demuxer != "mov":
        return False
    size, offset, names = os.fstat(descriptor).st_size, 0, set()
    for _ in range(1_000):
        head = os.pread(descriptor, 16, offset)
        if len(head) < 8:
            break
        length, name = struct.unpack(">I4s", head[:8])
        if length == 1 and len(head) == 16:
            length = struct.unpack(">Q", head[8:])[0]
        if length < 8 or offset + length > size:
            break
        names.add(name)
        offset += length
    return b"ftyp" in names and b"moov" not in names


def is_file_cut(descriptor: int, demuxer: str | None) -> bool:
    """Tell if the container ends in the middle of a part, or was not ended."""
    if demuxer == "ogg":
        return _is_ogg_cut(descriptor)
    if demuxer == "matroska":
        return _is_matroska_cut(descriptor)
    if demuxer == "mpeg":
        return _is_program_cut(descriptor)
    if demuxer == "avi":
        return _is_avi_cut(descriptor)
    # A broadcast stream is nothing but packets of 188 bytes (ISO 13818-1).
    return demuxer == "mpegts" and os.fstat(descriptor).st_size % 188 != 0


def _is_avi_cut(descriptor: int) -> bool:
    """Tell if a RIFF list of an AVI file states more bytes than there are; files above 1 GB have several."""
    size, offset = os.fstat(descriptor).st_size, 0
    for _ in range(1_000):
        head = os.pread(descriptor, 8, offset)
        if len(head) < 8 or not head.startswith(b"RIFF"):
            return False
        length = int.from_bytes(head[4:], "little")
        offset += 8 + length + length % 2
        if offset - length % 2 > size:
            return True
    return False


def _is_program_cut(descriptor: int) -> bool:
    """Tell if the last packet of an MPEG program stream states more bytes than there are (ISO 13818-1, 2.5.3)."""
    start = max(0, os.fstat(descriptor).st_size - _LAST_PACKS)
    tail = os.pread(descriptor, _LAST_PACKS, start)
    offset = tail.find(b"\0\0\1\xba")
    if offset < 0:
        return False
    while offset + 4 <= len(tail):
        if tail[offset : offset + 3] != b"\0\0\1":
            # Zeros may fill up the end, and elementary streams follow where the pack was none.
            return False
        code = tail[offset + 3]
        if code == 0xB9:
            offset += 4
        elif code == 0xBA:
            is_second = len(tail) > offset + 4 and tail[offset + 4] >> 6 == 1
            stuffing = tail[offset + 13] & 7 if is_second and len(tail) > offset + 13 else 0
            offset += 14 + stuffing if is_second else 12
        elif code >= 0xBB:
            offset += 6 + int.from_bytes(tail[offset + 4 : offset + 6], "big")
        else:
            return False
    return offset > len(tail) or any(tail[offset:])


def read_asf_length(descriptor: int) -> Milliseconds | None:
    """Read the length that an ASF file states; ``None`` if it was made while it was sent, and states none."""
    head = os.pread(descriptor, 1 << 16, 0)
    start = head.find(_ASF_PROPERTIES)
    if start < 0 or len(head) < start + 92:
        return None
    play, _, preroll, flags = struct.unpack("<QQQI", head[start + 64 : start + 92])
    length = int(play // 10_000 - preroll)
    return None if flags & 1 or length <= 0 else length


def _is_caf_cut(descriptor: int) -> bool:
    """Tell if a chunk of a CAF file states more bytes than there are."""
    size, offset = os.fstat(descriptor).st_size, 8
    for _ in range(1_000):
        head = os.pread(descriptor, 12, offset)
        if len(head) < 12:
            return False
        length = struct.unpack(">q", head[4:])[0]
        if length < 0:
            return False
        offset += 12 + length
        if offset > size:
            return True
    return False


def _is_matroska_cut(descriptor: int) -> bool:
    """Tell if an element of a Matroska file states more bytes than there are."""
    size = os.fstat(descriptor).st_size
    return any(end is None or end > size for end in _iterate_elements(descriptor, size))


def _iterate_elements(descriptor: int, size: int) -> Iterator[int | None]:
    """Yield where each element ends; ``None`` for a head that is not whole. Nothing after what is no element."""
    offset = 0
    for _ in range(_MOST_ELEMENTS):
        if offset >= size:
            return
        head = os.pread(descriptor, 12, offset)
        id_bytes = 9 - head[0].bit_length()
        if id_bytes > 4:
            return
        if len(head) <= id_bytes:
            yield None
            return
        size_bytes = 9 - head[id_bytes].bit_length()
        if size_bytes > 8:
            return
        start = id_bytes + size_bytes
        if len(head) < start:
            yield None
            return
        largest = (1 << 7 * size_bytes) - 1
        length = int.from_bytes(head[id_bytes:start], "big") & largest
        element = int.from_bytes(head[:id_bytes], "big")
        if length == largest and element not in (_SEGMENT, _CLUSTER):
            return
        if length != largest:
            yield offset + start + length
        # Of clusters with a size the size is enough.
        offset += start + (0 if element == _SEGMENT or length == largest else length)
