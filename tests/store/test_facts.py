"""A recording whose consent is withdrawn leaves every read at once, and comes back whole; on both databases."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError

from dialects.dialect import load_catalogue
from tests.store.conftest import Lender, NewUrl, execute
from tests.store.desk_factories import PLAIN, REVIEWED, operation, person, submit, take, talk, verdict
from tests.store.factories import MODEL, SETTINGS, correction, make_drafted, recording, recording_id
from transcribe.datasets import Rules, freeze
from transcribe.desk_records import Person
from transcribe.errors import InputError
from transcribe.records import Acceptance, DeclaredTurn, Voice
from transcribe.store import Store
from transcribe.store.facts import Statement
from transcribe.store.schema import FACT_CHANGES, RECORDINGS

RULES = Rules(catalogue=load_catalogue())
LETTER = Statement(source="letter of 3 May", reason="the speaker asked", stated_at="2026-05-03")


def state(store: Store, name: str, consent: str) -> None:
    store.facts.change({recording_id(name): {"consent": consent}}, LETTER)


def worked_on(store: Store, name: str, *, split: str = "train") -> list[str]:
    """Add a recording with a segment that is accepted, one in review, one accepted as drafted, one open."""
    return talk(store, name, 4, split=split, session=name, speaker=f"{name}-voice")


def vector(name: str) -> Voice:
    return Voice(recording=recording_id(name), speaker="A", vector=b"\0\0\x80\x3f", speech=1_000, maker="test")


def readers(store: Store, folder: Path, who: Person) -> dict[str, Callable[[], set[str]]]:
    """Name each read that gives speech or texts out, with the recordings that it gives."""
    numbers = itertools.count()

    def of_segments(segments: Any) -> set[str]:
        with store.database.begin_read() as connection:
            from transcribe.store.schema import SEGMENTS

            query = select(RECORDINGS.c.id).join(SEGMENTS, SEGMENTS.c.recording == RECORDINGS.c.no)
            return set(connection.execute(query.where(SEGMENTS.c.id.in_(list(segments)))).scalars())

    def lease() -> set[str]:
        leases = take(store, who, 100)
        for held in leases:
            store.leases.give_back(held.id, who.id)
        return of_segments(held.segment for held in leases)

    def dataset() -> set[str]:
        try:
            frozen = freeze(store, folder / str(next(numbers)), RULES)
        except InputError:
            return set()
        return {example.audio for example in frozen.examples()}

    every = [recording.id for recording in store.recordings.fetch(withheld=True)]
    return {
        "queue": lambda: of_segments(store.desk.fetch_open()),
        "lease": lease,
        "recordings": lambda: {recording.id for recording in store.recordings.fetch()},
        "corrections": lambda: {text.recording for text in store.corrections.fetch()},
        "wer": lambda: {span.recording for span in store.corrections.fetch_scoring_spans(MODEL)},
        "drafts": lambda: {id for id in every if list(store.drafts.fetch_with_segments(id, MODEL))},
        "drafting": lambda: {recording.id for recording in store.attempts.fetch_pending("other settings")},
        "dataset": dataset,
        "export": lambda: {id for id in every for line in store.export.fetch_lines() if id in line},
        "voices": lambda: {voice.recording for voice in store.speakers.fetch_voices()},
    }


def test_a_withdrawal_takes_a_recording_from_every_read_and_giving_brings_it_back(store: Store, tmp_path: Path) -> None:
    who = person(store)
    for name in ("gone", "stays"):
        worked_on(store, name)
        store.corrections.add([correction(f"{name}-1", name, end=1_000, speaker="A")])
    reads = readers(store, tmp_path, who)
    both, left = {recording_id("gone"), recording_id("stays")}, {recording_id("stays")}
    expected = dict.fromkeys(reads, both) | {"voices": set()}
    assert {name: read() for name, read in reads.items()} == expected
    for consent in ("withdrawn", "refused"):
        state(store, "gone", consent)
        assert {name: read() for name, read in reads.items()} == {name: ids & left for name, ids in expected.items()}
    state(store, "gone", "given")
    assert {name: read() for name, read in reads.items()} == expected


def test_a_held_segment_is_taken_from_its_holder_and_what_arrives_later_is_kept_unread(store: Store) -> None:
    [segment, _] = talk(store)
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [lease] = take(store, asha)
    state(store, "talk", "withdrawn")
    assert store.leases.fetch(asha.id) == ()
    assert store.leases.renew(lease.id, asha.id, PLAIN) is None
    assert store.leases.is_withheld(asha.id, lease=lease.id)
    assert not store.leases.is_withheld(eyes.id, segment=segment)
    assert store.desk.fetch_views([segment]) == {}
    late = operation(lease, "typed before it")
    outcome = submit(store, asha, late)
    assert (outcome.status, outcome.reason) == ("late", "withheld")
    assert submit(store, asha, late).status == "duplicate"
    assert store.reviews.fetch_versions(segment) == ()
    assert store.reviews.take(eyes.id, PLAIN) is None
    [item] = store.work_items.fetch()
    assert (item.text, item.draft, item.purpose) == ("", None, "late"), "the work is paid, what was said is not shown"
    state(store, "talk", "given")
    assert [version.text for version in store.reviews.fetch_versions(segment)] == ["typed before it"]
    assert store.desk.fetch_views([segment])[segment].state == "open"
    assert not store.leases.is_withheld(asha.id, lease=lease.id)


def test_a_review_of_withdrawn_speech_decides_nothing(store: Store) -> None:
    talk(store, count=1)
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [lease] = take(store, asha)
    submit(store, asha, operation(lease), rules=REVIEWED)
    held = store.reviews.take(eyes.id, PLAIN)
    assert held is not None
    state(store, "talk", "withdrawn")
    assert store.reviews.decide(eyes.id, verdict(held, 1), PLAIN).status == "late"
    assert list(store.corrections.fetch()) == []
    state(store, "talk", "given")
    assert store.reviews.take(eyes.id, PLAIN) is not None, "it waits where it waited"


def test_gold_pseudo_labels_and_work_under_way_are_withheld_too(store: Store) -> None:
    segments = talk(store, count=2)
    acceptance = Acceptance(
        segment=segments[0],
        recording=recording_id("talk"),
        model=MODEL,
        settings=SETTINGS,
        dialect="hi",
        doubt=0.01,
        risk=0.01,
        allowed=0.05,
        audit=False,
    )
    store.pseudo_labels.accept([acceptance])
    store.desk.set_gold({segments[1]: "known"})
    asha = person(store)
    state(store, "talk", "withdrawn")
    assert list(store.pseudo_labels.fetch()) == []
    assert store.leases.take(asha.id, _ask(), PLAIN, draw=lambda: 0.0) == ()
    with pytest.raises(InputError):
        store.pseudo_labels.accept([acceptance])
    assert store.pseudo_labels.withdraw("hi", MODEL, reason="audits", but=[segments[0]]) == 0
    assert store.attempts.begin(recording_id("talk")) == 0
    assert store.drafts.save(make_drafted("talk", settings="new")) is False
    assert store.status.count().withheld == 1
    state(store, "talk", "given")
    assert [each.segment for each in store.pseudo_labels.fetch()] == [segments[0]]
    state(store, "talk", "withdrawn")
    assert store.pseudo_labels.withdraw("hi", MODEL, reason="audits") == 1
    state(store, "talk", "given")
    assert list(store.pseudo_labels.fetch()) == [], "what audits took back meanwhile does not come back"


def _ask() -> Any:
    from transcribe.store.leases import Ask

    return Ask(count=5, dialects=("hi",))


def test_the_history_says_who_said_what_when_and_cannot_be_changed(store: Store, url: str) -> None:
    store.recordings.add([recording(consent="given", licence="CC0")], sources={recording_id("talk"): "a.csv"})
    state(store, "talk", "withdrawn")
    history = store.facts.fetch_history([recording_id("talk")])
    told = [(each.name, each.before, each.after, each.source, each.reason, each.stated_at) for each in history]
    assert [row[:5] for row in told[:2]] == [
        ("consent", None, "given", "a.csv", None),
        ("licence", None, "CC0", "a.csv", None),
    ]
    assert told[2] == ("consent", "given", "withdrawn", "letter of 3 May", "the speaker asked", "2026-05-03")
    for change in (
        "UPDATE fact_changes SET after = 'given'",
        "UPDATE fact_changes SET before = NULL, after = NULL, source = NULL, reason = NULL, stated_at = 'never'",
        "DELETE FROM fact_changes",
        "UPDATE corrections SET text = 'other', dialect = 'ta'",
    ):
        store.corrections.add([correction("c")])
        with pytest.raises(DBAPIError):
            execute(url, change)


def say(store: Store, source: str, consent: str) -> list[str | None]:
    """What changed by a manifest of that name that is read, perhaps again."""
    statement = Statement(source=source, only_new=True)
    return [each.after for each in store.facts.change({recording_id("talk"): {"consent": consent}}, statement)]


@pytest.mark.parametrize("letter", [LETTER, Statement(source=None, reason="boli consent"), Statement(source=None)])
def test_what_a_person_withdrew_no_manifest_gives_back(store: Store, letter: Statement) -> None:
    id = recording_id("talk")
    store.recordings.add([recording(consent="given")], sources={id: "a.csv"})
    store.facts.change({id: {"consent": "withdrawn"}}, letter)
    assert say(store, "a.csv", "given") == []
    assert say(store, "b.csv", "form 12") == [], "it may be a list of before"
    assert store.facts.fetch_withheld() == {id: "withdrawn"}
    store.facts.change({id: {"consent": "given"}}, replace(LETTER, source="form 12"))
    assert say(store, "a.csv", "given") == []
    assert say(store, "c.csv", "withdrawn") == ["withdrawn"]


def test_a_refusal_counts_against_what_manifests_give_however_often_it_is_read(store: Store) -> None:
    store.recordings.add([recording(consent="given")], sources={recording_id("talk"): "a.csv"})
    assert say(store, "list.csv", "withdrawn") == ["withdrawn"]
    assert say(store, "a.csv", "given") == [], "it says nothing new"
    assert say(store, "form.csv", "given") == ["given"]
    assert say(store, "list.csv", "withdrawn") == ["withdrawn"]
    state(store, "talk", "given")
    assert say(store, "list.csv", "withdrawn") == [], "a person knew better"


def declare_two(store: Store) -> str:
    turns = (DeclaredTurn(start=0, end=1_000, speaker="Asha"), DeclaredTurn(start=1_000, end=2_000, speaker="Ravi"))
    store.recordings.add([recording(declared=turns)])
    store.drafts.save(make_drafted("talk", [("Asha", 0, 1_000, "one"), ("Ravi", 1_000, 2_000, "two")]))
    store.corrections.add([correction("c", "talk", 0, 1_000, speaker="Asha", text="one")])
    return recording_id("talk")


def test_one_of_several_declared_speakers_is_renamed_wherever_they_speak(store: Store) -> None:
    id = declare_two(store)
    rename = replace(LETTER, speaker="Asha")
    changes = store.facts.change({id: {"speaker": "Usha", "dialect": "bho"}}, rename)
    told = {(each.name, each.before, each.after) for each in changes}
    assert ("speaker", "Asha", "Usha") in told
    mended = store.recordings.find(id)
    assert mended is not None
    assert mended.speaker is None
    assert [(turn.speaker, turn.dialect) for turn in mended.declared] == [("Usha", "bho"), ("Ravi", "bho")]
    assert [segment.speaker for segment in store.drafts.fetch_segments(id)] == ["Usha", "Ravi"]
    assert [text.speaker for text in store.corrections.fetch()] == ["Usha"]
    assert (store.facts.find_by_speaker("Asha"), store.facts.find_by_speaker("Usha")) == ((), (id,))


def test_a_recording_of_several_speakers_is_not_given_to_one(store: Store) -> None:
    id = declare_two(store)
    with pytest.raises(InputError, match=r"E_SPEAKER.*declared are Asha, Ravi"):
        store.facts.change({id: {"speaker": "Usha"}}, LETTER)
    assert store.facts.find_by_speaker("Asha") == (id,)


EVENT = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(
        [
            ("consent", "given"),
            ("consent", "refused"),
            ("consent", "withdrawn"),
            ("consent", "unknown"),
            ("dialect", "ta"),
            ("dialect", "hi"),
            ("licence", "CC0"),
            ("source", "field"),
            ("speaker", "S9"),
        ]
    ),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENT, max_size=7))
def test_no_read_gives_what_is_withheld_whatever_was_said_in_whatever_order(
    new_url: NewUrl, tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, tuple[str, str]]]
) -> None:
    with Store.open(new_url()) as store:
        who, last = person(store), {}
        for name in ("a", "b", "c"):
            talk(store, name, 2, session=name, speaker="A")
            store.corrections.add([correction(f"{name}-1", name, end=1_000)])
            last[name] = "given"
        for name, (fact, value) in events:
            store.facts.change({recording_id(name): {fact: value}}, LETTER)
            if fact == "consent":
                last[name] = value
        usable = {recording_id(name) for name, consent in last.items() if consent in ("given", "unknown")}
        reads = readers(store, tmp_path_factory.mktemp("frozen"), who)
        reads["lease"] = lambda: set(usable)  # asked for in one dialect alone
        assert {name: read() for name, read in reads.items()} == dict.fromkeys(reads, usable) | {"voices": set()}


def _withdraw_until(url: str, at: int) -> None:
    """Withdraw twenty recordings, and die as statement number *at*, or the commit after the last, begins."""
    with Store.open(url) as store:
        count = itertools.count()

        def die(*_: Any) -> None:
            if next(count) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(store.database.engine, "before_cursor_execute", die)
        event.listen(store.database.engine, "commit", die)
        ids = [recording_id(f"talk {number}") for number in range(6)]
        store.facts.change({id: {"consent": "withdrawn"} for id in ids}, LETTER)
    os._exit(0)


def test_a_withdrawal_that_is_killed_at_any_statement_is_done_or_not_begun(lender: Lender, tmp_path: Path) -> None:
    url = lender.lend()
    names = [f"talk {number}" for number in range(6)]
    ids = {recording_id(name) for name in names}
    with Store.open(url) as store:
        asha = person(store)
        for name in names:
            talk(store, name, 1, session=name)
        take(store, asha, 2)
    killed = 0
    for at in range(60):
        child = multiprocessing.get_context("fork").Process(target=_withdraw_until, args=(url, at))
        child.start()
        child.join()
        with Store.open(url) as store:
            withheld = set(store.facts.fetch_withheld())
            history = [each.recording for each in store.facts.fetch_history(ids) if each.after == "withdrawn"]
            leases = len(store.leases.fetch(asha.id))
        if child.exitcode == 0:
            assert (withheld, set(history), leases) == (ids, ids, 0)
            break
        killed += 1
        assert (withheld, history, leases) == (set(), [], 2), f"killed at statement {at}"
    lender.give_back(url)
    assert killed >= 20 and child.exitcode == 0


def test_a_mended_dialect_reaches_segments_desk_scores_and_texts_stay(store: Store) -> None:
    segments = talk(store, dialect="bho-Deva")
    asha = person(store)
    [lease] = take(store, asha, dialects=("bho-Deva",))
    submit(store, asha, operation(lease, "said"))
    store.facts.change({recording_id("talk"): {"dialect": "en-US", "language": "en"}}, LETTER)
    assert {each.dialect for each in store.corrections.fetch_scoring_spans(MODEL)} == {"en-US"}
    assert [each.text for each in store.corrections.fetch(standing=True)] == ["said"]
    assert take(store, asha, dialects=("bho-Deva",)) == ()
    assert [each.segment for each in take(store, asha, dialects=("en-US",))] == [segments[1]]
    [mended] = store.recordings.fetch()
    assert (mended.dialect, mended.language) == ("en-US", "en")


def test_a_mended_speaker_is_the_same_segment_and_keeps_drafts_and_texts(store: Store) -> None:
    segments = talk(store, speaker="A")
    store.corrections.add([correction("c1", end=1_000, speaker="A", segment=segments[0])])
    store.facts.change({recording_id("talk"): {"speaker": "S2"}}, LETTER)
    drafted = list(store.drafts.fetch_with_segments(recording_id("talk"), MODEL))
    assert [(segment.id, segment.speaker) for segment, _ in drafted] == [(id, "S2") for id in segments]
    assert [draft.segment for _, draft in drafted] == segments
    [span] = store.corrections.fetch_scoring_spans(MODEL)
    assert (span.speaker, span.hypothesis) == ("S2", "word 0")
    assert store.facts.find_by_speaker("S2") == (recording_id("talk"),) and store.facts.find_by_speaker("A") == ()


def test_splits_stay_apart_when_a_speaker_is_mended(store: Store) -> None:
    for name, split in (("tested", "test"), ("learnt", "train"), ("other", "train")):
        store.recordings.add([recording(name, speaker=name, split=split)])

    def split(name: str) -> str:
        found = store.recordings.find(recording_id(name))
        assert found is not None
        return found.split

    changes = store.facts.change({recording_id("learnt"): {"speaker": "tested"}}, LETTER)
    assert [(each.name, each.before, each.after) for each in changes][1:] == [("split", "train", "test")]
    assert split("learnt") == "test"
    with pytest.raises(InputError) as refused:
        store.facts.change({recording_id("tested"): {"speaker": "other"}}, LETTER)
    assert refused.value.code == "E_SPLIT"
    assert split("tested") == "test" and store.facts.find_by_speaker("tested")
    both = {recording_id(name): {"session": "s"} for name in ("tested", "learnt", "other")}
    store.facts.change(both, LETTER)
    assert {split(name) for name in ("tested", "learnt", "other")} == {"test"}


def test_an_erasure_empties_the_history_and_a_dry_run_changes_nothing(store: Store) -> None:
    store.recordings.add([recording(speaker="CANARY", consent="form of CANARY")])
    id = recording_id("talk")
    dry = Statement(source="x", dry_run=True)
    assert len(store.facts.change({id: {"consent": "withdrawn"}}, dry)) == 1
    assert store.facts.fetch_withheld() == {}
    store.erasure.erase(store.erasure.find_by_speaker("CANARY"), speaker="CANARY")
    with store.database.begin_read() as connection:
        assert "CANARY" not in str(connection.execute(select(FACT_CHANGES)).all())
    assert [each.name for each in store.facts.fetch_history([id])] == ["consent"]
