"""
The erasure of a speaker or of old recordings: every text of theirs goes for good; that there was work stays.

Of histories the text goes and its salted hash stays, so that the chain still holds and no text can be guessed from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, false, or_, select, update

from transcribe.records import Milliseconds
from transcribe.store.attempts import RUN
from transcribe.store.audit import note
from transcribe.store.database import Database
from transcribe.store.desk import ERASED
from transcribe.store.desk_schema import DESK, GOLDS, LEASES, MASKS, VERDICTS, VERSIONS
from transcribe.store.driver_errors import translate_errors
from transcribe.store.rows import ERASED_SALT, batches, encode_json, insert_into, salted_hash
from transcribe.store.schema import (
    ATTEMPTS,
    CORRECTIONS,
    DIARISATIONS,
    DRAFTS,
    FACT_CHANGES,
    FAILURES,
    PATHS,
    RECORDINGS,
    SEGMENTS,
    SPEAKERS,
    VOICES,
)
from transcribe.store.speakers import erase_voices, speakers_in
from transcribe.store.word_assignment import Span, merge_spans

#: Characters from which on a text is not found in a file by chance.
_SHORTEST_TEXT = 12
#: Tables whose free pages may still hold what was erased.
_TABLES_WITH_TEXT = (
    *("recordings", "diarisations", "segments", "drafts", "corrections", "versions", "verdicts", "golds"),
    *("voices", "speaker_links", "fact_changes", "digests"),
)


_HISTORY_TEXTS = tuple(FACT_CHANGES.c[name] for name in ("before", "after", "source", "reason"))


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """The part of one recording that is, or was, to be erased."""

    recording: str
    path: str
    #: ``None``: all of it.
    spans: tuple[Span, ...] | None
    duration: Milliseconds
    #: Every segment whose clip may contain some of the audio.
    segments: tuple[str, ...]

    @property
    def sound(self) -> Milliseconds:
        """The length of the audio that goes, in milliseconds."""
        return self.duration if self.spans is None else sum(end - start for start, end in self.spans)


@dataclass(frozen=True)
class Erasures:
    """The erasure of texts and voices."""

    database: Database

    def find_by_speaker(self, speaker: str) -> tuple[Erasure, ...]:
        """Return what there is of *speaker*: all of a recording where nobody else speaks, else where they do."""
        declared = select(SPEAKERS.c.recording).where(SPEAKERS.c.speaker == speaker)
        drafted = select(SEGMENTS.c.recording).where(SEGMENTS.c.speaker == speaker)
        corrected = select(CORRECTIONS.c.recording).where(CORRECTIONS.c.speaker == speaker)
        theirs = or_(
            *(RECORDINGS.c.no.in_(numbers) for numbers in (declared, drafted, corrected)),
            RECORDINGS.c.speaker == speaker,
        )
        with self.database.begin_read() as connection:
            rows = connection.execute(select(RECORDINGS).where(theirs).order_by(RECORDINGS.c.id)).all()
            return tuple(_find_erasure(connection, row, speaker) for row in rows)

    def find_by_recording(self, recording: str) -> tuple[Erasure, ...]:
        """Return all that there is of *recording*, an id, whoever speaks there; none if it was erased before."""
        query = select(RECORDINGS).where(RECORDINGS.c.id == recording, ~RECORDINGS.c.path.startswith(ERASED))
        with self.database.begin_read() as connection:
            return tuple(_find_erasure(connection, row, None) for row in connection.execute(query).all())

    def find_before(self, moment: str) -> tuple[Erasure, ...]:
        """Return every recording that came before *moment* and still has a text or its name."""
        query = select(RECORDINGS).where(RECORDINGS.c.added_at < moment, ~RECORDINGS.c.path.startswith(ERASED))
        with self.database.begin_read() as connection:
            rows = connection.execute(query.order_by(RECORDINGS.c.id)).all()
            return tuple(_find_erasure(connection, row, None) for row in rows)

    def fetch_texts(self, erasure: Erasure, *, speaker: str | None = None) -> frozenset[str]:
        """Return every text of people there that is long enough to be recognised in a file."""
        theirs = RECORDINGS.c.id == erasure.recording
        condition = SEGMENTS.c.speaker == speaker if erasure.spans is not None else SEGMENTS.c.no.is_not(None)
        typed = select(VERSIONS.c.text).join(SEGMENTS, VERSIONS.c.segment == SEGMENTS.c.no)
        typed = typed.join(RECORDINGS, SEGMENTS.c.recording == RECORDINGS.c.no).where(theirs, condition)
        right = select(CORRECTIONS.c.text).join(RECORDINGS, CORRECTIONS.c.recording == RECORDINGS.c.no).where(theirs)
        if erasure.spans is not None:
            right = right.where(CORRECTIONS.c.speaker == speaker)
        with self.database.begin_read() as connection:
            texts = {*connection.execute(typed).scalars(), *connection.execute(right).scalars()}
        return frozenset(text for text in texts if len(text) >= _SHORTEST_TEXT)

    def erase(self, erasures: Iterable[Erasure], *, speaker: str | None = None) -> int:
        """
        Erase every text of *erasures*, a recording in a transaction, and count the people's texts.

        Nobody is given its segments again; a text that still comes for one is rejected.
        """
        texts = 0
        for erasure in erasures:
            with self.database.begin_write() as connection:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA secure_delete = ON")
                query = select(RECORDINGS).where(RECORDINGS.c.id == erasure.recording)
                row = connection.execute(query).one()
                whole = erasure.spans is None
                of_recording = SEGMENTS.c.recording == row.no
                names = speakers_in(connection, row.no) if whole else frozenset({speaker or ""})
                texts += _erase_segments(
                    connection,
                    of_recording if whole else of_recording & (SEGMENTS.c.speaker == speaker),
                    self.database.now(),
                )
                texts += _erase_corrections(connection, row.no, erasure.spans, speaker)
                (_erase_facts if whole else _erase_name)(connection, row, speaker, self.database.now())
                voices = VOICES.c.recording == row.no
                erase_voices(connection, voices if whole else voices & (VOICES.c.speaker == speaker), names)
                detail = {"recording": erasure.recording, "sound_ms": erasure.sound, "whole": whole}
                note(connection, self.database.now(), None, "erased", detail=detail)
        return texts

    def vacuum(self) -> None:
        """Write the tables anew, so that no page of the database holds what was erased. May take minutes."""
        with translate_errors(self.database.location):
            raw = self.database.engine.raw_connection()
            try:
                driver: Any = raw.driver_connection
                if self.database.location.path is not None:
                    driver.execute("VACUUM")
                    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    return
                driver.autocommit = True
                for name in _TABLES_WITH_TEXT:
                    driver.execute(f"VACUUM FULL {name}")
                driver.autocommit = False
            finally:
                raw.close()


def _find_erasure(connection: Connection, row: Row[Any], speaker: str | None) -> Erasure:
    columns = (SEGMENTS.c.id, SEGMENTS.c.speaker, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms)
    segments = connection.execute(select(*columns).where(SEGMENTS.c.recording == row.no).order_by(SEGMENTS.c.no)).all()
    named = select(SPEAKERS.c.speaker).where(SPEAKERS.c.recording == row.no)
    others = {*connection.execute(named).scalars(), *(segment.speaker for segment in segments)} - {speaker, ERASED}
    spans = None
    if speaker is not None and row.speaker != speaker and others:
        query = select(CORRECTIONS.c.start_ms, CORRECTIONS.c.end_ms)
        query = query.where(CORRECTIONS.c.recording == row.no, CORRECTIONS.c.speaker == speaker)
        stretches = [(segment.start_ms, segment.end_ms) for segment in segments if segment.speaker == speaker]
        stretches += [(span.start_ms, span.end_ms) for span in connection.execute(query)]
        stretches += [(start, end) for start, end, name, *_ in json.loads(row.declared) if name == speaker]
        spans = tuple(merge_spans(stretches))
    return Erasure(
        recording=row.id,
        path=row.path,
        spans=spans,
        duration=row.duration_ms,
        segments=tuple(segment.id for segment in segments),
    )


def _erase_segments(connection: Connection, which: ColumnElement[bool], now: str) -> int:
    """Erase drafts and people's texts of the segments that fulfil *which*, and take these off the desk."""
    numbers = list(connection.execute(select(SEGMENTS.c.no).where(which)).scalars())
    texts = 0
    for batch in batches(numbers):
        connection.execute(delete(DRAFTS).where(DRAFTS.c.segment.in_(batch)))
        connection.execute(delete(GOLDS).where(GOLDS.c.segment.in_(batch)))
        texts += _erase_versions(connection, batch)
        decided = VERDICTS.c.segment.in_(batch) & (VERDICTS.c.body != "")
        connection.execute(update(VERDICTS).where(decided).values(note="", body="", variants="[]"))
        live = LEASES.c.segment.in_(batch) & LEASES.c.ended_at.is_(None)
        connection.execute(update(LEASES).where(live).values(ended_at=now, ended="erased"))
        off = {"state": "erased", "since_at": now, "person": None, "until_at": None}
        connection.execute(update(DESK).where(DESK.c.segment.in_(batch)).values(off))
        connection.execute(update(SEGMENTS).where(SEGMENTS.c.no.in_(batch)).values(speaker=ERASED))
    return texts


def _erase_versions(connection: Connection, segments: list[int]) -> int:
    query = select(VERSIONS.c.no, VERSIONS.c.text, VERSIONS.c.salt).where(VERSIONS.c.segment.in_(segments))
    rows = connection.execute(query.where(~VERSIONS.c.salt.startswith(ERASED_SALT))).all()
    if rows:
        gone = {"text": "", "body": "", "tags": "[]", "more": "{}"}
        erased = update(VERSIONS).where(VERSIONS.c.no == bindparam("at")).values(gone | {"salt": bindparam("kept")})
        connection.execute(
            erased, [{"at": row.no, "kept": f"{ERASED_SALT}{salted_hash(row.text, row.salt)}"} for row in rows]
        )
    return len(rows)


def _erase_corrections(
    connection: Connection, recording: int, spans: tuple[Span, ...] | None, speaker: str | None
) -> int:
    which = and_(CORRECTIONS.c.recording == recording, CORRECTIONS.c.text != "")
    if spans is not None:
        # A text without a speaker is of everybody who speaks there.
        there = [and_(CORRECTIONS.c.start_ms < end, CORRECTIONS.c.end_ms > start) for start, end in spans]
        which &= or_(CORRECTIONS.c.speaker == speaker, and_(CORRECTIONS.c.speaker.is_(None), or_(*there)))
    named = CORRECTIONS.c.speaker.is_not(None)
    texts = 0
    for condition, values in ((named, {"speaker": ERASED}), (~named, {})):
        blank = update(CORRECTIONS).where(which, condition).values(text="", normalised=None, accepted=False, **values)
        texts += connection.execute(blank).rowcount
    return texts


def _erase_facts(connection: Connection, row: Row[Any], speaker: str | None, now: str) -> None:
    """Erase what is known of a whole recording but its length, dialect and the hash of its bytes."""
    for table in (DIARISATIONS, PATHS, SPEAKERS, ATTEMPTS, MASKS):
        connection.execute(delete(table).where(table.c.recording == row.no))
    gone = {"path": f"{ERASED}/{row.id[:12]}", "facts": "{}", "declared": "[]", "warnings": "[]"}
    names = dict.fromkeys(("speaker", "session", "source"))
    connection.execute(update(RECORDINGS).where(RECORDINGS.c.no == row.no).values(gone | names))
    _erase_history(connection, FACT_CHANGES.c.recording == row.no)
    # Kept from being drafted again, for there is nothing to hear.
    failed = {"stage": RUN, "item": row.id, "shown": gone["path"], "code": "E_ERASED", "message": "it was erased"}
    keep = insert_into(connection, FAILURES).on_conflict_do_nothing()
    connection.execute(keep, failed | {"failed_at": now})


def _erase_history(connection: Connection, which: ColumnElement[bool]) -> None:
    """Erase what stood in a history; that something was changed, and when, stays."""
    emptied = dict.fromkeys(column.name for column in _HISTORY_TEXTS)
    connection.execute(update(FACT_CHANGES).where(which).values(emptied))


def _erase_name(connection: Connection, row: Row[Any], speaker: str | None, now: str) -> None:
    """Erase the name of *speaker* in a recording where others speak too."""
    history = FACT_CHANGES.c
    named = or_(*(column.contains(speaker, autoescape=True) for column in _HISTORY_TEXTS)) if speaker else false()
    _erase_history(connection, (history.recording == row.no) & named)
    declaration = (SPEAKERS.c.recording == row.no) & (SPEAKERS.c.speaker == speaker)
    connection.execute(delete(SPEAKERS).where(declaration))
    declared = [turn for turn in json.loads(row.declared) if turn[2] != speaker]
    values = {"declared": encode_json(declared, "declared turns")}
    connection.execute(update(RECORDINGS).where(RECORDINGS.c.no == row.no).values(values))
    query = select(DIARISATIONS).where(DIARISATIONS.c.recording == row.no)
    for diarisation in connection.execute(query).all():
        turns = {
            name: encode_json(
                [[*turn[:2], ERASED if turn[2] == speaker else turn[2], *turn[3:]] for turn in stored], "turns"
            )
            for name, stored in (
                ("turns", json.loads(diarisation.turns)),
                ("exclusive", json.loads(diarisation.exclusive)),
            )
        }
        here = (DIARISATIONS.c.recording == row.no) & (DIARISATIONS.c.settings == diarisation.settings)
        connection.execute(update(DIARISATIONS).where(here).values(turns))
