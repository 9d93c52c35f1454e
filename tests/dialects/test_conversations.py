"""Errors of several people: labels are matched to speakers so that errors are fewest, and none is lost."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.conversations import cp_errors
from dialects.scoring import ErrorCount, count
from tests.dialects.factories import sentences

people = st.dictionaries(st.sampled_from("ABC"), sentences, max_size=3)
labels = st.dictionaries(st.sampled_from("0123"), sentences, max_size=4)

REFERENCE = {"A": ["hello", "how", "are", "you"], "B": ["i", "am", "fine", "thanks"]}


def test_a_word_given_to_the_wrong_person_counts_twice() -> None:
    """A4."""
    found = cp_errors(REFERENCE, {"0": ["i", "am", "fine"], "1": ["hello", "how", "are", "you", "thanks"]})

    assert found.counts == ErrorCount(hits=7, deletions=1, insertions=1)
    assert found.counts.rate == 0.25
    assert found.labels == {"A": "1", "B": "0"}


def test_a_label_without_a_speaker_counts_as_insertions() -> None:
    """A5."""
    found = cp_errors(
        REFERENCE, {"0": ["hello", "how", "are", "you"], "1": ["i", "am", "fine", "thanks"], "2": ["yeah", "right"]}
    )

    assert found.counts == ErrorCount(hits=8, insertions=2)
    assert found.extra == ("2",)
    assert found.unassigned.insertions == 2
    assert found.missed_speakers == 0


def test_a_speaker_without_a_label_counts_as_deletions() -> None:
    found = cp_errors(REFERENCE, {"0": ["i", "am", "fine", "thanks"]})

    assert found.speakers == {"A": ErrorCount(deletions=4), "B": ErrorCount(hits=4)}
    assert found.labels["A"] is None
    assert found.missed_speakers == 1


def test_nobody_says_nothing() -> None:
    assert cp_errors({}, {}).counts == ErrorCount.zero()


@given(people, labels)
def test_no_match_has_fewer_errors(reference: dict[str, list[str]], hypothesis: dict[str, list[str]]) -> None:
    size = max(len(reference), len(hypothesis))
    said = [*reference.values(), *[[]] * (size - len(reference))]
    heard = [*hypothesis.values(), *[[]] * (size - len(hypothesis))]
    totals = [
        sum(sum(count(one, other)[1:]) for one, other in zip(said, order, strict=True))
        for order in itertools.permutations(heard)
    ]

    found = cp_errors(reference, hypothesis)

    assert found.counts.errors == min(totals)
    assert found.counts.words == sum(map(len, reference.values()))
    assert found.counts.hypothesis_words == sum(map(len, hypothesis.values()))
    assert set(found.speakers) == set(reference)
    assert {label for label in found.labels.values() if label} | set(found.extra) == set(hypothesis)


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
    theirs = meeteval.wer.wer.cp.cp_word_error_rate(
        {name: " ".join(words) for name, words in REFERENCE.items()}, hypothesis
    )
    ours = cp_errors(REFERENCE, {label: text.split() for label, text in hypothesis.items()})

    assert (ours.counts.errors, ours.counts.words) == (theirs.errors, theirs.length)
    assert (len(ours.extra), ours.missed_speakers) == (theirs.falarm_speaker, theirs.missed_speaker)
