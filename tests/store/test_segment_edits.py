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
from tests.store.factories import MODEL, make_drafted, recording
from transcribe.desk_records import Lease, Person, Reshape, Reshaped
from transcribe.store import Store

_numbers = itertools.count()


def step(lease: Lease, kind: Any, **facts: Any) -> Reshape:
    fields = {"op_id": f"step-{next(_numbers)}", "segment": lease.segment, "fence": lease.fence} | facts
    whole = Reshape(body="", kind=kind, **fields)
    return replace(whole, body=hashlib.sha256(repr(whole).encode()).hexdigest())


def take_step(store: Store, who: Person, request: Reshape) -> Reshaped:
    return store.segment_edits.apply(who.id, request, PLAIN)


def read_segments(store: Store, leases: Sequence[Lease]) -> list[tuple[int, int, str]]:
    views = store.desk.fetch_views([lease.segment for lease in leases])
    return [
        (view.start, view.end, " ".join(word.text for word in view.words or ()))
        for view in (views[lease.segment] for lease in leases)
    ]


def read_drafts(store: Store) -> list[tuple[int, int, str]]:
    """Read all drafts, as scoring and exports see them."""
    return [
        (segment.start, segment.end, draft.text)
        for segment, draft in store.drafts.fetch_with_segments(recording("talk").id, MODEL)
    ]


def test_a_split_gives_two_holds_and_each_word_to_its_side(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    answer = take_step(store, asha, step(lease, "split", start=500))
    assert (answer.status, answer.removed) == ("applied", (lease.segment,))
    assert read_segments(store, answer.leases) == [(0, 500, "word"), (500, 1_000, "0")]
    assert read_drafts(store) == [(0, 500, "word"), (500, 1_000, "0")]
    for lease, text in zip(answer.leases, ("one", "two"), strict=True):
        assert submit(store, asha, operation(lease, text)).status == "applied"
    assert [
        (correction.start, correction.end, correction.text) for correction in store.corrections.fetch(standing=True)
    ] == [
        (0, 500, "one"),
        (500, 1_000, "two"),
    ]
    assert store.audit.find_broken_history() is None


def test_a_merge_takes_the_next_free_segment_of_the_same_voice_in(store: Store) -> None:
    talk(store, count=3)
    asha, ravi = person(store), person(store, "ravi")
    [first] = take(store, asha)
    answer = take_step(store, asha, step(first, "merge"))
    assert read_segments(store, answer.leases) == [(0, 2_000, "word 0 word 1")]
    [last] = take(store, ravi)
    refused = take_step(store, asha, step(answer.leases[0], "merge"))
    assert (refused.status, refused.reason) == ("rejected", "next_held")
    assert take_step(store, ravi, step(last, "merge")).reason == "no_next"


def test_a_moved_boundary_takes_from_the_neighbour_and_its_words_follow(store: Store) -> None:
    talk(store, count=2)
    asha, ravi = person(store), person(store, "ravi")
    [lease] = take(store, asha)
    answer = take_step(store, asha, step(lease, "move", end=1_500))
    assert read_segments(store, answer.leases) == [(0, 1_500, "word 0 word")]
    [neighbour] = take(store, ravi)
    assert read_segments(store, [neighbour]) == [(1_500, 2_000, "1")]
    assert take_step(store, asha, step(answer.leases[0], "move", end=1_800)).reason == "next_held"
    shorter = take_step(store, asha, step(answer.leases[0], "move", end=1_000))
    assert read_segments(store, shorter.leases) == [(0, 1_000, "word 0 word")]


def test_every_step_is_undone_until_somebody_works_on_what_came_of_it(store: Store) -> None:
    talk(store, count=2)
    asha = person(store)
    drafts = read_drafts(store)
    [lease] = take(store, asha)
    for kind, facts in [("split", {"start": 500}), ("merge", {}), ("move", {"end": 1_500})]:
        request = step(lease, kind, **facts)
        answer = take_step(store, asha, request)
        undone = take_step(store, asha, step(answer.leases[0], "undo", of=request.op_id))
        assert (undone.status, read_drafts(store)) == ("applied", drafts)
        lease = undone.leases[0]
        assert read_segments(store, [lease]) == [(0, 1_000, "word 0")]
    request = step(lease, "split", start=500)
    part, _ = take_step(store, asha, request).leases
    submit(store, asha, operation(part))
    assert take_step(store, asha, step(part, "undo", of=request.op_id)).reason == "changed"
    assert take_step(store, person(store, "ravi"), step(part, "undo", of=request.op_id)).reason == "unknown_step"


def test_a_step_is_taken_once_and_answered_the_same_again(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    request = step(lease, "split", start=500)
    first, again = take_step(store, asha, request), take_step(store, asha, request)
    assert again == replace(first, status="duplicate")
    assert take_step(store, asha, replace(request, body="other")).reason == "key_reused"


def test_what_is_not_held_alone_and_unwritten_keeps_its_shape(store: Store) -> None:
    talk(store, count=1)
    asha, ravi = person(store), person(store, "ravi")
    [lease] = take(store, asha)
    refusals = {
        "unknown_lease": take_step(store, ravi, step(lease, "split", start=500)),
        "late": take_step(store, asha, step(lease, "split", start=500, fence=lease.fence + 1)),
        "bad_time": take_step(store, asha, step(lease, "split", start=999)),
        "no_next": take_step(store, asha, step(lease, "merge")),
        "too_long": take_step(store, asha, step(lease, "move", end=40_000)),
    }
    assert {reason: answer.reason for reason, answer in refusals.items()} == {reason: reason for reason in refusals}
    submit(store, asha, operation(lease))
    [again] = take(store, asha, again=[lease.segment])
    assert take_step(store, asha, step(again, "split", start=500)).reason == "written"
    talk(store, "twice", 1, rules=TWICE)
    [second] = take(store, asha)
    assert take_step(store, asha, step(second, "split", start=500)).reason == "fixed"


def test_a_text_for_a_segment_that_is_no_more_is_kept_as_late(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    take_step(store, asha, step(lease, "split", start=500))
    assert submit(store, asha, operation(lease, "sent from afar")).status == "late"
    assert [version.text for version in store.reviews.fetch_versions(lease.segment)] == ["sent from afar"]


def test_a_new_run_brings_the_segments_back_that_nobody_wrote_in_parts(store: Store) -> None:
    talk(store, count=2)
    asha = person(store)
    first, second = take(store, asha, 2)
    pieces = take_step(store, asha, step(first, "split", start=500)).leases
    halves = take_step(store, asha, step(second, "split", start=1_500)).leases
    submit(store, asha, operation(halves[0], "kept"))
    for lease in (*pieces, halves[1]):
        store.leases.give_back(lease.id, asha.id)
    store.drafts.save(make_drafted("talk", [("A", 0, 1_000, "new"), ("A", 1_000, 2_000, "new")], settings="newer"))
    store.desk.lay_out(PLAIN)
    views = store.desk.fetch_views([first.segment, second.segment])
    assert (views[first.segment].state, views[second.segment].state) == ("open", "reshaped")


def test_a_step_is_not_undone_over_a_neighbour_that_has_grown_since(store: Store) -> None:
    talk(store, count=3)
    asha = person(store)
    first, second, _ = take(store, asha, 3)
    shortened = step(second, "move", end=1_500)
    [short] = take_step(store, asha, shortened).leases
    [lease] = [
        lease
        for lease in store.leases.fetch(asha.id)
        if store.desk.fetch_views([lease.segment])[lease.segment].start == 2_000
    ]
    grown = take_step(store, asha, step(lease, "move", start=1_600))
    assert grown.status == "applied"
    assert take_step(store, asha, step(short, "undo", of=shortened.op_id)).reason == "changed"
    assert take_step(store, asha, step(first, "merge")).status == "applied"


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
        times = {"start": tenth * 100} if kind == "split" else {"end": tenth * 100} if kind == "move" else {}
        request = step(lease, kind, of=done[which % len(done)] if kind == "undo" else None, **times)
        answer = take_step(store, who, request)
        if answer.status == "applied":
            done.append(request.op_id)
            leases = sorted(
                [lease for lease in leases if lease.segment not in answer.removed] + list(answer.leases),
                key=lambda lease: lease.segment,
            )
    spoken = sorted(
        word for _, draft in store.drafts.fetch_with_segments(recording(name).id, MODEL) for word in draft.text.split()
    )
    assert spoken == sorted(["word", "0", "word", "1", "word", "2"])
    assert {lease.id for lease in store.leases.fetch(who.id)} == {lease.id for lease in leases}
    for lease in store.leases.fetch(who.id):
        store.leases.give_back(lease.id, who.id)
    segment_spans = [
        (segment.start, segment.end) for segment, _ in store.drafts.fetch_with_segments(recording(name).id, MODEL)
    ]
    assert all(span[1] <= other[0] for span, other in itertools.pairwise(sorted(segment_spans)))
    store.erasure.erase(store.erasure.find_before(store.database.later(60)))
