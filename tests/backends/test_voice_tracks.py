"""Local voices of chunks become tracks over time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transcribe.backends.voice_tracks import Chunks, build_tracks, link_voices, separate_seconds

FRAMES, SHIFT = 100, 20


def chunked(spoken: np.ndarray, orders: list[tuple[int, ...]]) -> Chunks:
    """Cut chunks out of *spoken*, ``(frames, voices)``, each with its voices in another order."""
    starts = np.arange(len(orders)) * SHIFT
    scores = np.stack(
        [spoken[start : start + FRAMES, list(order)] for start, order in zip(starts, orders, strict=True)]
    )
    return Chunks(scores=scores.astype(np.float32), starts=starts, frame_s=0.02, threshold=0.5)


@given(st.lists(st.permutations([0, 1]).map(tuple), min_size=2, max_size=8))
def test_voices_keep_their_track_however_each_chunk_orders_them(orders: list[tuple[int, ...]]) -> None:
    spoken = np.zeros((FRAMES + SHIFT * len(orders), 2))
    spoken[::, 0] = (np.arange(len(spoken)) // 30) % 2
    spoken[::, 1] = 1 - spoken[:, 0]
    numbers = link_voices(chunked(spoken, orders))
    for voices, order in zip(numbers, orders, strict=True):
        assert [int(voices[order.index(voice)]) for voice in (0, 1)] == [
            int(numbers[0][orders[0].index(voice)]) for voice in (0, 1)
        ]


def test_a_silent_voice_has_no_track() -> None:
    spoken = np.zeros((FRAMES + SHIFT, 2))
    spoken[10:60, 0] = 1
    numbers = link_voices(chunked(spoken, [(0, 1), (0, 1)]))
    assert numbers.tolist() == [[0, -1], [0, -1]]


def test_a_track_keeps_only_speech_without_others_where_there_is_enough() -> None:
    spoken = np.zeros((FRAMES + SHIFT, 2))
    spoken[0:60, 0] = 1
    spoken[40:90, 1] = 1
    chunks = chunked(spoken, [(0, 1), (0, 1)])
    first, second = build_tracks(chunks, link_voices(chunks))
    assert np.flatnonzero(first.speech).tolist() == list(range(40))
    assert np.flatnonzero(second.speech).tolist() == list(range(60, 90))
    assert separate_seconds(chunks, link_voices(chunks)) == {(0, 1): 0.6}
