"""The recordings, the paths under which they came, and the declared speakers."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from transcribe.errors import InputError
from transcribe.records import Recording, Split
from transcribe.speaker_links import recording_of_unnamed
from transcribe.store.database import Database
from transcribe.store.rows import (
    batches,
    check_key,
    check_optional_key,
    insert_into,
    insert_rows,
    recording_of,
    speakers_of,
    values_of_recording,
)
from transcribe.store.schema import FACT_CHANGES, PATHS, RECORDINGS, SPEAKERS, USABLE
from transcribe.store.speakers import include_linked

#: The split that wins where people of several splits meet: a speaker of the test must not be trained on again.
STRONGEST: Sequence[Split] = ("test", "dev", "train")


@dataclass(frozen=True, kw_only=True)
class Added:
    """The new and the existing ids of an addition, in the order given; an id given twice is in both."""

    new: tuple[str, ...]
    #: There already, and left as they were.
    existing: tuple[str, ...]


@dataclass(frozen=True)
class Recordings:
    """The recordings, their paths and their splits."""

    database: Database

    def add(self, recordings: Iterable[Recording], *, sources: Mapping[str, str | None] | None = None) -> Added:
        """
        Take *recordings*, reading them as they come and saving a batch at a time.

        An id that is there already stays as it is; only its new path is remembered, so that it is found under both.
        What is said of the use of a new one begins its history.

        Args:
            sources: The manifest that states the facts of each, by id.

        Raises:
            InputError: If a recording holds text that no database can keep. The batches before it are saved, and
                nothing of its own; giving all of them again goes on from there.
        """
        new_ids: list[str] = []
        existing_ids: list[str] = []
        for batch in batches(recordings):
            now = self.database.now()
            values = [values_of_recording(recording, now) for recording in batch]
            with self.database.begin_write() as connection:
                fresh = _insert_recordings(connection, batch, values)
                _insert_first_facts(connection, [row for row in values if row["id"] in fresh], sources or {}, now)
            for recording in batch:
                (new_ids if recording.id in fresh else existing_ids).append(recording.id)
                fresh.discard(recording.id)
        return Added(new=tuple(new_ids), existing=tuple(existing_ids))

    def find(self, id: str) -> Recording | None:
        """Return the recording with this *id*, ``None`` if there is none."""
        with self.database.begin_read() as connection:
            row = connection.execute(select(RECORDINGS).where(RECORDINGS.c.id == id)).one_or_none()
        return None if row is None else recording_of(row)

    def fetch(self, *, ids: Collection[str] | None = None, withheld: bool = False) -> Iterator[Recording]:
        """
        Yield all recordings, or those of *ids* that are there, ordered by id.

        Args:
            withheld: Those too that nobody may hear or read.
        """
        every = select(RECORDINGS) if withheld else select(RECORDINGS).where(USABLE)
        if ids is None:
            yield from map(recording_of, self.database.page_rows(every, [RECORDINGS.c.id]))
            return
        for batch in batches(sorted(set(ids))):
            query = every.where(RECORDINGS.c.id.in_(batch))
            yield from map(recording_of, self.database.page_rows(query, [RECORDINGS.c.id]))

    def find_by_path(self, path: str) -> Recording | None:
        """Return the recording last ingested under *path*, spelled as then, else in another Unicode form."""
        forms = {path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))}
        query = select(RECORDINGS, PATHS.c.path.label("spelling")).join(PATHS, PATHS.c.recording == RECORDINGS.c.no)
        with self.database.begin_read() as connection:
            rows = connection.execute(query.where(PATHS.c.path.in_(forms))).all()
        by_spelling = {row.spelling: row for row in rows}
        row = by_spelling.get(path) or next((by_spelling[name] for name in sorted(by_spelling)), None)
        return None if row is None else recording_of(row)

    def find_split(self, speakers: Collection[str], session: str | None) -> Split | None:
        """
        Return the split already fixed for a recording of *speakers* in *session*; ``None`` if it may be drawn.

        It is that of anybody or anything they share with a recording in the store. Linked speakers are one.

        A recording that joins people of several splits gets the strongest of them: test, dev, train.
        """
        splits: set[Split] = set()
        with self.database.begin_read() as connection:
            for batch in batches(sorted(include_linked(connection, speakers))):
                named = select(SPEAKERS.c.recording).where(SPEAKERS.c.speaker.in_(batch))
                splits |= _find_splits(connection, RECORDINGS.c.no.in_(named))
                if unnamed := [id for speaker in batch if (id := recording_of_unnamed(speaker))]:
                    splits |= _find_splits(connection, RECORDINGS.c.id.in_(unnamed))
            if session is not None:
                splits |= _find_splits(connection, RECORDINGS.c.session == session)
        return min(splits, key=STRONGEST.index, default=None)


def number_of(connection: Connection, recording: str, *, lock: bool = False) -> int:
    """
    Return the row number of *recording*.

    Args:
        lock: Let nobody else lock the recording until this transaction ends. Corrections still come in.

    Raises:
        InputError: If there is no such recording.
    """
    query = select(RECORDINGS.c.no).where(RECORDINGS.c.id == recording)
    number: int | None = connection.execute(
        query.with_for_update(key_share=True) if lock else query
    ).scalar_one_or_none()
    if number is None:
        raise unknown_recording(recording)
    return number


def is_usable(connection: Connection, number: int) -> bool:
    """Tell if the recording with that row number may be heard, read and learnt from."""
    return connection.execute(select(RECORDINGS.c.no).where(RECORDINGS.c.no == number, USABLE)).first() is not None


def numbers_of(connection: Connection, recordings: Collection[str]) -> dict[str, int]:
    """Return the row numbers of those of *recordings* that are there."""
    query = select(RECORDINGS.c.id, RECORDINGS.c.no).where(RECORDINGS.c.id.in_(sorted(set(recordings))))
    return {row.id: row.no for row in connection.execute(query)}


def unknown_recording(recording: str) -> InputError:
    return InputError(
        f"recording {recording[:80]} is not in the workspace",
        code="E_RECORDING",
        hint="run boli ingest on its file first",
        item=recording,
    )


def _find_splits(connection: Connection, condition: ColumnElement[bool]) -> set[Split]:
    return set(connection.execute(select(RECORDINGS.c.split).where(condition).distinct()).scalars())


def _insert_recordings(
    connection: Connection, recordings: Sequence[Recording], values: Sequence[dict[str, object]]
) -> set[str]:
    """Insert the new recordings, their speakers and every path, and return the ids that were new."""
    insert = insert_into(connection, RECORDINGS).on_conflict_do_nothing(index_elements=["id"])
    # In one order everywhere, so that two who add the same recordings at once wait for each other and not in a ring.
    ordered = sorted(values, key=lambda row: str(row["id"]))
    fresh = set(connection.execute(insert.returning(RECORDINGS.c.id), ordered).scalars())
    numbers = numbers_of(connection, [recording.id for recording in recordings])
    speakers = [
        {"speaker": check_key(speaker, "a speaker"), "recording": numbers[recording.id]}
        for recording in recordings
        if recording.id in fresh
        for speaker in sorted(speakers_of(recording))
    ]
    if speakers:
        connection.execute(insert_into(connection, SPEAKERS).on_conflict_do_nothing(), speakers)
    paths = {recording.path: numbers[recording.id] for recording in recordings}
    remember = insert_into(connection, PATHS)
    remember = remember.on_conflict_do_update(index_elements=["path"], set_={"recording": remember.excluded.recording})
    connection.execute(remember, [{"path": path, "recording": number} for path, number in sorted(paths.items())])
    return fresh


def _insert_first_facts(
    connection: Connection, values: Sequence[Mapping[str, object]], sources: Mapping[str, str | None], now: str
) -> None:
    """Begin the histories of new recordings with what their manifest said of their use: later words are held to it."""
    numbers = numbers_of(connection, [str(row["id"]) for row in values])
    changes = {
        (numbers[str(row["id"])], name, str(row[name]), check_optional_key(sources.get(str(row["id"])), "a source"))
        for row in values
        for name in ("consent", "licence")
        if row[name] is not None
    }
    columns = ("recording", "name", "after", "source", "stated_at", "added_at")
    ordered = sorted(changes, key=lambda change: change[:2])
    insert_rows(connection, FACT_CHANGES, columns, [(*change, now, now) for change in ordered])
