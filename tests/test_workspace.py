"""A workspace is made once, never over something else, and its database is inside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from transcribe import glossary
from transcribe.config import FILE_NAME, find_workspace, load
from transcribe.errors import InputError, UnfitError
from transcribe.store import Store
from transcribe.workspace import FOLDERS, create, database_url, make_private


def test_a_new_workspace_has_its_folders_and_default_settings(tmp_path: Path) -> None:
    folder = create(tmp_path / "a" / "b")
    assert {path.name for path in folder.iterdir()} == {*FOLDERS, FILE_NAME, glossary.FILE}
    assert (folder / glossary.FILE).read_text(encoding="utf-8") == "term\tdialect\tspoken\n"
    assert load(folder / FILE_NAME, environment={}) == load(environment={})
    assert find_workspace(folder, {}) == folder


def test_settings_given_at_the_start_are_written_down(tmp_path: Path) -> None:
    folder = create(
        tmp_path / "w", {"recogniser": {"model": 'a "b"', "beam_size": 2}, "models": {"allow_download": True}}
    )
    settings = load(folder / FILE_NAME, environment={})
    assert (settings.recogniser.model, settings.recogniser.beam_size) == ('a "b"', 2)
    assert settings.models.allow_download is True


def test_a_workspace_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    folder = create(tmp_path / "w", {"recogniser": {"beam_size": 2}})
    (folder / "notes.txt").write_text("mine")
    assert create(folder, {"recogniser": {"beam_size": 9}}) == folder
    assert load(folder / FILE_NAME, environment={}).recogniser.beam_size == 2
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_folder_with_other_files_becomes_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_bytes(b"RIFF")
    create(tmp_path)
    assert (tmp_path / "song.wav").read_bytes() == b"RIFF"
    assert (tmp_path / FILE_NAME).is_file()


def test_a_missing_folder_of_a_workspace_comes_back(tmp_path: Path) -> None:
    folder = create(tmp_path / "w")
    (folder / "audio").rmdir()
    create(folder)
    assert (folder / "audio").is_dir()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("a letter")
    with pytest.raises(InputError, match="is a file"):
        create(tmp_path / "w")
    assert (tmp_path / "w").read_text() == "a letter"


def test_a_file_above_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("a letter")
    with pytest.raises(UnfitError, match="cannot be written"):
        create(tmp_path / "w" / "inside")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has a folder that not even root may write")
def test_a_place_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(UnfitError) as caught:
        create(Path("/proc/boli"))
    assert caught.value.exit_code == 8


@pytest.mark.parametrize("name", ["w", "with space", "a?b", "a%20b", "a#b", "बोली"])
def test_a_relative_database_is_inside_the_workspace_whatever_that_is_called(tmp_path: Path, name: str) -> None:
    assert make_url(database_url("sqlite:///boli.db", tmp_path / name)).database == str(tmp_path / name / "boli.db")


def test_what_follows_the_path_of_a_database_is_kept(tmp_path: Path) -> None:
    url = make_url(database_url("sqlite:///boli.db?timeout=5", tmp_path))
    assert (url.database, dict(url.query)) == (str(tmp_path / "boli.db"), {"timeout": "5"})


@pytest.mark.parametrize(
    "url",
    ["sqlite:////data/boli.db", "sqlite://", "sqlite:///:memory:", "postgresql+psycopg://boli@host/boli"],
)
def test_other_databases_are_where_they_say(tmp_path: Path, url: str) -> None:
    assert database_url(url, tmp_path) == url


def test_what_boli_makes_is_for_its_owner_alone_and_is_mended(tmp_path: Path) -> None:
    folder = create(tmp_path / "work")
    with Store.open(f"sqlite:///{folder}/boli.db"):
        files = [path for path in folder.iterdir() if path.suffix != ".tsv"]
        assert {path.name: path.stat().st_mode & 0o077 for path in files} == {path.name: 0 for path in files}
    (folder / "boli.db").chmod(0o644)
    (folder / "audio").chmod(0o755)
    assert make_private(folder) == ("audio", "boli.db")
    assert ((folder / "boli.db").stat().st_mode & 0o777, (folder / "audio").stat().st_mode & 0o777) == (0o600, 0o700)
    assert make_private(folder) == ()
