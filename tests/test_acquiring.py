"""What is asked for together: unbroken speech, however many overlap in it."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from transcribe.actions.acquiring import unbroken
from transcribe.records import Segment


def segment(speaker: str, start: int, end: int, channel: int | None = None) -> Segment:
    return Segment(recording="r", speaker=speaker, start=start, end=end, channel=channel)


def test_a_chain_of_overlaps_is_one_and_what_only_touches_is_not() -> None:
    a, b, c, d = segment("a", 0, 900), segment("b", 800, 1_500), segment("a", 1_400, 2_000), segment("b", 2_000, 2_400)
    assert unbroken([d, c, b, a]) == {a.id: a.id, b.id: a.id, c.id: a.id, d.id: d.id}


def test_channels_do_not_overlap() -> None:
    a, b = segment("a", 0, 900, 0), segment("b", 100, 800, 1)
    assert unbroken([a, b]) == {a.id: a.id, b.id: b.id}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5_000), st.integers(1, 700)), max_size=12, unique=True))
def test_whatever_overlaps_is_together(spans: list[tuple[str, int, int]]) -> None:
    segments = [segment(speaker, start, start + length) for speaker, start, length in spans]
    together = unbroken(segments)
    assert set(together) == {one.id for one in segments}
    for one, other in itertools.combinations(segments, 2):
        if one.start < other.end and other.start < one.end:
            assert together[one.id] == together[other.id]
