"""Times that do not fit the sound, as of wrong rates in a header, make no silence and cut no sound."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.signals import AFTER, BEFORE, LENGTH_MS, codes, find_offset_ms, take
from tests.faults import media
from transcribe.audio.timeline import are_scaled, are_times
from transcribe.protocols import Pcm


@pytest.mark.parametrize(("codec", "rate_hz"), [("g722", 16_000), ("eac3", 48_000), ("adpcm_g726", 8_000)])
def test_avi_whose_counts_are_no_times_is_as_long_as_its_sound(
    codec: str, rate_hz: int, speech_11s: Pcm, tmp_path: Path
) -> None:
    import soxr

    wide = soxr.resample(speech_11s, 16_000, rate_hz)
    bit_rate = {"adpcm_g726": 32_000}.get(codec, 64_000)
    media.encode(tmp_path / "t.avi", wide.tobytes(), codec=codec, container="avi", rate_hz=rate_hz, bit_rate=bit_rate)

    received, pcm = take(tmp_path / "t.avi")

    assert received.duration == pytest.approx(LENGTH_MS, abs=260), "the last block is filled up"
    assert [code for code in codes(received) if code != "W_NARROWBAND"] == ["W_TIMESTAMPS"]
    first = find_offset_ms(pcm, speech_11s, BEFORE)
    assert first == pytest.approx(0, abs=20)
    assert find_offset_ms(pcm, speech_11s, AFTER) == pytest.approx(first, abs=1)


@pytest.mark.parametrize("codec", ["libmp3lame", "mp2", "aac", "pcm_s16le", "adpcm_ima_wav", "ac3", "flac"])
def test_avi_whose_counts_are_times_is_taken_without_a_word(codec: str, speech_11s: Pcm, tmp_path: Path) -> None:
    import soxr

    rate_hz = 48_000 if codec == "ac3" else 16_000
    wide = soxr.resample(speech_11s, 16_000, rate_hz)
    bit_rate = None if codec in ("pcm_s16le", "flac", "adpcm_ima_wav") else 64_000
    media.encode(tmp_path / "t.avi", wide.tobytes(), codec=codec, container="avi", rate_hz=rate_hz, bit_rate=bit_rate)

    received, pcm = take(tmp_path / "t.avi")

    assert received.duration == pytest.approx(LENGTH_MS, abs=130)
    assert codes(received) == []
    first = find_offset_ms(pcm, speech_11s, BEFORE)
    assert find_offset_ms(pcm, speech_11s, AFTER, length=2_300) == pytest.approx(first, abs=1)


@pytest.mark.parametrize("factor", [0.5, 0.97, 1.1, 3])
def test_an_avi_that_counts_bytes_at_a_wrong_rate_neither_loses_nor_gains(
    factor: float, speech_11s: Pcm, tmp_path: Path
) -> None:
    path = tmp_path / "t.avi"
    sound = np.concatenate((speech_11s[:64_000], np.zeros(48_000, np.int16), speech_11s[64_000:])).tobytes()
    media.encode(path, sound, codec="libmp3lame", container="avi", bit_rate=64_000)
    original, whole = take(path)[1], path.read_bytes()
    head, form = whole.index(b"strh") + 8, whole.index(b"strf") + 8
    rate = int(8_000 * factor)
    counted = struct.pack("<6I", 1, rate, 0, len(whole), 0, 0xFFFFFFFF) + struct.pack("<I", 1)
    changed = whole[: head + 20] + counted + whole[head + 48 :]
    path.write_bytes(changed[: form + 8] + struct.pack("<IH", rate, 1) + changed[form + 14 :])

    received, pcm = take(path)

    assert codes(received) == ["W_TIMESTAMPS"]
    assert np.array_equal(pcm, original)


@pytest.mark.parametrize("factor", [10, 0.25])
@pytest.mark.parametrize("codec", ["aac", "flac", "libmp3lame"])
def test_a_wrong_scale_of_all_times_makes_no_silence(
    codec: str, factor: float, speech_11s: Pcm, tmp_path: Path
) -> None:
    path = tmp_path / "t.mkv"
    media.encode(path, speech_11s.tobytes(), codec=codec, container="matroska", bit_rate=64_000)
    whole = path.read_bytes()
    # The element TimestampScale holds how many nanoseconds a tick has.
    offset = whole.index(b"\x2a\xd7\xb1\x83") + 4
    path.write_bytes(whole[:offset] + int(1_000_000 * factor).to_bytes(3, "big") + whole[offset + 3 :])

    received, pcm = take(path)

    assert codes(received) == ["W_TIMESTAMPS"]
    assert received.duration == pytest.approx(LENGTH_MS, abs=100)
    first = find_offset_ms(pcm, speech_11s, BEFORE)
    assert find_offset_ms(pcm, speech_11s, AFTER, length=2_300) == pytest.approx(first, abs=1)


@given(
    lengths_s=st.lists(st.sampled_from((0.02, 0.064)), min_size=5, max_size=60),
    gap_s=st.floats(0.1, 9),
    factor=st.sampled_from((0.01, 0.5, 0.9, 1.1, 2, 160)),
)
def test_a_gap_does_not_make_times_doubtful_and_a_wrong_rate_does(
    lengths_s: list[float], gap_s: float, factor: float
) -> None:
    with_gap = [*lengths_s[:2], lengths_s[2] + gap_s, *lengths_s[3:]]
    assert are_times(with_gap, lengths_s)
    assert not are_times([factor * length for length in lengths_s], lengths_s)


@given(
    jitters=st.lists(st.integers(-8, 8), min_size=20, max_size=64),
    gaps=st.dictionaries(st.integers(0, 19), st.floats(0.02, 9), max_size=6),
    factor=st.sampled_from((0.0, 0.25, 1.5, 10)),
)
def test_neither_jitter_nor_gaps_are_a_wrong_scale(jitters: list[int], gaps: dict[int, float], factor: float) -> None:
    lengths_s = [0.064] * len(jitters)
    steps_s = [0.064 + jitter / 1_000 + gaps.get(index, 0) for index, jitter in enumerate(jitters)]
    assert not are_scaled(steps_s, lengths_s, 0.001)
    assert are_scaled([factor * length for length in lengths_s], lengths_s, 0.001)
