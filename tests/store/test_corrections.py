from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import execute
from tests.store.factories import MODEL, correction, make_drafted, recording, recording_id
from transcribe.errors import InputError
from transcribe.records import Correction, ScoringSpan
from transcribe.store import Store
from transcribe.store.recordings import Added

ID = recording_id("talk")


@pytest.fixture
def talk(store: Store) -> Store:
    """The store with one drafted recording, ``talk``: A says "one two", then B "three"."""
    store.recordings.add([recording(dialect="hi", speaker="ann", session="s1", split="test")])
    store.drafts.save(make_drafted())
    return store


def spans(store: Store, **filters: str) -> dict[str, ScoringSpan]:
    return {span.id: span for span in store.corrections.fetch_scoring_spans(MODEL, **filters)}  # type: ignore[arg-type]


def test_a_correction_comes_back_as_it_was_given(talk: Store) -> None:
    segment = next(talk.drafts.fetch_segments(ID)).id
    correction = Correction(
        id="c1",
        recording=ID,
        start=0,
        end=5,
        text=" क्\u200dष é e\u0301 🎧\n",
        speaker="A",
        dialect="bho",
        segment=segment,
        model=MODEL,
        author="ravi",
        accepted=False,
    )
    assert talk.corrections.add([correction]) == Added(new=("c1",), existing=())
    assert list(talk.corrections.fetch()) == [correction]


def test_the_same_correction_again_changes_nothing(talk: Store) -> None:
    talk.corrections.add([correction("c1")])
    assert talk.corrections.add([correction("c1"), correction("c2")]) == Added(new=("c2",), existing=("c1",))
    assert [correction.id for correction in talk.corrections.fetch()] == ["c1", "c2"]


def test_an_id_with_other_content_is_refused_and_nothing_beside_it_is_kept(talk: Store) -> None:
    talk.corrections.add([correction("c1")])
    with pytest.raises(InputError, match="E_KEY_REUSED"):
        talk.corrections.add([correction("c2"), correction("c1", text="another")])
    assert list(talk.corrections.fetch()) == [correction("c1")]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"name": "nobody"}, "E_RECORDING"),
        ({"segment": "nowhere"}, "E_SEGMENT"),
        ({"text": "a\x00"}, "E_TEXT"),
        ({"text": "\udce9"}, "E_TEXT"),
        ({"start": 9, "end": 8}, "E_SPAN"),
        ({"start": -1}, "E_SPAN"),
    ],
)
def test_an_unfit_correction_is_refused_with_all_its_batch(talk: Store, facts: dict[str, object], code: str) -> None:
    with pytest.raises(InputError, match=code):
        talk.corrections.add([correction("c1"), correction("c2", **facts)])  # type: ignore[arg-type]
    assert list(talk.corrections.fetch()) == []


@pytest.mark.parametrize("change", ["UPDATE corrections SET text = 'x'", "DELETE FROM corrections"])
def test_the_database_refuses_to_change_a_correction(talk: Store, url: str, change: str) -> None:
    talk.corrections.add([correction("c1")])
    with pytest.raises(DBAPIError, match="append-only") as refused:
        execute(url, change)
    assert isinstance(refused.value.orig, sqlite3.IntegrityError | psycopg.errors.RaiseException)
    assert list(talk.corrections.fetch()) == [correction("c1")]


@pytest.mark.parametrize("key", ["no", "id"])
def test_a_correction_is_not_replaced_either(sqlite_url: str, key: str) -> None:
    with Store.open(sqlite_url) as store:
        store.recordings.add([recording()])
        store.corrections.add([correction("c1")])
    columns = {"no": "no + 1", "id": "id"} if key == "id" else {"no": "no", "id": "'c2'"}
    execute(
        sqlite_url,
        "INSERT OR REPLACE INTO corrections (no, id, recording, start_ms, end_ms, text, accepted, added_at) "
        f"SELECT {columns['no']}, {columns['id']}, recording, start_ms, end_ms, 'x', 1, 'now' FROM corrections",
    )
    with Store.open(sqlite_url) as store:
        assert list(store.corrections.fetch()) == [correction("c1")]


def test_corrections_are_not_emptied_out(postgresql_url: str) -> None:
    with Store.open(postgresql_url) as store:
        store.recordings.add([recording()])
        store.corrections.add([correction("c1")])
        with pytest.raises(DBAPIError, match="append-only"):
            execute(postgresql_url, "TRUNCATE corrections")
        assert list(store.corrections.fetch()) == [correction("c1")]


def test_corrections_come_by_recording_and_time(store: Store) -> None:
    store.recordings.add(map(recording, "ab"))
    ids = sorted("ab", key=recording_id)
    store.corrections.add(
        [
            correction("last", ids[1]),
            correction("third", ids[0], 5, 9, speaker="B"),
            correction("second", ids[0], 5, 9),
            correction("fourth", ids[0], 5, 9, speaker="B", text="again"),
            correction("first", ids[0], 0, 9, speaker="C"),
        ]
    )
    assert [correction.id for correction in store.corrections.fetch()] == ["first", "second", "third", "fourth", "last"]
    assert [correction.id for correction in store.corrections.fetch(recording=recording_id(ids[1]))] == ["last"]


def test_the_last_correction_of_a_span_and_speaker_stands(talk: Store) -> None:
    talk.corrections.add([correction(f"c{n}", text=str(n)) for n in range(600)])
    talk.corrections.add([correction("other", speaker="A"), correction("apart", end=1_999)])
    assert [correction.id for correction in talk.corrections.fetch(standing=True)] == ["apart", "c599", "other"]


def test_a_correction_that_was_taken_back_does_not_stand(talk: Store) -> None:
    talk.corrections.add([correction("c1"), correction("c2", accepted=False)])
    assert list(talk.corrections.fetch(standing=True)) == []
    assert spans(talk) == {}
    talk.corrections.add([correction("c3")])
    assert list(spans(talk)) == ["c3"]


def test_a_span_has_the_words_of_its_speaker_and_the_facts_of_its_recording(talk: Store) -> None:
    talk.corrections.add([correction("c1", end=2_000, speaker="A", dialect="bho")])
    assert spans(talk)["c1"] == ScoringSpan(
        id="c1",
        recording=ID,
        speaker="A",
        dialect="bho",
        session="s1",
        split="test",
        start=0,
        end=2_000,
        reference="one too",
        hypothesis="one two",
    )


@pytest.mark.parametrize("column", ["context", "Context "])
def test_a_span_has_the_context_that_the_manifest_gave_its_recording(store: Store, column: str) -> None:
    store.recordings.add([recording(facts={column: " clinic ", "weather": "rain"})])
    store.drafts.save(make_drafted())
    store.corrections.add([correction("c1")])
    assert spans(store)["c1"].context == "clinic"


def test_corrections_are_fetched_by_id_in_its_order_and_those_that_are_not_there_are_left_out(talk: Store) -> None:
    talk.corrections.add([correction(id) for id in ("c", "a", "b")])
    assert talk.corrections.fetch_by_id(["c", "a", "none"]) == [correction("a"), correction("c")]
    assert talk.corrections.fetch_by_id([]) == []


def test_a_correction_without_speaker_has_all_words_and_the_declared_facts(talk: Store) -> None:
    talk.corrections.add([correction("c1", end=60_000)])
    span = spans(talk)["c1"]
    assert (span.hypothesis, span.speaker, span.dialect) == ("one two three", "ann", "hi")


def test_a_speaker_whom_the_drafts_do_not_name_is_who_speaks_there(talk: Store) -> None:
    talk.corrections.add([correction("c1", speaker="X"), correction("c2", start=2_000, end=3_000, speaker="Y")])
    assert {id: span.hypothesis for id, span in spans(talk).items()} == {"c1": "one two", "c2": "three"}


def test_only_the_newest_drafts_of_the_model_are_scored(talk: Store) -> None:
    talk.corrections.add([correction("c1")])
    talk.drafts.save(make_drafted(spoken=[("A", 0, 2_000, "newer")], settings="settings-2"))
    talk.drafts.save(make_drafted(spoken=[("A", 0, 2_000, "stranger")], settings="settings-3", model="model-2"))
    assert spans(talk)["c1"].hypothesis == "newer"
    assert [span.hypothesis for span in talk.corrections.fetch_scoring_spans("model-2")] == ["stranger"]


def test_what_a_model_never_drafted_is_counted_and_not_scored(talk: Store) -> None:
    talk.recordings.add([recording("other", split="train")])
    talk.corrections.add([correction("c1"), correction("c2", "other"), correction("c3", "other", text="again")])
    assert list(spans(talk)) == ["c1"]
    assert [
        talk.corrections.count_undrafted(MODEL),
        talk.corrections.count_undrafted(MODEL, split="test"),
        talk.corrections.count_undrafted("model-2"),
    ] == [1, 0, 2]


def test_a_split_narrows_what_is_scored(talk: Store) -> None:
    talk.recordings.add([recording("other", split="train")])
    talk.drafts.save(make_drafted("other"))
    talk.corrections.add([correction("c1"), correction("c2", "other")])
    assert [list(spans(talk, split=split)) for split in ("test", "train", "dev")] == [["c1"], ["c2"], []]
    assert [correction.id for correction in talk.corrections.fetch(split="train")] == ["c2"]


def test_many_recordings_are_scored_group_by_group(store: Store) -> None:
    names = [f"talk {n}" for n in range(220)]
    store.recordings.add(recording(name, duration=3_600_000 if n % 9 == 0 else 1) for n, name in enumerate(names))
    store.corrections.add(correction(name, name, text=name) for name in names)
    for name in names[:30]:
        store.drafts.save(make_drafted(name, [("A", 0, 1_000, f"heard {name}")]))
    spans = list(store.corrections.fetch_scoring_spans(MODEL))
    assert {span.reference: span.hypothesis for span in spans} == {name: f"heard {name}" for name in names[:30]}
    assert [span.recording for span in spans] == sorted(map(recording_id, names[:30]))
    assert store.corrections.count_undrafted(MODEL) == 190
