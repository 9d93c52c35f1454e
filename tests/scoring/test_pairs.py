"""Pairs of a workspace: which corrections were spoken at the same time."""

from __future__ import annotations

from transcribe.records import ScoringSpan
from transcribe.scoring.pairs import find_overlapped


def test_spans_of_different_speakers_that_share_time_overlap() -> None:
    spans = [
        ScoringSpan(
            id=id,
            recording="r",
            speaker=who,
            dialect=None,
            session=None,
            split="test",
            start=start,
            end=end,
            reference="",
            hypothesis="",
        )
        for id, who, start, end in (
            ("a", "ann", 0, 900),
            ("b", "bob", 800, 1_000),
            ("c", "ann", 1_000, 2_000),
            ("d", "ann", 1_500, 2_500),
        )
    ]

    assert find_overlapped(spans) == {"a", "b"}
