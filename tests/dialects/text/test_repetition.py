"""Loops: what a recogniser does when it is stuck, and what people really say is none."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.text.repetition import bare_word, find_loop, has_loop


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


UNITS = st.lists(st.text("abcdéßσ", min_size=1, max_size=4), min_size=1, max_size=12)
#: What stands before and behind a word, or alone, and changes nothing of what was said.
MARKS = st.sampled_from(["", ",", ".", "!", "…", "\u2019", "\u200f", "«"])
CASES = st.sampled_from([str.lower, str.upper, str.title, str.swapcase])


@given(UNITS, st.integers(4, 6), st.data())
def test_any_phrase_said_again_and_again_is_a_loop_whatever_its_case_and_punctuation(
    unit: list[str], rounds: int, data: st.DataObject
) -> None:
    words: list[str] = []
    for word in unit * rounds:
        words.append(data.draw(MARKS) + data.draw(CASES)(word) + data.draw(MARKS))
        words += data.draw(st.sampled_from([[], ["-"], ["..."]]))

    loop = find_loop(["before", *words, "behind"])

    assert loop is not None
    assert 0 < loop[0] < loop[1] <= len(words) + 1
    assert has_loop(words)


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=40, unique=True), st.data())
def test_a_text_in_which_no_word_recurs_is_never_a_loop(spoken: list[str], data: st.DataObject) -> None:
    assert not has_loop([data.draw(CASES)(word) + data.draw(MARKS) for word in spoken])


@given(st.lists(st.sampled_from("aab"), max_size=30))
def test_a_loop_is_found_exactly_where_looking_at_every_place_finds_one(words: list[str]) -> None:
    assert has_loop(words) is loops_somewhere(words)


def loops_somewhere(words: Sequence[str]) -> bool:
    phrases = ((start, length) for start in range(len(words)) for length in range(1, len(words) // 3 + 1))
    return any(
        words[start : start + length * rounds] == words[start : start + length] * rounds
        for start, length in phrases
        for rounds in [4 if length < 3 else 3]
        if start + length * rounds <= len(words)
    )


def test_marks_alone_are_no_words_unless_there_is_nothing_else() -> None:
    assert find_loop(["no", "-", "no", "-", "no", "-", "no"]) == (0, 7)
    assert find_loop(["...", "she", "said", "-", "that", "-", "was", "-", "all", "-"]) is None
    assert find_loop(["..."] * 4) == (0, 4)


def test_digits_that_were_written_in_one_go_loop_too() -> None:
    assert has_loop(["1,2,1,2,1,2,1,2"])
    assert not has_loop(["1-800-555-0199"])


@pytest.mark.parametrize(
    "text",
    [
        *("no-no-no-no-no-no", "ha...ha...ha...ha", "and\u2014and\u2014and\u2014and", "yes/yes/yes/yes", "हाँ-हाँ-हाँ-हाँ"),
        *(
            "thank you,thank you,thank you,thank you",
            "हाँ।हाँ।हाँ।हाँ",
            "so I went,so I went,so I went",
            "I don't,I don't," * 4,
        ),
        *("ขอบคุณ" * 4, "谢谢" * 4, "ありがとうございました" * 3, "はい" * 4, "ສະບາຍດີ" * 3, "ขอบคุณครับ " * 4),
        *("好的，" * 4, "我们今天去市场" * 3, "เขาบอกว่า" + "ไม่เป็นไร" * 4 + "แล้วก็ไป", "ជំរាបសួរ" * 4, "မင်္ဂလာပါ" * 4),
    ],
)
def test_what_was_written_in_one_go_loops_too(text: str) -> None:
    assert has_loop(text.split())


@pytest.mark.parametrize(
    "text",
    [
        *("no-no-no", "ha...ha...ha", "thank you,thank you,thank you", "e-mail re-do e-mail re-do", "rock'n'roll"),
        *(
            "U.S.A. U.S.A. U.S.A.",
            "well-known, well-known",
            "tick-tock tick-tock tick-tock",
            "192.168.1.1.1.1",
            "merry-go-round " * 3,
        ),
        *(
            "谢谢谢谢",
            "对对对对",
            "哈哈哈哈哈",
            "はいはいはい",
            "ขอบคุณขอบคุณ",
            "ありがとうございましたありがとうございました",
        ),
        *("慢慢来，好好说，看看书", "いろいろさまざまなことがある", "เดินไปเดินมา", "555"),
    ],
)
def test_people_say_as_much_in_one_go(text: str) -> None:
    assert not has_loop(text.split())


#: Letters of scripts without blanks, none of which is a mark.
UNSPACED = st.text("谢天地人はいあカกขคงລສ", min_size=6, max_size=12)


@given(UNSPACED, UNSPACED, st.integers(3, 5))
def test_a_loop_without_blanks_is_found_wherever_it_stands(opening: str, phrase: str, rounds: int) -> None:
    assert has_loop([opening + phrase * rounds])


def test_a_word_is_the_same_in_either_composition_and_with_invisible_marks() -> None:
    assert bare_word("Caf\u00e9,") == bare_word("cafe\u0301") == bare_word("CAFE\u0301\u200f!")


def test_an_hour_of_talk_is_searched_in_seconds() -> None:
    words = [f"word{number * number % 7_919}" for number in range(10_000)]
    start = time.process_time()

    assert not has_loop(words)
    assert time.process_time() - start < 5
