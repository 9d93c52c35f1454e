"""Speakers and sentences of the training are refused, or stand in a row of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialects.contamination import Contamination, Training, find_contamination, read_training
from dialects.dialect import load_catalogue
from dialects.errors import DialectError
from dialects.scoring.prepare import Preparer
from tests.dialects.factories import pair

PAIRS = [
    pair("Nobody said this before.", id="new", speaker="ann"),
    pair("nobody said that before", id="voice", speaker="bob"),
    pair("I come from the village.", id="sentence", speaker="cat"),
    pair("yes indeed", id="short", speaker="dan"),
]
TRAINING = Training(speakers=frozenset({"bob"}), sentences=frozenset({"i come from the VILLAGE", "yes indeed"}))


def check(training: Training = TRAINING) -> Contamination:
    return find_contamination(PAIRS, training, Preparer(load_catalogue()))


def test_speakers_and_normalised_sentences_are_found_and_short_ones_are_not() -> None:
    contamination = check()

    assert [pair.id for pair in contamination.unseen] == ["new", "short"]
    assert [pair.id for pair in contamination.speaker] == ["voice"]
    assert [pair.id for pair in contamination.sentence] == ["sentence"]


def test_what_was_seen_is_refused_with_examples() -> None:
    with pytest.raises(
        DialectError, match=r"1 segments of 1 speakers heard in training, as 'bob' and 1 segments"
    ) as bad:
        check().refuse()

    assert bad.value.code == "E_SEEN"
    check(Training(speakers=frozenset(), sentences=frozenset())).refuse()


def test_rows_of_their_own_add_up() -> None:
    groups = check().group(Preparer(load_catalogue())).data()["groups"]

    assert [(row["training"], row["segments"]) for row in groups] == [
        ("unseen", 2),
        ("speaker seen", 1),
        ("sentence seen", 1),
    ]


def test_a_manifest_is_read_by_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text("path,speaker,text\na.wav,bob,one two\nb.wav,,\n", encoding="utf-8")

    assert read_training(file) == Training(speakers=frozenset({"bob"}), sentences=frozenset({"one two"}))


def test_a_manifest_without_speakers_and_texts_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text("path\na.wav\n", encoding="utf-8")

    with pytest.raises(DialectError, match="neither a speaker nor a text"):
        read_training(file)
