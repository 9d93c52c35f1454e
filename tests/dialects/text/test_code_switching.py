"""Marks of other languages are taken out of a text, and tell of each word whose it is."""

from __future__ import annotations

import pytest
from hypothesis import given

from dialects.text.code_switching import label_words, remove_language_marks
from dialects.text.normalise import load_normaliser
from tests.dialects.factories import texts

HINDI = load_normaliser("deva-hi-v1")


@pytest.mark.parametrize(
    ("text", "words", "languages"),
    [
        ("मैं ⟨en: high school⟩ गया", "मैं high school गया", [None, "en", "en", None]),
        ("मैं⟨en:ok⟩गया", "मैं ok गया", [None, "en", None]),
        ("⟨ en-IN : ok ⟩, ⟨ta: சரி⟩", "ok , சரி", ["en", "ta"]),
        ("⟨en: twenty five⟩ रुपये", "twenty five रुपये", ["en", "en", None]),
        ("⟨en: never closed", "never closed", ["en", "en"]),
        ("⟨en: a ⟨ta: b⟩ c", "a b c", ["en", "ta", None]),
        ("{ स्कूल / ⟨en: school⟩ } ⟨en: { center / centre } street⟩", None, [None, "en", "en"]),
        ("⟨x⟩ 2⟩1", "⟨x⟩ 2⟩1", [None, None, None]),
        ("", "", []),
    ],
)
def test_each_word_has_the_language_of_its_mark(text: str, words: str | None, languages: list[str | None]) -> None:
    assert words is None or remove_language_marks(text).split() == words.split()
    assert label_words(text, HINDI) == languages


@given(texts)
def test_a_text_without_marks_stays_and_is_all_its_own(text: str) -> None:
    text = text.replace(":", "").replace("：", "")

    assert remove_language_marks(text) == text
    assert set(label_words(text, HINDI)) <= {None}
