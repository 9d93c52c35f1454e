"""Sound comes out of the shards as it went in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.finetune.factories import counted, line
from transcribe.finetune.shards import cut_sound
from transcribe.passages import passages
from transcribe.records import Milliseconds


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[Milliseconds, Milliseconds]]:
    edges = draw(st.lists(st.integers(0, 60_000), min_size=2, max_size=8, unique=True).map(sorted))
    return list(zip(edges[::2], edges[1::2], strict=False))


@settings(max_examples=20)
@given(found=spans(), most=st.integers(1, 400_000), start=st.integers(0, 60_000), end=st.integers(0, 60_000))
def test_samples_are_those_of_the_recording(
    found: list[tuple[int, int]], most: int, start: int, end: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    talk = [line(*span, audio=audio) for audio in ("a", "bb") for span in found]
    cut = passages(talk)
    shards = cut_sound(cut, counted, tmp_path_factory.mktemp("shards"), most=most)

    for number, passage in enumerate(cut):
        whole = counted(passage.audio, passage.channel)
        there = min(passage.end, passage.start + end)
        wanted = whole[(passage.start + start) * 16 : there * 16]
        assert np.array_equal(shards.samples(number, start, end), wanted)


def test_shards_that_are_there_are_not_cut_again(tmp_path: pytest.TempPathFactory) -> None:
    talk = passages([line(0, 1_000)])
    folder = tmp_path / "shards"  # type: ignore[operator]
    first = cut_sound(talk, counted, folder)

    assert cut_sound(talk, lambda audio, channel: pytest.fail("read again"), folder) == first
