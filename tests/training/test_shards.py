"""Sound comes out of the shards as it went in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.factories import line, make_ramp
from transcribe.records import Milliseconds
from transcribe.training.shards import cut_audio
from transcribe.training.windows import find_passages


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[Milliseconds, Milliseconds]]:
    moments = draw(st.lists(st.integers(0, 60_000), min_size=2, max_size=8, unique=True).map(sorted))
    return list(zip(moments[::2], moments[1::2], strict=False))


@settings(max_examples=20)
@given(edges=spans(), most=st.integers(1, 400_000), start=st.integers(0, 60_000), end=st.integers(0, 60_000))
def test_samples_are_those_of_the_recording(
    edges: list[tuple[int, int]], most: int, start: int, end: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    talk = [line(*span, audio=audio) for audio in ("a", "bb") for span in edges]
    talk_passages = find_passages(talk)
    shards = cut_audio(talk_passages, make_ramp, tmp_path_factory.mktemp("shards"), most=most)

    for number, passage in enumerate(talk_passages):
        pcm = make_ramp(passage.audio, passage.channel)
        stop = min(passage.end, passage.start + end)
        wanted = pcm[(passage.start + start) * 16 : stop * 16]
        assert np.array_equal(shards.samples(number, start, end), wanted)


def test_shards_that_are_there_are_not_cut_again(tmp_path: pytest.TempPathFactory) -> None:
    talk = find_passages([line(0, 1_000)])
    folder = tmp_path / "shards"  # type: ignore[operator]
    first = cut_audio(talk, make_ramp, folder)

    assert cut_audio(talk, lambda audio, channel: pytest.fail("read again"), folder) == first
