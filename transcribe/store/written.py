"""The rule by which a segment is written down, for the desk and for what is drafted again."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, case, exists, func, or_, select

from transcribe.store.tables import CORRECTIONS, DONE, RECORDINGS, SEGMENTS

#: Part of a segment that corrections must share for it to count as written: they end where speech does.
DONE_SHARE: Final = 0.8


def is_written() -> ColumnElement[bool]:
    """The condition that accepted corrections of its speaker, or of everybody, cover a row of SEGMENTS."""
    texts = CORRECTIONS.c
    last = case((texts.end_ms < SEGMENTS.c.end_ms, texts.end_ms), else_=SEGMENTS.c.end_ms)
    first = case((texts.start_ms > SEGMENTS.c.start_ms, texts.start_ms), else_=SEGMENTS.c.start_ms)
    shared = (
        select(func.coalesce(func.sum(last - first), 0))
        .where(
            texts.recording == SEGMENTS.c.recording,
            texts.start_ms < SEGMENTS.c.end_ms,
            texts.end_ms > SEGMENTS.c.start_ms,
            or_(texts.speaker.is_(None), texts.speaker == SEGMENTS.c.speaker),
            texts.accepted,
        )
        .correlate(SEGMENTS)
        .scalar_subquery()
    )
    covered: ColumnElement[bool] = shared >= DONE_SHARE * (SEGMENTS.c.end_ms - SEGMENTS.c.start_ms)
    return covered


def is_waiting() -> ColumnElement[bool]:
    """The condition that a row of RECORDINGS was never drafted, or has a segment that nobody has written down."""
    newest = select(func.max(DONE.c.no)).where(DONE.c.recording == RECORDINGS.c.no).correlate(RECORDINGS)
    drafted = exists().where(DONE.c.recording == RECORDINGS.c.no)
    unwritten = exists().where(
        SEGMENTS.c.recording == RECORDINGS.c.no,
        SEGMENTS.c.run == newest.scalar_subquery(),
        SEGMENTS.c.end_ms > SEGMENTS.c.start_ms,
        ~is_written(),
    )
    return or_(~drafted, unwritten)
