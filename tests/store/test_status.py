from __future__ import annotations

from tests.store.factories import SETTINGS, correction, make_drafted, recording, recording_id
from transcribe.errors import Failure
from transcribe.records import Model, Quality
from transcribe.store import Store
from transcribe.store.attempts import TRIES
from transcribe.store.status import DialectStatus, QualityStatus, StageStatus, Status

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


def test_recordings_are_counted_by_the_quality_of_their_sound(store: Store) -> None:
    def measured(snr_db: float | None, **facts: float) -> Quality:
        fields = {"level_dbfs": -20.0, "clipped_share": 0.0, "bandwidth_hz": 8_000} | facts
        return Quality(snr_db=snr_db, **fields)

    qualities = [
        measured(4.9, clipped_share=0.002),
        measured(5.0, bandwidth_hz=3_875),
        measured(10.0, cancelled=500, level_dbfs=-30.0),
        measured(19.9, dead=2_000),
        measured(20.0, clipped_share=0.001),
        measured(None, bandwidth_hz=None),
    ]
    store.recordings.add(recording(f"q{number}", quality=quality) for number, quality in enumerate(qualities))
    store.recordings.add([recording("older", rate_hz=8_000), recording("phone", rate_hz=8_000, quality=measured(50.0))])

    assert store.status.count().quality == QualityStatus(
        measured=7,
        level_dbfs=-21.4,
        snr_below_5=1,
        snr_5_to_10=1,
        snr_10_to_20=2,
        snr_20_or_more=2,
        clipped=1,
        narrow_band=2,
        cancelling=1,
        dead_channel=1,
    )
