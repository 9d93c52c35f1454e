"""Counts are kept by what they follow from; what is lost is counted again, and a report never shows the difference."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dialects.dialect import load_catalogue
from dialects.report.table import report_of
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from dialects.scoring.sums import PairCounts, count_all
from dialects.scoring.word_errors import Pair
from tests.dialects.factories import corpus, pair
from transcribe.store.score_cache import ScoreCache

QUICK = Method(resamples=50)


class Watched:
    """A cache that notes what was new to it."""

    def __init__(self, cache: ScoreCache) -> None:
        self._kept = cache
        self.new: list[bytes] = []

    def lookup(self, keys: Sequence[bytes]) -> Mapping[bytes, PairCounts]:
        return self._kept.lookup(keys)

    def keep(self, counts: Mapping[bytes, PairCounts]) -> None:
        self.new += counts
        self._kept.keep(counts)


def make_report(pairs: list[Pair], cache: ScoreCache | Watched | None = None) -> str:
    report = report_of(pairs, Preparer(load_catalogue()), method=QUICK, cache=cache)
    return json.dumps(report.data(), ensure_ascii=False)


def test_only_changed_segments_are_aligned_and_the_report_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    pairs = [*corpus(), pair("i've { um / @ } been हिन्दी", "i've been हिंदी", id="v", dialect="hi")]
    with ScoreCache(tmp_path / "counts.sqlite") as cache:
        assert make_report(pairs, cache) == make_report(pairs)
    pairs[7] = dataclasses.replace(pairs[7], reference="as somebody corrected it")
    pairs.append(pair("one more", "one moor", id="new"))

    with ScoreCache(tmp_path / "counts.sqlite") as cache:
        watched = Watched(cache)
        assert make_report(pairs, watched) == make_report(pairs)
        prepare = Preparer(load_catalogue())
        assert watched.new == [prepare.key(pairs[7]), prepare.key(pairs[-1])]


def test_another_normaliser_or_another_rule_is_another_key(tmp_path: Path) -> None:
    example = pair("A b", "a c", dialect="bho")
    rules = tmp_path / "bho.tsv"
    rules.write_text("canonical\tvariant\tscope\tsource\tadded_by\tdate\nb\tc\tdialect\treviewer\tann\t2026-01-01\n")
    every = [
        Preparer(load_catalogue()),
        Preparer(load_catalogue(), normaliser="none"),
        Preparer(load_catalogue(), variant_paths=[rules]),
    ]

    assert len({prepare.key(example) for prepare in every}) == 3
    assert every[0].key(example) == Preparer(load_catalogue()).key(
        dataclasses.replace(example, id="other", speaker="bob")
    )


def test_forgiven_spellings_come_back_as_they_were(tmp_path: Path) -> None:
    prepare = Preparer(load_catalogue())
    pairs = [pair("{ white paper / whitepaper } here", "whitepaper here")]
    with ScoreCache(tmp_path / "c") as cache:
        first = list(count_all(pairs, prepare, cache=cache))
    with ScoreCache(tmp_path / "c") as cache:
        assert list(count_all(pairs, prepare, cache=cache)) == first
    assert first[0].forgiven == (("white paper", "whitepaper"),)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be taken for one" * 40, b""])
def test_a_file_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c").write_bytes(content)

    with ScoreCache(tmp_path / "c") as cache:
        assert make_report(corpus(segments=3), cache) == make_report(corpus(segments=3))


def test_counts_of_another_shape_are_counted_again(tmp_path: Path) -> None:
    pairs = corpus(segments=2)
    with ScoreCache(tmp_path / "c") as cache:
        make_report(pairs, cache)
    with sqlite3.connect(tmp_path / "c") as file:
        file.execute("UPDATE counts SET counts = '[1, 2]'")
    file.close()

    for _ in range(2):
        with ScoreCache(tmp_path / "c") as cache:
            assert make_report(pairs, cache) == make_report(pairs)
    with ScoreCache(tmp_path / "c") as cache:
        watched = Watched(cache)
        make_report(pairs, watched)
        assert watched.new == []


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with ScoreCache(tmp_path / "file" / "c") as cache:
        assert make_report(corpus(segments=2), cache) == make_report(corpus(segments=2))
