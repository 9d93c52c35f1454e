"""Received sound is read, drawn and searched from where it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.audio.signals import saved
from tests.faults import media
from transcribe import audio
from transcribe.errors import InputError
from transcribe.protocols import Pcm


@pytest.fixture(scope="module")
def stored_sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Pcm]:
    """A received recording of 2.5 s, and its samples."""
    folder = tmp_path_factory.mktemp("kept")
    pcm = np.frombuffer(media.noise(2.5), np.int16)
    return audio.receive(saved(folder, pcm), folder).path, pcm


@given(start=st.integers(-500, 3_500), length=st.one_of(st.none(), st.integers(-100, 3_500)))
@settings(max_examples=60, deadline=None)
def test_a_slice_is_that_part_of_the_whole(stored_sound: tuple[Path, Pcm], start: int, length: int | None) -> None:
    path, pcm = stored_sound
    end = None if length is None else start + length

    expected = pcm[max(0, start) * 16 : None if end is None else max(0, end) * 16]

    assert np.array_equal(audio.read_samples(path, start=start, end=end), expected)


@pytest.mark.parametrize("content", [None, b"", b"fLaC and then nothing"])
def test_a_lost_copy_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "lost.flac"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InputError, match=r"E_LOST: lost\.flac is gone or damaged; ingest"):
        audio.read_samples(path)


def test_a_channel_that_is_not_there_is_refused(stored_sound: tuple[Path, Pcm]) -> None:
    with pytest.raises(InputError, match="E_CHANNEL"):
        audio.read_samples(stored_sound[0], channel=1)


@given(pcm=arrays(np.int16, st.integers(0, 5_000)), per_second=st.sampled_from((1, 20, 50, 1_000)))
@settings(deadline=None)
def test_peaks_hold_every_sample_and_nothing_wider(pcm: Pcm, per_second: int) -> None:
    size = 16_000 // per_second

    peaks = audio.peaks(pcm, per_second=per_second)

    assert peaks.dtype == np.int8
    assert peaks.shape == (-(-len(pcm) // size), 2)
    for number, (lowest, highest) in enumerate(peaks.astype(int)):
        stretch = pcm[number * size : (number + 1) * size]
        assert (lowest, highest) == (stretch.min() >> 8, stretch.max() >> 8)


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 1_000_000)

    assert audio.content_hash(tmp_path / "x") == hashlib.sha256(b"abc" * 1_000_000).hexdigest()


@pytest.mark.parametrize("start, end", [(0, 0), (0, 40), (960, 1_000), (995, 1_500), (5_000, 6_000)])
def test_the_quietest_moment_lies_where_it_was_looked_for(start: int, end: int) -> None:
    assert start <= audio.quietest(np.ones(16_000, np.int16), start, end) <= end
    assert start <= audio.quietest(np.zeros(0, np.int16), start, end) <= end


def test_the_quietest_moment_is_in_the_gap_between_two_words() -> None:
    sound = np.full(48_000, 3_000, np.int16)
    sound[20_000:22_400] = 30
    assert 1_250 <= audio.quietest(sound, 0, 3_000) <= 1_400
    assert audio.quietest(sound, 2_000, 3_000) == 2_000
