"""Drafts that count without a person: never tested on, taken back by a further row, and silent at the desk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.store.factories import MODEL, SETTINGS, correction, make_drafted, recording, recording_id
from transcribe.desk_records import DeskRules
from transcribe.errors import InputError, UnfitError
from transcribe.records import Acceptance
from transcribe.store import Store
from transcribe.store.database import PAGE
from transcribe.store.desk_schema import DESK
from transcribe.store.schema import ACCEPTANCES

ID = recording_id("talk")


@pytest.fixture
def talk(store: Store) -> Store:
    """Add a drafted recording with three segments, and one that is tested on."""
    spoken = [("A", start, start + 900, "one two") for start in (0, 1_000, 2_000)]
    for name, split in (("talk", "train"), ("exam", "test")):
        store.recordings.add([recording(name, split=split, dialect="hi", speaker=name)])
        store.drafts.save(make_drafted(name, spoken))
    return store


def make_acceptance(store: Store, position: int, *, name: str = "talk", audit: bool = False) -> Acceptance:
    segment = list(store.drafts.fetch_segments(recording_id(name)))[position]
    return Acceptance(
        segment=segment.id,
        recording=recording_id(name),
        model=MODEL,
        settings=SETTINGS,
        dialect="hi",
        doubt=0.1,
        risk=0.02,
        allowed=0.05,
        audit=audit,
    )


def states(store: Store) -> list[tuple[str, int, int]]:
    with store.database.begin_read() as connection:
        return [tuple(row) for row in connection.execute(select(DESK.c.state, DESK.c.hands, DESK.c.wanted))]


def test_what_was_accepted_stands_once(talk: Store) -> None:
    acceptances = [make_acceptance(talk, 0), make_acceptance(talk, 2, audit=True)]
    assert talk.pseudo_labels.accept(acceptances) == 2
    assert talk.pseudo_labels.accept(acceptances) == 0
    assert list(talk.pseudo_labels.fetch()) == acceptances
    assert list(talk.pseudo_labels.fetch(dialect="ta")) == list(talk.pseudo_labels.fetch(model="other")) == []


def test_more_than_a_page_of_them_is_given_in_turn(store: Store) -> None:
    store.recordings.add([recording("long", duration=4_000 * PAGE, split="train", dialect="hi", speaker="A")])
    spoken = [("A", number * 1_000, number * 1_000 + 900, "one two") for number in range(PAGE + 2)]
    store.drafts.save(make_drafted("long", spoken))
    first = make_acceptance(store, 0, name="long")
    acceptances = [replace(first, segment=segment.id) for segment in store.drafts.fetch_segments(recording_id("long"))]
    assert store.pseudo_labels.accept(acceptances) == PAGE + 2
    assert list(store.pseudo_labels.fetch()) == acceptances


@pytest.mark.parametrize("change", [{"segment": "nowhere"}, {"settings": "never-ran"}, {"model": "other"}])
def test_a_draft_that_is_not_there_is_refused(talk: Store, change: dict[str, str]) -> None:
    with pytest.raises(InputError, match="was to be accepted"):
        talk.pseudo_labels.accept([replace(make_acceptance(talk, 0), **change)])


def test_nothing_of_the_test_is_accepted(talk: Store) -> None:
    with pytest.raises(InputError, match="tested on"):
        talk.pseudo_labels.accept([make_acceptance(talk, 1), make_acceptance(talk, 0, name="exam")])
    assert list(talk.pseudo_labels.fetch()) == []


def test_what_was_taken_back_counts_no_more_and_may_come_again(talk: Store) -> None:
    first, other = make_acceptance(talk, 0), make_acceptance(talk, 1, audit=True)
    talk.pseudo_labels.accept([first, other])

    assert talk.pseudo_labels.withdraw("hi", MODEL, reason="too wrong", but=[other.segment]) == 1
    assert list(talk.pseudo_labels.fetch()) == [other]
    assert talk.pseudo_labels.accept([first]) == 1
    assert list(talk.pseudo_labels.fetch()) == [first, other]


def test_the_rows_are_never_changed(talk: Store) -> None:
    talk.pseudo_labels.accept([make_acceptance(talk, 0)])
    with pytest.raises((UnfitError, Exception), match="append-only"), talk.database.begin_write() as connection:
        connection.execute(ACCEPTANCES.update().values(risk=0.0))
    with pytest.raises((UnfitError, Exception), match="append-only"), talk.database.begin_write() as connection:
        connection.execute(ACCEPTANCES.delete())


def test_a_person_who_writes_the_segment_takes_its_place(talk: Store) -> None:
    silent, audit = make_acceptance(talk, 0), make_acceptance(talk, 1, audit=True)
    talk.pseudo_labels.accept([silent, audit])
    talk.corrections.add(
        [
            correction(acceptance.segment, segment=acceptance.segment, speaker="A", text="one two")
            for acceptance in (silent, audit)
        ]
    )
    assert list(talk.pseudo_labels.fetch()) == [audit], "what was audited is kept, to be held against what was accepted"


@pytest.mark.parametrize("laid_first", [True, False])
def test_nobody_is_asked_for_it_but_to_audit_it_blindly(talk: Store, laid_first: bool) -> None:
    rules = DeskRules(second_share=0.0)
    if laid_first:
        talk.desk.lay_out(rules)
    talk.pseudo_labels.accept([make_acceptance(talk, 0), make_acceptance(talk, 1, audit=True)])
    if not laid_first:
        talk.desk.lay_out(rules)
    assert sorted(states(talk))[:2] == [("grown", 0, 1), ("open", 0, 1)]
    assert ("open", 1, 2) in states(talk)
    view = talk.desk.fetch_views([make_acceptance(talk, 1).segment])[make_acceptance(talk, 1).segment]
    assert view.words is None, "who audits does not see the draft"

    talk.pseudo_labels.withdraw("hi", MODEL, reason="too wrong")
    assert "grown" not in {state for state, _, _ in states(talk)}


def test_the_canonical_export_tells_what_was_accepted(talk: Store) -> None:
    talk.pseudo_labels.accept([make_acceptance(talk, 0)])
    lines = [line for line in talk.export.fetch_lines() if '"acceptance"' in line]
    assert len(lines) == 1
    assert '"risk":0.02' in lines[0]
