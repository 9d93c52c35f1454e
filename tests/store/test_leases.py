"""Segments are handed out to one person at a time, and come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.store.conftest import execute
from tests.store.desk_factories import PLAIN, Clock, operation, person, spread, submit, take, talk
from tests.store.factories import correction, make_drafted, recording
from transcribe.store import Store
from transcribe.store.leases import Ask


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    with Store.open(url, clock=clock) as store:
        yield store


def test_a_segment_is_handed_to_one_person_only(store: Store) -> None:
    segments = talk(store, count=2)
    asha, ravi = person(store), person(store, "ravi")
    own_leases, other_leases = take(store, asha), take(store, ravi, 5)
    assert sorted(lease.segment for lease in (*own_leases, *other_leases)) == sorted(segments)
    assert take(store, asha, 5) == ()


def test_a_hold_lasts_fifteen_minutes_and_a_day_offline(store: Store) -> None:
    talk(store, count=2)
    asha = person(store)
    [near], [far] = take(store, asha), take(store, asha, offline=True)
    assert (near.taken_at, near.until_at) == ("2026-01-31T12:00:00.000Z", "2026-01-31T12:15:00.000Z")
    assert far.until_at == "2026-02-01T12:00:00.000Z"


def test_a_heartbeat_prolongs_a_hold_of_ones_own_only(store: Store, clock: Clock) -> None:
    talk(store)
    asha, ravi = person(store), person(store, "ravi")
    [lease] = take(store, asha)
    clock.go(600)
    renewed = store.leases.renew(lease.id, asha.id, PLAIN)
    assert renewed is not None and renewed.until_at == "2026-01-31T12:25:00.000Z"
    assert store.leases.renew(lease.id, ravi.id, PLAIN) is None
    assert store.leases.fetch(asha.id) == (renewed,)


def test_a_hold_of_a_clock_that_was_ahead_lasts_no_longer_than_others(store: Store, clock: Clock) -> None:
    talk(store, count=3)
    asha, ravi = person(store), person(store, "ravi")
    take(store, asha)
    assert store.leases.shorten(PLAIN) == 0
    clock.go(3 * 86_400)
    [near], [far] = take(store, asha), take(store, asha, offline=True)
    clock.go(-3 * 86_400)
    assert store.leases.shorten(PLAIN) == 2
    until = {lease.id: lease.until_at for lease in store.leases.fetch(asha.id)}
    assert (until[near.id], until[far.id]) == ("2026-01-31T12:15:00.000Z", "2026-02-01T12:00:00.000Z")
    clock.go(901)
    assert near.segment in [lease.segment for lease in take(store, ravi, 5)]


def test_a_hold_that_ran_out_goes_to_the_next_with_a_higher_fence(store: Store, clock: Clock) -> None:
    talk(store, count=1)
    asha, ravi = person(store), person(store, "ravi")
    [first] = take(store, asha)
    assert take(store, ravi) == ()
    clock.go(901)
    [second] = take(store, ravi)
    assert (second.segment, second.fence) == (first.segment, first.fence + 1)
    assert store.leases.renew(first.id, asha.id, PLAIN) is None


def test_what_is_given_back_waits_for_anybody(store: Store) -> None:
    talk(store, count=1)
    asha, ravi = person(store), person(store, "ravi")
    [lease] = take(store, asha)
    assert not store.leases.give_back(lease.id, ravi.id)
    assert store.leases.give_back(lease.id, asha.id)
    assert not store.leases.give_back(lease.id, asha.id)
    assert [lease.segment for lease in take(store, asha)] == [lease.segment]


def test_a_segment_of_an_unknown_dialect_goes_to_others(store: Store) -> None:
    talk(store, count=1)
    asha, ravi = person(store), person(store, "ravi")
    [lease] = take(store, asha)
    store.leases.give_back(lease.id, asha.id, reason="dialect")
    assert take(store, asha) == ()
    assert [lease.segment for lease in take(store, ravi)] == [lease.segment]


def test_bad_audio_goes_to_a_reviewer_and_to_no_other_transcriber(store: Store) -> None:
    talk(store, count=1)
    asha, ravi, eyes = person(store), person(store, "ravi"), person(store, "eyes", "reviewer")
    [lease] = take(store, asha)
    store.leases.give_back(lease.id, asha.id, reason="bad_audio")
    assert take(store, ravi) == ()
    review = store.reviews.take(eyes.id, PLAIN)
    assert review is not None and review.segment == lease.segment


def test_nobody_is_given_what_they_wrote(store: Store, clock: Clock) -> None:
    talk(store, count=1, rules=replace(PLAIN, second_share=1.0))
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease))
    assert take(store, asha) == ()


def test_a_person_is_asked_for_dialects_they_know(store: Store) -> None:
    talk(store, "a", 1, dialect="hi")
    [tamil] = talk(store, "b", 1, dialect="ta")
    asha = person(store)
    assert [lease.segment for lease in take(store, asha, 5, dialects=("ta", "te"))] == [tamil]


def test_the_neediest_dialect_comes_first_and_there_the_hardest(store: Store) -> None:
    talk(store, "a", 2, dialect="hi")
    store.recordings.add([recording("b", dialect="ta")])
    work = make_drafted("b", [("A", 0, 500, "one"), ("A", 500, 900, "two")])
    easy, hard = work.drafts
    store.drafts.save(replace(work, drafts=(easy, replace(hard, flags=("loop",)))))
    store.desk.lay_out(PLAIN)
    leases = take(store, person(store), 3, dialects=("ta", "hi"))
    assert [lease.segment for lease in leases][:2] == [hard.segment, easy.segment]


def test_a_share_is_drawn_by_lot_whatever_is_needed(store: Store, url: str) -> None:
    talk(store, "a", 3, dialect="hi")
    talk(store, "b", 3, dialect="ta")
    rules = replace(PLAIN, random_share=0.5)
    ask = Ask(count=4, dialects=("hi", "ta"))
    store.leases.take(person(store).id, ask, rules, draw=spread(0.1, 0.9))
    with store.database.begin_read() as connection:
        chosen = connection.exec_driver_sql("SELECT chosen FROM leases ORDER BY chosen").scalars().all()
    assert chosen == ["lot", "lot", "need", "need"]


def test_nobody_holds_more_than_they_may(store: Store) -> None:
    talk(store, count=5)
    asha, rules = person(store), replace(PLAIN, most_leases=3)
    assert len(take(store, asha, 2, rules=rules)) == 2
    assert len(take(store, asha, 5, rules=rules)) == 1


def test_people_who_ask_at_once_never_get_the_same_segment(store: Store) -> None:
    talk(store, count=40)
    people = [person(store, f"p{n}") for n in range(8)]
    leased: list[str] = []

    def ask(who: int) -> None:
        for _ in range(3):
            leased.extend(lease.segment for lease in take(store, people[who], 2))

    threads = [threading.Thread(target=ask, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(leased) == len(set(leased)) == 40


def test_the_database_itself_refuses_two_holds_on_a_segment(store: Store, url: str) -> None:
    talk(store, count=1)
    take(store, person(store))
    with pytest.raises(Exception, match=r"(?i)unique"):
        execute(
            url,
            "INSERT INTO leases SELECT 'other', segment, person, fence + 1, purpose, chosen, base, hand, offline,"
            " taken_at, until_at, ended_at, ended, reason FROM leases",
        )


def test_a_newer_run_takes_untouched_segments_off_the_desk(store: Store) -> None:
    old = talk(store, count=2)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease))
    newer = make_drafted("talk", [("A", 1_500, 1_900, "one")], settings="settings-2")
    store.drafts.save(newer)
    assert store.desk.lay_out(PLAIN) == 1
    assert [lease.segment for lease in take(store, asha, 9)] == [newer.segments[0].id]
    assert store.desk.fetch_views([lease.segment])[lease.segment].state == "accepted"
    assert {store.desk.fetch_views(old)[id].state for id in old} == {"accepted", "gone"}


def test_what_was_imported_as_right_is_not_handed_out(store: Store) -> None:
    store.recordings.add([recording(dialect="hi")])
    store.corrections.add([correction("c1", end=2_000)])
    store.drafts.save(make_drafted())
    store.desk.lay_out(PLAIN)
    [lease] = take(store, person(store), 5)
    assert store.desk.fetch_views([lease.segment])[lease.segment].start == 2_000


def test_a_correction_whose_edges_differ_from_the_diarised_ones_counts_too(store: Store) -> None:
    store.recordings.add([recording(dialect="hi")])
    spans = [("c1", 100, 900), ("c2", 1_000, 1_900), ("c3", 3_000, 3_900)]
    store.corrections.add([correction(id, start=start, end=end, speaker="A") for id, start, end in spans])
    store.drafts.save(
        make_drafted("talk", [("A", 0, 2_000, "one two"), ("A", 2_500, 4_000, "three"), ("B", 0, 900, "yes")])
    )
    store.desk.lay_out(PLAIN)
    views = store.desk.fetch_views([lease.segment for lease in take(store, person(store), 5)]).values()
    assert {(view.speaker, view.start) for view in views} == {("B", 0), ("A", 2_500)}
