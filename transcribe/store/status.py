"""The state of the work in a workspace, counted."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, exists, func, select

from transcribe.records import CLIPPED_SHARE, NARROW_BAND_HZ, Milliseconds
from transcribe.store.attempts import RUN, is_failed
from transcribe.store.database import Database
from transcribe.store.schema import CORRECTIONS, DONE, DRAFTS, FAILURES, MODELS, RECORDINGS, SEGMENTS, USABLE


@dataclass(frozen=True, kw_only=True)
class DialectStatus:
    """The recordings of one dialect, as declared. ``None``: those of which nobody said."""

    dialect: str | None
    recordings: int
    duration: Milliseconds


@dataclass(frozen=True, kw_only=True)
class StageStatus:
    """The numbers of items that are through one stage, waiting for it, or failed in it."""

    stage: str
    done: int
    pending: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class QualityStatus:
    """The numbers of recordings by the measured quality of their sound."""

    measured: int = 0
    #: Mean level of speech over the recordings, dB below full scale.
    level_dbfs: float | None = None
    #: By signal-to-noise ratio in dB, in the bins of ``boli wer --by snr``.
    snr_below_5: int = 0
    snr_5_to_10: int = 0
    snr_10_to_20: int = 0
    snr_20_or_more: int = 0
    #: More than a thousandth of the samples is cut off at a ceiling; the band is that of a telephone.
    clipped: int = 0
    narrow_band: int = 0
    #: Channels that cancel each other, or of which one is dead, in some part.
    cancelling: int = 0
    dead_channel: int = 0


@dataclass(frozen=True, kw_only=True)
class Status:
    """Counts over a whole workspace."""

    recordings: int
    duration: Milliseconds
    #: By tag, the unknown first.
    dialects: tuple[DialectStatus, ...]
    #: By name: ``ingest``, ``run``, and whatever else failed.
    stages: tuple[StageStatus, ...]
    segments: int
    drafts: int
    corrections: int
    #: Audio under standing corrections; a span that two people's corrections share counts twice.
    corrected: Milliseconds
    #: Recordings that nobody may hear or read: their consent was refused or withdrawn.
    withheld: int
    models: int
    #: Id of the model that drafts.
    promoted: str | None
    quality: QualityStatus = QualityStatus()


@dataclass(frozen=True)
class StatusReader:
    """The counts over all recordings."""

    database: Database

    def count(self, *, settings: str | None = None) -> Status:
        """
        Count the work of all stages.

        Args:
            settings: Count a recording as done only if it was run with these; ``None``: with any.
        """
        with self.database.begin_read() as connection:
            dialects = _count_dialects(connection)
            corrections, corrected = _count_corrections(connection)
            promoted = select(MODELS.c.id).where(MODELS.c.state == "promoted", MODELS.c.kind == "recogniser")
            return Status(
                recordings=sum(dialect.recordings for dialect in dialects),
                duration=sum(dialect.duration for dialect in dialects),
                dialects=dialects,
                stages=_count_stages(connection, settings),
                segments=connection.execute(select(func.count()).select_from(SEGMENTS)).scalar_one(),
                drafts=connection.execute(select(func.count()).select_from(DRAFTS)).scalar_one(),
                corrections=corrections,
                corrected=corrected,
                withheld=connection.execute(select(func.count()).select_from(RECORDINGS).where(~USABLE)).scalar_one(),
                models=connection.execute(select(func.count()).select_from(MODELS)).scalar_one(),
                promoted=connection.execute(promoted).scalar_one_or_none(),
                quality=_count_quality(connection),
            )


def _count_dialects(connection: Connection) -> tuple[DialectStatus, ...]:
    counted = select(RECORDINGS.c.dialect, func.count().label("count"), func.sum(RECORDINGS.c.duration_ms).label("ms"))
    statuses = [
        DialectStatus(dialect=row.dialect, recordings=row._mapping["count"], duration=int(row.ms))
        for row in connection.execute(counted.group_by(RECORDINGS.c.dialect))
    ]
    return tuple(sorted(statuses, key=lambda status: (status.dialect is not None, status.dialect or "")))


def _count_quality(connection: Connection) -> QualityStatus:
    columns = RECORDINGS.c
    narrow = columns.bandwidth_hz.between(NARROW_BAND_HZ.start, NARROW_BAND_HZ.stop - 1) | (columns.rate_hz < 16_000)
    conditions = {
        "snr_below_5": columns.snr_db < 5,
        "snr_5_to_10": (columns.snr_db >= 5) & (columns.snr_db < 10),
        "snr_10_to_20": (columns.snr_db >= 10) & (columns.snr_db < 20),
        "snr_20_or_more": columns.snr_db >= 20,
        "clipped": columns.clipped_share > CLIPPED_SHARE,
        "narrow_band": narrow,
        "cancelling": columns.cancelled_ms > 0,
        "dead_channel": columns.dead_ms > 0,
    }
    counts = (
        func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name) for name, condition in conditions.items()
    )
    query = select(func.count().label("measured"), func.avg(columns.level_dbfs).label("level"), *counts)
    row = connection.execute(query.where(columns.clipped_share.is_not(None))).one()
    level = None if row.level is None else round(float(row.level), 1)
    return QualityStatus(
        measured=row.measured, level_dbfs=level, **{name: int(row._mapping[name]) for name in conditions}
    )


def _count_stages(connection: Connection, settings: str | None) -> tuple[StageStatus, ...]:
    counted = select(FAILURES.c.stage, func.count().label("failed")).group_by(FAILURES.c.stage)
    failed = {row.stage: row.failed for row in connection.execute(counted)}
    run = exists().where(DONE.c.recording == RECORDINGS.c.no)
    if settings is not None:
        run = run.where(DONE.c.settings == settings)
    state = case((run, "done"), (~USABLE, "withheld"), (is_failed(), "failed"), else_="pending").label("state")
    states = select(state).select_from(RECORDINGS).subquery()
    by_state = select(states.c.state, func.count().label("recordings")).group_by(states.c.state)
    runs = {row.state: row.recordings for row in connection.execute(by_state)}
    ingested = sum(runs.values())
    stages = {
        RUN: StageStatus(
            stage=RUN, done=runs.get("done", 0), pending=runs.get("pending", 0), failed=runs.get("failed", 0)
        ),
        "ingest": StageStatus(stage="ingest", done=ingested, pending=0, failed=failed.get("ingest", 0)),
    }
    others = {name: StageStatus(stage=name, done=0, pending=0, failed=count) for name, count in failed.items()}
    return tuple(stage for _, stage in sorted((others | stages).items()))


def _count_corrections(connection: Connection) -> tuple[int, Milliseconds]:
    """Count the corrections, and the milliseconds of audio under those that stand."""
    key = (CORRECTIONS.c.recording, CORRECTIONS.c.start_ms, CORRECTIONS.c.end_ms, CORRECTIONS.c.speaker)
    last = func.max(CORRECTIONS.c.no).over(partition_by=key)
    length = CORRECTIONS.c.end_ms - CORRECTIONS.c.start_ms
    rows = select(CORRECTIONS.c.no, CORRECTIONS.c.accepted, last.label("last"), length.label("length")).subquery()
    stands = (rows.c.no == rows.c.last) & rows.c.accepted
    sound = func.coalesce(func.sum(case((stands, rows.c.length), else_=0)), 0)
    count, duration = connection.execute(select(func.count(), sound).select_from(rows)).one()
    return count, int(duration)
