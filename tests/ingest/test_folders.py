"""Files and folders that are named outright."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ingest.factories import list_failures, manifest, plan_arrivals
from transcribe.errors import Failure, InputError
from transcribe.ingest import Arrival, plan


def names(folder: Path) -> list[str]:
    arrivals = plan([folder])
    return [
        os.path.relpath(arrival.path, folder) if isinstance(arrival, Arrival) else arrival.code for arrival in arrivals
    ]


def touch(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_a_folder_gives_its_media_in_the_order_of_names_and_leaves_out_the_rest(tmp_path: Path) -> None:
    touch(tmp_path, "b.MP3", "a/z.wav", "a/deep/er/y.opus", "c.flac", "notes.txt", "m.csv", ".hidden.wav", ".git/x.wav")
    assert names(tmp_path) == ["a/deep/er/y.opus", "a/z.wav", "b.MP3", "c.flac"]


@pytest.mark.parametrize(
    "name",
    ["a.ts", "a.flv", "a.WAVE", "a.3gpp", "a.weba", "a.m4r", "a.tta", "a.ape", "a.asf", "a.m2ts", "a.3g2", "a.spx"],
)
def test_all_that_the_demuxers_read_is_taken_from_a_folder(name: str, tmp_path: Path) -> None:
    touch(tmp_path, name)
    assert names(tmp_path) == [name]


def test_what_a_folder_leaves_out_is_counted_by_name(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.xyz", "in/c.XYZ", "notes.txt", "recording", ".hidden.xyz")
    warnings: list[str] = []
    arrivals = list(plan([tmp_path], warn=warnings.append))
    assert len(arrivals) == 1
    assert warnings == [
        f"W_LEFT_OUT: 4 files are no media by name in {tmp_path} (2 .xyz, 1 .txt, 1 recording); name those that are"
    ]
    list(plan([tmp_path / "a.wav"], warn=warnings.append))
    assert len(warnings) == 1, "a file that is named is never left out"


def test_links_to_folders_are_counted_by_name(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.wav", "in/notes.txt", "out/b.wav")
    for name in ("more", "loop.wav", "deep"):
        (tmp_path / "in" / name).symlink_to(
            tmp_path / ("in" if name == "loop.wav" else "out"), target_is_directory=True
        )
    warnings: list[str] = []
    assert len(list(plan([tmp_path / "in"], warn=warnings.append))) == 1
    folder = tmp_path / "in"
    assert warnings == [
        f"W_LEFT_OUT: 1 file is no media by name in {folder} (1 .txt); name those that are; 3 links to folders are not "
        f"followed in {folder} (1 deep/, 1 loop.wav/, 1 more/); name what they lead to"
    ]


NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(("written", "there"), [(NFC, NFD), (NFD, NFC)])
def test_a_name_in_the_other_unicode_form_is_found(written: str, there: str, tmp_path: Path) -> None:
    touch(tmp_path, f"{there}/{there}.wav")
    (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [{"path": f"{written}/{written}.wav"}]))
    assert (arrival.location, arrival.path) == (tmp_path / there / f"{there}.wav", f"{written}/{written}.wav")
    (named,) = plan([tmp_path / written / f"{written}.wav"])
    assert isinstance(named, Arrival)
    assert named.location == tmp_path / there / f"{there}.wav"


def test_a_name_that_is_there_as_written_is_taken_whatever_stands_beside_it(tmp_path: Path) -> None:
    touch(tmp_path, f"{NFC}.wav", f"{NFD}.wav")
    for name in (NFC, NFD):
        (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [{"path": f"{name}.wav"}]))
        assert arrival.location == tmp_path / f"{name}.wav"


def test_a_folder_in_the_other_unicode_form_leads_no_further_than_its_root(tmp_path: Path) -> None:
    touch(tmp_path, "out/a.wav", "in/b.wav")
    (tmp_path / "in" / NFD).symlink_to(tmp_path / "out", target_is_directory=True)
    (failure,) = list_failures(manifest(tmp_path / "in" / "m.csv", [{"path": f"{NFC}/a.wav"}]))
    assert failure.code == "E_PATH"


def test_names_in_two_unicode_forms_or_letter_cases_are_two_files(tmp_path: Path) -> None:
    touch(tmp_path, "caf\u00e9.wav", "cafe\u0301.wav", "A.wav", "a.wav")
    assert names(tmp_path) == ["A.wav", "a.wav", "cafe\u0301.wav", "caf\u00e9.wav"]


def test_a_link_that_leads_out_of_the_folder_or_nowhere_fails_alone(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.wav", "out/b.wav")
    (tmp_path / "in" / "b.wav").symlink_to(tmp_path / "out" / "b.wav")
    (tmp_path / "in" / "c.wav").symlink_to("nowhere.wav")
    (tmp_path / "in" / "d.wav").symlink_to("a.wav")
    (tmp_path / "in" / "e").symlink_to(tmp_path / "out", target_is_directory=True)
    assert names(tmp_path / "in") == ["a.wav", "E_NOT_REGULAR", "E_NOT_REGULAR", "d.wav"]


def test_a_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    touch(tmp_path, "recording", ".hidden.wav")
    arrivals = list(plan([tmp_path / "recording", tmp_path / ".hidden.wav"]))
    assert [arrival.location for arrival in arrivals if isinstance(arrival, Arrival)] == [
        tmp_path / "recording",
        tmp_path / ".hidden.wav",
    ]


def test_a_name_that_is_not_utf8_can_be_stored_and_shown(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    Path(os.fsdecode(raw)).touch()
    (arrival,) = plan([tmp_path])
    assert isinstance(arrival, Arrival)
    assert arrival.path.encode().endswith(b"/caf\\xe9.wav")
    assert os.fsencode(arrival.location) == raw


def test_a_path_that_is_not_there_ends_the_command_before_anything_is_done(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    with pytest.raises(InputError, match="E_NOT_FOUND"):
        next(plan([tmp_path / "a.wav", tmp_path / "b.wav"]))


def test_facts_for_all_files_are_given_once(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    arrivals = list(plan([tmp_path], defaults={"dialect": "bho", "channel": "split"}))
    assert [(arrival.dialect, arrival.channel_mode) for arrival in arrivals if isinstance(arrival, Arrival)] == [
        ("bho", "split")
    ] * 2
    with pytest.raises(InputError, match="channel for all files"):
        list(plan([tmp_path], defaults={"channel": "left"}))


def test_a_folder_without_rights_fails_alone(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every folder")
    touch(tmp_path, "a.wav", "locked/b.wav")
    (tmp_path / "locked").chmod(0)
    try:
        arrivals = list(plan([tmp_path]))
    finally:
        (tmp_path / "locked").chmod(0o700)
    assert [arrival.code for arrival in arrivals if isinstance(arrival, Failure)] == ["E_PERMISSION"]
