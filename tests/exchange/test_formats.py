"""Formats by name, and files that are there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from transcribe.errors import InputError, UsageError
from transcribe.exchange import FORMATS, TimedText, read, write


def said(recording: str = "calls/a.wav", text: str = "हाँ") -> TimedText:
    return TimedText(recording=recording, start=0, end=1_000, speaker="A", text=text)


#: Those that say what was said; RTTM and CTM have no room for it.
WITH_TEXT = sorted(FORMATS.keys() - {"rttm", "ctm"})


@pytest.mark.parametrize("name", WITH_TEXT)
def test_every_format_is_found_by_name_and_reads_what_it_wrote(tmp_path: Path, name: str) -> None:
    written = write([said()], tmp_path / "out", name)
    assert written.items == 1
    assert [item.text for item in read(written.files[0], name)] == ["हाँ"]


def test_a_recording_has_a_subtitle_file_of_its_own_name_below_the_folder(tmp_path: Path) -> None:
    names = ["calls/a.wav", "calls/a.mp3", "/etc/../b.wav", "../../c"]
    written = write([said(name) for name in names], tmp_path / "out", "srt")
    assert [str(file.relative_to(tmp_path / "out")) for file in written.files] == [
        *("calls/a.srt", "calls/a.mp3.srt", "etc/b.srt", "c.srt")
    ]


def test_what_is_there_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    write([said(text="old")], tmp_path / "t.stm", "stm")
    with pytest.raises(InputError, match="E_EXISTS"):
        write([said(text="new")], tmp_path / "t.stm", "stm")
    assert next(read(tmp_path / "t.stm", "stm")).text == "old"
    write([said(text="new")], tmp_path / "t.stm", "stm", overwrite=True)
    assert next(read(tmp_path / "t.stm", "stm")).text == "new"


@pytest.mark.parametrize("name", ["stm", "csv", "seglst", "srt", "textgrid"])
def test_a_writing_that_fails_leaves_the_old_file_and_nothing_half(tmp_path: Path, name: str) -> None:
    def broken() -> Iterator[TimedText]:
        yield said(text="new")
        raise RuntimeError("the source broke")

    old = write([said(text="old")], tmp_path / "out", name).files[0]
    before = old.read_bytes()
    with pytest.raises(RuntimeError, match="the source broke"):
        FORMATS[name].writer()(broken(), old)
    assert old.read_bytes() == before
    assert list(old.parent.iterdir()) == [old]


def test_a_misspelt_format_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean textgrid"):
        write([], Path("t"), "textgird")
