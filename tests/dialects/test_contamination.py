"""Speakers and sentences of the training are refused, or stand in a row of their own."""

from __future__ import annotations

import random
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.contamination import NEARLY, Contamination, NearDuplicates, Training, find_contamination, read_training
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

    with pytest.raises(DialectError, match="no column speaker or text or reference"):
        read_training(file)


WORDS = st.lists(st.sampled_from("abcdefghijklmnop"), min_size=6, max_size=14)


def jaccard(first: list[str], second: list[str]) -> float:
    one, other = ({*pairwise(["", *words, ""])} for words in (first, second))
    return len(one & other) / len(one | other)


@given(WORDS, st.data())
def test_a_sentence_with_one_other_word_is_nearly_the_same(words: list[str], data: st.DataObject) -> None:
    index = NearDuplicates()
    index.add(words)
    other = [*words]
    other[data.draw(st.integers(0, len(words) - 1))] = "z"

    assert index.find(words) == [0]
    # By chance a band may be missed near the limit, and never well above it.
    if jaccard(words, other) >= 0.7:
        assert index.find(other) == [0]


@given(st.lists(WORDS, max_size=6), WORDS)
def test_what_is_found_is_as_near_as_it_is_said_to_be(sentences: list[list[str]], words: list[str]) -> None:
    index = NearDuplicates()
    for sentence in sentences:
        index.add(sentence)

    found = index.find(words)
    assert all(jaccard(words, sentences[number]) >= NEARLY for number in found)
    assert {number for number, sentence in enumerate(sentences) if sentence == words} <= set(found)


def test_a_hundred_thousand_sentences_are_compared_in_a_minute() -> None:
    chance = random.Random(3)
    vocabulary = [f"w{number}" for number in range(5_000)]
    sentences = [chance.choices(vocabulary, k=10) for _ in range(20_000)]
    start = time.process_time()
    index = NearDuplicates()
    for sentence in sentences[:5_000]:
        index.add(sentence)

    assert sum(len(index.find(sentence)) for sentence in sentences) == 5_000
    assert time.process_time() - start < 60 / 5
