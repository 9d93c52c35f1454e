"""What is measured of a sound while it is taken in, and which channel is taken where the mix cancels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.signals import saved
from tests.faults import media
from transcribe import audio
from transcribe.audio.mixing import ChannelMixer
from transcribe.audio.quality import QualityMeter
from transcribe.protocols import Pcm
from transcribe.records import Quality

NOISE = np.frombuffer(media.noise(9), np.int16)
Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def speech_16k(speech: Path) -> Floats:
    import soundfile
    import soxr

    samples, rate_hz = soundfile.read(speech / "speech" / "jfk.flac")
    return np.asarray(soxr.resample(samples.mean(axis=1), rate_hz, 16_000))


def measure(floats: Floats, *, block: int = 32_000) -> Quality:
    meter = QualityMeter()
    pcm = np.clip(np.rint(floats * 32_767), -32_768, 32_767).astype(np.int16)[:, None]
    for start in range(0, len(pcm), block):
        meter.add_source(pcm[start : start + block])
        meter.add_pcm(pcm[start : start + block])
    return meter.measure(cancelled=0, dead=0)


@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20, 25])
def test_the_noise_is_estimated_within_3_db(snr_db: int, speech_16k: Floats) -> None:
    frames = speech_16k[: len(speech_16k) // 512 * 512].reshape(-1, 512)
    powers = (frames**2).mean(axis=1)
    speech_power = powers[powers > powers.mean() / 10].mean()
    noise = np.random.default_rng(1).standard_normal(len(speech_16k)) * np.sqrt(speech_power / 10 ** (snr_db / 10))

    measured = measure(0.2 * (speech_16k + noise))

    assert measured.snr_db == pytest.approx(snr_db, abs=3)


@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_the_level_follows_the_gain(gain: float, speech_16k: Floats) -> None:
    level = measure(speech_16k * gain).level_dbfs
    whole = measure(speech_16k).level_dbfs
    assert level is not None and whole is not None
    assert level - whole == pytest.approx(20 * np.log10(gain), abs=0.5)


@pytest.mark.parametrize(
    ("gain", "after", "clipped"), [(4, 1.0, True), (4, 0.6, True), (1, 1.0, False), (0.2, 1.0, False)]
)
def test_flat_tops_are_counted_at_whatever_level_they_stand(
    gain: float, after: float, clipped: bool, speech_16k: Floats
) -> None:
    share = measure(np.clip(speech_16k * gain, -1, 1) * after).clipped_share
    assert (share > 0.02) if clipped else (share < 0.0001)


def test_a_telephone_is_recognised_at_a_higher_rate(speech_16k: Floats) -> None:
    import soxr

    narrow = soxr.resample(soxr.resample(speech_16k, 16_000, 8_000), 8_000, 16_000)
    assert 3_000 <= (measure(narrow).bandwidth_hz or 0) <= 4_100
    assert (measure(speech_16k).bandwidth_hz or 0) > 4_500


@given(block=st.integers(600, 50_000))
@settings(max_examples=15, deadline=None)
def test_blocks_of_any_size_measure_alike(block: int) -> None:
    floats = NOISE / 32_768 * np.repeat([1.0, 0.01, 0.5], 3 * 16_000)
    whole, parts = measure(floats, block=len(floats)), measure(floats, block=block)
    assert parts.snr_db == pytest.approx(whole.snr_db, abs=1.5)
    assert parts.level_dbfs == pytest.approx(whole.level_dbfs, abs=0.5)


def test_silence_has_no_level_and_no_noise() -> None:
    assert measure(np.zeros(16_000)) == Quality(
        level_dbfs=None, snr_db=None, clipped_share=0.0, bandwidth_hz=None, cancelled=0, dead=0
    )


def _in_part(second: Pcm) -> Pcm:
    """Two channels of noise, of which the second is *second* from 3 to 6 s."""
    part = NOISE.copy()
    part[48_000:96_000] = second[48_000:96_000]
    return np.stack((NOISE, part), axis=1)


def test_where_the_channels_cancel_one_is_taken_and_elsewhere_the_mix(tmp_path: Path) -> None:
    received = audio.receive(saved(tmp_path, _in_part(-NOISE)), tmp_path / "kept")

    pcm = audio.read_samples(received.path).astype(int)
    for stretch in (slice(0, 48_000), slice(48_160, 96_000), slice(96_160, None)):  # but for the fades of 10 ms
        assert np.abs(pcm[stretch] - NOISE[stretch]).max() <= 1
    assert [warning[:14] for warning in received.warnings] == ["W_PHASE_CANCEL"]
    assert "3.00–6.00 s" in received.warnings[0]
    assert received.quality is not None and received.quality.cancelled == 3_000


def test_a_channel_that_dies_after_another_cancelled_leaves_no_silence(tmp_path: Path) -> None:
    first = NOISE.copy()
    first[96_000:] = 0
    second = NOISE.copy()
    second[:48_000] = -NOISE[:48_000]
    received = audio.receive(saved(tmp_path, np.stack((first, second), axis=1)), tmp_path / "kept")

    pcm = audio.read_samples(received.path).astype(float)
    for second_of_sound in range(9):
        stretch = slice(second_of_sound * 16_000 + 400, (second_of_sound + 1) * 16_000)
        assert np.corrcoef(pcm[stretch], NOISE[stretch])[0, 1] > 0.99
    assert [warning.partition(":")[0] for warning in received.warnings] == ["W_PHASE_CANCEL", "W_DEAD_CHANNEL"]
    assert "channel 1 is silent where another is not (6.00–9.00 s)" in received.warnings[1]


def test_a_dead_channel_is_said_with_its_seconds(tmp_path: Path) -> None:
    received = audio.receive(saved(tmp_path, _in_part(np.zeros_like(NOISE))), tmp_path / "kept")

    assert received.warnings == ("W_DEAD_CHANNEL: channel 2 is silent where another is not (3.00–6.00 s)",)
    assert received.quality is not None and (received.quality.dead, received.quality.cancelled) == (3_000, 0)


def test_short_pauses_of_a_call_are_no_fault(tmp_path: Path) -> None:
    left, right = NOISE.copy(), NOISE[::-1].copy()
    for turn in range(9):
        (left if turn % 2 else right)[turn * 16_000 : (turn + 1) * 16_000] = 0
    assert audio.receive(saved(tmp_path, np.stack((left, right), axis=1)), tmp_path / "kept").warnings == ()


def test_channels_kept_apart_are_said_to_cancel_and_left_as_they_are(tmp_path: Path) -> None:
    stereo = _in_part(-NOISE)
    received = audio.receive(saved(tmp_path, stereo), tmp_path / "kept", channel_mode="split")

    assert np.array_equal(audio.read_samples(received.path, channel=1), stereo[:, 1])
    assert "listen to them apart" in received.warnings[0]


@given(seed=st.integers(0, 1_000), gains=st.lists(st.floats(0.05, 1), min_size=2, max_size=4))
@settings(max_examples=40, deadline=None)
def test_channels_that_do_not_cancel_are_averaged_to_the_sample(seed: int, gains: list[float]) -> None:
    voice = np.random.default_rng(seed).standard_normal(8_000).astype(np.float32) * np.float32(0.1)
    block = np.stack([voice * np.float32(gain) for gain in gains], axis=1)
    mixer = ChannelMixer(len(gains))
    assert np.abs(mixer.mix(block, 16_000, 0)[:, 0] - block.mean(axis=1)).max() < 1e-6
    assert mixer.warnings(split=False) == []
