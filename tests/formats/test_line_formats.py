"""RTTM, UEM, STM and CTM: fields parted by blanks, nothing quoted."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.strategies import few, names, stretches
from transcribe.errors import InputError
from transcribe.formats import TimedText
from transcribe.formats.line_files import (
    Region,
    read_ctm,
    read_rttm,
    read_stm,
    read_uem,
    write_ctm,
    write_rttm,
    write_stm,
    write_uem,
)
from transcribe.ingest.timed import escape, unescape
from transcribe.records import Word


def stretch(start: int = 0, end: int = 1_000, *, speaker: str | None = "A", text: str | None = "yes") -> TimedText:
    return TimedText(recording="r", start=start, end=end, speaker=speaker, text=text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_is_one_field_and_comes_back(name: str) -> None:
    field = escape(name)
    assert unescape(field) == name
    assert field.split() == ([field] if field else [])


@few
@given(stretches(recordings=names))
def test_rttm_keeps_who_speaks_when(items: list[TimedText]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.rttm"
        assert write_rttm(items, path) == len(items)
        assert list(read_rttm(path)) == [replace(item, text=None) for item in items]


@few
@given(stretches(recordings=names))
def test_stm_keeps_speakers_times_and_words(items: list[TimedText]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.stm"
        write_stm(items, path)
        assert list(read_stm(path)) == items


def test_line_ends_within_a_text_become_blanks_in_stm(tmp_path: Path) -> None:
    write_stm([stretch(text="one\ntwo\r\n three")], tmp_path / "t.stm")
    assert next(read_stm(tmp_path / "t.stm")).text == "one two three"


def test_a_text_that_begins_like_a_label_is_not_taken_for_one(tmp_path: Path) -> None:
    items = [stretch(text="<o,f0> is no label"), stretch(text="<noise> hello"), stretch(text="<NA>")]
    write_stm(items, tmp_path / "t.stm")
    assert [item.text for item in read_stm(tmp_path / "t.stm")] == [item.text for item in items]


def test_stm_of_other_tools_is_read_without_comments_labels_and_unscored_stretches(tmp_path: Path) -> None:
    (tmp_path / "t.stm").write_text(
        ';; CATEGORY "0"\n'
        "\n"
        "r 1 A 0.00 1.50 <o,f0,male> hello there\n"
        "r 1 inter_segment_gap 1.50 2.00 <o,,>\n"
        "r 1 A 2.00 3.00 IGNORE_TIME_SEGMENT_IN_SCORING\n"
        "r 1 B 3 4.0015\n"
    )
    assert list(read_stm(tmp_path / "t.stm")) == [
        stretch(0, 1_500, text="hello there"),
        stretch(3_000, 4_002, speaker="B", text=""),
    ]


def test_our_rttm_and_stm_read_the_same_in_meeteval(tmp_path: Path) -> None:
    meeteval_io = pytest.importorskip("meeteval.io", reason="meeteval needs a C compiler")
    items = [stretch(5, 1_005, speaker="Asha Devi", text="मैं <noise> ठीक"), stretch(900, 2_000, speaker="B", text="हाँ")]
    write_rttm(items, tmp_path / "t.rttm")
    write_stm(items, tmp_path / "t.stm")
    turns = meeteval_io.RTTM.load(tmp_path / "t.rttm").lines
    assert [(t.filename, t.speaker_id, float(t.begin_time), float(t.duration)) for t in turns] == [
        ("r", "Asha%20Devi", 0.005, 1.0),
        ("r", "B", 0.9, 1.1),
    ]
    assert [line.transcript for line in meeteval_io.STM.load(tmp_path / "t.stm").lines] == ["मैं <noise> ठीक", "हाँ"]


def test_rttm_and_uem_of_a_real_corpus_read_whole(speech: Path) -> None:
    folder = speech / "ami-mini"
    turns = list(read_rttm(folder / "debug.train.rttm"))
    regions = {region.recording: region for region in read_uem(folder / "debug.train.uem")}
    assert len(turns) == (folder / "debug.train.rttm").read_text().count("SPEAKER ")
    assert {turn.recording for turn in turns} == set(regions)
    assert any("É" in (turn.speaker or "") for turn in turns)


def test_a_name_that_says_unknown_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_FORMAT"):
        write_rttm([stretch(speaker="<NA>")], tmp_path / "t.rttm")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("SPEAKER r 1 1,5 2.0 <NA> <NA> A <NA> <NA>", "comma"),
        ("SPEAKER r 1 -1 2.0 <NA> <NA> A <NA> <NA>", "before the recording begins"),
        ("SPEAKER r 1 NaN 2.0 <NA> <NA> A <NA> <NA>", "no number"),
        ("SPEAKER r 1 1e999 2.0 <NA> <NA> A <NA> <NA>", "no number"),
        ("SPEAKER r 1 1.0 -2.0 <NA> <NA> A <NA> <NA>", "before"),
        ("SPEAKER r 1 1.0 2.0 A", "6"),
    ],
)
def test_a_bad_rttm_line_is_named_with_its_number(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "t.rttm").write_text(f"SPEAKER r 1 0 1 <NA> <NA> A <NA> <NA>\n{line}\n")
    with pytest.raises(InputError, match="E_SEGMENT") as caught:
        list(read_rttm(tmp_path / "t.rttm"))
    assert "line 2" in str(caught.value)
    assert reason in str(caught.value)


def test_an_stm_line_that_ends_before_it_starts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.stm").write_text("r 1 A 2.0 1.0 hello\n")
    with pytest.raises(InputError, match="line 1: it starts at 2000 ms, after its end at 1000 ms"):
        list(read_stm(tmp_path / "t.stm"))


@few
@given(st.lists(st.tuples(names, st.integers(0, 10**7), st.integers(0, 10**6))))
def test_uem_keeps_its_regions(parts: list[tuple[str, int, int]]) -> None:
    regions = [Region(recording=name, start=start, end=start + length) for name, start, length in parts]
    with tempfile.TemporaryDirectory() as folder:
        write_uem(regions, Path(folder) / "t.uem")
        assert list(read_uem(Path(folder) / "t.uem")) == regions


def test_ctm_keeps_each_word_with_time_and_probability(tmp_path: Path) -> None:
    words = (
        Word(text="नमस्ते", start=0, end=400, probability=0.75),
        Word(text="100%", start=400, end=900, probability=1),
    )
    write_ctm([replace(stretch(), words=words)], tmp_path / "t.ctm")
    assert [item.words[0] for item in read_ctm(tmp_path / "t.ctm")] == list(words)


def test_ctm_orders_the_words_of_a_recording_by_time_whoever_speaks(tmp_path: Path) -> None:
    def spoken(text: str, start: int, speaker: str) -> TimedText:
        word = Word(text=text, start=start, end=start + 100, probability=1)
        return TimedText(recording="r", start=start, end=9_000, speaker=speaker, text=text, words=(word,))

    write_ctm([spoken("first", 0, "A"), spoken("third", 900, "A"), spoken("second", 500, "B")], tmp_path / "t.ctm")
    assert [item.text for item in read_ctm(tmp_path / "t.ctm")] == ["first", "second", "third"]


def test_a_word_with_a_blank_shares_its_time_in_ctm(tmp_path: Path) -> None:
    word = Word(text="ice cream", start=1_000, end=2_001, probability=0.5)
    write_ctm([replace(stretch(), words=(word,))], tmp_path / "t.ctm")
    assert [(item.text, item.start, item.end) for item in read_ctm(tmp_path / "t.ctm")] == [
        ("ice", 1_000, 1_500),
        ("cream", 1_500, 2_001),
    ]


def test_a_ctm_word_without_probability_has_no_word_record(tmp_path: Path) -> None:
    (tmp_path / "t.ctm").write_text("r A 0.5 0.25 hello\n")
    assert list(read_ctm(tmp_path / "t.ctm")) == [stretch(500, 750, speaker=None, text="hello")]
