"""Every text that comes in is kept, once; what stands is never overwritten in silence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import execute
from tests.store.desk_factories import (
    PLAIN,
    REVIEWED,
    TWICE,
    Clock,
    operation,
    person,
    submit,
    take,
    talk,
    verdict,
)
from tests.store.factories import MODEL
from transcribe.errors import InputError
from transcribe.records import Correction
from transcribe.store import Store
from transcribe.store.database import Database, Spoiled
from transcribe.store.leases import Ask
from transcribe.store.submissions import text_hash


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    with Store.open(url, clock=clock) as store:
        yield store


def texts(store: Store, segment: str) -> list[tuple[str, str]]:
    return [(version.kind, version.text) for version in store.reviews.fetch_versions(segment)]


def test_a_text_is_kept_as_typed_and_counts_as_a_correction(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    typed = " क्\u200dष é e\u0301 🎧\n"
    sent = operation(lease, typed, tags=("noise",), more={"speaker": "B"}, op_id="op")
    outcome = submit(store, asha, sent)
    assert (outcome.status, outcome.version, outcome.text_sha256) == ("applied", 1, text_hash(typed))
    [version] = store.reviews.fetch_versions(segment)
    assert (version.text, version.tags, version.person) == (typed, ("noise",), asha.id)
    [correction] = store.corrections.fetch()
    assert correction == Correction(
        id="desk-op",
        recording=correction.recording,
        start=0,
        end=1_000,
        text=typed,
        speaker="B",
        segment=segment,
        model=MODEL,
        author="asha",
    )


def test_the_same_operation_again_is_a_duplicate_with_the_same_answer(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    sent = operation(lease, "once")
    first, again = submit(store, asha, sent), submit(store, asha, sent)
    assert again == replace(first, status="duplicate")
    assert texts(store, segment) == [("applied", "once")]


def test_an_id_with_another_body_is_refused_and_nothing_is_kept(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "one", op_id="op"))
    outcome = submit(store, asha, operation(lease, "two", op_id="op", base=1))
    assert (outcome.status, outcome.reason) == ("rejected", "key_reused")
    assert texts(store, segment) == [("applied", "one")]


def test_a_stranger_can_neither_write_nor_replay(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha, ravi = person(store), person(store, "ravi")
    [lease] = take(store, asha)
    sent = operation(lease)
    assert submit(store, ravi, sent).reason == "unknown_lease"
    submit(store, asha, sent)
    assert submit(store, ravi, sent).reason == "key_reused"
    assert len(store.reviews.fetch_versions(segment)) == 1


def test_who_wrote_a_text_may_better_it_until_somebody_decides(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "teh"))
    assert submit(store, asha, operation(lease, "the", base=1)).status == "applied"
    assert [correction.text for correction in store.corrections.fetch(standing=True)] == ["the"]


def test_a_lost_race_keeps_both_texts_and_shows_the_other(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "this tab"))
    outcome = submit(store, asha, operation(lease, "that tab", base=0))
    assert (outcome.status, outcome.version, outcome.server_text) == ("conflict", 1, "this tab")
    assert texts(store, segment) == [("applied", "this tab"), ("conflict", "that tab")]
    view = store.desk.fetch_views([segment])[segment]
    assert (view.state, view.text) == ("disputed", "this tab")
    assert submit(store, asha, operation(lease, "both tabs", base=1)).status == "applied"
    assert store.desk.fetch_views([segment])[segment].state == "accepted"


def test_a_conflict_whose_answer_was_lost_is_told_again(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "this"))
    lost = operation(lease, "that", base=0)
    assert submit(store, asha, lost) == submit(store, asha, lost)
    assert submit(store, asha, lost).server_text == "this"


def test_a_text_after_its_hold_ran_out_counts_as_long_as_nobody_took_the_segment(store: Store, clock: Clock) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    clock.go(86_400)
    take(store, person(store, "ravi"), dialects=("ta",))
    assert submit(store, asha, operation(lease)).status == "applied"


def test_a_late_text_is_kept_beside_what_was_accepted(store: Store, clock: Clock) -> None:
    [segment] = talk(store, count=1)
    asha, ravi = person(store), person(store, "ravi")
    [first] = take(store, asha)
    clock.go(901)
    [second] = take(store, ravi)
    assert submit(store, ravi, operation(second, "in time")).status == "applied"
    assert submit(store, asha, operation(first, "too late")).status == "late"
    assert [correction.text for correction in store.corrections.fetch(standing=True)] == ["in time"]
    assert texts(store, segment) == [("applied", "in time"), ("late", "too late")]
    review = store.reviews.take(person(store, "eyes", "reviewer").id, PLAIN)
    assert review is not None and review.segment == segment


def test_a_late_text_that_came_first_sends_the_next_one_to_a_reviewer(store: Store, clock: Clock) -> None:
    [segment] = talk(store, count=1)
    asha, ravi = person(store), person(store, "ravi")
    [first] = take(store, asha)
    clock.go(901)
    [second] = take(store, ravi)
    assert submit(store, asha, operation(first, "too late")).status == "late"
    submit(store, ravi, operation(second, "in time"))
    assert store.desk.fetch_views([segment])[segment].state == "disputed"
    assert list(store.corrections.fetch()) == []


def test_a_share_of_texts_waits_for_a_reviewer(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease), rules=REVIEWED)
    assert store.desk.fetch_views([segment])[segment].state == "review"
    assert list(store.corrections.fetch()) == []


@pytest.mark.parametrize(("second", "state"), [("same", "accepted"), ("other", "disputed")])
def test_two_people_write_blindly_and_a_third_decides_where_they_differ(store: Store, second: str, state: str) -> None:
    [segment] = talk(store, count=1, rules=TWICE)
    asha, ravi = person(store), person(store, "ravi")
    [first] = take(store, asha)
    assert store.desk.fetch_views([segment])[segment].words is None
    submit(store, asha, operation(first, "same"))
    [blind] = take(store, ravi)
    assert (blind.segment, blind.purpose, blind.base) == (segment, "second", 0)
    submit(store, ravi, operation(blind, second))
    assert store.desk.fetch_views([segment])[segment].state == state
    assert [correction.model for correction in store.corrections.fetch()] == [None] * (state == "accepted")


def test_the_draft_of_a_test_recording_is_not_shown(store: Store) -> None:
    [segment] = talk(store, count=1, split="test")
    view = store.desk.fetch_views([segment], reviewing=True)[segment]
    assert (view.words, view.model, view.before, view.after) == (None, None, None, None)


def test_a_gold_item_measures_a_person_and_changes_nothing(store: Store) -> None:
    [segment] = talk(store, count=1)
    assert store.desk.set_gold({segment: "right"}) == 1
    asha, rules = person(store), replace(PLAIN, gold_share=1.0)
    [lease] = store.leases.take(asha.id, Ask(count=1, dialects=("hi",)), rules, draw=lambda: 0.5)
    assert lease.purpose == "gold"
    assert submit(store, asha, operation(lease, "wrong")).status == "applied"
    assert store.leases.take(asha.id, Ask(count=1, dialects=("hi",)), rules, draw=lambda: 0.5) == ()
    assert store.desk.fetch_views([segment])[segment].state == "gold"
    assert list(store.corrections.fetch()) == []


def test_active_time_is_never_longer_than_the_time_that_passed(store: Store, clock: Clock) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    clock.go(30)
    submit(store, asha, operation(lease, active=3_600_000))
    with store.database.begin_read() as connection:
        assert connection.exec_driver_sql("SELECT active_ms FROM versions").scalar_one() == 30_000


@pytest.mark.parametrize("text", ["a\x00", "\udce9"])
def test_a_text_that_no_database_keeps_is_refused(store: Store, text: str) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    with pytest.raises(InputError, match="E_TEXT"):
        store.submissions.save(asha.id, replace(operation(lease), text=text), PLAIN, lambda *_: None)


def test_an_operation_sent_many_times_at_once_is_taken_once(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    sent, statuses = operation(lease, "once"), []
    threads = [threading.Thread(target=lambda: statuses.append(submit(store, asha, sent).status)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == ["applied"] + ["duplicate"] * 5
    assert texts(store, segment) == [("applied", "once")]


def test_grouped_writes_are_saved_together_and_fail_apart(store: Store) -> None:
    segments = talk(store, count=2)
    asha = person(store)
    first, second = take(store, asha, 2)
    with store.database.group_writes():
        submit(store, asha, operation(first, "kept"))
        with pytest.raises(InputError):
            submit(store, asha, replace(operation(second), text="\x00"))
        submit(store, asha, operation(second, "kept too"))
    assert [texts(store, segment) for segment in segments] == [[("applied", "kept")], [("applied", "kept too")]]


def test_a_group_without_savepoints_is_undone_by_any_error_even_a_caught_one(store: Store) -> None:
    first_segment, second_segment = talk(store, count=2)
    asha = person(store)
    first, second = take(store, asha, 2)
    with pytest.raises(Spoiled), store.database.group_writes(apart=False):
        submit(store, asha, operation(first, "kept"))
        with pytest.raises(InputError):
            store.people.change("nobody", disabled=True)
    assert texts(store, first_segment) == []
    with store.database.group_writes(apart=False):
        submit(store, asha, operation(first, "kept"))
        submit(store, asha, operation(second, "kept too"))
    assert [texts(store, segment) for segment in (first_segment, second_segment)] == [
        [("applied", "kept")],
        [("applied", "kept too")],
    ]


def test_what_a_group_has_written_is_read_inside_it_and_nowhere_else_before_its_end(store: Store) -> None:
    talk(store, count=2)
    asha = person(store)
    with store.database.group_writes():
        [lease] = take(store, asha)
        assert store.leases.find(asha.id, lease.segment) == lease
    assert store.leases.find(asha.id, lease.segment) == lease


def test_a_group_that_cannot_be_saved_leaves_nothing(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    with pytest.raises(RuntimeError), store.database.group_writes():
        submit(store, asha, operation(lease))
        raise RuntimeError
    assert texts(store, segment) == []
    assert submit(store, asha, operation(lease)).status == "applied"


@pytest.mark.parametrize("table", ["versions", "verdicts", "audit"])
@pytest.mark.parametrize("change", ["UPDATE {} SET person = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_history(store: Store, url: str, table: str, change: str) -> None:
    talk(store, count=1)
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [lease] = take(store, asha)
    submit(store, asha, operation(lease), rules=REVIEWED)
    review = store.reviews.take(eyes.id, PLAIN)
    assert review is not None
    store.reviews.decide(eyes.id, verdict(review, 1), PLAIN)
    with pytest.raises(DBAPIError, match="append-only"):
        execute(url, change.format(table))


def test_a_text_that_comes_while_histories_are_checked_is_no_fault(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "one"))
    page_rows = Database.page_rows

    def page_and_submit(*arguments: Any, **options: Any) -> Iterator[Any]:
        rows = list(page_rows(*arguments, **options))
        assert submit(store, asha, operation(lease, "two", base=1)).status == "applied"
        yield from rows

    monkeypatch.setattr(Database, "page_rows", page_and_submit)
    assert store.audit.find_broken_history() is None


def test_a_history_that_was_tampered_with_names_the_first_bad_version(sqlite_url: str) -> None:
    with Store.open(sqlite_url) as store:
        segments = talk(store, count=3)
        asha = person(store)
        for lease in take(store, asha, 3):
            submit(store, asha, operation(lease, "one"))
            submit(store, asha, operation(lease, "two", base=1))
        assert store.audit.find_broken_history() is None
        execute(
            sqlite_url,
            "DROP TRIGGER versions_no_update",
            "UPDATE versions SET text = 'tvo' WHERE segment = 2 AND version = 2",
        )
        assert store.audit.find_broken_history() == f"{segments[1]} version 2"
        execute(sqlite_url, "DROP TRIGGER versions_no_delete", "DELETE FROM versions WHERE segment = 1 AND version = 2")
        assert store.audit.find_broken_history() == f"{segments[0]} version 2"
