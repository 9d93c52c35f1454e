"""Formats by name, and files that are there whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.errors import InputError, UsageError
from transcribe.formats import FORMATS, TimedText, read_texts, write_texts
from transcribe.records import Word


def stretch(recording: str = "calls/a.wav", text: str = "हाँ") -> TimedText:
    return TimedText(recording=recording, start=0, end=1_000, speaker="A", text=text)


#: Those that say what was said; RTTM and CTM have no room for it.
WITH_TEXT = sorted(FORMATS.keys() - {"rttm", "ctm"})


@pytest.mark.parametrize("name", WITH_TEXT)
def test_every_format_is_found_by_name_and_reads_what_it_wrote(tmp_path: Path, name: str) -> None:
    written = write_texts([stretch()], tmp_path / "out", name)
    assert written.items == 1
    assert [item.text for item in read_texts(written.files[0], name)] == ["हाँ"]


def test_a_recording_has_a_subtitle_file_of_its_own_name_below_the_folder(tmp_path: Path) -> None:
    names = ["calls/a.wav", "calls/a.mp3", "/etc/../b.wav", "../../c"]
    written = write_texts([stretch(name) for name in names], tmp_path / "out", "srt")
    assert [str(file.relative_to(tmp_path / "out")) for file in written.files] == [
        *("calls/a.srt", "calls/a.mp3.srt", "etc/b.srt", "c.srt")
    ]


def test_what_is_there_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    write_texts([stretch(text="old")], tmp_path / "t.stm", "stm")
    with pytest.raises(InputError, match="E_EXISTS"):
        write_texts([stretch(text="new")], tmp_path / "t.stm", "stm")
    assert next(read_texts(tmp_path / "t.stm", "stm")).text == "old"
    write_texts([stretch(text="new")], tmp_path / "t.stm", "stm", overwrite=True)
    assert next(read_texts(tmp_path / "t.stm", "stm")).text == "new"


@pytest.mark.parametrize("name", ["stm", "csv", "seglst", "srt", "textgrid"])
def test_a_writing_that_fails_leaves_the_old_file_and_nothing_half(tmp_path: Path, name: str) -> None:
    def broken() -> Iterator[TimedText]:
        yield stretch(text="new")
        raise RuntimeError("the source broke")

    old = write_texts([stretch(text="old")], tmp_path / "out", name).files[0]
    content = old.read_bytes()
    with pytest.raises(RuntimeError, match="the source broke"):
        FORMATS[name].writer()(broken(), old)
    assert old.read_bytes() == content
    assert list(old.parent.iterdir()) == [old]


def test_a_misspelt_format_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean textgrid"):
        write_texts([], Path("t"), "textgird")


def seed(name: str) -> bytes:
    """A good file of the format *name*."""
    words = (Word(text="हाँ", start=0, end=400, probability=0.5),)
    items = [
        replace(stretch(text='he said "हाँ"'), words=words),
        replace(stretch(), start=500, speaker=None, dialect="hi"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        return write_texts(items, Path(folder) / f"t{FORMATS[name].suffix}", name).files[0].read_bytes()


SEEDS = {name: seed(name) for name in sorted(FORMATS) if FORMATS[name].holds != "folder"}


@settings(max_examples=150)
@given(st.sampled_from(sorted(SEEDS)), st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(name: str, data: st.DataObject) -> None:
    good = SEEDS[name]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 20)))
    raw = good[:start] + data.draw(st.binary(max_size=12)) + good[end:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{FORMATS[name].suffix}"
        path.write_bytes(raw)
        try:
            items = list(read_texts(path, name))
        except InputError as error:
            assert error.hint
        else:
            assert all(0 <= item.start <= item.end for item in items)
