"""The reviews: what is shown to reviewers, and what their decisions do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.desk_factories import PLAIN, REVIEWED, operation, person, submit, take, talk, verdict
from transcribe.desk_records import Lease, Person
from transcribe.store import Store


@pytest.fixture
def asha(store: Store) -> Person:
    return person(store)


@pytest.fixture
def eyes(store: Store) -> Person:
    return person(store, "eyes", "reviewer")


def submit_for_review(store: Store, asha: Person, text: str = "said") -> Lease:
    """Make a lease of Asha's on a segment whose text waits for a reviewer."""
    talk(store, count=1)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, text), rules=REVIEWED)
    return lease


def review(store: Store, eyes: Person) -> Lease:
    lease = store.reviews.take(eyes.id, PLAIN)
    assert lease is not None
    return lease


def test_an_accepted_text_counts_under_its_writers_name(store: Store, asha: Person, eyes: Person) -> None:
    submit_for_review(store, asha)
    held = review(store, eyes)
    assert store.reviews.decide(eyes.id, verdict(held, 1), PLAIN).status == "applied"
    assert [(correction.text, correction.author) for correction in store.corrections.fetch()] == [("said", "asha")]
    assert store.reviews.take(eyes.id, PLAIN) is None


def test_the_same_segment_comes_again_until_it_is_decided(store: Store, asha: Person, eyes: Person) -> None:
    submit_for_review(store, asha)
    assert review(store, eyes) == review(store, eyes)
    assert store.reviews.take(person(store, "other", "reviewer").id, PLAIN) is None


def test_a_reviewers_own_words_are_a_version_of_their_own(store: Store, asha: Person, eyes: Person) -> None:
    lease = submit_for_review(store, asha)
    outcome = store.reviews.decide(eyes.id, verdict(review(store, eyes), 1, text="sad"), PLAIN)
    assert (outcome.status, outcome.version) == ("applied", 2)
    assert [(version.kind, version.text) for version in store.reviews.fetch_versions(lease.segment)] == [
        ("applied", "said"),
        ("review", "sad"),
    ]
    assert [(correction.text, correction.author) for correction in store.corrections.fetch()] == [("sad", "eyes")]


def test_a_text_sent_back_comes_first_to_who_wrote_it(store: Store, asha: Person, eyes: Person) -> None:
    lease = submit_for_review(store, asha)
    talk(store, "more", 3)
    store.reviews.decide(
        eyes.id, verdict(review(store, eyes), 1, "send_back", reasons=("misheard",), note="listen"), PLAIN
    )
    assert lease.segment not in [lease.segment for lease in take(store, person(store, "ravi"), 5)]
    [again] = take(store, asha)
    assert (again.segment, again.purpose, again.base) == (lease.segment, "again", 1)
    submit(store, asha, operation(again, "sad"))
    assert store.desk.fetch_views([lease.segment])[lease.segment].state == "review"
    [decision] = store.reviews.fetch_verdicts(lease.segment)
    assert (decision["decision"], decision["reasons"], decision["note"]) == ("send_back", ["misheard"], "listen")


def test_a_text_is_sent_back_so_often_and_no_more(store: Store, asha: Person, eyes: Person) -> None:
    submit_for_review(store, asha)
    rules = replace(PLAIN, rounds=1)
    assert store.reviews.decide(eyes.id, verdict(review(store, eyes), 1, "send_back"), rules).status == "applied"
    [again] = take(store, asha)
    submit(store, asha, operation(again, "better"))
    assert store.reviews.decide(eyes.id, verdict(review(store, eyes), 2, "send_back"), rules).reason == "rounds"


def test_nobody_decides_on_a_text_of_their_own(store: Store) -> None:
    reviewer = person(store, "both", "transcriber", "reviewer")
    submit_for_review(store, reviewer)
    assert store.reviews.take(reviewer.id, PLAIN) is None


def test_a_text_is_not_accepted_unheard(store: Store, asha: Person, eyes: Person) -> None:
    submit_for_review(store, asha)
    held = review(store, eyes)
    assert store.reviews.decide(eyes.id, verdict(held, 1, played=799), PLAIN).reason == "not_heard"
    assert store.reviews.decide(eyes.id, verdict(held, 1, played=800), PLAIN).status == "applied"


def test_the_same_verdict_again_changes_nothing(store: Store, asha: Person, eyes: Person) -> None:
    submit_for_review(store, asha)
    held = review(store, eyes)
    decision = verdict(held, 1)
    assert store.reviews.decide(eyes.id, decision, PLAIN).status == "applied"
    assert store.reviews.decide(eyes.id, decision, PLAIN).status == "duplicate"
    assert store.reviews.decide(eyes.id, replace(decision, body="other"), PLAIN).reason == "key_reused"
    assert len(list(store.corrections.fetch())) == 1


def test_what_was_decided_is_not_changed_by_who_wrote_it(store: Store, asha: Person, eyes: Person) -> None:
    lease = submit_for_review(store, asha)
    store.reviews.decide(eyes.id, verdict(review(store, eyes), 1), PLAIN)
    assert submit(store, asha, operation(lease, "but no", base=1)).status == "late"
    assert [correction.text for correction in store.corrections.fetch(standing=True)] == ["said"]


def test_an_accepted_text_that_is_truly_unclear_counts_no_more(store: Store, asha: Person, eyes: Person) -> None:
    lease = submit_for_review(store, asha)
    store.reviews.decide(eyes.id, verdict(review(store, eyes), 1), PLAIN)
    submit(store, asha, operation(lease, "or else", base=1))
    outcome = store.reviews.decide(eyes.id, verdict(review(store, eyes), 1, "unclear"), PLAIN)
    assert outcome.status == "applied"
    assert list(store.corrections.fetch(standing=True)) == []


def test_of_two_texts_a_reviewer_may_take_either(store: Store, asha: Person, eyes: Person) -> None:
    lease = submit_for_review(store, asha, "this")
    submit(store, asha, operation(lease, "that", base=0))
    assert store.reviews.decide(eyes.id, verdict(review(store, eyes), 2), PLAIN).status == "applied"
    assert [correction.text for correction in store.corrections.fetch(standing=True)] == ["that"]


def test_a_segment_put_aside_is_written_by_the_reviewer_or_opened_again(
    store: Store, asha: Person, eyes: Person
) -> None:
    talk(store, count=2)
    for lease in take(store, asha, 2):
        store.leases.give_back(lease.id, asha.id, reason="help")
    first = review(store, eyes)
    assert store.reviews.decide(eyes.id, verdict(first, 0), PLAIN).reason == "no_text"
    assert store.reviews.decide(eyes.id, verdict(first, 0, text="heard it"), PLAIN).status == "applied"
    assert [correction.text for correction in store.corrections.fetch()] == ["heard it"]
    second = review(store, eyes)
    assert store.reviews.decide(eyes.id, verdict(second, 0, "reopen"), PLAIN).status == "applied"
    assert [lease.segment for lease in take(store, person(store, "ravi"), 5)] == [second.segment]


def test_a_lead_opens_a_finished_segment_again(store: Store, asha: Person) -> None:
    [segment] = talk(store, count=1)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease))
    assert store.reviews.reopen(segment)
    assert [lease.segment for lease in take(store, person(store, "ravi"))] == [segment]
    assert not store.reviews.reopen(segment)
