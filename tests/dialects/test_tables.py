"""The one reader of tables: spellings of one table, rows that cannot be read, and cells that a spreadsheet computes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialects.column_names import match_columns
from dialects.errors import DialectError
from dialects.tables import Row, Table, escape_formula, write_rows

COLUMNS = ("path", "speaker", "dialect", "num_speakers", "text", "start_ms", "channel", "licence")


def read(path: Path, raw: bytes | str) -> list[Row | Exception]:
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return list(Table(file=path, any_of=("path",), columns=COLUMNS).entries())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("head", [["path", "speaker"], [" Path", "SPEAKER-ID "], ["Datei", "Sprecher"]])
def test_every_spelling_of_a_table_says_the_same(
    tmp_path: Path, delimiter: str, encoding: str, head: list[str]
) -> None:
    lines = [head, ["a.wav", "José Müller"], ["", ""], ["b, c.wav", "she\n“says”"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' if cell else "" for cell in cells) for cells in lines)
    assert read(tmp_path / "m.csv", text.encode(encoding)) == [
        Row(2, {"path": "a.wav", "speaker": "José Müller"}),
        Row(4, {"path": "b, c.wav", "speaker": "she\n“says”"}),
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *(("Dvořák", "cp1250"), ("Ayşe Işık", "cp1254"), ("Иван", "cp1251"), ("café", "mac-roman"), ("Łódź", "cp1250")),
        *(("Γιάννης", "cp1253"), ("café", "cp437")),
    ],
)
def test_bytes_of_another_encoding_are_not_guessed(tmp_path: Path, text: str, encoding: str) -> None:
    with pytest.raises(DialectError, match=r"row 2: byte \d+ .* is not UTF-8, nor surely of another encoding"):
        read(tmp_path / "m.csv", f"path,speaker\na.wav,{text}\n".encode(encoding))


@pytest.mark.parametrize("name", ["François Lefèvre", "Señora Núñez", "Søren Ålund", "João Guimarães", "it’s – fine"])
def test_names_of_western_languages_are_read_as_windows_1252(tmp_path: Path, name: str) -> None:
    [row] = read(tmp_path / "m.csv", f"path,speaker\na.wav,{name}\n".encode("cp1252"))
    assert row == Row(2, {"path": "a.wav", "speaker": name})


@pytest.mark.parametrize(
    ("name", "column"),
    [
        *(("Num Speakers", "num_speakers"), ("NUM-SPEAKERS", "num_speakers"), ("numSpeakers", "num_speakers")),
        *(("Start (ms)", "start_ms"), ("license", "licence"), ("वक्ता", "speaker"), ("பேச்சாளர்", "speaker")),
        *(("dialecte", "dialect"), ("बोली", "dialect"), ("locuteur", "speaker"), ("mood", "mood"), ("age", "age")),
    ],
)
def test_a_column_is_known_by_its_other_spellings(name: str, column: str) -> None:
    assert match_columns([name], COLUMNS) == [column]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["path", "speeker"], "'speeker' is nearly speaker"),
        (["path", "dilaect"], "'dilaect' is nearly dialect"),
        (["path", "num_speekrs"], "'num_speekrs' is nearly num_speakers"),
        (["path", "Sprechr"], "'Sprechr' is nearly speaker"),
        (["path", "consent_statsu"], "'consent_statsu' is nearly consent"),
        (["path", "Speaker", "speaker"], "speaker is there twice"),
        (["path", "Sprecher", "locuteur"], "speaker is there twice"),
    ],
)
def test_a_column_that_is_nearly_ours_is_refused_naming_ours(names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        match_columns(names, [*COLUMNS, "consent"])


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("വക്താവ്", "speaker"),
        ("Sprecher-ID", "speaker"),
        ("locuteur_id", "speaker"),
        ("spkr", "speaker"),
        ("ഭാഷാഭേദം", "dialect"),
        ("لہجہ", "dialect"),
        ("Zustimmung", "consent"),
        ("சம்மதம்", "consent"),
        ("Consent status", "consent"),
        ("consent_given", "consent"),
    ],
)
def test_a_column_in_the_language_of_the_office_is_known(name: str, column: str) -> None:
    assert match_columns([name], [*COLUMNS, "consent"]) == [column]


@pytest.mark.parametrize("name", ["age", "gender", "wave", "note", "date", "mood", "state", "region", "title", "role"])
def test_a_fact_of_the_projects_own_is_near_no_column(name: str) -> None:
    assert match_columns(["path", name], COLUMNS) == ["path", name]


def test_a_name_of_ours_leaves_its_synonym_a_column_of_its_own() -> None:
    assert match_columns(["speaker_id", "speaker", "path"], COLUMNS) == ["speaker_id", "speaker", "path"]
    assert match_columns(["speakers", "speaker", "path"], COLUMNS) == ["speakers", "speaker", "path"]


def test_between_tabs_a_quote_that_is_none_is_text(tmp_path: Path) -> None:
    raw = 'path\ttext\na.wav\t"No", she said\nb.wav\t"tab\there"\nc.wav\t"open\n'
    assert [row.cells["text"] for row in read(tmp_path / "m.tsv", raw) if isinstance(row, Row)] == [
        '"No", she said',
        "tab\there",
        '"open',
    ]


def test_a_bad_row_stops_no_other_and_is_counted_as_the_spreadsheet_does(tmp_path: Path) -> None:
    raw = 'path,text\na.wav,"two\nlines"\nb.wav,"x"y\nc.wav,1,2\nd.wav,"never closed\ne.wav,yes\nf.wav,no,,\n'
    entries = read(tmp_path / "m.csv", raw)
    assert [entry.line for entry in entries if isinstance(entry, Row)] == [2, 6, 7]
    errors = [entry for entry in entries if isinstance(entry, DialectError)]
    assert [error.row for error in errors] == [3, 4, 5]
    assert "m.csv row 4: 3 cells under 2 columns" in str(errors[1])


def test_a_cell_is_named_by_the_letter_of_its_column(tmp_path: Path) -> None:
    table = Table(file=tmp_path / "m.csv", any_of=("path",), columns=COLUMNS)
    table.file.write_text("mood,path,Sprecher\nglad,a.wav,x\n")
    list(table.rows())
    assert (
        str(table.fault(2, "wrong", column="speaker", hint=None)) == "E_TABLE: m.csv row 2, column speaker (C): wrong"
    )


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=2, max_size=2)
    )
)
@example([["", "\t"]])
def test_what_is_written_safely_reads_back_and_holds_no_formula(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    file = tmp_path_factory.getbasetemp() / "safe.csv"
    stream = io.StringIO(newline="")
    write_rows([["path", "text"], *rows], stream)
    file.write_text(stream.getvalue(), encoding="utf-8", newline="")
    table = Table(file=file, any_of=("path",), columns=COLUMNS, is_typed=True)
    wanted = [row for row in rows if any(cell.strip() for cell in row)]
    assert [[row.cells["path"], row.cells["text"]] for row in table.rows()] == wanted


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1", "'=1"])
def test_a_formula_is_written_as_text_and_read_as_it_was(cell: str) -> None:
    assert escape_formula(cell) == f"'{cell}"
    assert escape_formula("a=1") == "a=1"
