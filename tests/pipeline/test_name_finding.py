"""A project's names, taken out of a hearing that was told them, and nothing else of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.pipeline.name_finding import take_names
from transcribe.records import Word, join_words

NAMES = ["Kozhikode", "Oyelaran", "Anna Rao", "रामेश्वरम्"]


def hear(text: str) -> list[Word]:
    """Words of 90 ms, one every 100 ms."""
    return [Word(text=form, start=n * 100, end=n * 100 + 90, probability=0.5) for n, form in enumerate(text.split())]


@pytest.mark.parametrize(
    ("plain", "prompted", "text"),
    [
        ("two boxes of Kosha code at", "two boxes of Kozhikode at", "two boxes of Kozhikode at"),
        ("by Oya Laran, and two", "by Oyelaran, and too", "by Oyelaran, and two"),
        ("ask anarao today", "ask Anna Rao today", "ask Anna Rao today"),
        ("वे रामेश वरम गए", "वे रामेश्वरम् गए", "वे रामेश्वरम् गए"),
        # Two names side by side, each for what is spelt like it.
        ("Oya Laran kosha code", "Oyelaran Kozhikode", "Oyelaran Kozhikode"),
    ],
)
def test_a_name_stands_for_what_is_spelt_like_it(plain: str, prompted: str, text: str) -> None:
    assert join_words(take_names(hear(plain), hear(prompted), NAMES)) == text


@pytest.mark.parametrize(
    ("plain", "prompted"),
    [
        ("the road was closed", "the Kozhikode was closed"),
        ("she lost it", "she lost it Kozhikode Oyelaran"),
        ("the grey suit", "the greasy suit"),
        ("", "Kozhikode"),
        ("Kozhikode", ""),
    ],
)
def test_nothing_else_of_the_second_hearing_is_taken(plain: str, prompted: str) -> None:
    assert take_names(hear(plain), hear(prompted), NAMES) == hear(plain)


def test_a_name_of_several_words_shares_the_time_of_what_it_stands_for() -> None:
    taken = take_names(hear("ask anarao today"), hear("ask Anna Rao today"), NAMES)
    assert [(word.text, word.start, word.end) for word in taken[1:3]] == [("Anna", 100, 145), ("Rao", 145, 190)]


@given(
    st.lists(st.sampled_from(["a", "cozy", "code", "Kozhikode", "oya", "Anna", "Rao"]), max_size=8),
    st.lists(st.sampled_from(["a", "Kozhikode", "Oyelaran", "Anna", "Rao", "b"]), max_size=8),
)
def test_words_stay_in_order_and_all_that_is_new_is_a_name(plain: list[str], prompted: list[str]) -> None:
    words = hear(" ".join(plain))
    taken = take_names(words, hear(" ".join(prompted)), NAMES)
    assert [word.start for word in taken] == sorted(word.start for word in taken)
    assert {word.text for word in taken} <= set(plain) | {"Kozhikode", "Oyelaran", "Anna", "Rao"}
    assert sum(word.text not in plain for word in taken) <= len(prompted)
