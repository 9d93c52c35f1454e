"""Files of pairs are read to the letter, and whatever cannot be taken is refused with its row and column."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from dialects.errors import DialectError
from dialects.pairs import OPTIONAL, REQUIRED, by_model, read_pairs
from dialects.scoring.word_errors import score
from tests.dialects.factories import pair

HEADER = "id,reference,hypothesis,dialect,speaker"


def write(folder: Path, text: str, name: str = "pairs.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def make_row(**facts: Any) -> dict[str, Any]:
    return {"id": "s1", "reference": "a b", "hypothesis": "a", "dialect": "en-US", "speaker": "ann"} | facts


def test_a_csv_is_read_cell_by_cell(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        f"{HEADER},model,session,duration_s,snr_db,language,mood\n"
        's1,"a, b","c ""d""",en-US,ann,m,talk,2.5,-3,en,glad\n'
        "s2,,NA null nan,en-US,ann,,,,,,\n",
    )

    first, second = read_pairs(file)

    assert first == pair(
        "a, b", 'c "d"', model="m", session="talk", duration_s=2.5, snr_db=-3.0, language="en", dialect="en-US"
    )
    assert (second.reference, second.hypothesis) == ("", "NA null nan")
    assert (second.model, second.session, second.duration_s, second.snr_db, second.language) == (None,) * 5


def test_all_three_kinds_of_files_give_the_same_pairs(tmp_path: Path) -> None:
    rows = [make_row(model="m", duration_s=1.5), make_row(id="s2", reference="", hypothesis="की\u200d", model="m")]
    for facts in rows:
        facts.setdefault("duration_s", None)
    (tmp_path / "p.jsonl").write_text("\n".join(json.dumps(facts) for facts in rows) + "\n")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "p.parquet")
    with (tmp_path / "p.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    pairs_by_file = [list(read_pairs(tmp_path / name)) for name in ("p.jsonl", "p.parquet", "p.csv")]

    assert pairs_by_file[0] == pairs_by_file[1] == pairs_by_file[2]
    assert len(pairs_by_file[0]) == 2


@given(reference=st.text(), hypothesis=st.text())
def test_any_text_survives_a_jsonl_file(
    tmp_path_factory: pytest.TempPathFactory, reference: str, hypothesis: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.jsonl"
    file.write_text(json.dumps(make_row(reference=reference, hypothesis=hypothesis)), encoding="utf-8")

    (pair_of_row,) = read_pairs(file)

    assert (pair_of_row.reference, pair_of_row.hypothesis) == (reference, hypothesis)


def test_a_byte_order_mark_and_long_texts_are_no_trouble(tmp_path: Path) -> None:
    long = "word " * 60_000
    file = write(tmp_path, f"\ufeff{HEADER}\ns1,{long},,en-US,ann\n")

    assert next(read_pairs(file)).reference == long


@pytest.mark.parametrize(
    ("rows", "row", "column", "reason"),
    [
        ("s1,a,b,en-US", 2, None, "4 cells under 5 columns"),
        ("s1,a,b,en-US,ann,x", 2, None, "6 cells under 5 columns"),
        ("s1,a,b,en-US,ann\ns1,a,b,en-US,ann", 3, "id", "'s1' stands twice"),
        ('s1,"two\nlines",b,en-US,ann\n,a,b,en-US,ann', 3, "id", "the id is empty"),
        ("s1,a,b,en-US,", 2, "speaker", "the speaker is empty"),
        ('s1,"a"x,b,en-US,ann', 2, None, "',' expected after"),
        ("s1,a,b,english,ann", 2, "dialect", "'english' is not in the catalogue"),
        ("s1,a,b,en_US,ann", 2, "dialect", "U+005F LOW LINE"),
        ("s1,a,b,\u0435n-US,ann", 2, "dialect", "U+0435"),
        (f"s1,{'x' * 1_000_000},b,en-US,ann", 2, "reference", "1,000,000 characters"),
        (f"s1,a,{'x' * 1_000_000},en-US,ann", 2, "hypothesis", "1,000,000 characters"),
        ("s1,the p\u0430per,b,en-US,ann", 2, "reference", "mixes Latin and Cyrillic letters"),
        ("s1,a,b,en-US,\u0430nn", 2, "speaker", "mixes Latin and Cyrillic letters"),
    ],
)
def test_a_row_that_cannot_be_taken_is_named(
    tmp_path: Path, rows: str, row: int, column: str | None, reason: str
) -> None:
    file = write(tmp_path, f"{HEADER}\n{rows}\n")

    with pytest.raises(DialectError) as caught:
        list(read_pairs(file, catalogue=load_catalogue()))

    assert (caught.value.row, caught.value.column) == (row, column)
    assert reason in caught.value.message
    assert f"row {row}" in caught.value.message


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_column_is_named_with_those_found(tmp_path: Path, missing: str) -> None:
    columns = [name for name in REQUIRED if name != missing]

    with pytest.raises(DialectError, match=f"no column '{missing}'"):
        list(read_pairs(write(tmp_path, ",".join(columns) + "\n")))
    with pytest.raises(DialectError, match=f"'{missing}' is missing"):
        list(read_pairs(write(tmp_path, json.dumps(dict.fromkeys(columns, "x")), "p.jsonl")))


@pytest.mark.parametrize(
    ("facts", "column", "reason"),
    [
        ({"hypothesis": None}, "hypothesis", "null was found"),
        ({"reference": 7}, "reference", "7 was found where a text"),
        ({"speaker": None}, "speaker", "null was found"),
        ({"duration_s": "long"}, "duration_s", "'long' is no number"),
        ({"duration_s": -1}, "duration_s", "no number from 0"),
        ({"model": True}, "model", "True was found"),
    ],
)
def test_a_cell_that_cannot_be_taken_is_named(tmp_path: Path, facts: dict[str, Any], column: str, reason: str) -> None:
    file = write(tmp_path, json.dumps(make_row()) + "\n\n" + json.dumps(make_row(id="s2") | facts) + "\n", "p.jsonl")

    with pytest.raises(DialectError, match="E_PAIRS") as caught:
        list(read_pairs(file))

    assert (caught.value.row, caught.value.column) == (3, column)
    assert reason in caught.value.message


def test_a_null_in_parquet_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([make_row(), make_row(id="s2", hypothesis=None)]), tmp_path / "p.parquet")

    with pytest.raises(DialectError, match="row 2, hypothesis: null was found"):
        list(read_pairs(tmp_path / "p.parquet"))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("p.xlsx", b"PK\x03\x04", "p.xlsx is a workbook, no table"),
        ("p.csv", b"", "p.csv row 1: the file is empty"),
        ("p.csv", HEADER.encode() + b"\ns1,\xff,b,en,ann\n", r"row 2: byte 4 \(0xff\) is not UTF-8"),
        ("p.jsonl", b'{"id": "a", "id": "b"}', "line 1: the key 'id' is there twice"),
        ("p.jsonl", b'{"id": NaN}', "NaN is not a number"),
        ("p.csv", f"{HEADER},id\n".encode(), "the column id is there twice"),
        ("p.csv", f"{HEADER.replace('hypothesis', 'hypotesis')}\n".encode(), "column 'hypotesis' is nearly hypothesis"),
        ("p.jsonl", b"[1]\n", "a list where an object should be"),
        ("p.jsonl", b"{\n", "line 1: Expecting property name"),
        ("p.parquet", b"nothing", "not readable as Parquet"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DialectError, match=reason):
        list(read_pairs(tmp_path / name))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match="No such file"):
        list(read_pairs(tmp_path / "p.csv"))


def test_numbers_are_names_too(tmp_path: Path) -> None:
    (pair_of_row,) = read_pairs(write(tmp_path, json.dumps(make_row(id=7, speaker=3)), "p.jsonl"))

    assert (pair_of_row.id, pair_of_row.speaker) == ("7", "3")


def test_words_that_mix_languages_on_purpose_are_taken(tmp_path: Path) -> None:
    reference = "IT-компания SMSка school\u0913\u0902 5 kΩ β-carotene"
    (pair_of_row,) = read_pairs(write(tmp_path, f"{HEADER}\ns1,{reference},p\u0430per,ru,ann\n"))

    assert pair_of_row.reference == reference


def test_blanks_around_a_cell_and_decimal_commas_are_as_spreadsheets_write_them(tmp_path: Path) -> None:
    raw = "id; reference; hypothesis; dialect; speaker; duration_s\ns1; a b; a; en-US; Jose\u0301; 2,5\n"
    (tmp_path / "p.csv").write_text(raw, encoding="utf-8")
    [read] = read_pairs(tmp_path / "p.csv", catalogue=load_catalogue())
    assert (read.id, read.dialect, read.speaker, read.duration_s) == ("s1", "en-US", "Jos\u00e9", 2.5)
    (tmp_path / "p.csv").write_text(raw.replace("2,5", "1,234"), encoding="utf-8")
    with pytest.raises(DialectError, match="1,234' is no number"):
        list(read_pairs(tmp_path / "p.csv"))


def test_an_empty_dialect_is_unknown(tmp_path: Path) -> None:
    (pair_of_row,) = read_pairs(write(tmp_path, f"{HEADER}\ns1,a,b,,ann\n"), catalogue=load_catalogue())

    assert pair_of_row.dialect == "und"


def test_what_a_model_lacks_counts_as_deletions() -> None:
    pairs = [pair("a b", model="one"), pair("c d e", id="s2", model="one"), pair("a b", "a", model="two")]

    models = by_model(pairs)

    assert list(models) == ["one", "two"]
    assert [pair.id for pair in models["two"]] == ["s1", "s2"]
    assert models["two"][1].missing
    assert score(models["two"]).deletions == 4


@pytest.mark.parametrize("facts", [{"reference": "a c"}, {"dialect": "en-IN"}, {"speaker": "bob"}])
def test_two_models_share_one_reference(facts: dict[str, str]) -> None:
    with pytest.raises(DialectError, match=f"has one {next(iter(facts))} with model 'one'"):
        by_model([pair("a b", model="one"), pair(**({"reference": "a b", "hypothesis": "a"} | facts), model="two")])


def test_the_documentation_names_every_column_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    section = text.partition("## Columns of `--pairs`")[2].partition("\n## ")[0]

    documented = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", section, re.MULTILINE))
    assert documented == dict.fromkeys(REQUIRED, "yes") | dict.fromkeys(OPTIONAL, "no")
