from __future__ import annotations

import pytest

from tests.store.factories import SETTINGS, correction, make_drafted, recording, recording_id
from transcribe.errors import Failure, InputError
from transcribe.store import Store
from transcribe.store.attempts import IMPORTED, TRIES
from transcribe.store.database import PAGE

BROKEN = Failure(item="talk.wav", code="E_DECODE", message="talk.wav has no sound; send it again")


def pending(store: Store, *, retry_failed: bool = False) -> list[str]:
    return [recording.path for recording in store.attempts.fetch_pending(SETTINGS, retry_failed=retry_failed)]


def test_the_longest_recording_comes_first(store: Store) -> None:
    store.recordings.add(recording(name, duration=length) for name, length in (("a", 5), ("b", 9), ("c", 7)))
    assert pending(store) == ["b.wav", "c.wav", "a.wav"]
    assert store.attempts.count_pending(SETTINGS) == (3, 21)


def test_an_empty_store_has_nothing_pending(store: Store) -> None:
    assert pending(store) == []
    assert store.attempts.count_pending(SETTINGS) == (0, 0)


def test_recordings_of_one_length_all_come_over_several_pages(store: Store) -> None:
    store.recordings.add(recording(f"talk {n}") for n in range(PAGE + 2))
    assert len(set(pending(store))) == PAGE + 2


def test_what_is_done_with_these_settings_is_no_longer_pending(store: Store) -> None:
    store.recordings.add(map(recording, "ab"))
    store.drafts.save(make_drafted("a"))
    store.drafts.save(make_drafted("b", settings="others"))
    assert pending(store) == ["b.wav"]


def test_work_done_while_it_is_listed_does_not_disturb_the_list(store: Store) -> None:
    names = [f"talk {n}" for n in range(PAGE + 20)]
    store.recordings.add(recording(name, duration=n) for n, name in enumerate(names))
    paths = []
    for task in store.attempts.fetch_pending(SETTINGS):
        paths.append(task.path)
        if len(paths) in (10, PAGE + 10):
            store.drafts.save(make_drafted(task.path.removesuffix(".wav")))
    assert paths == [f"{name}.wav" for name in reversed(names)]


def test_a_failed_recording_waits_until_failures_are_retried(store: Store) -> None:
    store.recordings.add(map(recording, ("talk", "b")))
    store.attempts.save_failure(recording_id("talk"), "run", BROKEN)
    assert pending(store) == ["b.wav"]
    assert sorted(pending(store, retry_failed=True)) == ["b.wav", "talk.wav"]
    assert store.attempts.fetch_failures() == store.attempts.fetch_failures("run") == (BROKEN,)


def test_a_failure_of_another_stage_keeps_nothing_from_being_drafted(store: Store) -> None:
    store.recordings.add([recording()])
    store.attempts.save_failure(recording_id("talk"), "peaks", BROKEN)
    assert pending(store) == ["talk.wav"]


def test_a_new_failure_takes_the_place_of_the_old_one(store: Store) -> None:
    later = Failure(item="talk.wav", code="E_MEMORY", message="too long")
    store.attempts.save_failure("talk.wav", "ingest", BROKEN)
    store.attempts.save_failure("talk.wav", "ingest", later)
    store.attempts.save_failure("a.wav", "ingest", BROKEN)
    assert store.attempts.fetch_failures("ingest") == (BROKEN, later)
    assert store.attempts.fetch_failures("run") == ()


def test_saved_work_ends_failure_and_attempts(store: Store) -> None:
    store.recordings.add([recording()])
    store.attempts.save_failure(recording_id("talk"), "run", BROKEN)
    store.attempts.begin(recording_id("talk"))
    store.drafts.save(make_drafted())
    assert store.attempts.fetch_failures() == ()
    assert store.attempts.begin(recording_id("talk")) == 1


def test_a_recording_that_killed_the_process_often_is_parked(store: Store) -> None:
    store.recordings.add([recording()])
    id = recording_id("talk")
    for attempt in range(1, TRIES):
        assert store.attempts.begin(id) == attempt
    assert pending(store) == ["talk.wav"]
    assert store.attempts.fetch_failures() == ()
    assert store.attempts.begin(id) == TRIES
    assert pending(store) == []
    assert pending(store, retry_failed=True) == ["talk.wav"]
    assert [(failure.item, failure.code) for failure in store.attempts.fetch_failures("run")] == [
        ("talk.wav", "E_CRASHED")
    ]


def test_a_parked_recording_is_tried_again_once_its_failure_is_cleared(store: Store) -> None:
    store.recordings.add([recording()])
    id = recording_id("talk")
    for _ in range(TRIES):
        store.attempts.begin(id)
    assert store.attempts.clear_failure(id, "run")
    assert pending(store) == ["talk.wav"]
    assert store.attempts.begin(id) == 1


def test_what_a_process_died_over_comes_last(store: Store) -> None:
    store.recordings.add(recording(name, duration=length) for name, length in (("a", 5), ("b", 9), ("c", 7), ("d", 6)))
    store.attempts.begin(recording_id("b"))
    store.attempts.begin(recording_id("d"))
    assert pending(store) == ["c.wav", "a.wav", "b.wav", "d.wav"]


def test_what_is_begun_while_the_list_is_read_keeps_its_place(store: Store) -> None:
    store.recordings.add(recording(name, duration=length) for name, length in (("a", 5), ("b", 9), ("c", 7)))
    paths = []
    for task in store.attempts.fetch_pending(SETTINGS):
        store.attempts.begin(task.id)
        paths.append(task.path)
    assert paths == ["b.wav", "c.wav", "a.wav"]


def test_clearing_forgets_one_failure_of_one_stage(store: Store) -> None:
    store.attempts.save_failure("talk.wav", "ingest", BROKEN)
    assert not store.attempts.clear_failure("talk.wav", "run")
    assert not store.attempts.clear_failure("b.wav", "ingest")
    assert store.attempts.clear_failure("talk.wav", "ingest")
    assert store.attempts.fetch_failures() == ()


def test_a_failure_reported_by_a_living_process_is_no_crash(store: Store) -> None:
    store.recordings.add([recording()])
    id = recording_id("talk")
    for _ in range(TRIES + 1):
        assert store.attempts.begin(id) == 1
        store.attempts.save_failure(id, "run", BROKEN)
    assert pending(store, retry_failed=True) == ["talk.wav"]


def test_work_stopped_in_the_open_does_not_count(store: Store) -> None:
    store.recordings.add([recording()])
    for _ in range(TRIES + 1):
        assert store.attempts.begin(recording_id("talk")) == 1
        store.attempts.end(recording_id("talk"))
    assert pending(store) == ["talk.wav"]


def test_no_attempt_begins_on_an_unknown_recording(store: Store) -> None:
    with pytest.raises(InputError, match="E_RECORDING"):
        store.attempts.begin("nothing")


def test_what_is_corrected_throughout_waits_for_no_other_draft(store: Store) -> None:
    for name in ("half", "whole", "never"):
        store.recordings.add([recording(name)])
    for name in ("half", "whole"):
        store.drafts.save(make_drafted(name))
        store.corrections.add([correction(f"{name}-a", name, 0, 2_000, speaker="A")])
    store.corrections.add([correction("whole-b", "whole", 2_000, 2_900, speaker="B")])
    other = "settings of the next model"
    assert {recording.id for recording in store.attempts.fetch_pending(other)} == {
        recording_id(name) for name in ("half", "whole", "never")
    }
    waiting = {recording_id(name) for name in ("half", "never")}
    assert {recording.id for recording in store.attempts.fetch_pending(other, waiting=True)} == waiting
    assert store.attempts.count_pending(other, waiting=True)[0] == 2
    assert [recording.id for recording in store.attempts.fetch_pending(other, ids=[recording_id("half")])] == [
        recording_id("half")
    ]
    assert store.attempts.find_undrafted(SETTINGS, [recording_id(name) for name in ("half", "never")]) == (
        recording_id("never"),
    )


def test_imported_drafts_are_not_drafted_over_until_a_later_run_is_asked_for(store: Store) -> None:
    for name in ("imported", "never"):
        store.recordings.add([recording(name)])
    store.drafts.save(make_drafted("imported", settings=f"{IMPORTED}1"))
    other = "settings of the next model"
    waiting = [found.id for found in store.attempts.fetch_pending(other, waiting=True)]
    assert waiting == [recording_id("never")]
    assert store.attempts.count_pending(other)[0] == 2
    store.drafts.save(make_drafted("imported", settings=other))
    assert store.attempts.count_pending("a third", waiting=True)[0] == 2
