"""The timeline of a recording is that of its file: gaps, late starts and cut ends, wrong headers, odd chunks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.signals import AFTER, BEFORE, LENGTH_MS, codes, find_offset_ms, take
from tests.faults import media
from transcribe import audio
from transcribe.audio.timeline import Timeline
from transcribe.errors import InputError
from transcribe.protocols import Pcm


@pytest.mark.parametrize(
    ("name", "gap", "code"),
    [
        ("mediarecorder_dropped3s.webm", (4_100, 6_900), "W_GAPS"),
        ("gap_0960ms.m4a", (3_850, 4_650), "W_GAPS"),
        ("datasize_too_small.wav", None, "W_HEADER"),
        ("g722.wav", None, None),
    ],
)
def test_each_case_has_its_length_its_times_and_its_word(
    name: str, gap: tuple[int, int] | None, code: str | None, speech: Path, speech_11s: Pcm, tmp_path: Path
) -> None:
    received = audio.receive(speech / "cases" / name, tmp_path)
    pcm = audio.read_samples(received.path)

    assert received.duration == pytest.approx(LENGTH_MS, abs=20)
    for start in (BEFORE, AFTER):
        assert find_offset_ms(pcm, speech_11s, start) == pytest.approx(0, abs=20)
    assert codes(received) == ([] if code is None else [code])
    if gap is not None:
        assert not pcm[gap[0] * 16 : gap[1] * 16].any()


#: Codec, container, and the priming that one without edit lists leaves at the beginning, in ms.
CONTAINERS = [
    ("libopus", "matroska", 0, {}),
    ("libopus", "webm", 0, {"live": "1"}),
    ("flac", "matroska", 0, {}),
    ("aac", "ipod", 0, {}),
    ("alac", "ipod", 0, {}),
    ("aac", "mp4", 64, {"movflags": "frag_keyframe+empty_moov", "frag_duration": "1000000"}),
    ("aac", "flv", 64, {}),
    ("aac", "mpegts", 64, {}),
    ("libmp3lame", "matroska", 0, {}),
    ("libopus", "ogg", 0, {}),
    ("flac", "ogg", 0, {}),
]


@pytest.mark.parametrize(("codec", "container", "priming", "options"), CONTAINERS)
def test_a_gap_becomes_silence_of_its_length(
    codec: str,
    container: str,
    priming: int,
    options: dict[str, str],
    speech_11s: Pcm,
    tmp_path: Path,
) -> None:
    def lose_twice(pts: int) -> int | None:
        is_lost = 48_000 <= pts < 72_000 or 112_000 <= pts < 112_320
        return None if is_lost else pts

    path = tmp_path / "talk"
    media.encode(
        path, speech_11s.tobytes(), codec=codec, container=container, shift=lose_twice, options=options, bit_rate=64_000
    )

    received, pcm = take(path)

    assert received.duration == pytest.approx(LENGTH_MS + priming, abs=20)
    assert find_offset_ms(pcm, speech_11s, BEFORE) == pytest.approx(priming, abs=15)
    assert find_offset_ms(pcm, speech_11s, AFTER) == pytest.approx(priming, abs=15)
    assert codes(received) == ["W_GAPS"]


@pytest.mark.parametrize(("codec", "container"), [("libopus", "webm"), ("flac", "matroska"), ("aac", "mp4")])
def test_a_late_start_is_kept_and_said(codec: str, container: str, speech_11s: Pcm, tmp_path: Path) -> None:
    sound = speech_11s.tobytes()
    media.encode(tmp_path / "t", sound, codec=codec, container=container, shift=lambda pts: pts + 40_000)

    received, pcm = take(tmp_path / "t")

    assert find_offset_ms(pcm, speech_11s, BEFORE) == pytest.approx(2_500, abs=15)
    assert not pcm[: 2_400 * 16].any()
    assert codes(received) == ["W_LATE_START"]


@pytest.mark.parametrize(
    ("codec", "container"),
    [
        ("libopus", "ogg"), ("flac", "ogg"), ("flac", "flac"), ("libmp3lame", "mp3"), ("aac", "adts"), ("aac", "flv"),
        ("libopus", "webm"), ("libopus", "matroska"), ("aac", "ipod"), ("pcm_s16le", "wav"), ("alac", "caf"),
        ("wmav2", "asf"), ("tta", "tta"), ("wavpack", "wv"), ("mp2", "mp2"), ("mp2", "mpeg"), ("g722", "avi"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("share", [0.2, 0.503, 0.81])
def test_a_cut_file_never_ends_without_a_word(
    codec: str, container: str, share: float, speech_11s: Pcm, tmp_path: Path
) -> None:
    path = tmp_path / "talk"
    options = {"live": "1"} if container == "webm" else {}
    media.encode(path, speech_11s.tobytes(), codec=codec, container=container, bit_rate=64_000, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    try:
        received, _ = take(path)
    except InputError as error:
        assert error.code == "E_TRUNCATED"
        assert "of 11." in error.message or "index at the end" in error.message
    else:
        assert "W_TRUNCATED" in codes(received)
        assert received.duration < LENGTH_MS * share + 1_100


@pytest.mark.parametrize(("codec", "container"), [("ac3", "ac3"), ("eac3", "eac3"), ("ac3", "mpegts"), ("mp2", "mp2")])
def test_a_frame_that_was_cut_is_said_and_is_no_noise(codec: str, container: str, tmp_path: Path) -> None:
    path = tmp_path / "talk"
    sound = media.tone(3, rate_hz=48_000, level=0.1)
    media.encode(path, sound, codec=codec, container=container, rate_hz=48_000, bit_rate=64_000)
    path.write_bytes(path.read_bytes()[:15_001])

    received, pcm = take(path)

    assert codes(received) == ["W_TRUNCATED"]
    assert 900 < received.duration < 2_000
    assert np.abs(pcm).max() < 5_000


@pytest.mark.parametrize(("codec", "container"), [("flac", "flac"), ("libopus", "ogg"), ("aac", "mpegts")])
def test_a_hole_in_the_middle_moves_nothing_after_it(
    codec: str, container: str, speech_11s: Pcm, tmp_path: Path
) -> None:
    path = tmp_path / "talk"
    media.encode(path, speech_11s.tobytes(), codec=codec, container=container, bit_rate=64_000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 4 // 10] + data[len(data) // 2 :])

    received, pcm = take(path)

    priming = 64 if codec == "aac" else 0
    assert find_offset_ms(pcm, speech_11s, AFTER) == pytest.approx(priming, abs=15)
    assert "W_GAPS" in codes(received)


def _write_counted(path: Path, pcm: Pcm, change: Callable[[int], int]) -> None:
    media.encode(path, pcm.tobytes(), codec="libmp3lame", container="mp3", bit_rate=64_000)
    data = path.read_bytes()
    offset = data.index(b"Info") + 8
    frames = int.from_bytes(data[offset : offset + 4], "big")
    path.write_bytes(data[:offset] + change(frames).to_bytes(4, "big") + data[offset + 4 :])


@pytest.mark.parametrize("change", [lambda n: n // 2, lambda n: 2 * n, lambda n: 0xFFFFFFFF, lambda n: 0])
def test_the_frames_of_an_mp3_decide_and_not_their_count(
    change: Callable[[int], int], speech_11s: Pcm, tmp_path: Path
) -> None:
    _write_counted(tmp_path / "t.mp3", speech_11s, change)

    received, pcm = take(tmp_path / "t.mp3")

    assert received.duration == pytest.approx(LENGTH_MS, abs=20)
    assert codes(received) == ["W_HEADER"]
    assert find_offset_ms(pcm, speech_11s, AFTER, length=2_400) == pytest.approx(0, abs=1)


def test_an_mp3_with_a_true_count_is_taken_to_the_sample(speech_11s: Pcm, tmp_path: Path) -> None:
    _write_counted(tmp_path / "t.mp3", speech_11s, lambda frames: frames)
    received, _ = take(tmp_path / "t.mp3")
    assert (received.duration, received.warnings) == (LENGTH_MS, ())


FMT, BIG_FMT = media.fmt(), media.fmt(order=">")
WAVES: dict[str, Callable[[bytes], bytes]] = {
    "size of a quarter": lambda sound: media.riff(FMT, media.chunk(b"data", sound, declared=len(sound) // 4)),
    "odd size": lambda sound: media.riff(FMT, media.chunk(b"data", sound, declared=len(sound) // 4 + 1)),
    "size of zero": lambda sound: media.riff(FMT, media.chunk(b"data", sound, declared=0)),
    "size never filled in": lambda sound: media.riff(FMT, media.chunk(b"data", sound, declared=0xFFFFFFFF)),
    "two data chunks": lambda sound: media.riff(
        FMT, media.chunk(b"data", sound[:70_000]), media.chunk(b"data", sound[70_000:])
    ),
    "a chunk between": lambda sound: media.riff(
        FMT, media.chunk(b"data", sound[:70_000]), media.chunk(b"LIST", b"INFOx"), media.chunk(b"data", sound[70_000:])
    ),
    "tags after it": lambda sound: media.riff(FMT, media.chunk(b"data", sound), media.chunk(b"LIST", b"INFO")),
    "tags cut off": lambda sound: media.riff(FMT, media.chunk(b"data", sound), media.chunk(b"LIST", b"INFO"))[:-2],
    "data before fmt": lambda sound: media.riff(media.chunk(b"data", sound), FMT),
    "RIFX": lambda sound: media.riff(
        BIG_FMT,
        media.chunk(b"data", np.frombuffer(sound, np.int16).byteswap().tobytes(), order=">"),
        identifier=b"RIFX",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WAVES)
def test_odd_chunks_of_a_wave_give_the_whole_sound_exactly(name: str, speech_11s: Pcm, tmp_path: Path) -> None:
    (tmp_path / "t.wav").write_bytes(WAVES[name](speech_11s.tobytes()))

    received, pcm = take(tmp_path / "t.wav")

    assert np.array_equal(pcm, speech_11s)
    is_said = name.startswith(("size", "odd", "two", "a chunk"))
    assert codes(received) == (["W_HEADER"] if is_said else [])


def test_more_planes_than_can_be_read_are_refused_and_bring_nothing_down(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "many.wv"), "w", format="wv") as output:
        stream = output.add_stream("wavpack", rate=16_000, layout="hexadecagonal", format="s16p")
        frame = av.AudioFrame(format="s16", layout="hexadecagonal", samples=16_000)
        frame.planes[0].update(media.noise(16))
        frame.sample_rate, frame.pts = 16_000, 0
        resampler = av.AudioResampler(format="s16p", layout="hexadecagonal", rate=16_000)
        for planar in (*resampler.resample(frame), None):
            output.mux(stream.encode(planar))

    with pytest.raises(InputError, match=r"E_CHANNELS: many\.wv has 16 channels, and of wavpack at most 8 can be read"):
        take(tmp_path / "many.wv")


@given(
    steps=st.lists(st.tuples(st.integers(-30, 3_000), st.sampled_from((160, 320, 1_024))), min_size=1, max_size=60),
    rate_hz=st.sampled_from((8_000, 16_000, 48_000)),
)
def test_no_frame_is_more_than_15_ms_early_and_no_time_is_lost(steps: list[tuple[int, int]], rate_hz: int) -> None:
    timeline = Timeline(longest=10**9, origin_s=0.0)
    stamp_s, written = 0.0, 0
    for jump_ms, samples in steps:
        stamp_s += max(0, jump_ms) / 1_000
        silence, cut = timeline.advance(stamp_s, samples, rate_hz)
        assert not (silence and cut)
        written += silence
        assert (written - cut) / rate_hz >= stamp_s - 0.0151
        written += samples - cut
        stamp_s += samples / rate_hz
    assert timeline.now_s == pytest.approx(written / rate_hz)
    assert timeline.silence / 1_000 <= stamp_s + 0.001


def test_stamps_beyond_the_longest_sound_are_no_times() -> None:
    timeline = Timeline(longest=60_000, origin_s=0.0)
    assert timeline.advance(0.0, 16_000, 16_000) == (0, 0)
    assert timeline.advance(1e6, 16_000, 16_000) == (0, 0)
    assert timeline.advance(1e6 + 1.5, 16_000, 16_000) == (8_000, 0)
    assert timeline.jumps == 1


def test_what_comes_twice_is_taken_once() -> None:
    timeline = Timeline(longest=60_000, origin_s=0.0)
    timeline.advance(0.0, 16_000, 16_000)
    assert timeline.advance(0.5, 16_000, 16_000) == (0, 8_000)
    assert timeline.now_s == 1.5
