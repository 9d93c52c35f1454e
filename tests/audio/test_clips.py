"""Clips are shaped and encoded for people, with silence in place of what nobody may hear."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.signals import loudest_hz, tone
from transcribe import audio


def test_a_clip_has_context_level_and_faded_ends() -> None:
    pcm = tone(5, level=0.02)

    clip = audio.shape_clip(pcm, 1_000, 3_000)

    assert len(clip) == 2_600 * 16
    middle = clip[1_600:-1_600].astype(float)
    assert 20 * np.log10(np.sqrt((middle**2).mean()) / 32_768) == pytest.approx(-20, abs=0.2)
    assert abs(int(clip[0])) <= 1
    assert np.abs(clip[:80]).max() < np.abs(middle).max() / 2
    assert np.abs(clip[-80:]).max() < np.abs(middle).max() / 1.5


def test_a_clip_ends_where_the_recording_does() -> None:
    pcm = tone(1)

    assert len(audio.shape_clip(pcm, 0, 1_000)) == 16_000
    assert len(audio.shape_clip(pcm, 900, 5_000, context=50)) == 150 * 16
    assert len(audio.shape_clip(pcm, 5_000, 6_000)) == 0


def test_silence_stays_silence() -> None:
    assert not audio.shape_clip(np.zeros(32_000, np.int16), 500, 1_500).any()


def test_a_quiet_clip_is_lifted_by_30_db_at_most() -> None:
    clip = audio.shape_clip(np.full(32_000, 3, np.int16) * np.resize([1, -1], 32_000).astype(np.int16), 500, 1_500)

    assert np.abs(clip).max() <= 3 * 32 + 1


def test_a_loud_clip_does_not_overflow() -> None:
    clicks = np.zeros(32_000, np.int16)
    clicks[::4_000] = 32_767

    clip = audio.shape_clip(clicks, 0, 2_000)

    assert clip.min() >= -1
    assert 28_000 < clip.max() < 30_000


@given(start=st.integers(0, 1_500), length=st.integers(1, 700), seed=st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_nothing_of_masked_speech_is_left(start: int, length: int, seed: int) -> None:
    pcm = tone(2).copy()
    other = pcm.copy()
    stretch = slice(start * 16, (start + length) * 16)
    other[stretch] = np.random.default_rng(seed).integers(-30_000, 30_000, len(other[stretch]))

    first, second = (audio.shape_clip(x, 400, 1_500, masks=[(start, start + length)]) for x in (pcm, other))

    assert len(first) == (1_500 - 400 + 600) * 16
    assert np.array_equal(first, second)


def test_masked_speech_is_a_tone_of_1_khz() -> None:
    clip = audio.shape_clip(tone(2), 500, 1_500, masks=[(700, 1_200)])

    assert loudest_hz(clip[(700 - 200) * 16 : (1_200 - 200) * 16]) == pytest.approx(1_000, abs=3)
    assert loudest_hz(clip[(1_210 - 200) * 16 : 1_500 * 16]) == pytest.approx(440, abs=5)


def test_shaping_leaves_the_recording_as_it_was() -> None:
    pcm = tone(1)
    copy = pcm.copy()

    audio.shape_clip(pcm, 0, 1_000, masks=[(100, 500)])

    assert np.array_equal(pcm, copy)


def test_opus_plays_back_as_the_same_sound() -> None:
    import av

    data = audio.encode_opus(tone(2.5))

    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        rate_hz = container.streams.audio[0].codec_context.sample_rate
    decoded = np.concatenate(frames)
    assert data.startswith(b"\x1a\x45\xdf\xa3")
    assert b"webm" in data[:64]
    assert len(decoded) / rate_hz == pytest.approx(2.5, abs=0.05)
    assert len(data) < 12_000
    middle = decoded[rate_hz : 2 * rate_hz]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(440, abs=2)


def test_the_same_clip_gives_the_same_bytes() -> None:
    assert audio.encode_opus(tone()) == audio.encode_opus(tone())


def test_a_clip_of_nothing_is_still_a_file() -> None:
    assert audio.encode_opus(np.zeros(0, np.int16)).startswith(b"\x1a\x45\xdf\xa3")
