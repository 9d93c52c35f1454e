"""Voices and links of speakers, on both databases: kept with the drafts, replaced, resolved, erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.factories import correction, make_drafted, recording, recording_id
from tests.store.test_erasure import everything
from transcribe.errors import InputError
from transcribe.pipeline.same_voice import pack_vector
from transcribe.records import Drafted, Voice
from transcribe.store import Store


def voice(name: str = "talk", speaker: str = "A", **facts: object) -> Voice:
    vector = pack_vector([3.0, 4.0])
    assert vector is not None
    fields = {"vector": vector, "speech": 2_000, "maker": "encoder"} | facts
    return Voice(recording=recording_id(name), speaker=speaker, **fields)  # type: ignore[arg-type]


def unnamed(name: str, label: str = "SPEAKER_00") -> str:
    return f"{recording_id(name)}/{label}"


def work(name: str, *voices: Voice, **facts: str) -> Drafted:
    return replace(make_drafted(name, **facts), voices=voices)  # type: ignore[arg-type]


def test_voices_are_kept_with_the_drafts_to_the_last_bit(store: Store) -> None:
    store.recordings.add([recording()])
    voices = [voice(), voice(speaker="B", channel=1)]
    store.drafts.save(work("talk", *voices))
    assert list(store.speakers.fetch_voices()) == voices


def test_another_diarisation_replaces_voices_and_another_recogniser_leaves_them(store: Store) -> None:
    store.recordings.add([recording()])
    store.drafts.save(work("talk", voice()))
    store.drafts.save(work("talk", settings="settings-2", model="model-2"))
    assert list(store.speakers.fetch_voices()) == [voice()]
    store.drafts.save(work("talk", voice(speaker="C"), settings="settings-3", diarisation="diarisation-2"))
    assert list(store.speakers.fetch_voices()) == [voice(speaker="C")]


def test_a_voice_of_another_recording_is_refused(store: Store) -> None:
    store.recordings.add([recording()])
    with pytest.raises(InputError, match="voices of another recording"):
        store.drafts.save(work("talk", voice("second")))


def test_voices_stand_in_no_export(store: Store) -> None:
    store.recordings.add([recording()])
    store.drafts.save(work("talk"))
    without = list(store.export.fetch_lines())
    store.drafts.save(work("talk", voice(), settings="settings-2", diarisation="diarisation-2"))
    lines = [line for line in store.export.fetch_lines() if "settings-2" not in line and "diarisation-2" not in line]
    assert lines == without


def test_the_last_word_on_two_speakers_counts_in_either_order(store: Store) -> None:
    store.speakers.link("b", "a", accepted=True, by="lead")
    assert store.speakers.fetch_names() == {"a": "a", "b": "a"}
    store.speakers.link("a", "b", accepted=False, by=None)
    [link] = store.speakers.fetch_links()
    assert (link.first, link.second, link.accepted, link.by) == ("a", "b", False, None)
    assert store.speakers.fetch_names() == {}


@pytest.mark.parametrize("accepted", [True, False])
def test_a_word_against_other_links_is_refused_and_not_kept(store: Store, accepted: bool) -> None:
    store.speakers.link("a", "b", accepted=True, by=None)
    store.speakers.link("b", "c", accepted=not accepted, by=None)
    links = store.speakers.fetch_links()
    with pytest.raises(InputError) as error:
        store.speakers.link("a", "c", accepted=accepted, by=None)
    assert error.value.code == "E_LINK"
    assert store.speakers.fetch_links() == links


def test_a_speaker_is_not_linked_with_itself(store: Store) -> None:
    with pytest.raises(InputError, match="with itself"):
        store.speakers.link("a", "a", accepted=True, by=None)


def test_pairs_for_scoring_name_the_linked_person(store: Store) -> None:
    store.recordings.add([recording()])
    store.drafts.save(work("talk"))
    store.corrections.add([correction("c1", speaker="A"), correction("c2", start=2_000, end=3_000, speaker="B")])
    store.speakers.link("A", "asha", accepted=True, by=None)
    store.speakers.link("asha", "zoe", accepted=True, by=None)
    spans = {span.id: span for span in store.corrections.fetch_scoring_spans("model-1")}
    assert (spans["c1"].speaker, spans["c1"].person) == ("A", "A")
    store.speakers.link("B", unnamed("second"), accepted=True, by=None)
    spans = {span.id: span for span in store.corrections.fetch_scoring_spans("model-1")}
    assert [spans[id].person for id in ("c1", "c2")] == ["A", "B"]
    assert spans["c2"].hypothesis == "three"


def test_a_recording_of_a_linked_speaker_joins_the_split_of_the_others(store: Store) -> None:
    store.recordings.add([recording("old", split="test"), recording("new", split="train", speaker="ravi")])
    assert store.recordings.find_split(["asha"], None) is None
    store.speakers.link("asha", unnamed("old"), accepted=True, by=None)
    assert store.recordings.find_split(["asha"], None) == "test"
    store.speakers.link("asha", "ravi", accepted=True, by=None)
    assert store.recordings.find_split(["ravi"], None) == "test"
    store.speakers.link("dev", "ravi", accepted=False, by=None)
    assert store.recordings.find_split(["dev"], None) is None


def test_recordings_are_found_by_whoever_speaks_in_them(store: Store) -> None:
    store.recordings.add([recording("declared", speaker="asha"), recording("drafted")])
    store.drafts.save(work("drafted", voice("drafted", unnamed("drafted"))))
    recordings_by_speaker = store.speakers.fetch_recordings(["asha", "A", unnamed("drafted"), "nobody"])
    paths = {
        speaker: [recording.path for recording in recordings] for speaker, recordings in recordings_by_speaker.items()
    }
    assert paths == {"asha": ["declared.wav"], "A": ["drafted.wav"], unnamed("drafted"): ["drafted.wav"], "nobody": []}
    assert store.speakers.fetch_known() == sorted(["A", "B", "asha", unnamed("drafted")])
    assert store.speakers.is_known("asha") and not store.speakers.is_known("nobody")


def test_a_voice_and_its_links_are_erased_with_the_speaker(store: Store) -> None:
    store.recordings.add([recording()])
    store.drafts.save(work("talk", voice(speaker="A"), voice(speaker="B")))
    store.speakers.link("A", "asha", accepted=True, by=None)
    store.speakers.link("B", "ravi", accepted=True, by=None)
    store.erasure.erase(store.erasure.find_by_speaker("A"), speaker="A")
    assert [voice.speaker for voice in store.speakers.fetch_voices()] == ["B"]
    assert [(link.first, link.second) for link in store.speakers.fetch_links()] == [("B", "ravi")]


def test_the_voices_of_an_erased_recording_go_and_links_of_who_speaks_elsewhere_stay(store: Store) -> None:
    names = "SPRECHERIN"
    store.recordings.add([recording("old"), recording("new", speaker="B")])
    store.drafts.save(work("old", voice("old", names), voice("old", "B"), voice("old", unnamed("old"))))
    for speaker in (names, "B", unnamed("old")):
        store.speakers.link(speaker, f"{speaker}-too", accepted=True, by=None)
    store.erasure.erase(
        [
            erasure
            for erasure in store.erasure.find_before(store.database.later(60))
            if erasure.recording == recording_id("old")
        ]
    )
    store.erasure.vacuum()
    assert list(store.speakers.fetch_voices()) == []
    assert [link.first for link in store.speakers.fetch_links()] == ["B"]
    assert names not in everything(store)
