"""A workspace of the first schema gets a desk and keeps what it holds."""

from __future__ import annotations

from alembic import command

from tests.store.desk_factories import PLAIN, operation, person, submit, take
from tests.store.factories import MODEL, correction, drafted, recording, recording_id
from transcribe.store import Store
from transcribe.store.database import Database, engine_for
from transcribe.store.migrations import _config
from transcribe.store.place import place_of


def kept(store: Store) -> tuple[object, ...]:
    return list(store.recordings()), list(store.corrections()), list(store.drafted(recording_id("talk"), MODEL))


def test_a_workspace_from_before_the_desk_keeps_everything_and_gets_one(sqlite_url: str) -> None:
    url = sqlite_url.replace("boli.db", "old.db")
    place = place_of(url)
    engine, config = engine_for(place, create=True), _config()
    with Database(place, engine).writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    # Saved as the first schema has it: neither needs a table that came later.
    old = Store(place, engine)
    old.add_recordings([recording(dialect="hi")])
    old.save_drafted(drafted())
    old.add_corrections([correction("c1", end=2_000)])
    before = kept(old)
    old.close()
    with Store.open(url) as store:
        assert kept(store) == before
        assert store.lay_out(PLAIN) == 2
        asha = person(store)
        [lease] = take(store, asha)
        assert submit(store, asha, operation(lease)).status == "applied"
