"""What leads work with: invitations, objections to pay, how far the work is, who heard what."""

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
    assert store.invited("key") == asha
    assert store.accept_invitation("key", "hash") == asha
    assert store.password_of("asha") == (asha, "hash")
    assert store.known_by_session("session", unused_since=LONG_AGO) is None
    assert store.invited("key") is None
    assert store.accept_invitation("key", "other") is None
    assert store.password_of("asha") == (asha, "hash")


def test_an_invitation_ends_with_its_time_with_another_and_with_the_person(store: Store) -> None:
    asha = person(store)
    store.invite("late", asha.id, by=None, until_at=LONG_AGO)
    assert store.invited("late") is None
    store.invite("first", asha.id, by=None, until_at=LATER)
    store.invite("second", asha.id, by=None, until_at=LATER)
    assert (store.invited("first"), store.invited("second")) == (None, asha)
    store.change_person("asha", disabled=True)
    assert store.invited("second") is None


def test_a_lead_sees_who_is_in_and_who_was_only_invited(store: Store) -> None:
    asha, ravi = person(store, password="hash"), person(store, "ravi")
    store.invite("key", ravi.id, by=None, until_at=LATER)
    store.begin_session("session", asha.id, until_at=LATER)
    one, other = store.standings()
    assert (one.person, one.has_password, one.invited_until) == (asha, True, None)
    assert (other.person, other.has_password, other.invited_until, other.seen_at) == (ravi, False, LATER, None)
    assert one.seen_at is not None


def test_people_object_to_lines_of_their_own_and_somebody_else_answers(store: Store) -> None:
    both, eyes = person(store, "both", "transcriber", "lead"), person(store, "lead", "lead")
    segment, other = talk(store)
    [lease] = take(store, both)
    submit(store, both, operation(lease))
    assert store.object_to(both.id, other, "not mine") is None
    first = store.object_to(both.id, segment, "too short")
    again = store.object_to(both.id, segment, "it was longer")
    assert first is not None and again is not None and again.id == first.id
    assert [(each.note, each.outcome) for each in store.objections(waiting=True)] == [("it was longer", None)]
    assert store.answer_objection(first.id, "right", "yes", by=both.id) is None
    answered = store.answer_objection(first.id, "right", "we pay it", by=eyes.id)
    assert answered is not None and (answered.outcome, answered.answer, answered.name) == ("right", "we pay it", "both")
    assert store.answer_objection(first.id, "stays", "no", by=eyes.id) is None
    assert store.objections(waiting=True) == ()
    assert store.objections(person=eyes.id) == ()
    assert len(store.objections(person=both.id)) == 1


def test_the_outlook_counts_sound_by_what_became_of_it(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    talk(store, count=4)
    one, two, _ = take(store, asha, 3)
    submit(store, asha, operation(one), rules=REVIEWED)
    submit(store, asha, operation(two))
    store.decide(eyes.id, verdict(review(store, eyes), 1), PLAIN)
    [found] = store.outlook(since=LONG_AGO)
    assert (found.dialect, found.segments) == ("hi", {"open": 1, "held": 1, "accepted": 2})
    assert found.sound == {"open": 1_000, "held": 1_000, "accepted": 2_000}
    assert (found.drafted, found.written, found.reviewed, found.lately) == (4_000, 2_000, 1_000, 2_000)
    assert set(found.oldest) == {"open"}
    [later] = store.outlook(since=LATER)
    assert later.lately == 0


def test_who_heard_what_comes_newest_first_and_in_pages(store: Store) -> None:
    asha, ravi = person(store), person(store, "ravi")
    one, two = talk(store)
    for who, segment in [(asha, one), (ravi, two), (asha, two)]:
        store.heard(who.id, segment)
    found = store.listenings()
    assert [(each.name, each.segment, each.start) for each in found] == [
        ("asha", two, 1_000),
        ("ravi", two, 1_000),
        ("asha", one, 0),
    ]
    assert [each.no for each in store.listenings(count=2, before=found[0].no)] == [found[1].no, found[2].no]
    assert [each.name for each in store.listenings(person="ravi")] == ["ravi"]
    assert len(store.listenings(recording=found[0].recording)) == 3
    assert store.listenings(recording="none") == ()


def test_people_see_what_became_of_their_texts_without_who_decided(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [segment] = talk(store, count=1)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "wrod"), rules=REVIEWED)
    given = verdict(review(store, eyes), 1, text="word", reasons=("typing",), variants=(("word", "ward"),))
    store.decide(eyes.id, given, PLAIN)
    [told] = store.decisions_on(asha.id)
    assert told.pop("at")
    assert told == {
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
    [told] = store.decisions_on(asha.id)
    assert (told["text"], told["became"]) == ("[masked]", "[masked]")


def test_another_form_of_the_dialect_is_no_error_of_its_writer(store: Store) -> None:
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    talk(store)
    for lease, reason in zip(take(store, asha, 2), ("dialect_form", "misheard"), strict=True):
        submit(store, asha, operation(lease, "said"), rules=REVIEWED)
        store.decide(eyes.id, verdict(review(store, eyes), 1, text="other", reasons=(reason,)), PLAIN)
    assert [(each.reasons, each.reworded) for each in store.pieces(person=asha.id)] == [
        (("dialect_form",), False),
        (("misheard",), True),
    ]
