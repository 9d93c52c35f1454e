"""Marks of redacted speech are left out on both sides."""

from __future__ import annotations

import pytest

from dialects.dialect import load_catalogue
from dialects.scoring.prepare import Preparer
from dialects.scoring.sums import count_pair
from dialects.scoring.word_errors import HIDDEN, Pair


def pair(reference: str, hypothesis: str) -> Pair:
    return Pair(id="1", reference=reference, hypothesis=hypothesis, dialect="en-IN", speaker="s")


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        (f"I met {HIDDEN} yesterday", f"I met {HIDDEN} yesterday"),
        (f"I met, {HIDDEN}. yesterday", "I met yesterday"),
        (f"I {{met/saw}} {HIDDEN} yesterday", f"{HIDDEN} I met yesterday"),
    ],
)
def test_a_mark_is_neither_right_nor_wrong(reference: str, hypothesis: str) -> None:
    ready = Preparer(load_catalogue())(pair(reference, hypothesis))
    assert ready.reference == ready.hypothesis == ["i", "met", "yesterday"]
    counts = count_pair(ready)
    assert (counts.hits, counts.substitutions, counts.deletions, counts.insertions) == (3, 0, 0, 0)


def test_a_wholly_hidden_text_has_no_words() -> None:
    ready = Preparer(load_catalogue())(pair(HIDDEN, f"{HIDDEN} {HIDDEN}"))
    assert (ready.reference, ready.hypothesis) == ([], [])
