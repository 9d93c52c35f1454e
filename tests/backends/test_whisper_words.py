"""Tokens to words and back, over Whisper's own tokenizer: nothing of a text is lost or added."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sentences import sentences
from transcribe.backends.whisper_words import (
    UNSPACED_LANGUAGES,
    encode_text,
    longest_answer,
    longest_window,
    split_words,
)
from transcribe.records import Word, join_words


@pytest.fixture(scope="module")
def words_of(whisper_base: Path) -> Callable[[str, str], list[Word]]:
    """The words of a text as they come back from its tokens."""
    import tokenizers
    from faster_whisper.tokenizer import Tokenizer

    library = tokenizers.Tokenizer.from_file(str(whisper_base / "tokenizer.json"))

    def split(language: str, text: str) -> list[Word]:
        tokenizer = Tokenizer(library, multilingual=True, task="transcribe", language=language)
        tokens = encode_text(tokenizer, text)
        spelled = split_words(tokenizer, tokens)
        assert sum(word.tokens for word in spelled) == len(tokens)
        return [Word(text=w.text, start=0, end=1, probability=1, blank=w.blank) for w in spelled if w.text]

    return split


def test_two_thousand_sentences_come_back_as_they_were(words_of: Callable[[str, str], list[Word]]) -> None:
    for language, text in sentences(2_000):
        assert join_words(words_of(language, text)) == text, language


@given(
    text=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20),
    language=st.sampled_from(["en", "th", "hi"]),
)
def test_any_text_comes_back_as_it_was(words_of: Callable[[str, str], list[Word]], text: str, language: str) -> None:
    assert join_words(words_of(language, text)) == text


def test_a_hyphen_a_price_and_an_apostrophe_stay_in_one_word(words_of: Callable[[str, str], list[Word]]) -> None:
    text = "a triple-shot for $5,000.50 at AT&T, don't"
    assert [word.text for word in words_of("en", text)] == text.split()
    assert [word.text for word in words_of("hi", "घर-बार ५०% है")] == ["घर-बार", "५०%", "है"]


def test_a_script_without_blanks_has_words_of_whole_characters(words_of: Callable[[str, str], list[Word]]) -> None:
    for language, text in sentences(400, seed=1):
        if language in UNSPACED_LANGUAGES:
            words = words_of(language, text)
            assert sum(word.blank for word in words) == text.count(" ")
            assert len(words) > text.count(" ") + 1 or len(text) < 8
            assert all(unicodedata.category(word.text[0])[0] != "M" and word.text[0] not in "။？" for word in words)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I have not seen the man who came to the market with us yesterday"),
        ("hi", "कल जो आदमी हमारे साथ बाज़ार आया था उसे मैंने फिर नहीं देखा"),
        ("ta", "நேற்று எங்களுடன் சந்தைக்கு வந்த அந்த மனிதரை நான் மீண்டும் பார்க்கவில்லை"),
        ("ml", "ഇന്നലെ ഞങ്ങളുടെ കൂടെ ചന്തയിൽ വന്ന ആ മനുഷ്യനെ ഞാൻ പിന്നെ കണ്ടിട്ടില്ല"),
        ("bn", "গতকাল যে লোকটি আমাদের সাথে বাজারে এসেছিল তাকে আমি আর দেখিনি"),
    ],
)
def test_an_answer_has_room_for_fast_speech_in_any_script(whisper_base: Path, language: str, text: str) -> None:
    import tokenizers

    library = tokenizers.Tokenizer.from_file(str(whisper_base / "tokenizer.json"))
    tokens = len(library.encode(f" {text}", add_special_tokens=False).ids)

    # 15 letters a second is fast.
    assert tokens <= longest_answer(len(text) * 1_000 // 15, language)
    longest = longest_window(language, 28_000)
    assert tokens * 15 * longest // (len(text) * 1_000) <= 1.3 * longest_answer(longest, language)
