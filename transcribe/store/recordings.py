"""The recordings, the paths under which they came, and the declared speakers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from transcribe.errors import InputError
from transcribe.records import Recording, Split
from transcribe.speaker_links import recording_of_unnamed
from transcribe.store.database import Database
from transcribe.store.rows import batches, check_key, insert_into, recording_of, speakers_of, values_of_recording
from transcribe.store.schema import PATHS, RECORDINGS, SPEAKERS
from transcribe.store.speakers import include_linked

#: The split that wins where people of several splits meet: a speaker of the test must not be trained on again.
_STRONGEST: Sequence[Split] = ("test", "dev", "train")


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

    def add(self, recordings: Iterable[Recording]) -> Added:
        """
        Take *recordings*, reading them as they come and saving a batch at a time.

        An id that is there already stays as it is; only its new path is remembered, so that it is found under both.

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
            for recording in batch:
                (new_ids if recording.id in fresh else existing_ids).append(recording.id)
                fresh.discard(recording.id)
        return Added(new=tuple(new_ids), existing=tuple(existing_ids))

    def find(self, id: str) -> Recording | None:
        """Return the recording with this *id*, ``None`` if there is none."""
        with self.database.begin_read() as connection:
            row = connection.execute(select(RECORDINGS).where(RECORDINGS.c.id == id)).one_or_none()
        return None if row is None else recording_of(row)

    def fetch(self, *, ids: Collection[str] | None = None) -> Iterator[Recording]:
        """Yield all recordings, or those of *ids* that are there, ordered by id."""
        if ids is None:
            yield from map(recording_of, self.database.page_rows(select(RECORDINGS), [RECORDINGS.c.id]))
            return
        for batch in batches(sorted(set(ids))):
            query = select(RECORDINGS).where(RECORDINGS.c.id.in_(batch))
            yield from map(recording_of, self.database.page_rows(query, [RECORDINGS.c.id]))

    def find_by_path(self, path: str) -> Recording | None:
        """Return the recording last ingested under *path*, spelled as then."""
        query = select(RECORDINGS).join(PATHS, PATHS.c.recording == RECORDINGS.c.no).where(PATHS.c.path == path)
        with self.database.begin_read() as connection:
            row = connection.execute(query).one_or_none()
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
        return min(splits, key=_STRONGEST.index, default=None)


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
