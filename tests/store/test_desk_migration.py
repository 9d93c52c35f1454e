"""A workspace of the first schema gets a desk and keeps what it holds."""

from __future__ import annotations

from typing import Any

from alembic import command
from sqlalchemy import Connection, insert

from tests.store.desk_factories import PLAIN, operation, person, submit, take
from tests.store.factories import MODEL, correction, make_drafted, recording, recording_id
from transcribe.records import Drafted
from transcribe.store import Store
from transcribe.store.database import Database
from transcribe.store.database_url import parse_url
from transcribe.store.engine import engine_for
from transcribe.store.migrations import _config
from transcribe.store.rows import values_of_recording, words_text
from transcribe.store.schema import DONE, DRAFTS, PATHS, QUALITY_COLUMNS, RECORDINGS, SEGMENTS

#: A correction before it could have a second text.
_CORRECTED = (
    "INSERT INTO corrections (id, recording, start_ms, end_ms, text, accepted, added_at) "
    "SELECT 'c1', no, 0, 2000, 'one too', true, '2026-01-31T12:00:00.000Z' FROM recordings"
)


_RUN: dict[str, Any] = {
    "no": 1,
    "recording": 1,
    "diarisation": "d",
    "warnings": "[]",
    "done_at": "2026-01-31T12:00:00.000Z",
}


def save_as_first_schema_had_it(connection: Connection, work: Drafted) -> None:
    """Keep *work* on the first recording, with no column that came later."""
    connection.execute(insert(DONE).values(**_RUN, settings=work.settings, model=work.model))
    for number, (segment, draft) in enumerate(zip(work.segments, work.drafts, strict=True), 1):
        span = {"start_ms": segment.start, "end_ms": segment.end}
        facts = {"id": segment.id, "no": number, "recording": 1, "run": 1, "speaker": segment.speaker}
        connection.execute(insert(SEGMENTS).values(**facts, **span))
        values = {"words": words_text(draft.words, "a draft"), "log_probability": draft.log_probability, "flags": "[]"}
        connection.execute(insert(DRAFTS).values(run=1, segment=number, **values))


def read_everything(store: Store) -> tuple[object, ...]:
    return list(store.recordings.fetch()), list(store.drafts.fetch_with_segments(recording_id("talk"), MODEL))


def test_a_workspace_from_before_the_desk_keeps_everything_and_gets_one(sqlite_url: str) -> None:
    url = sqlite_url.replace("boli.db", "old.db")
    location = parse_url(url)
    engine, config = engine_for(location, create=True), _config()
    with Database(location, engine).begin_write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    # Saved as the first schema has it: neither needs anything that came later.
    old = Store(Database(location, engine))
    talk = recording(dialect="hi")
    work = make_drafted()
    with old.database.begin_write() as connection:
        later = {"withheld", *(column.name for column in QUALITY_COLUMNS)}
        values = {
            name: value for name, value in values_of_recording(talk, _RUN["done_at"]).items() if name not in later
        }
        connection.execute(insert(RECORDINGS).values(**values))
        connection.execute(insert(PATHS).values(path=talk.path, recording=1))
        save_as_first_schema_had_it(connection, work)
        connection.exec_driver_sql(_CORRECTED)
    expected = [talk], list(zip(work.segments, work.drafts, strict=True))
    old.close()
    with Store.open(url) as store:
        assert read_everything(store) == expected
        assert list(store.corrections.fetch()) == [correction("c1", end=2_000)]
        assert store.desk.lay_out(PLAIN) == 2
        asha = person(store)
        [lease] = take(store, asha)
        assert submit(store, asha, operation(lease)).status == "applied"
