"""The tools of leads: invitations, objections to pay, how far the work is, who listened."""

from __future__ import annotations

from tests.store.desk_factories import PLAIN, REVIEWED, operation, person, submit, take, talk, verdict
from transcribe.desk_records import Lease, Person
from transcribe.store import Store

LATER = "2999-01-01T00:00:00.000Z"
LONG_AGO = "2000-01-01T00:00:00.000Z"


def review(store: Store, who: Person) -> Lease:
    held = store.take_review(who.id, PLAIN)
    assert held is not None
    return held


def test_an_invitation_is_good_once_and_ends_every_session(store: Store) -> None:
    asha, lead = person(store), person(store, "lead", "lead")
    store.begin_session("session", asha.id, until_at=LATER)
    store.invite("key", asha.id, by=lead.id, until_at=LATER)
    assert store.invited_person("key") == asha
    assert store.accept_invitation("key", "hash") == asha
    assert store.password_of("asha") == (asha, "hash")
    assert store.identify_session("session", unused_since=LONG_AGO) is None
    assert store.invited_person("key") is None
    assert store.accept_invitation("key", "other") is None
    assert store.password_of("asha") == (asha, "hash")


def test_an_invitation_ends_with_its_time_with_another_and_with_the_person(store: Store) -> None:
    asha = person(store)
    store.invite("late", asha.id, by=None, until_at=LONG_AGO)
    assert store.invited_person("late") is None
    store.invite("first", asha.id, by=None, until_at=LATER)
    store.invite("second", asha.id, by=None, until_at=LATER)
    assert (store.invited_person("first"), store.invited_person("second")) == (None, asha)
    store.change_person("asha", disabled=True)
    assert store.invited_person("second") is None


def test_a_lead_sees_who_is_in_and_who_was_only_invited(store: Store) -> None:
    asha, ravi = person(store, password="hash"), person(store, "ravi")
    store.invite("key", ravi.id, by=None, until_at=LATER)
    store.begin_session("session", asha.id, until_at=LATER)
    first, other = store.accounts()
    assert (first.person, first.has_password, first.invited_until) == (asha, True, None)
    assert (other.person, other.has_password, other.invited_until, other.seen_at) == (ravi, False, LATER, None)
    assert first.seen_at is not None


def test_people_object_to_lines_of_their_own_and_somebody_else_answers(store: Store) -> None:
    lead, eyes = person(store, "both", "transcriber", "lead"), person(store, "lead", "lead")
    segment, other = talk(store)
    [lease] = take(store, lead)
    submit(store, lead, operation(lease))
    assert store.object_to(lead.id, other, "not mine") is None
    first = store.object_to(lead.id, segment, "too short")
    again = store.object_to(lead.id, segment, "it was longer")
    assert first is not None and again is not None and again.id == first.id
    assert [(objection.note, objection.outcome) for objection in store.objections(waiting=True)] == [
        ("it was longer", None)
    ]
    assert store.answer_objection(first.id, "right", "yes", by=lead.id) is None
    answered = store.answer_objection(first.id, "right", "we pay it", by=eyes.id)
    assert answered is not None and (answered.outcome, answered.answer, answered.name) == ("right", "we pay it", "both")
    assert store.answer_objection(first.id, "stays", "no", by=eyes.id) is None
    assert store.objections(waiting=True) == ()
    assert store.objections(person=eyes.id) == ()
    assert len(store.objections(person=lead.id)) == 1


def test_the_outlook_counts_sound_by_what_became_of_it(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    talk(store, count=4)
    first, second, _ = take(store, asha, 3)
    submit(store, asha, operation(first), rules=REVIEWED)
    submit(store, asha, operation(second))
    store.decide(eyes.id, verdict(review(store, eyes), 1), PLAIN)
    [outlook] = store.outlook(since=LONG_AGO)
    assert (outlook.dialect, outlook.segments) == ("hi", {"open": 1, "held": 1, "accepted": 2})
    assert outlook.sound == {"open": 1_000, "held": 1_000, "accepted": 2_000}
    assert (outlook.drafted, outlook.written, outlook.reviewed, outlook.lately) == (4_000, 2_000, 1_000, 2_000)
    assert set(outlook.oldest) == {"open"}
    [later] = store.outlook(since=LATER)
    assert later.lately == 0


def test_who_heard_what_comes_newest_first_and_in_pages(store: Store) -> None:
    asha, ravi = person(store), person(store, "ravi")
    first, second = talk(store)
    for who, segment in [(asha, first), (ravi, second), (asha, second)]:
        store.log_listening(who.id, segment)
    listenings = store.listenings()
    assert [(listening.name, listening.segment, listening.start) for listening in listenings] == [
        ("asha", second, 1_000),
        ("ravi", second, 1_000),
        ("asha", first, 0),
    ]
    assert [listening.no for listening in store.listenings(count=2, before_no=listenings[0].no)] == [
        listenings[1].no,
        listenings[2].no,
    ]
    assert [listening.name for listening in store.listenings(person="ravi")] == ["ravi"]
    assert len(store.listenings(recording=listenings[0].recording)) == 3
    assert store.listenings(recording="none") == ()


def test_people_see_what_became_of_their_texts_without_who_decided(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [segment] = talk(store, count=1)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "wrod"), rules=REVIEWED)
    decision = verdict(review(store, eyes), 1, text="word", reasons=("typing",), variants=(("word", "ward"),))
    store.decide(eyes.id, decision, PLAIN)
    [answer] = store.decisions_on(asha.id)
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
    assert store.decisions_on(eyes.id) == ()
    [spelling] = store.spellings(dialect="hi")
    assert (spelling.written, spelling.other, spelling.segment, spelling.name) == ("word", "ward", segment, "eyes")
    assert store.spellings(dialect="ta") == ()


def test_what_is_masked_is_not_told_with_a_decision(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [segment] = talk(store, count=1)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "word Ravi"), rules=REVIEWED)
    store.decide(eyes.id, verdict(review(store, eyes), 1, text="word Rawi", reasons=("typing",)), PLAIN)
    [view] = store.views([segment]).values()
    store.add_mask(view.recording, view.start, view.end)
    [answer] = store.decisions_on(asha.id)
    assert (answer["text"], answer["became"]) == ("[masked]", "[masked]")


def test_another_form_of_the_dialect_is_no_error_of_its_writer(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    talk(store)
    for lease, reason in zip(take(store, asha, 2), ("dialect_form", "misheard"), strict=True):
        submit(store, asha, operation(lease, "said"), rules=REVIEWED)
        store.decide(eyes.id, verdict(review(store, eyes), 1, text="other", reasons=(reason,)), PLAIN)
    assert [(piece.reasons, piece.reworded) for piece in store.pieces(person=asha.id)] == [
        (("dialect_form",), False),
        (("misheard",), True),
    ]
