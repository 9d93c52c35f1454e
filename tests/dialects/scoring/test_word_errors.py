"""Counts are the least edits with the most hits, add up, and agree with other engines on what is unique."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import jiwer
import kaldialign
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.scoring.word_errors import (
    Counts,
    ErrorCount,
    Recount,
    RecountError,
    align,
    character_errors,
    check,
    count,
    from_counts,
    grapheme_errors,
    graphemes,
    recount,
    score,
    total_edits,
    total_of,
)
from dialects.text.normalise import load_normaliser
from tests.dialects.factories import corpus, pair, sentences


def by_trying_all(reference: list[str], hypothesis: list[str]) -> Counts:
    """Least edits, then most hits, by a plain table over (edits, -hits): slow, and obviously right."""
    table: dict[tuple[int, int], tuple[int, int]] = {(0, 0): (0, 0)}
    for row, column in itertools.product(range(len(reference) + 1), range(len(hypothesis) + 1)):
        ways: list[tuple[int, int]] = []
        if row:
            edits, hits = table[row - 1, column]
            ways.append((edits + 1, hits))
        if column:
            edits, hits = table[row, column - 1]
            ways.append((edits + 1, hits))
        if row and column:
            edits, hits = table[row - 1, column - 1]
            same = reference[row - 1] == hypothesis[column - 1]
            ways.append((edits, hits - 1) if same else (edits + 1, hits))
        if ways:
            table[row, column] = min(ways)
    edits, hits = table[len(reference), len(hypothesis)]
    deletions = edits + -hits - len(hypothesis)
    insertions = edits + -hits - len(reference)
    return -hits, len(reference) + hits - deletions, deletions, insertions


def golden_cases(speech: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((speech / "golden_wer.json").read_text(encoding="utf-8"))["cases"]
    return cases


def test_every_golden_case_is_counted_exactly(speech: Path) -> None:
    for case in golden_cases(speech):
        normalise = load_normaliser(case["normaliser"])
        errors = score([pair(normalise(case["reference"]), normalise(case["hypothesis"]))])

        expected = ErrorCount(**{kind: case[kind] for kind in ("hits", "substitutions", "deletions", "insertions")})
        assert expected == errors, case["id"]
        assert (case["reference_words"], case["wer"]) == (errors.words, errors.rate), case["id"]


def test_every_golden_path_has_the_golden_counts(speech: Path) -> None:
    for case in golden_cases(speech):
        normalise = load_normaliser(case["normaliser"])
        kinds = Counter(
            edit.kind for edit in align(normalise(case["reference"]).split(), normalise(case["hypothesis"]).split())
        )

        counts = (kinds["hit"], kinds["substitution"], kinds["deletion"], kinds["insertion"])
        assert (case["hits"], case["substitutions"], case["deletions"], case["insertions"]) == counts, case["id"]


def test_rates_are_pooled_and_never_averaged() -> None:
    """A1: one long right segment, one short wrong one, and words where nobody spoke."""
    pairs = [pair("a b c d e f g h i j"), pair("yes", "no"), pair("", "uh huh")]

    pooled = score(pairs)

    assert ErrorCount(hits=10, substitutions=1, deletions=0, insertions=2) == pooled
    assert pooled.rate == pytest.approx(0.272727, abs=1e-6)
    rates = [score([pair]).rate for pair in pairs]
    assert rates == [0.0, 1.0, None]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "characters", "clusters"),
    [("அவன் நேற்று", "அவர் நேத்து", (3, 10), (3, 6)), ("मेरी यहीं", "मेरे यही", (2, 8), (2, 4))],
)
def test_characters_and_clusters_differ_where_marks_do(
    reference: str, hypothesis: str, characters: tuple[int, int], clusters: tuple[int, int]
) -> None:
    """A2."""
    assert characters == character_errors(reference.split(), hypothesis.split())
    assert clusters == grapheme_errors(reference.split(), hypothesis.split())


def test_a_vowel_sign_belongs_to_its_letter() -> None:
    assert graphemes("நேற்று") == ["நே", "ற்", "று"]


@given(sentences, sentences)
def test_counts_are_the_least_edits_with_the_most_hits(reference: list[str], hypothesis: list[str]) -> None:
    assert by_trying_all(reference, hypothesis) == count(reference, hypothesis)


@given(sentences, sentences)
def test_lengths_are_the_sums_of_their_parts(reference: list[str], hypothesis: list[str]) -> None:
    errors = from_counts(count(reference, hypothesis))

    assert len(reference) == errors.words
    assert len(hypothesis) == errors.hypothesis_words


@given(sentences, sentences)
def test_swapping_the_sides_swaps_deletions_and_insertions(reference: list[str], hypothesis: list[str]) -> None:
    hits, substitutions, deletions, insertions = count(reference, hypothesis)

    assert (hits, substitutions, insertions, deletions) == count(hypothesis, reference)


@given(sentences, sentences)
def test_a_path_spells_both_sides_and_has_the_counts(reference: list[str], hypothesis: list[str]) -> None:
    path = align(reference, hypothesis)
    kinds = Counter(edit.kind for edit in path)

    assert reference == [edit.reference for edit in path if edit.reference is not None]
    assert hypothesis == [edit.hypothesis for edit in path if edit.hypothesis is not None]
    assert count(reference, hypothesis) == (
        kinds["hit"],
        kinds["substitution"],
        kinds["deletion"],
        kinds["insertion"],
    )
    assert all((edit.kind == "hit") == (edit.reference == edit.hypothesis) for edit in path)


def test_a_path_is_found_for_an_hour_of_talk() -> None:
    reference = [str(number % 97) for number in range(3_000)]
    hypothesis = [word for number, word in enumerate(reference) if number % 11]

    assert Counter(edit.kind for edit in align(reference, hypothesis))["deletion"] == 273


@given(st.lists(st.tuples(sentences, sentences), max_size=6), st.integers(0, 6), st.randoms(use_true_random=False))
def test_parts_add_up_to_the_whole_in_any_order(rows: list[tuple[list[str], list[str]]], cut: int, chance: Any) -> None:
    pairs = [pair(" ".join(reference), " ".join(hypothesis)) for reference, hypothesis in rows]
    shuffled = chance.sample(pairs, len(pairs))

    assert score(pairs) == score(shuffled) == score(pairs[:cut]) + score(pairs[cut:])


def test_total_edits_are_the_errors() -> None:
    pairs = corpus(error_rate=0.6)

    assert score(pairs).errors == total_edits(pairs)


def test_nothing_has_no_rate() -> None:
    assert score([]) == ErrorCount.zero()
    assert ErrorCount.zero().rate is None
    assert ErrorCount.zero().match_error_rate is None
    assert ErrorCount(insertions=4).rate is None
    assert ErrorCount(insertions=4).match_error_rate == 1.0


def test_a_count_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        ErrorCount(hits=-1)


def test_white_space_of_any_kind_separates_words() -> None:
    assert score([pair("a\u00a0b\u2003c\td", "a b c d")]) == ErrorCount(hits=4)


@pytest.mark.parametrize("error_rate", [0.12, 0.28, 0.47])
def test_other_engines_find_the_same_total(error_rate: float) -> None:
    """
    Only edits, words and deletions minus insertions are unique; S, D and I of these engines are not ours.

    20,000 random pairs at each of three error levels.
    """
    random_pairs = corpus(dialects=["en-US"], speakers=100, segments=200, error_rate=error_rate)
    pairs = [*random_pairs, pair("", "you are welcome"), pair("not heard", "")]
    ours = score(pairs)

    jiwer_output = jiwer.process_words([pair.reference for pair in pairs], [pair.hypothesis for pair in pairs])
    kaldi = kaldialign.batch_error_rate(
        [pair.reference.split() for pair in pairs], [pair.hypothesis.split() for pair in pairs]
    )

    assert (
        ours.errors == jiwer_output.substitutions + jiwer_output.deletions + jiwer_output.insertions == kaldi["total"]
    )
    assert ours.words == jiwer_output.hits + jiwer_output.substitutions + jiwer_output.deletions == kaldi["ref_len"]
    assert (
        ours.deletions - ours.insertions
        == jiwer_output.deletions - jiwer_output.insertions
        == kaldi["del"] - kaldi["ins"]
    )


def test_the_recount_does_not_depend_on_its_batches() -> None:
    pairs = corpus()
    words = [(pair.reference.split(), pair.hypothesis.split()) for pair in pairs]

    assert list(recount(words)) == list(recount(words, batch=7))
    check(score(pairs), total_of(recount(words)))


def test_a_different_total_is_never_hidden() -> None:
    with pytest.raises(RecountError, match="counted 1 errors in 1 words; jiwer 9 counts 2 in 1"):
        check(ErrorCount(substitutions=1), Recount(version="9", errors=2, words=1, match_error_rate=1.0))
