from __future__ import annotations

import pytest

from tests.store.factories import SETTINGS, correction, make_drafted, recording, recording_id
from transcribe.errors import Failure, InputError
from transcribe.store import Store
from transcribe.store.database import PAGE
from transcribe.store.work import TRIES

BROKEN = Failure(item="talk.wav", code="E_DECODE", message="talk.wav has no sound; send it again")


def pending(store: Store, *, retry_failed: bool = False) -> list[str]:
    return [recording.path for recording in store.pending(SETTINGS, retry_failed=retry_failed)]


def test_the_longest_recording_comes_first(store: Store) -> None:
    store.add_recordings(recording(name, duration=length) for name, length in (("a", 5), ("b", 9), ("c", 7)))
    assert pending(store) == ["b.wav", "c.wav", "a.wav"]
    assert store.pending_size(SETTINGS) == (3, 21)


def test_an_empty_store_has_nothing_pending(store: Store) -> None:
    assert pending(store) == []
    assert store.pending_size(SETTINGS) == (0, 0)


def test_recordings_of_one_length_all_come_over_several_pages(store: Store) -> None:
    store.add_recordings(recording(f"talk {n}") for n in range(PAGE + 2))
    assert len(set(pending(store))) == PAGE + 2


def test_what_is_done_with_these_settings_is_no_longer_pending(store: Store) -> None:
    store.add_recordings(map(recording, "ab"))
    store.save_drafted(make_drafted("a"))
    store.save_drafted(make_drafted("b", settings="others"))
    assert pending(store) == ["b.wav"]


def test_work_done_while_it_is_listed_does_not_disturb_the_list(store: Store) -> None:
    names = [f"talk {n}" for n in range(PAGE + 20)]
    store.add_recordings(recording(name, duration=n) for n, name in enumerate(names))
    paths = []
    for task in store.pending(SETTINGS):
        paths.append(task.path)
        if len(paths) in (10, PAGE + 10):
            store.save_drafted(make_drafted(task.path.removesuffix(".wav")))
    assert paths == [f"{name}.wav" for name in reversed(names)]


def test_a_failed_recording_waits_until_failures_are_retried(store: Store) -> None:
    store.add_recordings(map(recording, ("talk", "b")))
    store.fail(recording_id("talk"), "run", BROKEN)
    assert pending(store) == ["b.wav"]
    assert sorted(pending(store, retry_failed=True)) == ["b.wav", "talk.wav"]
    assert store.failures() == store.failures("run") == (BROKEN,)


def test_a_failure_of_another_stage_keeps_nothing_from_being_drafted(store: Store) -> None:
    store.add_recordings([recording()])
    store.fail(recording_id("talk"), "peaks", BROKEN)
    assert pending(store) == ["talk.wav"]


def test_a_new_failure_takes_the_place_of_the_old_one(store: Store) -> None:
    later = Failure(item="talk.wav", code="E_MEMORY", message="too long")
    store.fail("talk.wav", "ingest", BROKEN)
    store.fail("talk.wav", "ingest", later)
    store.fail("a.wav", "ingest", BROKEN)
    assert store.failures("ingest") == (BROKEN, later)
    assert store.failures("run") == ()


def test_saved_work_ends_failure_and_attempts(store: Store) -> None:
    store.add_recordings([recording()])
    store.fail(recording_id("talk"), "run", BROKEN)
    store.begin_attempt(recording_id("talk"))
    store.save_drafted(make_drafted())
    assert store.failures() == ()
    assert store.begin_attempt(recording_id("talk")) == 1


def test_a_recording_that_killed_the_process_often_is_parked(store: Store) -> None:
    store.add_recordings([recording()])
    id = recording_id("talk")
    for attempt in range(1, TRIES):
        assert store.begin_attempt(id) == attempt
    assert pending(store) == ["talk.wav"]
    assert store.failures() == ()
    assert store.begin_attempt(id) == TRIES
    assert pending(store) == pending(store, retry_failed=True) == []
    assert [(failure.item, failure.code) for failure in store.failures("run")] == [("talk.wav", "E_CRASHED")]


def test_a_parked_recording_is_tried_again_once_its_failure_is_cleared(store: Store) -> None:
    store.add_recordings([recording()])
    id = recording_id("talk")
    for _ in range(TRIES):
        store.begin_attempt(id)
    assert store.clear_failure(id, "run")
    assert pending(store) == ["talk.wav"]
    assert store.begin_attempt(id) == 1


def test_what_a_process_died_over_comes_last(store: Store) -> None:
    store.add_recordings(recording(name, duration=length) for name, length in (("a", 5), ("b", 9), ("c", 7), ("d", 6)))
    store.begin_attempt(recording_id("b"))
    store.begin_attempt(recording_id("d"))
    assert pending(store) == ["c.wav", "a.wav", "b.wav", "d.wav"]


def test_what_is_begun_while_the_list_is_read_keeps_its_place(store: Store) -> None:
    store.add_recordings(recording(name, duration=length) for name, length in (("a", 5), ("b", 9), ("c", 7)))
    paths = []
    for task in store.pending(SETTINGS):
        store.begin_attempt(task.id)
        paths.append(task.path)
    assert paths == ["b.wav", "c.wav", "a.wav"]


def test_clearing_forgets_one_failure_of_one_stage(store: Store) -> None:
    store.fail("talk.wav", "ingest", BROKEN)
    assert not store.clear_failure("talk.wav", "run")
    assert not store.clear_failure("b.wav", "ingest")
    assert store.clear_failure("talk.wav", "ingest")
    assert store.failures() == ()


def test_a_failure_reported_by_a_living_process_is_no_crash(store: Store) -> None:
    store.add_recordings([recording()])
    id = recording_id("talk")
    for _ in range(TRIES + 1):
        assert store.begin_attempt(id) == 1
        store.fail(id, "run", BROKEN)
    assert pending(store, retry_failed=True) == ["talk.wav"]


def test_work_stopped_in_the_open_does_not_count(store: Store) -> None:
    store.add_recordings([recording()])
    for _ in range(TRIES + 1):
        assert store.begin_attempt(recording_id("talk")) == 1
        store.end_attempt(recording_id("talk"))
    assert pending(store) == ["talk.wav"]


def test_no_attempt_begins_on_an_unknown_recording(store: Store) -> None:
    with pytest.raises(InputError, match="E_RECORDING"):
        store.begin_attempt("nothing")


def test_what_is_corrected_throughout_waits_for_no_other_draft(store: Store) -> None:
    for name in ("half", "whole", "never"):
        store.add_recordings([recording(name)])
    for name in ("half", "whole"):
        store.save_drafted(make_drafted(name))
        store.add_corrections([correction(f"{name}-a", name, 0, 2_000, speaker="A")])
    store.add_corrections([correction("whole-b", "whole", 2_000, 2_900, speaker="B")])
    other = "settings of the next model"
    assert {recording.id for recording in store.pending(other)} == {
        recording_id(name) for name in ("half", "whole", "never")
    }
    waiting = {recording_id(name) for name in ("half", "never")}
    assert {recording.id for recording in store.pending(other, waiting=True)} == waiting
    assert store.pending_size(other, waiting=True)[0] == 2
    assert [recording.id for recording in store.pending(other, ids=[recording_id("half")])] == [recording_id("half")]
    assert store.find_undrafted(SETTINGS, [recording_id(name) for name in ("half", "never")]) == (
        recording_id("never"),
    )
