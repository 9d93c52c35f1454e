"""Manifests as files: encodings, separators, quotes, and what only an attack would write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.text_files import parse_json
from tests.ingest.factories import plan_arrivals
from transcribe.errors import InputError
from transcribe.tables import Row, Table


def rows(path: Path, raw: bytes | str) -> list[Row]:
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return list(Table(file=path, any_of=("path",)).rows())


@pytest.mark.parametrize(
    "raw",
    [
        "path,speaker\na.wav,Asha\n",
        "\ufeffpath,speaker\r\na.wav,Asha\r\n",
        "path;speaker\na.wav;Asha\n",
        "path\tspeaker\r\na.wav\tAsha",
        "\n\npath,speaker\n\n,\n a.wav,Asha\n\n".replace(" a", "a"),
        '"path","speaker"\n"a.wav","Asha"\n',
        "path,speaker,\na.wav,Asha,\n",
        "path , speaker\na.wav,Asha\n",
    ],
)
def test_every_common_kind_of_csv_says_the_same(tmp_path: Path, raw: str) -> None:
    assert [row.cells for row in rows(tmp_path / "m.csv", raw)] == [{"path": "a.wav", "speaker": "Asha"}]


def test_a_quoted_cell_may_hold_separators_quotes_and_line_ends(tmp_path: Path) -> None:
    raw = 'path,text\na.wav,"he said ""no"", twice;\nthen left"\nb.wav,yes\n'
    assert rows(tmp_path / "m.csv", raw) == [
        Row(2, {"path": "a.wav", "text": 'he said "no", twice;\nthen left'}),
        Row(3, {"path": "b.wav", "text": "yes"}),
    ]


def test_rows_know_their_lines_among_empty_ones(tmp_path: Path) -> None:
    assert [row.line for row in rows(tmp_path / "m.csv", "\npath\n\na.wav\n\n\nb.wav\n")] == [4, 7]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("path,speaker\na.wav,Иван\n".encode("cp1251"), "row 2: byte 7 (0xc8) is not UTF-8, nor surely of another"),
        (b"PK\x03\x04 and so on", "is a workbook, no table"),
        (b'path,speaker\na.wav,"Asha\nb.wav,Ravi\n', "row 2: unexpected end of data"),
        (b'path,speaker\na.wav,"Asha" Devi\n', "row 2"),
        (b"path,speaker\na.wav,Devi, Asha\n", "row 2: 3 cells under 2 columns"),
        (b"path,speaker\na.wav\n", "row 2: 1 cells under 2 columns"),
        (b"path,speaker,path\na.wav,b,c\n", "the column path is there twice"),
        (b"file,speaker\na.wav,b\n", "no column path among file, speaker"),
        (b"path,speaker,\na.wav,b,c\n", "'c' stands under no column"),
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"path\n" + b"a" * 4_200_000, "row 2: it is over 4,194,304 characters long"),
    ],
)
def test_a_broken_csv_is_refused_with_line_and_remedy(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(InputError, match="E_MANIFEST") as caught:
        rows(tmp_path / "m.csv", raw)
    assert message in str(caught.value)
    assert caught.value.hint


def test_json_lines_give_cells_as_text_and_leave_out_null(tmp_path: Path) -> None:
    raw = '{"path": "a.wav", "num_speakers": 2, "age": 4.5, "paid": true, "note": null, "tags": ["x", {"y": 1}]}\n\n'
    cells = {"path": "a.wav", "num_speakers": "2", "age": "4.5", "paid": "true", "tags": '["x", {"y": 1}]'}
    assert rows(tmp_path / "m.jsonl", raw) == [Row(1, cells)]


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"path": "a.wav", "path": "b.wav"}',
        '{"path": "a.wav", "n": 1e999}',
        '{"path": "a.wav", "n": ' + "9" * 400 + "}",
        '{"path": "a.wav", "n": NaN}',
        '{"path": "a.wav", "n": "\\ud800"}',
        '{"path": "a.wav"',
        '["a.wav"]',
        "[" * 100 + "]" * 100,
    ],
)
def test_a_trick_in_json_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match="E_JSON") as caught:
        rows(tmp_path / "m.jsonl", f'{{"path": "a.wav"}}\n{line}\n')
    assert "m.jsonl line 2" in str(caught.value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_honest_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    text = json.dumps(value).encode("utf-8", "surrogatepass").decode("utf-8")
    assert parse_json(text) == json.loads(text)


def test_parquet_is_read_in_batches_and_null_is_missing(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    names = [f"{number}.wav" for number in range(5_000)]
    speakers = [None if number % 2 else "Asha" for number in range(5_000)]
    parquet.write_table(pyarrow.table({"path": names, "speaker": speakers}), tmp_path / "m.parquet")
    arrivals = plan_arrivals(tmp_path / "m.parquet")
    assert [arrival.path for arrival in arrivals] == names
    assert [arrival.speaker for arrival in arrivals[:2]] == ["Asha", None]


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_MANIFEST"):
        rows(tmp_path / "m.parquet", b"PAR1 and nothing more PAR1")


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(Table(file=tmp_path / "m.csv", any_of=("path",)).rows())
