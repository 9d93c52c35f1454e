from __future__ import annotations

import pytest

from tests.store.factories import recording, recording_id
from transcribe.errors import InputError
from transcribe.records import DeclaredTurn, Quality, Recording
from transcribe.store import Store
from transcribe.store.database import PAGE
from transcribe.store.recordings import Added

TEXT = "नमस्ते \u200dक्\u200cष é e\u0301 🎧"


def test_a_recording_comes_back_as_it_was_given(store: Store) -> None:
    added = recording(
        path=f"{TEXT}.wav",
        dialect="bho-Deva-x-maur1239",
        language="bho",
        speaker=TEXT,
        session="s 1",
        consent="yes",
        licence="CC0",
        source="radio",
        num_speakers=2,
        channels=2,
        channel_mode="split",
        split="dev",
        facts={"village": TEXT, "empty": ""},
        declared=(DeclaredTurn(start=0, end=5, speaker="B", dialect="hi", text=TEXT),),
        warnings=("W_NARROWBAND: 8 kHz",),
        quality=Quality(
            level_dbfs=-23.4, snr_db=None, clipped_share=0.00125, bandwidth_hz=3_875, cancelled=3_000, dead=0
        ),
    )
    store.recordings.add([added])
    assert store.recordings.find(added.id) == added


def test_the_same_id_again_changes_nothing(store: Store) -> None:
    first = recording(dialect="hi")
    assert store.recordings.add([first]) == Added(new=(first.id,), existing=())
    assert store.recordings.add([recording(dialect="ta")]) == Added(new=(), existing=(first.id,))
    assert store.recordings.find(first.id) == first


def test_an_id_given_twice_at_once_is_new_once_and_known_once(store: Store) -> None:
    id = recording_id("talk")
    assert store.recordings.add([recording(), recording()]) == Added(new=(id,), existing=(id,))


def test_a_recording_is_found_under_every_path_it_came_by(store: Store) -> None:
    store.recordings.add([recording(path="a.wav")])
    store.recordings.add([recording(path="b/a.wav")])
    assert [store.recordings.find_by_path(path) for path in ("a.wav", "b/a.wav")] == [recording(path="a.wav")] * 2
    assert store.recordings.find_by_path("A.wav") is None


def test_a_path_leads_to_the_recording_that_came_by_it_last(store: Store) -> None:
    store.recordings.add([recording("old", path="a.wav"), recording("new", path="a.wav")])
    assert store.recordings.find_by_path("a.wav") == recording("new", path="a.wav")


def test_more_recordings_than_a_page_come_all_and_ordered_by_id(store: Store) -> None:
    names = [f"talk {n}" for n in range(2 * PAGE + 1)]
    added = store.recordings.add(recording(name) for name in names)
    assert len(added.new) == 2 * PAGE + 1
    assert [recording.id for recording in store.recordings.fetch()] == sorted(map(recording_id, names))


def test_only_the_asked_recordings_come(store: Store) -> None:
    store.recordings.add(map(recording, "abc"))
    ids = [recording_id("c"), recording_id("a"), recording_id("nowhere"), recording_id("a")]
    assert [recording.id for recording in store.recordings.fetch(ids=ids)] == sorted({ids[0], ids[1]})
    assert list(store.recordings.fetch(ids=[])) == []


def test_an_unknown_recording_is_none(store: Store) -> None:
    assert store.recordings.find("nothing") is None


@pytest.mark.parametrize(
    "facts",
    [
        {"path": "a\x00.wav"},
        {"path": "\udce9.wav"},
        {"speaker": "a\x00"},
        {"facts": {"village": "\ud83d"}},
        {"facts": {"\x00": "village"}},
        {"declared": (DeclaredTurn(start=0, end=1, speaker="A", text="one \x00"),)},
        {"session": "long" * 1_000},
    ],
)
def test_text_that_a_database_cannot_keep_is_refused(store: Store, facts: dict[str, object]) -> None:
    with pytest.raises(InputError, match="E_TEXT"):
        store.recordings.add([recording("fine"), recording(**facts)])
    assert list(store.recordings.fetch()) == []


def test_a_written_out_escape_is_no_nul_character(store: Store) -> None:
    added = recording(facts={"regex": r"\u0000", "path": "\\\\u0000"})
    store.recordings.add([added])
    assert store.recordings.find(added.id) == added


def test_what_came_before_a_bad_recording_in_a_long_list_is_kept(store: Store) -> None:
    many = [recording(f"talk {n}") for n in range(PAGE + 10)]
    with pytest.raises(InputError):
        store.recordings.add([*many, recording("bad", speaker="\x00")])
    assert len(store.recordings.add([*many, recording("good")]).new) == 11


def two_worlds() -> list[Recording]:
    """Ann and Ben in one recording of the test, Cid declared in one of train."""
    return [
        recording("a", speaker="ann", session="s1", split="test"),
        recording("b", split="test", declared=(DeclaredTurn(start=0, end=9, speaker="ben"),)),
        recording("c", speaker="cid", session="s2", split="train"),
    ]


def test_the_split_of_a_known_speaker_or_session_is_fixed(store: Store) -> None:
    store.recordings.add(two_worlds())
    assert store.recordings.find_split({"ben", "new"}, None) == "test"
    assert store.recordings.find_split({"cid"}, "new") == "train"
    assert store.recordings.find_split((), "s2") == "train"
    assert store.recordings.find_split({"new"}, "new") is None
    assert store.recordings.find_split((), None) is None


def test_who_joins_people_of_several_splits_goes_to_the_test(store: Store) -> None:
    store.recordings.add(two_worlds())
    assert store.recordings.find_split({"ann", "cid"}, None) == "test"
    assert store.recordings.find_split({"cid"}, "s1") == "test"
