"""People who share a conversation stay together, and nobody is on two sides."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.factories import manifest, plan_arrivals
from transcribe.errors import InputError
from transcribe.ingest import Shares, plan
from transcribe.ingest.splits import Links, names_of


def key_by_recording(rows: list[tuple[str, list[str]]]) -> dict[str, str]:
    """Group of each recording."""
    links = Links()
    for number, (recording, speakers) in enumerate(rows, 1):
        links.add(recording, names_of(speakers, None), line=number)
    groups = links.groups()
    group_by_recording = {recording: groups.of(names_of(speakers, None)) for recording, speakers in rows}
    return {recording: group.key for recording, group in group_by_recording.items() if group is not None}


conversations = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("TUVWXYZ"), min_size=1, max_size=3)), max_size=10
)


@given(conversations)
def test_recordings_are_in_one_group_exactly_if_speakers_link_them(rows: list[tuple[str, list[str]]]) -> None:
    speakers_by_recording: dict[str, set[str]] = {}
    for recording, speakers in rows:
        speakers_by_recording.setdefault(recording, set()).update(speakers)
    linked = {name: {name} for name in speakers_by_recording}
    for _ in speakers_by_recording:  # plain transitive closure
        for recording in speakers_by_recording:
            for other in speakers_by_recording:
                if speakers_by_recording[recording] & speakers_by_recording[other]:
                    union = linked[recording] | linked[other]
                    for name in union:
                        linked[name] = union
    groups = key_by_recording(rows)
    assert all(
        (groups[recording] == groups[other]) == (other in linked[recording])
        for recording in speakers_by_recording
        for other in speakers_by_recording
    )


@given(conversations, st.randoms())
def test_groups_do_not_depend_on_the_order_of_the_rows(rows: list[tuple[str, list[str]]], random: object) -> None:
    turned = list(rows)
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert key_by_recording(turned) == key_by_recording(rows)


def test_draws_come_close_to_their_shares_and_follow_the_seed() -> None:
    shares = Shares(dev=0.1, test=0.2, seed=7)
    drawn = [shares.draw(str(number)) for number in range(4_000)]
    assert drawn == [shares.draw(str(number)) for number in range(4_000)]
    assert drawn != [Shares(dev=0.1, test=0.2, seed=8).draw(str(number)) for number in range(4_000)]
    assert 320 < drawn.count("dev") < 480
    assert 690 < drawn.count("test") < 910


def test_no_share_means_nobody() -> None:
    assert {Shares(dev=0, test=0).draw(str(number)) for number in range(500)} == {"train"}
    assert {Shares(dev=0, test=1).draw(str(number)) for number in range(500)} == {"test"}


def test_people_of_one_conversation_and_all_their_recordings_share_a_group(tmp_path: Path) -> None:
    (tmp_path / "both.rttm").write_text(
        "SPEAKER b 1 0 1 <NA> <NA> Asha <NA> <NA>\nSPEAKER b 1 1 1 <NA> <NA> Ravi <NA> <NA>\n"
    )
    rows = [
        {"path": "a.wav", "speaker": "Asha"},
        {"path": "both.wav", "turns": "both.rttm"},
        {"path": "r.wav", "speaker": "Ravi"},
        {"path": "s.wav", "speaker": "Sita"},
        {"path": "alone.wav"},
    ]
    groups = [arrival.group for arrival in plan_arrivals(manifest(tmp_path / "m.csv", rows))]
    assert groups[0] == groups[1] == groups[2]
    assert groups[3] not in (groups[0], None)
    assert groups[4] is None


def test_files_of_one_session_share_a_group(tmp_path: Path) -> None:
    rows = [{"path": f"{name}.wav", "speaker": name, "session": "s1"} for name in "ab"]
    first, second = plan_arrivals(manifest(tmp_path / "m.csv", rows))
    assert first.group == second.group


def test_the_declared_split_of_one_row_holds_for_all_that_are_linked_with_it(tmp_path: Path) -> None:
    rows = [
        {"path": "a.wav", "speaker": "Asha"},
        {"path": "b.wav", "speaker": "Asha", "split": "test"},
        {"path": "c.wav", "speaker": "Ravi"},
    ]
    assert [arrival.split for arrival in plan_arrivals(manifest(tmp_path / "m.csv", rows))] == ["test", "test", None]


def test_a_speaker_on_both_sides_is_refused_naming_the_rows(tmp_path: Path) -> None:
    rows = [
        {"path": "a.wav", "speaker": "Ravi", "split": "train"},
        {"path": "b.wav", "speaker": "Asha", "split": "train"},
        {"path": "c.wav", "speaker": "Asha", "split": "test"},
    ]
    with pytest.raises(InputError, match="E_SPLIT") as caught:
        plan_arrivals(manifest(tmp_path / "m.csv", rows))
    assert "speaker Asha into train (row 3) and into test (row 4)" in str(caught.value)


def test_people_linked_by_a_shared_recording_cannot_be_on_both_sides(tmp_path: Path) -> None:
    (tmp_path / "t.stm").write_text("b 1 Asha 0 1 yes\nb 1 Ravi 1 2 no\n")
    rows = [
        {"path": "a.wav", "speaker": "Asha", "split": "train"},
        {"path": "b.wav", "turns": "t.stm"},
        {"path": "c.wav", "speaker": "Ravi", "split": "dev"},
    ]
    with pytest.raises(InputError, match="E_SPLIT") as caught:
        plan_arrivals(manifest(tmp_path / "m.csv", rows))
    assert "row 2" in str(caught.value)
    assert "row 4" in str(caught.value)


def stored(speakers: tuple[str, ...], session: str | None) -> str | None:
    """A store that knows Asha and session s9 in test, Ravi in train."""
    return {("Asha",): "test", ("Ravi",): "train"}.get(tuple(speakers)) or ("test" if session == "s9" else None)


def test_people_stay_where_the_store_has_them_with_all_that_are_linked(tmp_path: Path) -> None:
    (tmp_path / "t.stm").write_text("b 1 Asha 0 1 yes\nb 1 Sita 1 2 no\n")
    rows = [
        {"path": "a.wav", "speaker": "Sita"},
        {"path": "b.wav", "turns": "t.stm"},
        {"path": "c.wav", "session": "s9"},
        {"path": "d.wav", "speaker": "Ravi"},
    ]
    arrivals = plan_arrivals(manifest(tmp_path / "m.csv", rows), split_of=stored)  # type: ignore[arg-type]
    assert [arrival.split for arrival in arrivals] == ["test", "test", "test", "train"]


def test_where_people_of_two_stored_splits_meet_the_stronger_wins(tmp_path: Path) -> None:
    (tmp_path / "t.stm").write_text("b 1 Asha 0 1 yes\nb 1 Ravi 1 2 no\n")
    (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [{"path": "b.wav", "turns": "t.stm"}]), split_of=stored)  # type: ignore[arg-type]
    assert arrival.split == "test"


def test_a_declared_split_cannot_move_a_person_of_the_store(tmp_path: Path) -> None:
    rows = [
        {"path": "x.wav", "speaker": "Sita", "split": "train"},
        {"path": "a.wav", "speaker": "Asha", "split": "train"},
    ]
    with pytest.raises(InputError, match="E_SPLIT") as caught:
        plan_arrivals(manifest(tmp_path / "m.csv", rows), split_of=stored)  # type: ignore[arg-type]
    assert "m.csv row 3 is put into train and the workspace has people it is linked with in test" in str(caught.value)


def test_files_of_a_known_speaker_go_where_he_is(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (arrival,) = plan([tmp_path / "a.wav"], defaults={"speaker": "Asha"}, split_of=stored)  # type: ignore[arg-type]
    assert getattr(arrival, "split", None) == "test"
