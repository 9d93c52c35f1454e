"""One line a segment holds all that the report is made of, with or without the texts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dialects.dialect import load_catalogue
from dialects.report.table import build
from dialects.report.utterances import COUNT_COLUMNS, TEXT_COLUMNS, write_alignments, write_trn, write_utterances
from dialects.scoring.prepare import Preparer
from tests.dialects.factories import corpus, pair


@pytest.fixture
def prepare() -> Preparer:
    return Preparer(load_catalogue())


def test_the_table_adds_up_to_the_report(tmp_path: Path, prepare: Preparer) -> None:
    pairs = [*corpus(), pair("हिन्दी में।", "हिंदी", id="v", dialect="hi"), pair("", "so", id="e", dialect="hi")]

    assert write_utterances(tmp_path / "u.parquet", pairs, prepare) == len(pairs)

    table = pq.read_table(tmp_path / "u.parquet").to_pylist()
    for row in build(pairs).data()["dialects"]:
        of_dialect = [line for line in table if line["dialect"] == row["dialect"]]
        for name in ("words", "hits", "substitutions", "deletions", "insertions", "characters", "grapheme_errors"):
            assert row[name] == sum(line[name] for line in of_dialect), name
        strict = row["substitutions"] + row["deletions"] + row["insertions"]
        assert strict - row["forgiven"] == sum(line["variant_errors"] for line in of_dialect)


def test_texts_can_stay_at_home(tmp_path: Path, prepare: Preparer) -> None:
    write_utterances(tmp_path / "with.parquet", [pair("Hello.", "x")], prepare)
    write_utterances(tmp_path / "without.parquet", [pair("Hello.", "x")], prepare, texts=False)

    assert pq.read_table(tmp_path / "without.parquet").column_names == list(COUNT_COLUMNS)
    (line,) = pq.read_table(tmp_path / "with.parquet").to_pylist()
    assert list(line) == [*COUNT_COLUMNS, *TEXT_COLUMNS]
    assert (line["reference"], line["reference_normalised"]) == ("Hello.", "hello")


def test_an_empty_table_has_its_columns(tmp_path: Path, prepare: Preparer) -> None:
    assert write_utterances(tmp_path / "u.parquet", [], prepare) == 0
    assert pq.read_table(tmp_path / "u.parquet").num_rows == 0


def test_alignments_can_be_read_back(tmp_path: Path, prepare: Preparer) -> None:
    write_alignments(tmp_path / "a.jsonl", [pair("a b c", "a x c d")], prepare)

    (line,) = map(json.loads, (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines())
    assert Counter(kind for kind, _, _ in line["alignment"]) == {"hit": 2, "substitution": 1, "insertion": 1}
    assert line["alignment"][0] == ["hit", "a", "a"]


def test_trn_files_hold_normalised_words_and_the_dialect(tmp_path: Path, prepare: Preparer) -> None:
    pairs = [pair("Hello, there", "hello"), pair("", "so", id="s2", dialect="en-GB-x-lancs")]

    names = write_trn(tmp_path / "ref.trn", tmp_path / "hyp.trn", pairs, prepare)

    assert names == {"s1": "en-US_000001", "s2": "en-GB-x-lancs_000002"}
    assert (tmp_path / "ref.trn").read_text() == "hello there (en-US_000001)\n (en-GB-x-lancs_000002)\n"
    assert (tmp_path / "hyp.trn").read_text() == "hello (en-US_000001)\nso (en-GB-x-lancs_000002)\n"


def test_marks_of_the_trn_format_cannot_be_mistaken(tmp_path: Path) -> None:
    plain = Preparer(load_catalogue(), normaliser="none")
    write_trn(tmp_path / "ref.trn", tmp_path / "hyp.trn", [pair(r"a (b) \{c/d\} @ *", "a")], plain)

    assert not re.search(r"[{}/@*]", (tmp_path / "ref.trn").read_text())


def test_sclite_finds_no_fewer_errors_and_hardly_more(tmp_path: Path, prepare: Preparer) -> None:
    """It minimises 4S + 3D + 3I, so it may exceed the least number of edits, by 0.2 % of words at most."""
    sclite = shutil.which("sclite")
    if sclite is None:
        pytest.skip("sclite is not on the PATH")
    pairs = corpus(segments=40, error_rate=0.5)
    write_trn(tmp_path / "ref.trn", tmp_path / "hyp.trn", pairs, prepare)
    done = subprocess.run(
        [
            sclite,
            "-r",
            "ref.trn",
            "trn",
            "-h",
            "hyp.trn",
            "trn",
            "-i",
            "spu_id",
            "-e",
            "utf-8",
            "-s",
            "-o",
            "rsum",
            "stdout",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    row = next(line for line in done.stdout.splitlines() if re.match(r"\s*\|\s*Sum\s", line))
    segments, words, *_, errors, _ = map(int, re.findall(r"\d+", row))

    ours = build(pairs).overall
    assert (segments, words) == (ours.segments, ours.counts.words)
    assert 0 <= errors - ours.counts.errors <= max(2, 0.002 * words)
