"""Counts are kept by what they follow from; what is lost is counted again, and a report never shows the difference."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dialects.counted import PairCounts, count_all
from dialects.dialect import load_catalogue
from dialects.preparing import Preparer
from dialects.report import report_of
from dialects.rows import Method
from dialects.scoring import Pair
from tests.dialects.factories import corpus, pair
from transcribe.store.kept_counts import KeptCounts

QUICK = Method(resamples=50)


class Watched:
    """Kept counts that tell what was new to them."""

    def __init__(self, kept: KeptCounts) -> None:
        self._kept = kept
        self.new: list[bytes] = []

    def lookup(self, keys: Sequence[bytes]) -> Mapping[bytes, PairCounts]:
        return self._kept.lookup(keys)

    def keep(self, counts: Mapping[bytes, PairCounts]) -> None:
        self.new += counts
        self._kept.keep(counts)


def told(pairs: list[Pair], kept: KeptCounts | Watched | None = None) -> str:
    report = report_of(pairs, Preparer(load_catalogue()), method=QUICK, cache=kept)
    return json.dumps(report.data(), ensure_ascii=False)


def test_only_changed_segments_are_aligned_and_the_report_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    pairs = [*corpus(), pair("i've { um / @ } been हिन्दी", "i've been हिंदी", id="v", dialect="hi")]
    with KeptCounts(tmp_path / "counts.sqlite") as kept:
        assert told(pairs, kept) == told(pairs)
    pairs[7] = dataclasses.replace(pairs[7], reference="as somebody corrected it")
    pairs.append(pair("one more", "one moor", id="new"))

    with KeptCounts(tmp_path / "counts.sqlite") as kept:
        watched = Watched(kept)
        assert told(pairs, watched) == told(pairs)
        prepare = Preparer(load_catalogue())
        assert watched.new == [prepare.key(pairs[7]), prepare.key(pairs[-1])]


def test_another_normaliser_or_another_rule_is_another_key(tmp_path: Path) -> None:
    one = pair("A b", "a c", dialect="bho")
    rules = tmp_path / "bho.tsv"
    rules.write_text("canonical\tvariant\tscope\tsource\tadded_by\tdate\nb\tc\tdialect\treviewer\tann\t2026-01-01\n")
    every = [
        Preparer(load_catalogue()),
        Preparer(load_catalogue(), normaliser="none"),
        Preparer(load_catalogue(), variant_paths=[rules]),
    ]

    assert len({prepare.key(one) for prepare in every}) == 3
    assert every[0].key(one) == Preparer(load_catalogue()).key(dataclasses.replace(one, id="other", speaker="bob"))


def test_forgiven_spellings_come_back_as_they_were(tmp_path: Path) -> None:
    prepare = Preparer(load_catalogue())
    pairs = [pair("{ white paper / whitepaper } here", "whitepaper here")]
    with KeptCounts(tmp_path / "c") as kept:
        first = list(count_all(pairs, prepare, cache=kept))
    with KeptCounts(tmp_path / "c") as kept:
        assert list(count_all(pairs, prepare, cache=kept)) == first
    assert first[0].forgiven == (("white paper", "whitepaper"),)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be taken for one" * 40, b""])
def test_a_file_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c").write_bytes(content)

    with KeptCounts(tmp_path / "c") as kept:
        assert told(corpus(segments=3), kept) == told(corpus(segments=3))


def test_counts_of_another_shape_are_counted_again(tmp_path: Path) -> None:
    pairs = corpus(segments=2)
    with KeptCounts(tmp_path / "c") as kept:
        told(pairs, kept)
    with sqlite3.connect(tmp_path / "c") as file:
        file.execute("UPDATE counts SET counts = '[1, 2]'")
    file.close()

    for _ in range(2):
        with KeptCounts(tmp_path / "c") as kept:
            assert told(pairs, kept) == told(pairs)
    with KeptCounts(tmp_path / "c") as kept:
        watched = Watched(kept)
        told(pairs, watched)
        assert watched.new == []


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with KeptCounts(tmp_path / "file" / "c") as kept:
        assert told(corpus(segments=2), kept) == told(corpus(segments=2))
