"""A workspace of the first schema gets a desk and keeps what it holds."""

from __future__ import annotations

from alembic import command

from tests.store.desk_factories import PLAIN, operation, person, submit, take
from tests.store.factories import MODEL, correction, drafted, recording, recording_id
from transcribe.store import Store
from transcribe.store.database import Database, engine_for
from transcribe.store.migrations import _config
from transcribe.store.place import place_of

#: A correction before it could have a second text.
_CORRECTED = (
    "INSERT INTO corrections (id, recording, start_ms, end_ms, text, accepted, added_at) "
    "SELECT 'c1', no, 0, 2000, 'one too', true, '2026-01-31T12:00:00.000Z' FROM recordings"
)


def kept(store: Store) -> tuple[object, ...]:
    return list(store.recordings()), list(store.drafted(recording_id("talk"), MODEL))


def test_a_workspace_from_before_the_desk_keeps_everything_and_gets_one(sqlite_url: str) -> None:
    url = sqlite_url.replace("boli.db", "old.db")
    place = place_of(url)
    engine, config = engine_for(place, create=True), _config()
    with Database(place, engine).writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    # Saved as the first schema has it: neither needs anything that came later.
    old = Store(place, engine)
    old.add_recordings([recording(dialect="hi")])
    old.save_drafted(drafted())
    with old.writing() as connection:
        connection.exec_driver_sql(_CORRECTED)
    before = kept(old)
    old.close()
    with Store.open(url) as store:
        assert kept(store) == before
        assert list(store.corrections()) == [correction("c1", end=2_000)]
        assert store.lay_out(PLAIN) == 2
        asha = person(store)
        [lease] = take(store, asha)
        assert submit(store, asha, operation(lease)).status == "applied"
