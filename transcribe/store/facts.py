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

from sqlalchemy import Connection, Row, Table, exists, func, select, update

from transcribe.consent_words import REFUSING, find_withheld
from transcribe.errors import InputError
from transcribe.records import Split
from transcribe.store.audit import note
from transcribe.store.database import Database
from transcribe.store.desk_schema import GOLDS, VERSIONS
from transcribe.store.fact_mending import mend_dialect, mend_speaker
from transcribe.store.leases import end_withheld
from transcribe.store.recordings import STRONGEST, unknown_recording
from transcribe.store.rows import batches, check_key, check_optional_key, encode_json, insert_rows
from transcribe.store.schema import (
    ACCEPTANCES,
    CORRECTIONS,
    DONE,
    DRAFTS,
    FACT_CHANGES,
    RECORDINGS,
    SEGMENTS,
    SPEAKERS,
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
    #: Why, as a person said it; ``None``: a manifest did.
    reason: str | None
    #: From when on it holds, as it was said; UTC, or a date.
    stated_at: str
    added_at: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Where facts come from."""

    #: The manifest, or where a person had it from.
    source: str | None
    #: Why, as a person says it; a manifest gives none.
    reason: str | None = None
    #: From when on it holds; ``None``: from now on.
    stated_at: str | None = None
    #: Whose name a changed speaker is, where several speak; ``None``: the recording's own.
    speaker: str | None = None
    #: Take only what counts against what was said since, as from a manifest that may be read again.
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
        if name == "speaker":
            before = statement.speaker or before
            _refuse_ambiguous(connection, row, before)
        check_optional_key(after, f"the {name} of recording {row.id[:12]}")
        if before != after and not (
            statement.only_new and _says_nothing_new(connection, row.no, name, after, statement)
        ):
            changes.append(_make_change(row.id, name, before, after, statement, now))
    return changes


def _refuse_ambiguous(connection: Connection, row: Row[Any], before: str | None) -> None:
    """Refuse to name the one speaker of a recording of which turns declare others."""
    declared = select(SPEAKERS.c.speaker).where(SPEAKERS.c.recording == row.no).order_by(SPEAKERS.c.speaker)
    names = list(connection.execute(declared).scalars())
    if names and before not in names:
        message = f"a speaker of {row.path} was to be renamed; declared are {', '.join(names)}"
        raise InputError(message, code="E_SPEAKER", hint="name one of them with --speaker", item=row.path)


def _says_nothing_new(
    connection: Connection, recording: int, name: str, after: str | None, statement: Statement
) -> bool:
    """
    Tell if a manifest's word on a fact does not count against the last one.

    What it said before is nothing new, unless it refuses: a refusal counts against what any manifest gives. What a
    person refused no manifest gives back, for it may be a list of before.
    """
    history = FACT_CHANGES.c
    mine = (history.recording == recording) & (history.name == name)
    changes = connection.execute(select(FACT_CHANGES).where(mine).order_by(history.no.desc())).all()
    # What has no source was there before histories were kept: any manifest may have said it.
    own = [change for change in changes if change.source == statement.source or _is_first(change)]
    has_said = bool(own) and own[0].after == after
    if name != "consent" or not changes:
        return has_said
    by_person = changes[0].reason is not None or (changes[0].source is None and not _is_first(changes[0]))
    if find_withheld(after, statement.refusing) is not None:
        return has_said and by_person
    return has_said or (by_person and find_withheld(changes[0].after, statement.refusing) is not None)


def _is_first(change: Row[Any]) -> bool:
    return change.before is None and change.source is None


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
    if statement.speaker not in (None, row.speaker):
        values.pop("speaker", None)
    own = {change.name.removeprefix(OWN): change.after for change in changes if change.name not in COLUMNS}
    if own:
        merged = {name: value for name, value in (json.loads(row.facts) | own).items() if value is not None}
        values["facts"] = encode_json(merged, f"a fact of recording {row.id[:12]}")
    if "consent" in values:
        values["withheld"] = find_withheld(values["consent"], statement.refusing)
    if values:
        connection.execute(update(RECORDINGS).where(RECORDINGS.c.no == row.no).values(values))
    if values.get("withheld") is not None:
        end_withheld(connection, row.no, now)
    for change in changes:
        if change.name == "dialect":
            mend_dialect(connection, row, before=change.before, after=change.after)
        if change.name == "speaker":
            mend_speaker(connection, row, before=change.before, after=change.after)


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
