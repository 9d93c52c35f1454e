"""Segments split, merged and moved: words follow their times, nothing written is touched, every step can be undone."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.store.desk_factories import PLAIN, TWICE, operation, person, submit, take, talk
from tests.store.factories import MODEL, drafted, recording
from transcribe.desk_records import Lease, Person, Reshape, Reshaped
from transcribe.store import Store

_numbers = itertools.count()


def step(lease: Lease, kind: Any, **facts: Any) -> Reshape:
    given = {"op_id": f"step-{next(_numbers)}", "segment": lease.segment, "fence": lease.fence} | facts
    whole = Reshape(body="", kind=kind, **given)
    return replace(whole, body=hashlib.sha256(repr(whole).encode()).hexdigest())


def do(store: Store, who: Person, asked: Reshape) -> Reshaped:
    return store.reshape(who.id, asked, PLAIN)


def shown(store: Store, leases: Sequence[Lease]) -> list[tuple[int, int, str]]:
    views = store.views([each.segment for each in leases])
    return [
        (view.start, view.end, " ".join(word.text for word in view.words or ()))
        for view in (views[each.segment] for each in leases)
    ]


def live(store: Store) -> list[tuple[int, int, str]]:
    """Everything that is drafted, as scoring and exports see it."""
    return [(each.start, each.end, draft.text) for each, draft in store.drafted(recording("talk").id, MODEL)]


def test_a_split_gives_two_holds_and_each_word_to_its_side(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    told = do(store, asha, step(lease, "split", start=500))
    assert (told.status, told.removed) == ("applied", (lease.segment,))
    assert shown(store, told.leases) == [(0, 500, "word"), (500, 1_000, "0")]
    assert live(store) == [(0, 500, "word"), (500, 1_000, "0")]
    for each, text in zip(told.leases, ("one", "two"), strict=True):
        assert submit(store, asha, operation(each, text)).status == "applied"
    assert [(each.start, each.end, each.text) for each in store.corrections(standing=True)] == [
        (0, 500, "one"),
        (500, 1_000, "two"),
    ]
    assert store.broken_history() is None


def test_a_merge_takes_the_next_free_segment_of_the_same_voice_in(store: Store) -> None:
    talk(store, count=3)
    asha, ravi = person(store), person(store, "ravi")
    [first] = take(store, asha)
    told = do(store, asha, step(first, "merge"))
    assert shown(store, told.leases) == [(0, 2_000, "word 0 word 1")]
    [last] = take(store, ravi)
    refused = do(store, asha, step(told.leases[0], "merge"))
    assert (refused.status, refused.reason) == ("rejected", "next_held")
    assert do(store, ravi, step(last, "merge")).reason == "no_next"


def test_a_moved_boundary_takes_from_the_neighbour_and_its_words_follow(store: Store) -> None:
    talk(store, count=2)
    asha, ravi = person(store), person(store, "ravi")
    [lease] = take(store, asha)
    told = do(store, asha, step(lease, "move", end=1_500))
    assert shown(store, told.leases) == [(0, 1_500, "word 0 word")]
    [rest] = take(store, ravi)
    assert shown(store, [rest]) == [(1_500, 2_000, "1")]
    assert do(store, asha, step(told.leases[0], "move", end=1_800)).reason == "next_held"
    shorter = do(store, asha, step(told.leases[0], "move", end=1_000))
    assert shown(store, shorter.leases) == [(0, 1_000, "word 0 word")]


def test_every_step_is_undone_until_somebody_works_on_what_came_of_it(store: Store) -> None:
    talk(store, count=2)
    asha = person(store)
    before = live(store)
    [lease] = take(store, asha)
    for kind, facts in [("split", {"start": 500}), ("merge", {}), ("move", {"end": 1_500})]:
        asked = step(lease, kind, **facts)
        told = do(store, asha, asked)
        undone = do(store, asha, step(told.leases[0], "undo", of=asked.op_id))
        assert (undone.status, live(store)) == ("applied", before)
        lease = undone.leases[0]
        assert shown(store, [lease]) == [(0, 1_000, "word 0")]
    asked = step(lease, "split", start=500)
    one, _ = do(store, asha, asked).leases
    submit(store, asha, operation(one))
    assert do(store, asha, step(one, "undo", of=asked.op_id)).reason == "changed"
    assert do(store, person(store, "ravi"), step(one, "undo", of=asked.op_id)).reason == "unknown_step"


def test_a_step_is_taken_once_and_answered_the_same_again(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    asked = step(lease, "split", start=500)
    first, again = do(store, asha, asked), do(store, asha, asked)
    assert again == replace(first, status="duplicate")
    assert do(store, asha, replace(asked, body="other")).reason == "key_reused"


def test_what_is_not_held_alone_and_unwritten_keeps_its_shape(store: Store) -> None:
    talk(store, count=1)
    asha, ravi = person(store), person(store, "ravi")
    [lease] = take(store, asha)
    refusals = {
        "unknown_lease": do(store, ravi, step(lease, "split", start=500)),
        "late": do(store, asha, step(lease, "split", start=500, fence=lease.fence + 1)),
        "bad_time": do(store, asha, step(lease, "split", start=999)),
        "no_next": do(store, asha, step(lease, "merge")),
        "too_long": do(store, asha, step(lease, "move", end=40_000)),
    }
    assert {reason: told.reason for reason, told in refusals.items()} == {reason: reason for reason in refusals}
    submit(store, asha, operation(lease))
    [again] = take(store, asha, again=[lease.segment])
    assert do(store, asha, step(again, "split", start=500)).reason == "written"
    talk(store, "twice", 1, rules=TWICE)
    [second] = take(store, asha)
    assert do(store, asha, step(second, "split", start=500)).reason == "fixed"


def test_a_text_for_a_segment_that_is_no_more_is_kept_as_late(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    do(store, asha, step(lease, "split", start=500))
    assert submit(store, asha, operation(lease, "sent from afar")).status == "late"
    assert [each.text for each in store.versions(lease.segment)] == ["sent from afar"]


def test_a_new_run_brings_the_segments_back_that_nobody_wrote_in_parts(store: Store) -> None:
    talk(store, count=2)
    asha = person(store)
    one, two = take(store, asha, 2)
    pieces = do(store, asha, step(one, "split", start=500)).leases
    halves = do(store, asha, step(two, "split", start=1_500)).leases
    submit(store, asha, operation(halves[0], "kept"))
    for lease in (*pieces, halves[1]):
        store.give_back(lease.id, asha.id)
    store.save_drafted(drafted("talk", [("A", 0, 1_000, "new"), ("A", 1_000, 2_000, "new")], settings="newer"))
    store.lay_out(PLAIN)
    views = store.views([one.segment, two.segment])
    assert (views[one.segment].state, views[two.segment].state) == ("open", "reshaped")


def test_a_step_is_not_undone_over_a_neighbour_that_has_grown_since(store: Store) -> None:
    talk(store, count=3)
    asha = person(store)
    first, second, _ = take(store, asha, 3)
    shortened = step(second, "move", end=1_500)
    [short] = do(store, asha, shortened).leases
    [lease] = [each for each in store.leases(asha.id) if store.views([each.segment])[each.segment].start == 2_000]
    grown = do(store, asha, step(lease, "move", start=1_600))
    assert grown.status == "applied"
    assert do(store, asha, step(short, "undo", of=shortened.op_id)).reason == "changed"
    assert do(store, asha, step(first, "merge")).status == "applied"


STEPS = st.lists(st.tuples(st.sampled_from(["split", "merge", "move", "undo"]), st.integers(0, 5), st.integers(0, 30)))


@example(
    steps=[
        *(("merge", 0, 0), ("move", 1, 6), ("merge", 4, 0), ("split", 4, 6)),
        *(("undo", 5, 0), ("move", 1, 17), ("undo", 2, 0), ("split", 0, 12)),
    ]
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_the_steps_every_drafted_word_stays_in_one_segment(store: Store, steps: list[Any]) -> None:
    name = f"talk {next(_numbers)}"
    talk(store, name, 3)
    who = person(store, name)
    leases, done = list(take(store, who, 3)), ["none"]
    for kind, which, tenth in steps:
        lease = leases[which % len(leases)]
        at = {"start": tenth * 100} if kind == "split" else {"end": tenth * 100} if kind == "move" else {}
        asked = step(lease, kind, of=done[which % len(done)] if kind == "undo" else None, **at)
        told = do(store, who, asked)
        if told.status == "applied":
            done.append(asked.op_id)
            leases = sorted(
                [each for each in leases if each.segment not in told.removed] + list(told.leases),
                key=lambda each: each.segment,
            )
    spoken = sorted(word for _, draft in store.drafted(recording(name).id, MODEL) for word in draft.text.split())
    assert spoken == sorted(["word", "0", "word", "1", "word", "2"])
    assert {each.id for each in store.leases(who.id)} == {each.id for each in leases}
    for lease in store.leases(who.id):
        store.give_back(lease.id, who.id)
    found = [(each.start, each.end) for each, _ in store.drafted(recording(name).id, MODEL)]
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(sorted(found)))
    store.erase(store.of_before(store.later(60)))
