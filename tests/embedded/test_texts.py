"""What the synthetic speakers say."""

import random
import unicodedata
from collections import Counter

import pytest

from transcribe.embedded.texts import DIALECTS, DIGITS, digits, sentence, vocabulary
from transcribe.embedded.voices import ESPEAK

SCRIPT = {"hi": "DEVANAGARI", "ta": "TAMIL"}


def said(dialect: str, *, turns: int = 2000) -> list[str]:
    rng = random.Random(1)
    return [sentence(dialect, rng) for _ in range(turns)]


def only_scots() -> set[str]:
    return set(vocabulary("en-scotland")).difference(*(vocabulary(it) for it in DIALECTS if it != "en-scotland"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sentences_use_the_vocabulary_and_all_of_it(dialect: str) -> None:
    words = {word for text in said(dialect) for word in text.split()}
    assert sorted(words) == vocabulary(dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_turn_has_two_to_nine_words(dialect: str) -> None:
    lengths = {len(text.split()) for text in said(dialect)}
    assert min(lengths) >= 2
    assert max(lengths) <= 9


@pytest.mark.parametrize("dialect", DIALECTS)
def test_texts_are_plain_lower_case_words_of_their_script(dialect: str) -> None:
    for word in vocabulary(dialect):
        assert word == unicodedata.normalize("NFC", word).lower()
        assert all(unicodedata.name(letter).startswith(SCRIPT.get(dialect, "LATIN")) for letter in word)
        assert all(unicodedata.category(letter)[0] in "LM" for letter in word)


def test_every_dialect_has_a_voice() -> None:
    assert set(DIALECTS) == set(ESPEAK)


def test_digits_are_frequent_in_english() -> None:
    counts = Counter(" ".join(said("en-US")).split())
    assert all(counts[digit] >= 20 for digit in DIGITS)


def test_about_a_quarter_of_scottish_speech_is_said_nowhere_else() -> None:
    words = " ".join(said("en-scotland")).split()
    own = only_scots()
    assert 25 <= len(own) <= 35
    assert sum(word in own for word in words) / len(words) == pytest.approx(0.26, abs=0.04)


def test_the_seed_repeats_a_sentence() -> None:
    assert sentence("ta", random.Random(4)) == sentence("ta", random.Random(4))


def test_digit_words_are_as_many_as_asked() -> None:
    words = digits(random.Random(2), 40).split()
    assert len(words) == 40
    assert set(words) <= set(DIGITS)
    assert digits(random.Random(2), 0) == ""
