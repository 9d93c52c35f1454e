"""
The facts of recordings as they are stated, changed and mended, with the history of each.

A consent that refuses or withdraws withholds a recording from everything (`schema.USABLE`) in the one transaction that
states it; the words that give it again bring all of it back, for nothing else was changed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, delete, exists, func, select, update

from transcribe.errors import InputError
from transcribe.records import REFUSING, Split, find_withheld
from transcribe.store.audit import note
from transcribe.store.database import Database
from transcribe.store.desk import UNKNOWN
from transcribe.store.desk_schema import DESK, GOLDS, VERSIONS
from transcribe.store.leases import end_withheld
from transcribe.store.recordings import STRONGEST, unknown_recording
from transcribe.store.rows import batches, check_key, check_optional_key, encode_json, insert_into, insert_rows
from transcribe.store.schema import (
    ACCEPTANCES,
    CORRECTIONS,
    DIARISATIONS,
    DONE,
    DRAFTS,
    FACT_CHANGES,
    RECORDINGS,
    SEGMENTS,
    SPEAKERS,
    VOICES,
)
from transcribe.store.speakers import include_linked

#: Facts that have a column of their own.
COLUMNS: Final = ("consent", "licence", "dialect", "language", "speaker", "session", "source")
#: What a fact of the project's own is called in a history, before its name.
OWN: Final = "fact "
#: Columns of a history, but for its number.
_HISTORY = ("recording", "name", "before", "after", "source", "reason", "stated_at", "added_at")


@dataclass(frozen=True, kw_only=True)
class FactChange:
    """One entry of a recording's history: a fact that was stated first, or changed."""

    recording: str
    #: ``consent``, ``licence``, ``dialect``, …, or ``fact NAME`` for a column of the project's own.
    name: str
    before: str | None
    after: str | None
    #: The manifest, or where a person had it from.
    source: str | None
    reason: str | None
    #: From when on it holds, as it was said; UTC, or a date.
    stated_at: str
    added_at: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Where facts come from."""

    #: The manifest, or where a person had it from.
    source: str | None
    reason: str | None = None
    #: From when on it holds; ``None``: from now on.
    stated_at: str | None = None
    #: Take only what *source* did not say the last time: a manifest that is read again says nothing new.
    only_new: bool = False
    #: Words of a consent that refuse.
    refusing: frozenset[str] = REFUSING
    #: Find the changes, and make none.
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """The counts of what a workspace holds of one recording."""

    recording: str
    path: str
    consent: str | None
    withheld: str | None
    segments: int
    drafts: int
    corrections: int
    texts: int
    golds: int
    pseudo_labels: int


@dataclass(frozen=True)
class Facts:
    """The facts of recordings, and their history."""

    database: Database

    def change(
        self, facts_by_recording: Mapping[str, Mapping[str, str | None]], statement: Statement
    ) -> tuple[FactChange, ...]:
        """
        Change facts of recordings, by id, in one transaction, and return what changed; what holds already does not.

        A dialect or a speaker that is mended is mended in segments, corrections and turns too; texts and drafts stay.
        A recording whose new speaker or session is in a stronger split joins that one.

        Raises:
            InputError: E_RECORDING for one that is not there, E_SPLIT where people would be in two splits; nothing is
                changed then.
        """
        history: list[FactChange] = []
        with self.database.begin_write() as connection:
            now = self.database.now()
            rows = _read_recordings(connection, facts_by_recording)
            for id in sorted(facts_by_recording):
                if id not in rows:
                    raise unknown_recording(id)
                changes = _find_changes(connection, rows[id], facts_by_recording[id], statement, now)
                if changes and not statement.dry_run:
                    _apply_changes(connection, rows[id], changes, statement, now)
                history += changes
            if statement.dry_run:
                return tuple(history)
            history += _settle_splits(connection, history, statement, now)
            numbers = {id: row.no for id, row in rows.items()}
            _insert_changes(connection, numbers, history)
            if history:
                names = dict(Counter(change.name for change in history))
                note(connection, now, None, "facts", detail={"recordings": len(rows), "changes": names})
        return tuple(history)

    def fetch_history(self, recordings: Collection[str]) -> tuple[FactChange, ...]:
        """Return the history of *recordings*, by recording, the first entry first."""
        columns = (FACT_CHANGES.c[name] for name in _HISTORY[1:])
        query = select(RECORDINGS.c.id.label("recording"), *columns).join(RECORDINGS)
        changes: list[FactChange] = []
        for batch in batches(sorted(set(recordings))):
            with self.database.begin_read() as connection:
                among = query.where(RECORDINGS.c.id.in_(batch)).order_by(RECORDINGS.c.id, FACT_CHANGES.c.no)
                changes += [FactChange(**row._mapping) for row in connection.execute(among)]
        return tuple(changes)

    def fetch_withheld(self) -> dict[str, str]:
        """Return the consent of every recording that is withheld, by id: ``refused`` or ``withdrawn``."""
        query = select(RECORDINGS.c.id, RECORDINGS.c.withheld).where(RECORDINGS.c.withheld.is_not(None))
        with self.database.begin_read() as connection:
            return {row.id: row.withheld for row in connection.execute(query.order_by(RECORDINGS.c.id))}

    def fetch_holdings(self, recordings: Collection[str]) -> tuple[Holdings, ...]:
        """Return what is kept of each of *recordings*, by id."""
        holdings: list[Holdings] = []
        for batch in batches(sorted(set(recordings))):
            with self.database.begin_read() as connection:
                query = select(RECORDINGS).where(RECORDINGS.c.id.in_(batch)).order_by(RECORDINGS.c.id)
                holdings += [_count_holdings(connection, row) for row in connection.execute(query).all()]
        return tuple(holdings)

    def find_by_speaker(self, speaker: str) -> tuple[str, ...]:
        """Return the ids of the recordings in which *speaker* is declared, drafted or corrected, in order."""
        with self.database.begin_read() as connection:
            numbers = {
                number
                for table in (SPEAKERS, SEGMENTS, CORRECTIONS)
                for number in connection.execute(
                    select(table.c.recording).where(table.c.speaker == speaker).distinct()
                ).scalars()
            }
            ids = [
                id
                for batch in batches(sorted(numbers))
                for id in connection.execute(select(RECORDINGS.c.id).where(RECORDINGS.c.no.in_(batch))).scalars()
            ]
        return tuple(sorted(ids))


def _insert_changes(connection: Connection, numbers: Mapping[str, int], changes: Iterable[FactChange]) -> None:
    """Add *changes* to the history; *numbers* are the row numbers of their recordings."""
    rows = [(numbers[change.recording], *(getattr(change, name) for name in _HISTORY[1:])) for change in changes]
    insert_rows(connection, FACT_CHANGES, _HISTORY, rows)


def _read_recordings(connection: Connection, ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Read recordings by id, locked until the transaction ends, in one order everywhere."""
    rows: dict[str, Row[Any]] = {}
    for batch in batches(sorted(ids)):
        query = select(RECORDINGS).where(RECORDINGS.c.id.in_(batch)).order_by(RECORDINGS.c.id).with_for_update()
        rows |= {row.id: row for row in connection.execute(query)}
    return rows


def _find_changes(
    connection: Connection, row: Row[Any], facts: Mapping[str, str | None], statement: Statement, now: str
) -> list[FactChange]:
    own = json.loads(row.facts)
    changes = []
    for name, after in facts.items():
        before = own.get(name.removeprefix(OWN)) if name.startswith(OWN) else getattr(row, name)
        check_optional_key(after, f"the {name} of recording {row.id[:12]}")
        if before != after and not (statement.only_new and _has_said(connection, row.no, name, after, statement)):
            changes.append(_make_change(row.id, name, before, after, statement, now))
    return changes


def _has_said(connection: Connection, recording: int, name: str, after: str | None, statement: Statement) -> bool:
    """Tell if the source's last word on a fact was *after*; what has no source was said by any manifest."""
    history = FACT_CHANGES.c
    sources = history.source.is_(None) | (history.source == statement.source)
    query = select(history.after).where(history.recording == recording, history.name == name, sources)
    last = connection.execute(query.order_by(history.no.desc()).limit(1)).first()
    return last is not None and last.after == after


def _make_change(
    recording: str, name: str, before: str | None, after: str | None, statement: Statement, now: str
) -> FactChange:
    return FactChange(
        recording=recording,
        name=name,
        before=before,
        after=after,
        source=check_optional_key(statement.source, "a source"),
        reason=check_optional_key(statement.reason, "a reason"),
        stated_at=check_key(statement.stated_at or now, "a date"),
        added_at=now,
    )


def _apply_changes(
    connection: Connection, row: Row[Any], changes: Sequence[FactChange], statement: Statement, now: str
) -> None:
    values: dict[str, Any] = {change.name: change.after for change in changes if change.name in COLUMNS}
    own = {change.name.removeprefix(OWN): change.after for change in changes if change.name not in COLUMNS}
    if own:
        merged = {name: value for name, value in (json.loads(row.facts) | own).items() if value is not None}
        values["facts"] = encode_json(merged, f"a fact of recording {row.id[:12]}")
    if "consent" in values:
        values["withheld"] = find_withheld(values["consent"], statement.refusing)
    connection.execute(update(RECORDINGS).where(RECORDINGS.c.no == row.no).values(values))
    if values.get("withheld") is not None:
        end_withheld(connection, row.no, now)
    for change in changes:
        if change.name == "dialect":
            _mend_dialect(connection, row, change)
        if change.name == "speaker":
            _mend_speaker(connection, row, change)


def _mend_dialect(connection: Connection, row: Row[Any], change: FactChange) -> None:
    """Give segments, corrections and the desk the new dialect, where they have the recording's old one."""
    for table in (SEGMENTS, CORRECTIONS):
        same = table.c.dialect.is_(None) if change.before is None else table.c.dialect == change.before
        theirs = (table.c.recording == row.no) & same
        connection.execute(update(table).where(theirs).values(dialect=change.after))
    segments = select(SEGMENTS.c.no).where(SEGMENTS.c.recording == row.no)
    old = DESK.c.segment.in_(segments) & (DESK.c.dialect == (change.before or UNKNOWN))
    connection.execute(update(DESK).where(old).values(dialect=change.after or UNKNOWN))
    _mend_turns(connection, row, 3, change)


def _mend_speaker(connection: Connection, row: Row[Any], change: FactChange) -> None:
    """
    Give segments, corrections, voices and turns the new name, where they have the recording's old one.

    Where nobody was named, all that nobody is named in gets the name: one speaker was declared.
    """
    unnamed = f"{row.id}/"
    after = change.after or f"{unnamed}SPEAKER_00"
    for table in (SEGMENTS, CORRECTIONS, VOICES):
        old = table.c.speaker.startswith(unnamed) if change.before is None else table.c.speaker == change.before
        connection.execute(update(table).where(table.c.recording == row.no, old).values(speaker=after))
    if change.before is not None:
        gone = (SPEAKERS.c.recording == row.no) & (SPEAKERS.c.speaker == change.before)
        connection.execute(delete(SPEAKERS).where(gone))
    if change.after is not None:
        keep = insert_into(connection, SPEAKERS).on_conflict_do_nothing()
        connection.execute(keep, {"speaker": change.after, "recording": row.no})
    _mend_turns(connection, row, 2, change)


def _mend_turns(connection: Connection, row: Row[Any], at: int, change: FactChange) -> None:
    """Put the new word in place of the old one at position *at* of the recording's turns, kept as JSON."""

    def is_old(word: str | None) -> bool:
        unnamed = at == 2 and change.before is None
        return word is not None and word.startswith(f"{row.id}/") if unnamed else word == change.before

    def mend(text: str) -> str:
        turns = [
            [*turn[:at], change.after if is_old(turn[at]) else turn[at], *turn[at + 1 :]] for turn in json.loads(text)
        ]
        return encode_json(turns, "turns")

    if change.after is None:
        return
    # Declared turns are start, end, speaker, dialect, text; those of a diariser begin alike.
    connection.execute(update(RECORDINGS).where(RECORDINGS.c.no == row.no).values(declared=mend(row.declared)))
    kept = select(DIARISATIONS).where(DIARISATIONS.c.recording == row.no)
    for diarisation in connection.execute(kept).all():
        here = (DIARISATIONS.c.recording == row.no) & (DIARISATIONS.c.settings == diarisation.settings)
        values = {name: mend(getattr(diarisation, name)) for name in ("turns", "exclusive")}
        connection.execute(update(DIARISATIONS).where(here).values(values))


def _settle_splits(
    connection: Connection, changes: Sequence[FactChange], statement: Statement, now: str
) -> list[FactChange]:
    """
    Keep splits apart after speakers or sessions were mended: those recordings join the strongest split of their people.

    Raises:
        InputError: E_SPLIT where another recording would have to move, so that a tested one would be learnt from.
    """
    ids = sorted({change.recording for change in changes if change.name in ("speaker", "session")})
    rows = {id: connection.execute(select(RECORDINGS).where(RECORDINGS.c.id == id)).one() for id in ids}
    splits: dict[str, Split] = {id: row.split for id, row in rows.items()}
    is_stable = False
    while not is_stable:
        is_stable = True
        for id, row in rows.items():
            target = min([splits[id], *_find_linked_splits(connection, row).values()], key=STRONGEST.index)
            if target != splits[id]:
                is_stable, splits[id] = False, target
                connection.execute(update(RECORDINGS).where(RECORDINGS.c.no == row.no).values(split=target))
    for id, row in rows.items():
        weaker = {split for split in _find_linked_splits(connection, row).values() if split != splits[id]}
        if weaker:
            people = " or ".join(filter(None, (row.speaker, row.session)))
            raise InputError(
                f"{row.path} is in {splits[id]}, other recordings of {people} are in {' and '.join(sorted(weaker))};"
                " a speaker or a session cannot be in two splits",
                code="E_SPLIT",
                hint="name another one, or relabel those recordings in the same command: they join the stronger split",
                item=row.path,
            )
    moves = [(id, row.split, splits[id]) for id, row in rows.items() if row.split != splits[id]]
    return [_make_change(id, "split", before, after, statement, now) for id, before, after in moves]


def _find_linked_splits(connection: Connection, row: Row[Any]) -> dict[str, Split]:
    """Return the splits of the other recordings that share a speaker or the session, by id."""
    query = select(SPEAKERS.c.speaker).where(SPEAKERS.c.recording == row.no)
    speakers = include_linked(connection, set(connection.execute(query).scalars()))
    shared = RECORDINGS.c.no.in_(select(SPEAKERS.c.recording).where(SPEAKERS.c.speaker.in_(sorted(speakers))))
    if row.session is not None:
        shared |= RECORDINGS.c.session == row.session
    linked = select(RECORDINGS.c.id, RECORDINGS.c.split).where(shared, RECORDINGS.c.no != row.no)
    return {other.id: other.split for other in connection.execute(linked)}


def _count_holdings(connection: Connection, row: Row[Any]) -> Holdings:
    segments = select(SEGMENTS.c.no).where(SEGMENTS.c.recording == row.no)

    def count(table: Table, condition: Any) -> int:
        return int(connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one())

    newest = select(func.max(ACCEPTANCES.c.no)).group_by(ACCEPTANCES.c.segment)
    return Holdings(
        recording=row.id,
        path=row.path,
        consent=row.consent,
        withheld=row.withheld,
        segments=count(SEGMENTS, SEGMENTS.c.recording == row.no),
        drafts=count(DRAFTS, exists().where(DONE.c.no == DRAFTS.c.run, DONE.c.recording == row.no)),
        corrections=count(CORRECTIONS, CORRECTIONS.c.recording == row.no),
        texts=count(VERSIONS, VERSIONS.c.segment.in_(segments)),
        golds=count(GOLDS, GOLDS.c.segment.in_(segments)),
        pseudo_labels=count(
            ACCEPTANCES, ACCEPTANCES.c.segment.in_(segments) & ACCEPTANCES.c.no.in_(newest) & ACCEPTANCES.c.accepted
        ),
    )
