"""Mend in segments, corrections and turns what a mended fact of their recording changes."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from transcribe.store.desk import UNKNOWN
from transcribe.store.desk_schema import DESK
from transcribe.store.rows import encode_json, insert_into
from transcribe.store.schema import CORRECTIONS, DIARISATIONS, RECORDINGS, SEGMENTS, SPEAKERS, VOICES


def mend_dialect(connection: Connection, row: Row[Any], *, before: str | None, after: str | None) -> None:
    """Give segments, corrections and the desk the new dialect *after*, where they have the old one, *before*."""
    for table in (SEGMENTS, CORRECTIONS):
        same = table.c.dialect.is_(None) if before is None else table.c.dialect == before
        theirs = (table.c.recording == row.no) & same
        connection.execute(update(table).where(theirs).values(dialect=after))
    segments = select(SEGMENTS.c.no).where(SEGMENTS.c.recording == row.no)
    old = DESK.c.segment.in_(segments) & (DESK.c.dialect == (before or UNKNOWN))
    connection.execute(update(DESK).where(old).values(dialect=after or UNKNOWN))
    _mend_turns(connection, row, 3, before, after)


def mend_speaker(connection: Connection, row: Row[Any], *, before: str | None, after: str | None) -> None:
    """
    Give segments, corrections, voices and turns the new name, where they have the old one.

    Where nobody was named, all that nobody is named in gets the name: one speaker was declared.
    """
    unnamed = f"{row.id}/"
    name = after or f"{unnamed}SPEAKER_00"
    for table in (SEGMENTS, CORRECTIONS, VOICES):
        old = table.c.speaker.startswith(unnamed) if before is None else table.c.speaker == before
        connection.execute(update(table).where(table.c.recording == row.no, old).values(speaker=name))
    if before is not None:
        gone = (SPEAKERS.c.recording == row.no) & (SPEAKERS.c.speaker == before)
        connection.execute(delete(SPEAKERS).where(gone))
    if after is not None:
        keep = insert_into(connection, SPEAKERS).on_conflict_do_nothing()
        connection.execute(keep, {"speaker": after, "recording": row.no})
    _mend_turns(connection, row, 2, before, after)


def _mend_turns(connection: Connection, row: Row[Any], at: int, before: str | None, after: str | None) -> None:
    """Put the new word in place of the old one at position *at* of the recording's turns, kept as JSON."""

    def is_old(word: str | None) -> bool:
        unnamed = at == 2 and before is None
        return word is not None and word.startswith(f"{row.id}/") if unnamed else word == before

    def mend(text: str) -> str:
        turns = [[*turn[:at], after if is_old(turn[at]) else turn[at], *turn[at + 1 :]] for turn in json.loads(text)]
        return encode_json(turns, "turns")

    if after is None:
        return
    # Declared turns are start, end, speaker, dialect, text; those of a diariser begin alike.
    declared = connection.execute(select(RECORDINGS.c.declared).where(RECORDINGS.c.no == row.no)).scalar_one()
    connection.execute(update(RECORDINGS).where(RECORDINGS.c.no == row.no).values(declared=mend(declared)))
    kept = select(DIARISATIONS).where(DIARISATIONS.c.recording == row.no)
    for diarisation in connection.execute(kept).all():
        here = (DIARISATIONS.c.recording == row.no) & (DIARISATIONS.c.settings == diarisation.settings)
        values = {name: mend(getattr(diarisation, name)) for name in ("turns", "exclusive")}
        connection.execute(update(DIARISATIONS).where(here).values(values))
