"""A track is taken whole and exactly, wherever it stands among others, and a sound that ends before them is said."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from tests.audio.signals import AFTER, LENGTH_MS, codes, find_offset_ms, write_film
from tests.faults import media
from transcribe import audio
from transcribe.protocols import Pcm

#: Container, codecs of sound and pictures, and the priming that stands before the sound, in ms.
FILMS = [
    ("webm", "libopus", "libvpx", 0),
    ("matroska", "libopus", "mpeg4", 0),
    ("matroska", "flac", "mpeg4", 0),
    ("matroska", "pcm_s16le", "mpeg4", 0),
    ("mp4", "aac", "mpeg4", 0),
    ("mov", "pcm_s16le", "mpeg4", 0),
    ("mpegts", "aac", "mpeg2video", 64),
    ("flv", "aac", "flv", 64),
    ("avi", "libmp3lame", "mpeg4", 69),
]


def take_film(path: Path, stream: int | None = None) -> tuple[audio.Received, Pcm]:
    received = audio.receive(path, path.parent / f"kept{stream}", stream=stream)
    return received, audio.read_samples(received.path)


@pytest.mark.parametrize(("container", "codec", "pictures", "priming"), FILMS)
@pytest.mark.parametrize("order", ["av", "va"])
def test_sound_beside_pictures_is_whole_without_a_word(
    order: str, container: str, codec: str, pictures: str, priming: int, speech_11s: Pcm, tmp_path: Path
) -> None:
    write_film(tmp_path / "film", container, order, [speech_11s.tobytes()], codec=codec, pictures=pictures)

    received, pcm = take_film(tmp_path / "film")

    assert codes(received) == []
    assert received.duration == pytest.approx(LENGTH_MS + priming, abs=25)
    assert find_offset_ms(pcm, speech_11s, AFTER, length=2_400) == pytest.approx(priming, abs=15)


@pytest.mark.parametrize(("container", "codec", "pictures", "priming"), FILMS)
@pytest.mark.parametrize("order", ["av", "va"])
def test_sound_that_ends_before_the_pictures_is_taken_and_said(
    order: str, container: str, codec: str, pictures: str, priming: int, speech_11s: Pcm, tmp_path: Path
) -> None:
    sound = speech_11s[: 8_000 * 16].tobytes()
    write_film(tmp_path / "film", container, order, [sound], codec=codec, pictures=pictures)

    received, _ = take_film(tmp_path / "film")

    assert received.duration == pytest.approx(8_000 + priming, abs=40)
    assert codes(received) == ["W_SHORT"]
    assert "ends 3.0 s before" in received.warnings[0] or "ends 2.9 s before" in received.warnings[0]


@pytest.mark.parametrize(("container", "codec"), [("matroska", "flac"), ("mov", "pcm_s16le"), ("webm", "libopus")])
def test_each_of_two_sounds_is_taken_whole(container: str, codec: str, speech_11s: Pcm, tmp_path: Path) -> None:
    sounds = [speech_11s, speech_11s[::-1].copy()]
    pictures = "libvpx" if container == "webm" else "mpeg4"
    write_film(
        tmp_path / "film", container, "ava", [sound.tobytes() for sound in sounds], codec=codec, pictures=pictures
    )

    for number, sound in enumerate(sounds, 1):
        received, pcm = take_film(tmp_path / "film", stream=number)
        assert codes(received) == []
        if codec == "libopus":
            assert find_offset_ms(pcm, sound, AFTER, length=2_400) == pytest.approx(0, abs=1)
        else:
            assert np.array_equal(pcm, sound)


def test_a_cover_is_no_track_that_a_sound_ends_before(speech_11s: Pcm, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "t.m4a"), "w", format="mp4") as output:
        voice = output.add_stream("aac", rate=16_000, layout="mono")
        cover = output.add_stream("mjpeg", rate=1, width=32, height=32, pix_fmt="yuvj420p")
        cover.disposition = Disposition.attached_pic
        output.mux(cover.encode(av.VideoFrame(32, 32, "yuvj420p")))
        output.mux(cover.encode(None))
        for packet in media._packets(voice, speech_11s.tobytes(), 16_000):
            output.mux(packet)

    received, _ = take_film(tmp_path / "t.m4a")

    assert received.warnings == ()
