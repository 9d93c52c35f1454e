"""What a kill leaves behind goes with the next run, and what is at work stays."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from transcribe import audio
from transcribe.audio.temporary_files import part
from transcribe.errors import UnfitError


def test_sweeping_removes_what_nobody_works_on(tmp_path: Path) -> None:
    (tmp_path / "ab").mkdir()
    abandoned, held = tmp_path / "ab" / ".x.part", tmp_path / "ab" / ".y.part"
    abandoned.write_bytes(b"half")
    with held.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        assert audio.sweep(tmp_path) == 1

    assert not abandoned.exists()
    assert held.exists()


def test_copies_stay_while_they_are_at_work_and_go_at_the_end(tmp_path: Path) -> None:
    with audio.copies(tmp_path / "audio") as folder:
        (folder / "call.wav").write_bytes(b"sound")
        assert audio.sweep(tmp_path / "audio") == 0
        assert (folder / "call.wav").exists()
    assert list((tmp_path / "audio").iterdir()) == []


def test_copies_of_a_killed_run_are_swept(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        with audio.copies(tmp_path) as folder:
            (folder / "call.wav").write_bytes(b"sound")
            os._exit(0)
    os.waitpid(child, 0)
    assert len(list(tmp_path.rglob("call.wav"))) == 1
    assert audio.sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_swept_before_it_was_locked_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, locked = tmp_path / "ab" / "x.flac", []
    file.parent.mkdir()

    def lock(descriptor: int, how: int) -> None:
        if not locked and not how & fcntl.LOCK_NB:
            locked.append(descriptor)
            assert audio.sweep(tmp_path) == 1
        flock(descriptor, how)

    flock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", lock)
    with part(file) as (descriptor, keep):
        os.write(descriptor, b"whole")
        keep()
    assert file.read_bytes() == b"whole"


def test_a_folder_that_cannot_take_copies_is_named(tmp_path: Path) -> None:
    (tmp_path / "audio").write_bytes(b"a file where a folder should be")
    with pytest.raises(UnfitError, match="cannot take the sound"), audio.copies(tmp_path / "audio"):
        pass
