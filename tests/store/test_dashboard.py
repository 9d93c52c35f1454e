"""The tools of leads: invitations, objections to pay, how far the work is, who listened."""

from __future__ import annotations

from tests.store.desk_factories import PLAIN, REVIEWED, operation, person, submit, take, talk, verdict
from transcribe.desk_records import Lease, Person
from transcribe.store import Store

LATER = "2999-01-01T00:00:00.000Z"
LONG_AGO = "2000-01-01T00:00:00.000Z"


def review(store: Store, who: Person) -> Lease:
    held = store.reviews.take(who.id, PLAIN)
    assert held is not None
    return held


def test_an_invitation_is_good_once_and_ends_every_session(store: Store) -> None:
    asha, lead = person(store), person(store, "lead", "lead")
    store.people.begin_session("session", asha.id, until_at=LATER)
    store.invitations.add("key", asha.id, by=lead.id, until_at=LATER)
    assert store.invitations.find_person("key") == asha
    assert store.invitations.accept("key", "hash") == asha
    assert store.people.find_password("asha") == (asha, "hash")
    assert store.people.identify_session("session", unused_since=LONG_AGO) is None
    assert store.invitations.find_person("key") is None
    assert store.invitations.accept("key", "other") is None
    assert store.people.find_password("asha") == (asha, "hash")


def test_an_invitation_ends_with_its_time_with_another_and_with_the_person(store: Store) -> None:
    asha = person(store)
    store.invitations.add("late", asha.id, by=None, until_at=LONG_AGO)
    assert store.invitations.find_person("late") is None
    store.invitations.add("first", asha.id, by=None, until_at=LATER)
    store.invitations.add("second", asha.id, by=None, until_at=LATER)
    assert (store.invitations.find_person("first"), store.invitations.find_person("second")) == (None, asha)
    store.people.change("asha", disabled=True)
    assert store.invitations.find_person("second") is None


def test_a_lead_sees_who_is_in_and_who_was_only_invited(store: Store) -> None:
    asha, ravi = person(store, password="hash"), person(store, "ravi")
    store.invitations.add("key", ravi.id, by=None, until_at=LATER)
    store.people.begin_session("session", asha.id, until_at=LATER)
    first, other = store.invitations.fetch_accounts()
    assert (first.person, first.has_password, first.invited_until) == (asha, True, None)
    assert (other.person, other.has_password, other.invited_until, other.seen_at) == (ravi, False, LATER, None)
    assert first.seen_at is not None


def test_people_object_to_lines_of_their_own_and_somebody_else_answers(store: Store) -> None:
    lead, eyes = person(store, "both", "transcriber", "lead"), person(store, "lead", "lead")
    segment, other = talk(store)
    [lease] = take(store, lead)
    submit(store, lead, operation(lease))
    assert store.pay_disputes.add(lead.id, other, "not mine") is None
    first = store.pay_disputes.add(lead.id, segment, "too short")
    again = store.pay_disputes.add(lead.id, segment, "it was longer")
    assert first is not None and again is not None and again.id == first.id
    assert [(objection.note, objection.outcome) for objection in store.pay_disputes.fetch(waiting=True)] == [
        ("it was longer", None)
    ]
    assert store.pay_disputes.answer(first.id, "right", "yes", by=lead.id) is None
    answered = store.pay_disputes.answer(first.id, "right", "we pay it", by=eyes.id)
    assert answered is not None and (answered.outcome, answered.answer, answered.name) == ("right", "we pay it", "both")
    assert store.pay_disputes.answer(first.id, "stays", "no", by=eyes.id) is None
    assert store.pay_disputes.fetch(waiting=True) == ()
    assert store.pay_disputes.fetch(person=eyes.id) == ()
    assert len(store.pay_disputes.fetch(person=lead.id)) == 1


def test_the_outlook_counts_sound_by_what_became_of_it(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    talk(store, count=4)
    first, second, _ = take(store, asha, 3)
    submit(store, asha, operation(first), rules=REVIEWED)
    submit(store, asha, operation(second))
    store.reviews.decide(eyes.id, verdict(review(store, eyes), 1), PLAIN)
    [outlook] = store.dashboard.fetch_outlooks(since=LONG_AGO)
    assert (outlook.dialect, outlook.segments) == ("hi", {"open": 1, "held": 1, "accepted": 2})
    assert outlook.sound == {"open": 1_000, "held": 1_000, "accepted": 2_000}
    assert (outlook.drafted, outlook.written, outlook.reviewed, outlook.lately) == (4_000, 2_000, 1_000, 2_000)
    assert set(outlook.oldest) == {"open"}
    [later] = store.dashboard.fetch_outlooks(since=LATER)
    assert later.lately == 0


def test_who_heard_what_comes_newest_first_and_in_pages(store: Store) -> None:
    asha, ravi = person(store), person(store, "ravi")
    first, second = talk(store)
    for who, segment in [(asha, first), (ravi, second), (asha, second)]:
        store.audit.log_listening(who.id, segment)
    listenings = store.dashboard.fetch_listenings()
    assert [(listening.name, listening.segment, listening.start) for listening in listenings] == [
        ("asha", second, 1_000),
        ("ravi", second, 1_000),
        ("asha", first, 0),
    ]
    assert [listening.no for listening in store.dashboard.fetch_listenings(count=2, before_no=listenings[0].no)] == [
        listenings[1].no,
        listenings[2].no,
    ]
    assert [listening.name for listening in store.dashboard.fetch_listenings(person="ravi")] == ["ravi"]
    assert len(store.dashboard.fetch_listenings(recording=listenings[0].recording)) == 3
    assert store.dashboard.fetch_listenings(recording="none") == ()


def test_people_see_what_became_of_their_texts_without_who_decided(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [segment] = talk(store, count=1)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "wrod"), rules=REVIEWED)
    decision = verdict(review(store, eyes), 1, text="word", reasons=("typing",), variants=(("word", "ward"),))
    store.reviews.decide(eyes.id, decision, PLAIN)
    [answer] = store.dashboard.fetch_decisions(asha.id)
    assert answer.pop("at")
    assert answer == {
        "segment": segment,
        "dialect": "hi",
        "decision": "accept",
        "reasons": ["typing"],
        "note": "",
        "text": "wrod",
        "became": "word",
    }
    assert store.dashboard.fetch_decisions(eyes.id) == ()
    [spelling] = store.dashboard.fetch_spellings(dialect="hi")
    assert (spelling.written, spelling.other, spelling.segment, spelling.name) == ("word", "ward", segment, "eyes")
    assert store.dashboard.fetch_spellings(dialect="ta") == ()


def test_what_is_masked_is_not_told_with_a_decision(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [segment] = talk(store, count=1)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "word Ravi"), rules=REVIEWED)
    store.reviews.decide(eyes.id, verdict(review(store, eyes), 1, text="word Rawi", reasons=("typing",)), PLAIN)
    [view] = store.desk.fetch_views([segment]).values()
    store.redaction.add_mask(view.recording, view.start, view.end)
    [answer] = store.dashboard.fetch_decisions(asha.id)
    assert (answer["text"], answer["became"]) == ("[masked]", "[masked]")


def test_another_form_of_the_dialect_is_no_error_of_its_writer(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    talk(store)
    for lease, reason in zip(take(store, asha, 2), ("dialect_form", "misheard"), strict=True):
        submit(store, asha, operation(lease, "said"), rules=REVIEWED)
        store.reviews.decide(eyes.id, verdict(review(store, eyes), 1, text="other", reasons=(reason,)), PLAIN)
    assert [(piece.reasons, piece.reworded) for piece in store.work_items.fetch(person=asha.id)] == [
        (("dialect_form",), False),
        (("misheard",), True),
    ]
