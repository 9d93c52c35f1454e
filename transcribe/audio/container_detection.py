"""
Detect the container of a file from its first bytes, before any library sees it, and word the refusals of files.

Playlists, session descriptions, archives and texts end here: a library that opens one may read other files, or
the network, in its place. What passes gets exactly one demuxer. A refusal is ``CODE: <name> <what is wrong with it>;
<what to do>``.
"""

from __future__ import annotations

import errno
import os
import re
import struct
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from transcribe.errors import InputError, UnfitError
from transcribe.records import Milliseconds

_HEAD = 4_096
_PLAYLIST = re.compile(r"#extm3u|#ext-x-|#extinf|ffconcat\s+version|v=0\s*[\r\n]|\[playlist\]|\[reference\]|rtsptext")
#: In an XML head the root element may stand after a declaration and comments.
_XML_PLAYLIST = re.compile(r"<(\w+:)?(mpd|smil|asx|wpl|playlist|smoothstreamingmedia|manifest)\b")

_ARCHIVES = (
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (0, b"Rar!\x1a\x07", "a rar archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstandard archive"),
    (0, b"!<arch>\n", "an ar archive"),
    (257, b"ustar", "a tar archive"),
)

#: Offset, bytes, FFmpeg's demuxer. The first that fits wins.
_BEGINNINGS = (
    (8, b"WAVE", "wav"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (8, b"AIFF", "aiff"),
    (8, b"AIFC", "aiff"),
    (8, b"AVI ", "avi"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (4, b"wide", "mov"),
    (4, b"free", "mov"),
    (4, b"skip", "mov"),
    (0, b"caff", "caf"),
    (0, b".snd", "au"),
    (0, b"#!AMR", "amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"FLV\x01", "flv"),
    (0, b"wvpk", "wv"),
    (0, b"MAC ", "ape"),
    (0, b"TTA1", "tta"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"\x0b\x77", "ac3"),
)
#: Containers whose RIFF or FORM identifier must stand before the name at offset 8.
_FORMS = {"wav": (b"RIFF", b"RIFX", b"RF64", b"BW64"), "aiff": (b"FORM",), "avi": (b"RIFF",)}

#: Endings that promise a container, to say so when another one is inside.
_ENDINGS = {
    ".wav": ("wav",),
    ".mp3": ("mp3",),
    ".flac": ("flac",),
    ".ogg": ("ogg",),
    ".oga": ("ogg",),
    ".opus": ("ogg",),
    ".m4a": ("mov",),
    ".m4b": ("mov",),
    ".mp4": ("mov",),
    ".mov": ("mov",),
    ".3gp": ("mov",),
    ".mkv": ("matroska",),
    ".mka": ("matroska",),
    ".webm": ("matroska",),
    ".aac": ("aac", "mov"),
    ".amr": ("amr", "mov"),
    ".m4r": ("mov",),
    ".m4v": ("mov",),
    ".3gpp": ("mov",),
    ".weba": ("matroska",),
    ".wave": ("wav",),
    ".flv": ("flv",),
    ".ts": ("mpegts",),
    ".aif": ("aiff",),
    ".aiff": ("aiff",),
    ".wma": ("asf",),
    ".avi": ("avi",),
    ".au": ("au",),
    ".caf": ("caf",),
}


def escape_name(name: str | os.PathLike[str], *, longest: int = 80) -> str:
    r"""
    Escape a file name for a message: control and formatting characters and stray bytes.

    >>> escape_name("a\nb\u202e.wav")
    'a\\nb\\u202e.wav'
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    escaped = "".join(map(_escape_character, text))
    return escaped if len(escaped) <= longest else f"{escaped[: longest - 12]}…{escaped[-11:]}"


def _escape_character(character: str) -> str:
    plain = character == " " or unicodedata.category(character)[0] not in "CZ"
    return character if plain else character.encode("unicode_escape").decode()


def refusal(code: str, wrong: str, hint: str | None = None) -> InputError:
    """Return a refusal that does not know its file's name yet; `refusal_of` adds it."""
    return InputError(wrong, code=code, hint=hint)


def refusal_of(source: str | os.PathLike[str], code: str, wrong: str, hint: str | None = None) -> InputError:
    """Return the refusal of *source*, as the user reads it."""
    item = os.fsencode(source).decode("utf-8", "backslashreplace")
    return InputError(f"{escape_name(Path(item).name)} {wrong}", code=code, hint=hint, item=item)


def format_length(duration: Milliseconds) -> str:
    """
    Format a length for people.

    >>> format_length(7_500), format_length(90_000), format_length(36_000_000)
    ('7.5 s', '1.5 min', '10.0 h')
    """
    if duration < 60_000:
        return f"{duration / 1_000:.1f} s"
    return f"{duration / 60_000:.1f} min" if duration < 3_600_000 else f"{duration / 3_600_000:.1f} h"


def unwritable(folder: Path, error: OSError) -> UnfitError:
    """Return the error that *folder* cannot be written, as the user reads it."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    code, hint = ("E_FULL", "free some space") if full else ("E_FOLDER", "see that it may be written")
    return UnfitError(f"{escape_name(folder)} cannot take the sound ({error.strerror})", code=code, hint=hint)


def demuxer_of(descriptor: int) -> str | None:
    """
    Return FFmpeg's name of the container, or ``None`` if the beginning is none that is known.

    Raises:
        InputError: ``E_PLAYLIST``, ``E_ARCHIVE``, or ``E_NOT_AUDIO`` for a text.
    """
    start = 0
    for _ in range(4):
        head = os.pread(descriptor, _HEAD, start)
        if not head.startswith(b"ID3") or len(head) < 10:
            break
        start += _id3_bytes(head)
    _refuse_foreign(head)
    for offset, magic, demuxer in _BEGINNINGS:
        if head[offset : offset + len(magic)] == magic and head.startswith(_FORMS.get(demuxer, (b"",))):
            return demuxer
    if head[:1] == b"\x47" and head[188:189] == b"\x47" and head[376:377] == b"\x47":
        return "mpegts"
    return _sniff_frame(head) or ("mp3" if start else None)


def is_misnamed(ending: str, demuxer: str) -> bool:
    """Tell if *ending* (with its dot) promises another container than *demuxer* reads."""
    return demuxer not in _ENDINGS.get(ending.lower(), (demuxer,))


@dataclass(frozen=True, kw_only=True)
class MpegCount:
    """The number of frames that an MPEG audio file states in its first one (Xing, Info or VBRI)."""

    frames: int
    #: Where the number stands in the file.
    offset: int
    #: Bytes of sound that it states beside it.
    size: int | None


def read_mpeg_count(descriptor: int) -> MpegCount | None:
    """Read the frame that counts the others of an MPEG audio file, if it has one."""
    offset = 0
    head = os.pread(descriptor, 10, 0)
    while head.startswith(b"ID3") and len(head) == 10:
        offset += _id3_bytes(head)
        head = os.pread(descriptor, 10, offset)
    first = os.pread(descriptor, _HEAD, offset)
    for mark in (b"Xing", b"Info"):
        start = first.find(mark)
        if 0 <= start <= len(first) - 16:
            flags, frames, size = struct.unpack(">III", first[start + 4 : start + 16])
            if flags & 1:
                return MpegCount(frames=frames, offset=offset + start + 8, size=size if flags & 2 else None)
    start = first.find(b"VBRI")
    if 0 <= start <= len(first) - 18:
        size, frames = struct.unpack(">II", first[start + 10 : start + 18])
        return MpegCount(frames=frames, offset=offset + start + 14, size=size)
    return None


def is_chained(descriptor: int) -> bool:
    """Tell if an Ogg file begins another recording after the first (RFC 3533, section 4: grouping and chaining)."""
    offset, under_way = 0, False
    while True:
        head = os.pread(descriptor, 27 + 255, offset)
        if len(head) < 27 or not head.startswith(b"OggS"):
            return False
        begins = bool(head[5] & 2)
        if begins and under_way:
            return True
        under_way = under_way or not begins
        segments = head[26]
        offset += 27 + segments + sum(head[27 : 27 + segments])


def _id3_bytes(head: bytes) -> int:
    """Return the length of an ID3v2 tag, header and footer included (ID3v2.4, section 3.1: seven bits a byte)."""
    body = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return 10 + body + (10 if head[5] & 0x10 else 0)


def _refuse_foreign(head: bytes) -> None:
    text = _decode_text(head)
    start = (head.decode("latin-1") if text is None else text).lstrip("\ufeff\xef\xbb\xbf \t\r\n").lower()
    if _PLAYLIST.match(start) or (start.startswith("<") and _XML_PLAYLIST.search(start)):
        raise refusal("E_PLAYLIST", "is a list of other files, not sound", "hand in the sound files themselves")
    if text is not None:
        raise refusal("E_NOT_AUDIO", "looks like text, not sound", "hand in the recording, not its transcript")
    for offset, magic, kind in _ARCHIVES:
        if head[offset : offset + len(magic)] == magic:
            raise refusal("E_ARCHIVE", f"is {kind}, not sound", "unpack it and hand in the recordings")


def _decode_text(head: bytes) -> str | None:
    """Return *head* as text, if it is one: UTF-8 without control characters, or UTF-16 with its mark."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and head[2:].count(0) * 3 > len(head):
        return head.decode("utf-16", "replace")
    if not head or any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return None
    for cut in range(4):  # a character may be cut at the end of the head
        try:
            return head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
    return None


def _sniff_frame(head: bytes) -> str | None:
    """Detect AAC or MPEG audio without a container by the first frame's header (ISO 13818-7, 11172-3)."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, rate = head[2] >> 4, head[2] >> 2 & 3
    valid = head[1] & 0xE0 == 0xE0 and version != 1 and layer != 0 and bit_rate not in (0, 15) and rate != 3
    return "mp3" if valid else None
