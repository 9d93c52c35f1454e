from __future__ import annotations

from tests.store.factories import SETTINGS, correction, make_drafted, recording, recording_id
from transcribe.errors import Failure
from transcribe.records import Model
from transcribe.store import Store
from transcribe.store.attempts import TRIES
from transcribe.store.status import DialectStatus, StageStatus, Status

BROKEN = Failure(item="x", code="E_DECODE", message="x has no sound")


def test_an_empty_store_counts_nothing(store: Store) -> None:
    assert store.status.count() == Status(
        recordings=0,
        duration=0,
        dialects=(),
        stages=(
            StageStatus(stage="ingest", done=0, pending=0, failed=0),
            StageStatus(stage="run", done=0, pending=0, failed=0),
        ),
        segments=0,
        drafts=0,
        corrections=0,
        corrected=0,
        withheld=0,
        models=0,
        promoted=None,
    )


def test_a_store_counts_what_it_holds(store: Store) -> None:
    store.recordings.add(
        recording(name, dialect=dialect, duration=1_000)
        for name, dialect in zip("abcd", ["ta", None, "hi", "ta"], strict=True)
    )
    store.drafts.save(make_drafted("a"))
    store.attempts.save_failure(recording_id("b"), "run", BROKEN)
    store.attempts.save_failure("x", "ingest", BROKEN)
    store.attempts.save_failure("y", "peaks", BROKEN)
    for _ in range(TRIES):
        store.attempts.begin(recording_id("c"))
    store.corrections.add([correction("c1", "a"), correction("c2", "a"), correction("c3", "a", end=5, speaker="A")])
    store.corrections.add([correction("c4", "b"), correction("c5", "b", accepted=False)])
    store.models.add(Model(id="m1", place="p", name="n", state="promoted"))
    assert store.status.count() == Status(
        recordings=4,
        duration=4_000,
        dialects=(
            DialectStatus(dialect=None, recordings=1, duration=1_000),
            DialectStatus(dialect="hi", recordings=1, duration=1_000),
            DialectStatus(dialect="ta", recordings=2, duration=2_000),
        ),
        stages=(
            StageStatus(stage="ingest", done=4, pending=0, failed=1),
            StageStatus(stage="peaks", done=0, pending=0, failed=1),
            StageStatus(stage="run", done=1, pending=1, failed=2),
        ),
        segments=2,
        drafts=2,
        corrections=5,
        corrected=2_005,
        withheld=0,
        models=1,
        promoted="m1",
    )


def test_work_with_other_settings_is_not_done_with_these(store: Store) -> None:
    store.recordings.add([recording()])
    store.drafts.save(make_drafted(settings="older"))
    done = [
        next(stage.done for stage in store.status.count(settings=name).stages if stage.stage == "run")
        for name in ("older", SETTINGS)
    ]
    assert done == [1, 0]
