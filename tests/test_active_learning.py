"""What is asked for first, and what together: unbroken speech, however many overlap in it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from dialects.scoring.prepare import Preparer
from tests.desk_setup import LOW, Desk, recipe
from transcribe.active_learning import correct_next, group_overlapping
from transcribe.records import Correction, Model, Segment
from transcribe.store import Store


def segment(speaker: str, start: int, end: int, channel: int | None = None) -> Segment:
    return Segment(recording="r", speaker=speaker, start=start, end=end, channel=channel)


def test_a_chain_of_overlaps_is_one_and_what_only_touches_is_not() -> None:
    a, b, c, d = segment("a", 0, 900), segment("b", 800, 1_500), segment("a", 1_400, 2_000), segment("b", 2_000, 2_400)
    assert group_overlapping([d, c, b, a]) == {a.id: a.id, b.id: a.id, c.id: a.id, d.id: d.id}


def test_channels_do_not_overlap() -> None:
    a, b = segment("a", 0, 900, 0), segment("b", 100, 800, 1)
    assert group_overlapping([a, b]) == {a.id: a.id, b.id: b.id}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5_000), st.integers(1, 700)), max_size=12, unique=True))
def test_whatever_overlaps_is_together(spans: list[tuple[str, int, int]]) -> None:
    segments = [segment(speaker, start, start + length) for speaker, start, length in spans]
    together = group_overlapping(segments)
    assert set(together) == {one.id for one in segments}
    for one, other in itertools.combinations(segments, 2):
        if one.start < other.end and other.start < one.end:
            assert together[one.id] == together[other.id]


@pytest.mark.parametrize("missed", ["en-GB", "en-US"])
def test_what_people_found_wrong_in_a_dialect_is_expected_of_its_other_drafts(tmp_path: Path, missed: str) -> None:
    """Both dialects are drafted with the same doubt; of one, people found every word wrong."""
    made = recipe()
    with Store.open(f"sqlite:///{tmp_path / 'boli.db'}") as store:
        desk = Desk(store, tmp_path / "audio")
        for tag, number in itertools.product(("en-GB", "en-US"), range(4)):
            desk.add(f"{tag}{number}", [(400, 4_400, LOW)], dialect=tag, split="train")
        desk.draft(made)
        model = Model(id=made.recogniser.id, place="scripted", name="scripted")

        def asked() -> list[str]:
            return [one.dialect for one in correct_next(store, model, Preparer(load_catalogue()), minutes=60)]

        assert sorted(asked()) == ["en-GB"] * 4 + ["en-US"] * 4
        for recording in [one for one in store.recordings.fetch() if one.path[5] in "01"]:
            for segment, draft in store.drafts.fetch_with_segments(recording.id, model.id):
                text = "no word of it is so" if recording.dialect == missed else draft.text
                span = {"start": segment.start, "end": segment.end, "segment": segment.id}
                store.corrections.add([Correction(id=segment.id, recording=recording.id, text=text, **span)])
        other = "en-US" if missed == "en-GB" else "en-GB"
        assert asked() == [missed] * 2 + [other] * 2
