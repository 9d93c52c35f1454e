"""TextGrid and EAF: a tier for each speaker."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from tests.formats.strategies import few, stretches
from transcribe.errors import InputError
from transcribe.formats import TimedText
from transcribe.formats.tiers import lay_out, read_eaf, read_textgrid, write_eaf, write_textgrid
from transcribe.records import Word


def stretch(start: int, end: int, *, speaker: str | None = "A", text: str = "yes") -> TimedText:
    return TimedText(recording="t", start=start, end=end, speaker=speaker, text=text)


def without_blanks_around(items: list[TimedText]) -> list[TimedText]:
    return [replace(item, text=(item.text or "").strip()) for item in items]


@few
@given(stretches())
def test_textgrid_keeps_speakers_times_and_texts(items: list[TimedText]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.TextGrid"
        assert write_textgrid(items, path) == len(items)
        back = list(read_textgrid(path, recording="calls/a b.wav"))
        assert sorted(back, key=repr) == sorted(without_blanks_around(items), key=repr)


@few
@given(stretches())
def test_eaf_keeps_speakers_times_and_texts(items: list[TimedText]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.eaf"
        assert write_eaf(items, path) == len(items)
        assert sorted(read_eaf(path, recording="calls/a b.wav"), key=repr) == sorted(items, key=repr)


def test_speech_of_one_person_that_overlaps_lies_on_two_rows() -> None:
    rows = lay_out(
        [stretch(0, 1_000), stretch(500, 1_500), stretch(1_000, 2_000), stretch(0, 9_000, speaker="B")], unknown="?"
    )
    assert [(name, [(item.start, item.end) for item in row]) for name, row in rows] == [
        ("A", [(0, 1_000), (1_000, 2_000)]),
        ("A [2]", [(500, 1_500)]),
        ("B", [(0, 9_000)]),
    ]


def test_a_textgrid_says_the_words_on_a_tier_of_their_own(tmp_path: Path) -> None:
    words = (Word(text="हाँ", start=0, end=400, probability=0.5), Word(text="जी", start=300, end=900, probability=1))
    write_textgrid([replace(stretch(0, 1_000, text="हाँ जी"), words=words)], tmp_path / "t.TextGrid", duration=5_000)
    written = (tmp_path / "t.TextGrid").read_text()
    assert 'name = "A - words"' in written
    assert "xmax = 5" in written
    assert list(read_textgrid(tmp_path / "t.TextGrid")) == [stretch(0, 1_000, text="हाँ जी")]


def test_a_textgrid_in_utf16_and_the_short_form_is_read(tmp_path: Path) -> None:
    short = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2.5\n<exists>\n1\n'
    short += '"IntervalTier"\n"Asha"\n0\n2.5\n2\n'
    short += '0\n1\n""\n1\n2.5\n"वह बोली ""हाँ"""\n'
    (tmp_path / "t.TextGrid").write_text(short, encoding="utf-16")
    assert list(read_textgrid(tmp_path / "t.TextGrid")) == [stretch(1_000, 2_500, speaker="Asha", text='वह बोली "हाँ"')]


def test_an_eaf_file_names_its_sound_and_drops_what_xml_cannot_hold(tmp_path: Path) -> None:
    write_eaf([stretch(0, 1_000, text="a\x0bb\x00c")], tmp_path / "t.eaf", media="calls/a.wav")
    assert 'MEDIA_URL="calls/a.wav"' in (tmp_path / "t.eaf").read_text()
    assert next(read_eaf(tmp_path / "t.eaf")).text == "abc"
    assert [file.name for file in tmp_path.iterdir()] == ["t.eaf"]
    write_eaf([], tmp_path / "t.eaf", media="/calls/a b.wav")
    assert 'MEDIA_URL="file:///calls/a%20b.wav"' in (tmp_path / "t.eaf").read_text()


def test_no_speech_makes_files_that_read_back_empty(tmp_path: Path) -> None:
    write_eaf([], tmp_path / "t.eaf")
    write_textgrid([], tmp_path / "t.TextGrid", duration=1_000)
    assert list(read_eaf(tmp_path / "t.eaf")) == list(read_textgrid(tmp_path / "t.TextGrid")) == []


@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x02", b"<a", b'File type = "ooTextFile"\nitem [', b'{"a":' * 5_000])
def test_what_is_no_annotation_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "t.x").write_bytes(raw)
    for reader in (read_eaf, read_textgrid):
        with pytest.raises(InputError, match="E_FORMAT"):
            list(reader(tmp_path / "t.x"))


def test_an_eaf_file_that_multiplies_its_entities_is_refused(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    (tmp_path / "t.eaf").write_text(f'<!DOCTYPE d [<!ENTITY e0 "ha">{levels}]><d>&e11;</d>')
    with pytest.raises(InputError, match="E_FORMAT"):
        list(read_eaf(tmp_path / "t.eaf"))


EAF = """<?xml version="1.0" encoding="UTF-8"?>{doctype}
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="t1" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="t2" TIME_VALUE="1500"/></TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="ref" PARTICIPANT="Asha" TIER_ID="ref@A"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="t1" TIME_SLOT_REF2="t2">
<ANNOTATION_VALUE>{number}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="tx" PARENT_REF="ref@A" PARTICIPANT="Asha" TIER_ID="tx@A"><ANNOTATION>
<REF_ANNOTATION ANNOTATION_ID="a2" ANNOTATION_REF="a1"><ANNOTATION_VALUE>जी हाँ</ANNOTATION_VALUE>
</REF_ANNOTATION></ANNOTATION></TIER>
<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="ref" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Association" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="tx"
 TIME_ALIGNABLE="false"/></ANNOTATION_DOCUMENT>
"""


@pytest.mark.parametrize(("number", "text"), [("1", "जी हाँ"), ("A_001", "जी हाँ"), ("", "जी हाँ"), ("yes", "जी हाँ")])
def test_the_texts_of_symbolic_tiers_are_those_of_the_tier_above(tmp_path: Path, number: str, text: str) -> None:
    (tmp_path / "t.eaf").write_text(EAF.format(doctype="", number=number), encoding="utf-8")
    assert list(read_eaf(tmp_path / "t.eaf")) == [
        TimedText(recording="t", start=500, end=1_500, speaker="Asha", text=text)
    ]


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a [<!ENTITY x "ha">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>',
    ],
)
def test_xml_that_declares_a_document_type_is_refused_before_it_is_parsed(tmp_path: Path, doctype: str) -> None:
    (tmp_path / "t.eaf").write_text(EAF.format(doctype=doctype, number="1"), encoding="utf-8")
    with pytest.raises(InputError, match="it declares a document type"):
        list(read_eaf(tmp_path / "t.eaf"))
