"""A database of an older schema is copied before it is migrated, and its rows get their digests then."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from tests.store.conftest import bare_database
from tests.store.factories import recording
from transcribe.errors import UnfitError
from transcribe.store import Store
from transcribe.store.database import Database
from transcribe.store.database_url import parse_url
from transcribe.store.engine import engine_for
from transcribe.store.migrations import migrate, read_revision
from transcribe.store.rows import values_of_recording
from transcribe.store.schema import RECORDINGS
from transcribe.store.snapshot import list_copies

OLD = "0014"


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the schema before digests, with one recording."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/boli.db" if is_file else bare_database(request.getfixturevalue("server"))
    location = parse_url(url)
    engine = engine_for(location, create=True)
    with Database(location, engine).begin_write() as connection:
        migrate(connection, OLD)
        values = values_of_recording(recording(dialect="hi"), "2026-01-31T12:00:00.000Z")
        connection.execute(insert(RECORDINGS).values(**values))
    engine.dispose()
    return url


def test_the_copy_has_what_was_there_and_the_rows_get_digests(old_url: str, tmp_path: Path) -> None:
    with Store.open(old_url, workspace=tmp_path) as store:
        assert list(store.recordings.fetch()) == [recording(dialect="hi")]
        assert list(store.digests.find_damage()) == []
        with store.database.begin_read() as connection:
            sources = connection.execute(text("SELECT source FROM digests")).scalars().all()
        [copy] = list_copies(store.database.location, tmp_path)
    assert sources == ["recordings"]
    assert copy.name.startswith(f"boli.db.{OLD}.2")
    if copy.is_dir():
        assert b"talk.wav" in (copy / "recordings.copy").read_bytes()
        return
    location = parse_url(f"sqlite:///{copy}")
    with closing(Database(location, engine_for(location))) as copied, copied.begin_read() as connection:
        assert read_revision(connection) == OLD
        assert connection.execute(text("SELECT path FROM recordings")).scalar() == "talk.wav"
    with Store.open(old_url, workspace=tmp_path) as store:
        assert list_copies(store.database.location, tmp_path) == [copy]


def test_without_room_for_a_copy_nothing_is_migrated(
    old_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(1 << 40, 1 << 40, 1_000))
    with pytest.raises(UnfitError) as refused:
        Store.open(old_url, workspace=tmp_path)
    assert refused.value.code == "E_NO_ROOM"
    location = parse_url(old_url)
    with closing(Database(location, engine_for(location))) as copied, copied.begin_read() as connection:
        assert read_revision(connection) == OLD
    assert list_copies(location, tmp_path) == []
