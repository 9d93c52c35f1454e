"""Errors of several people: labels are matched to speakers so that errors are fewest, and none is lost."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.scoring.cpwer import cp_errors
from dialects.scoring.word_errors import ErrorCount, count
from tests.dialects.factories import sentences

people = st.dictionaries(st.sampled_from("ABC"), sentences, max_size=3)
labels = st.dictionaries(st.sampled_from("0123"), sentences, max_size=4)

REFERENCE = {"A": ["hello", "how", "are", "you"], "B": ["i", "am", "fine", "thanks"]}


def test_a_word_given_to_the_wrong_person_counts_twice() -> None:
    """A4."""
    errors = cp_errors(REFERENCE, {"0": ["i", "am", "fine"], "1": ["hello", "how", "are", "you", "thanks"]})

    assert errors.counts == ErrorCount(hits=7, deletions=1, insertions=1)
    assert errors.counts.rate == 0.25
    assert errors.labels == {"A": "1", "B": "0"}


def test_a_label_without_a_speaker_counts_as_insertions() -> None:
    """A5."""
    errors = cp_errors(
        REFERENCE, {"0": ["hello", "how", "are", "you"], "1": ["i", "am", "fine", "thanks"], "2": ["yeah", "right"]}
    )

    assert errors.counts == ErrorCount(hits=8, insertions=2)
    assert errors.extra == ("2",)
    assert errors.unassigned.insertions == 2
    assert list(errors.labels.values()).count(None) == 0


def test_a_speaker_without_a_label_counts_as_deletions() -> None:
    errors = cp_errors(REFERENCE, {"0": ["i", "am", "fine", "thanks"]})

    assert errors.speakers == {"A": ErrorCount(deletions=4), "B": ErrorCount(hits=4)}
    assert errors.labels["A"] is None
    assert list(errors.labels.values()).count(None) == 1


def test_nobody_says_nothing() -> None:
    assert cp_errors({}, {}).counts == ErrorCount.zero()


@given(people, labels)
def test_no_match_has_fewer_errors(reference: dict[str, list[str]], hypothesis: dict[str, list[str]]) -> None:
    size = max(len(reference), len(hypothesis))
    spoken = [*reference.values(), *[[]] * (size - len(reference))]
    drafted = [*hypothesis.values(), *[[]] * (size - len(hypothesis))]
    totals = [
        sum(sum(count(first, second)[1:]) for first, second in zip(spoken, order, strict=True))
        for order in itertools.permutations(drafted)
    ]

    errors = cp_errors(reference, hypothesis)

    assert errors.counts.errors == min(totals)
    assert errors.counts.words == sum(map(len, reference.values()))
    assert errors.counts.hypothesis_words == sum(map(len, hypothesis.values()))
    assert set(errors.speakers) == set(reference)
    assert {label for label in errors.labels.values() if label} | set(errors.extra) == set(hypothesis)


def test_fifty_speakers_are_matched() -> None:
    reference = {f"p{number}": [f"w{number}"] * 3 for number in range(50)}
    hypothesis = {f"l{number:02d}": [f"w{49 - number}"] * 3 for number in range(50)}

    assert cp_errors(reference, hypothesis).counts.errors == 0


@pytest.mark.parametrize(
    "hypothesis",
    [
        {"0": "i am fine", "1": "hello how are you thanks"},
        {"0": "hello how are you", "1": "i am fine thanks", "2": "yeah right"},
        {"0": "hello you i am fine"},
    ],
)
def test_meeteval_counts_the_same(hypothesis: dict[str, str]) -> None:
    meeteval = pytest.importorskip("meeteval", reason="meeteval is not installed (extra 'meetings')")
    meeteval_errors = meeteval.wer.wer.cp.cp_word_error_rate(
        {name: " ".join(words) for name, words in REFERENCE.items()}, hypothesis
    )
    ours = cp_errors(REFERENCE, {label: text.split() for label, text in hypothesis.items()})

    assert (ours.counts.errors, ours.counts.words) == (meeteval_errors.errors, meeteval_errors.length)
    assert (len(ours.extra), list(ours.labels.values()).count(None)) == (
        meeteval_errors.falarm_speaker,
        meeteval_errors.missed_speaker,
    )
