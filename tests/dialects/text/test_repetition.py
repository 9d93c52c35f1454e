"""Loops: what a recogniser does when it is stuck, and what people really say is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.text.repetition import find_loop


@pytest.mark.parametrize(
    "text", ["no no no no", "thank you " * 4, "so and then she " * 4, "well " + "one two three " * 4]
)
def test_a_phrase_said_four_times_in_a_row_is_a_loop(text: str) -> None:
    assert find_loop(text.split()) is not None


@pytest.mark.parametrize("text", ["", "no no no", "thank you thank you thank you", "a b a c a b a c a"])
def test_people_repeat_themselves_less_than_loops_do(text: str) -> None:
    assert find_loop(text.split()) is None


@given(st.lists(st.sampled_from("ab"), max_size=6), st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
def test_a_loop_is_found_wherever_it_stands(opening: list[str], phrase: list[str]) -> None:
    assert find_loop([*opening, *phrase * 4, "end"]) is not None


@given(st.lists(st.text("ab", min_size=1, max_size=2), max_size=30, unique=True))
def test_without_a_repeated_word_there_is_no_loop(spoken: list[str]) -> None:
    assert find_loop(spoken) is None


def test_case_and_punctuation_do_not_hide_a_loop() -> None:
    assert find_loop(["Thank", "you.", "Thank", "you!", "thank", "you,", "Thank", "you"]) == (0, 8)


def test_a_whole_sentence_said_three_times_is_a_loop() -> None:
    sentence = ["the", "bus", "to", "the", "market", "leaves", "at", "half", "past", "nine"]
    assert find_loop(["well", *sentence * 3, "yes"]) == (1, 1 + 3 * len(sentence))
    assert find_loop(sentence * 2) is None


@given(st.lists(st.sampled_from("abc"), max_size=25))
def test_a_loop_is_rounds_of_one_phrase_and_goes_on_as_far_as_they_do(words: list[str]) -> None:
    loop = find_loop(words)
    if loop is not None:
        first, end = loop
        lengths = [n for n in range(1, end - first) if words[first : end - n] == words[first + n : end]]
        assert lengths
        assert end == len(words) or words[end] != words[end - lengths[0]]
