"""Only what several people say, and drafts keep missing, is mined."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialects.scoring.word_errors import Pair
from transcribe.training import hotwords

WORDS = st.lists(st.sampled_from(["aye", "bairn", "the", "kirk"]), max_size=5).map(" ".join)


def pair(reference: str, hypothesis: str, speaker: str = "a", number: int = 0) -> Pair:
    return Pair(
        id=f"{speaker}{number}", reference=reference, hypothesis=hypothesis, dialect="en-scotland", speaker=speaker
    )


def pairs_of(reference: str, hypothesis: str, *, times: int = 2, speakers: str = "ab") -> list[Pair]:
    return [pair(reference, hypothesis, speaker, number) for speaker in speakers for number in range(times)]


@given(texts=st.lists(st.tuples(WORDS, WORDS, st.sampled_from("abc")), max_size=12))
def test_a_missed_word_is_counted_no_more_often_than_it_was_said(texts: list[tuple[str, str, str]]) -> None:
    missed_words = hotwords.missed_words(pair(*text) for text in texts)

    for missed_word in missed_words:
        assert hotwords.LEAST_TIMES <= missed_word.missed <= missed_word.times
        assert missed_word.times == sum(reference.split().count(missed_word.word) for reference, _, _ in texts)
        assert missed_word.speakers >= hotwords.LEAST_SPEAKERS


def test_words_that_drafts_keep_missing_are_hotwords() -> None:
    pairs = [*pairs_of("the bairn", "the barn"), *pairs_of("the kirk", "the kirk")]

    assert hotwords.hotwords(hotwords.missed_words(pairs)) == ("bairn",)


def test_one_persons_word_is_no_hotword() -> None:
    assert hotwords.missed_words(pairs_of("the bairn", "the barn", times=9, speakers="a")) == []


def test_a_word_that_is_mostly_right_is_no_hotword() -> None:
    pairs = [*pairs_of("the bairn", "the barn"), *pairs_of("a bairn", "a bairn", times=3)]

    assert hotwords.missed_words(pairs) == []


def test_a_prompt_is_made_of_real_texts_that_show_the_missed_words() -> None:
    pairs = [*pairs_of("the bairn greets", "the barn eats"), *pairs_of("no word of it", "no word of it")]

    assert hotwords.prompt(pairs, hotwords.missed_words(pairs)) == "the bairn greets"
    assert hotwords.prompt(pairs, []) is None


def test_a_word_that_always_stands_for_another_is_respelt() -> None:
    assert hotwords.spelling(pairs_of("the kirk", "the church")) == {"church": "kirk"}


def test_a_word_that_is_sometimes_right_keeps_its_spelling() -> None:
    pairs = [*pairs_of("the kirk", "the church"), *pairs_of("my church", "my church", times=1)]

    assert hotwords.spelling(pairs) == {}
