"""The bytes that are there decide how long a sound is, in every container, and a size that says otherwise is told."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.audio.signals import AFTER, LENGTH_MS, codes, find_offset_ms, take
from tests.faults import media
from transcribe.audio.chunks import BIG_ENDIAN, CAF, RIFF, WAVE64, ChunkForm, ChunkReader
from transcribe.errors import InputError
from transcribe.protocols import Pcm

#: A share that the sizes of a header are changed to, and the sound before it.
Change = Callable[[bytes, float], bytes]


def put(whole: bytes, offset: int, layout: str, number: int) -> bytes:
    """*whole* with *number* at *offset*."""
    return whole[:offset] + struct.pack(layout, number) + whole[offset + struct.calcsize(layout) :]


def scale(whole: bytes, offset: int, layout: str, share: float, *, more: int = 0) -> bytes:
    """*whole* with the number at *offset*, of which *more* stays, times *share*."""
    number = struct.unpack_from(layout, whole, offset)[0] - more
    return put(whole, offset, layout, int(number * share) + more)


def scale_aiff(whole: bytes, share: float) -> bytes:
    frames = scale(whole, whole.index(b"COMM") + 10, ">I", share)
    return scale(frames, whole.index(b"SSND") + 4, ">I", share, more=8)


#: Codec, container, and what changes the sizes in its header.
SIZED: dict[str, tuple[str, str, Change]] = {
    "AIFF": ("pcm_s16be", "aiff", scale_aiff),
    "AIFF-C": ("pcm_alaw", "aiff", scale_aiff),
    "AIFF-C ima4": ("adpcm_ima_qt", "aiff", scale_aiff),
    "CAF": ("pcm_s16le", "caf", lambda b, share: scale(b, b.index(b"data") + 4, ">q", share, more=4)),
    "CAF ALAC": ("alac", "caf", lambda b, share: scale(b, b.index(b"data") + 4, ">q", share, more=4)),
    "W64": ("pcm_s16le", "w64", lambda b, share: scale(b, b.index(b"data") + 16, "<q", share, more=24)),
    "W64 float": ("pcm_f32le", "w64", lambda b, share: scale(b, b.index(b"data") + 16, "<q", share, more=24)),
    "W64 MP3": ("libmp3lame", "w64", lambda b, share: scale(b, b.index(b"data") + 16, "<q", share, more=24)),
    "AU": ("pcm_s16be", "au", lambda b, share: scale(b, 8, ">I", share)),
    "MP3 in WAV": ("libmp3lame", "wav", lambda b, share: scale(b, b.index(b"data") + 4, "<I", share)),
    "G.722 in WAV": ("g722", "wav", lambda b, share: scale(b, b.index(b"data") + 4, "<I", share)),
}


@pytest.fixture
def write(tmp_path: Path, speech_11s: Pcm) -> Callable[[str], bytes]:
    def write_kind(kind: str) -> bytes:
        codec, container, _ = SIZED[kind]
        rate = None if codec.startswith("pcm_") else 64_000
        media.encode(tmp_path / "t", speech_11s.tobytes(), codec=codec, container=container, bit_rate=rate)
        return (tmp_path / "t").read_bytes()

    return write_kind


@pytest.mark.parametrize("kind", SIZED)
@pytest.mark.parametrize("share", [0.25, 0.97, 0])
def test_sound_beyond_its_stated_size_is_taken_and_said(
    share: float, kind: str, write: Callable[[str], bytes], speech_11s: Pcm, tmp_path: Path
) -> None:
    whole = write(kind)
    _, original = take(tmp_path / "t")
    (tmp_path / "t").write_bytes(SIZED[kind][2](whole, share))

    received, pcm = take(tmp_path / "t")

    assert len(pcm) == len(original)
    assert np.array_equal(pcm, original)
    assert codes(received) == ["W_HEADER"]
    if SIZED[kind][0] in ("pcm_s16le", "pcm_s16be", "pcm_f32le"):
        assert np.array_equal(pcm, speech_11s)


@pytest.mark.parametrize("kind", SIZED)
@pytest.mark.parametrize("share", [1.3, 2])
def test_a_header_that_promises_more_than_there_is_is_told(
    share: float, kind: str, write: Callable[[str], bytes], tmp_path: Path
) -> None:
    whole = write(kind)
    _, original = take(tmp_path / "t")
    (tmp_path / "t").write_bytes(SIZED[kind][2](whole, share))

    try:
        received, pcm = take(tmp_path / "t")
    except InputError as error:
        assert error.code == "E_TRUNCATED"
        assert f"of {share * 11:.1f} s are readable" in error.message or f"of {share * 11.05:.1f} s" in error.message
        received, pcm = take(tmp_path / "t", allow_partial=True)
        assert codes(received) == ["W_TRUNCATED"]
    else:
        assert codes(received) == ["W_HEADER"], "its number of samples tells that all are there"
    assert np.array_equal(pcm, original)


@pytest.mark.parametrize("kind", SIZED)
@pytest.mark.parametrize("share", [0.2, 0.81])
def test_a_sound_that_was_cut_before_its_stated_size_is_told(
    share: float, kind: str, write: Callable[[str], bytes], tmp_path: Path
) -> None:
    whole = write(kind)
    (tmp_path / "t").write_bytes(whole[: int(len(whole) * share) | 1])

    with pytest.raises(InputError, match=r"E_TRUNCATED: .*(of 11\.\d s are readable|index at the end is missing)"):
        take(tmp_path / "t")


@pytest.mark.parametrize("kind", [kind for kind in SIZED if "ALAC" not in kind])
def test_a_sound_that_lost_less_than_a_second_is_taken_and_told(
    kind: str, write: Callable[[str], bytes], tmp_path: Path
) -> None:
    whole = write(kind)
    (tmp_path / "t").write_bytes(whole[: int(len(whole) * 0.95)])

    received, pcm = take(tmp_path / "t")

    assert codes(received) == ["W_TRUNCATED"]
    assert len(pcm) == pytest.approx(0.95 * LENGTH_MS * 16, rel=0.01)


@pytest.mark.parametrize("kind", ["W64", "AIFF", "CAF"])
@pytest.mark.parametrize("share", [0.25, 0, 3])
def test_tags_after_a_sound_of_wrong_size_are_no_sound(
    kind: str, share: float, write: Callable[[str], bytes], speech_11s: Pcm, tmp_path: Path
) -> None:
    heads = {"W64": WAVE64, "AIFF": BIG_ENDIAN, "CAF": CAF}
    body = b"text of a tag." * 8
    head = heads[kind].head.pack(b"info" if kind == "CAF" else b"LIST", len(body) + heads[kind].head_counted)
    (tmp_path / "t").write_bytes(SIZED[kind][2](write(kind), share) + head + body)

    received, pcm = take(tmp_path / "t", allow_partial=True)

    assert np.array_equal(pcm, speech_11s)
    assert codes(received) == (["W_TRUNCATED"] if share > 1 else ["W_HEADER"])


@pytest.mark.parametrize(
    ("kind", "offset", "layout", "size", "warning"),
    [
        ("CAF", 4, ">q", -1, None),
        ("CAF", 4, ">q", 1 << 62, "W_HEADER"),
        ("W64", 16, "<q", 0, "W_HEADER"),
        ("W64", 16, "<q", 1 << 62, "W_HEADER"),
        ("W64", 16, "<q", -1, "W_HEADER"),
    ],
)
def test_sizes_that_nobody_filled_in(
    kind: str,
    offset: int,
    layout: str,
    size: int,
    warning: str | None,
    write: Callable[[str], bytes],
    speech_11s: Pcm,
    tmp_path: Path,
) -> None:
    whole = write(kind)
    (tmp_path / "t").write_bytes(put(whole, whole.index(b"data") + offset, layout, size))

    received, pcm = take(tmp_path / "t")

    assert np.array_equal(pcm, speech_11s)
    assert codes(received) == ([] if warning is None else [warning])


def test_an_au_file_of_unknown_length_is_taken_without_a_word(
    write: Callable[[str], bytes], speech_11s: Pcm, tmp_path: Path
) -> None:
    (tmp_path / "t").write_bytes(put(write("AU"), 8, ">I", 0xFFFFFFFF))
    received, pcm = take(tmp_path / "t")
    assert np.array_equal(pcm, speech_11s)
    assert codes(received) == []


def make_rf64(sound: bytes, size: int, *, present: int | None = None) -> bytes:
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, 0, size, 0, 0)
    data = struct.pack("<4sI", b"data", 0xFFFFFFFF) + sound[:present]
    return b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + sizes + media.fmt() + data


@pytest.mark.parametrize(
    ("share", "warnings"), [(1, []), (0.25, ["W_HEADER"]), (0, ["W_HEADER"]), (1 << 40, ["W_HEADER"])]
)
def test_rf64_is_taken_whole(share: float, warnings: list[str], speech_11s: Pcm, tmp_path: Path) -> None:
    sound = speech_11s.tobytes()
    (tmp_path / "t.wav").write_bytes(make_rf64(sound, int(len(sound) * share)))
    received, pcm = take(tmp_path / "t.wav")
    assert np.array_equal(pcm, speech_11s)
    assert codes(received) == warnings


def test_rf64_that_was_cut_is_told(speech_11s: Pcm, tmp_path: Path) -> None:
    sound = speech_11s.tobytes()
    (tmp_path / "t.wav").write_bytes(make_rf64(sound, len(sound), present=len(sound) // 2))
    with pytest.raises(InputError, match=r"E_TRUNCATED: .*5\.5 of 11\.0 s are readable"):
        take(tmp_path / "t.wav")


@pytest.mark.parametrize("bytes_missing", [2, 6, 200, 2_784, 3_000, 40_000])
def test_the_end_that_a_wave_header_leaves_out_is_taken_and_said(
    bytes_missing: int, speech_11s: Pcm, tmp_path: Path
) -> None:
    sound = speech_11s.tobytes()
    chunk = media.chunk(b"data", sound, declared=len(sound) - bytes_missing)
    (tmp_path / "t.wav").write_bytes(media.riff(media.fmt(), chunk))

    received, pcm = take(tmp_path / "t.wav")

    assert np.array_equal(pcm, speech_11s)
    assert codes(received) == ["W_HEADER"]
    assert f"states {len(sound) - bytes_missing:,} bytes of sound, and {len(sound):,} are there" in received.warnings[0]


@pytest.mark.parametrize("end", [bytes(500), bytes(1), b"TAG" + b"title".ljust(125, b"\0"), b"x"])
def test_what_follows_a_sound_and_is_none_is_left_out(end: bytes, speech_11s: Pcm, tmp_path: Path) -> None:
    whole = media.riff(media.fmt(), media.chunk(b"data", speech_11s.tobytes())) + end
    (tmp_path / "t.wav").write_bytes(whole)
    received, pcm = take(tmp_path / "t.wav")
    assert np.array_equal(pcm, speech_11s)
    assert received.warnings == ()


@pytest.mark.parametrize("count", [0.5, 1, 2])
def test_the_frames_of_an_mp3_decide_and_not_what_vbri_states(count: float, speech_11s: Pcm, tmp_path: Path) -> None:
    path = tmp_path / "t.mp3"
    media.encode(path, speech_11s.tobytes(), codec="libmp3lame", container="mp3", bit_rate=64_000)
    whole = path.read_bytes()
    first = whole.index(b"Info") - 13  # the header of a frame of MPEG 2 in mono, and its side information
    size = 288
    frames = (len(whole) - first - size) // size
    body = struct.pack(">4sHHHII", b"VBRI", 1, 0, 75, len(whole) - first, int(frames * count))
    frame = whole[first : first + 4] + bytes(32) + body + struct.pack(">HHHH", 0, 1, 2, 1)
    path.write_bytes(whole[:first] + frame.ljust(size, b"\0") + whole[first + size :])

    received, pcm = take(path)

    assert received.duration == pytest.approx(LENGTH_MS, abs=150), "nothing states the padding, so it stays"
    assert find_offset_ms(pcm, speech_11s, AFTER, length=2_400) == pytest.approx(69, abs=40)
    assert codes(received) == ([] if count == 1 else ["W_HEADER"])


def test_a_hundred_thousand_empty_chunks_without_an_end_are_sound(tmp_path: Path) -> None:
    path = tmp_path / "t"
    tags = RIFF.head.pack(b"LIST", 0) * 100_000 + b"no chunk"
    path.write_bytes(media.riff(media.fmt(), media.chunk(b"data", b"\1" + tags, declared=1)))
    with path.open("rb") as file:
        sizes = [chunk.span.size for chunk in ChunkReader(file.fileno(), RIFF).iterate() if chunk.name == b"data"]
    assert sizes == [1 + len(tags) + 1]


@pytest.mark.parametrize("form", [RIFF, BIG_ENDIAN, WAVE64, CAF])
def test_a_walk_through_empty_chunks_ends(form: ChunkForm, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(bytes(form.first) + form.head.pack(b"JUNK", form.head_counted) * 30_000)
    with path.open("rb") as file:
        assert len(list(ChunkReader(file.fileno(), form).iterate())) == 10_000
