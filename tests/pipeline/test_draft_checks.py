"""Flags: what makes a draft doubtful, and what people really say does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dialects.dialect import load_catalogue
from transcribe.pipeline.draft_checks import (
    SCRIPT_NAMES,
    Evidence,
    differs,
    find_flags,
    has_odd_rate,
    is_foreign,
    level_dbfs,
)
from transcribe.protocols import Pcm
from transcribe.records import Milliseconds, Word

#: A greeting in each script.
GREETINGS = {
    "Arab": "سلام",
    "Beng": "নমস্কার",
    "Cyrl": "привет",
    "Deva": "नमस्ते",
    "Ethi": "ሰላም",
    "Grek": "γειά",
    "Gujr": "નમસ્તે",
    "Guru": "ਸਤ",
    "Hebr": "שלום",
    "Khmr": "សួស្តី",
    "Knda": "ನಮಸ್ಕಾರ",
    "Laoo": "ສະບາຍດີ",
    "Latn": "héłłø",
    "Mlym": "നമസ്കാരം",
    "Mtei": "ꯈꯨꯔꯨꯝꯖꯔꯤ",
    "Mymr": "မင်္ဂလာပါ",
    "Olck": "ᱡᱚᱦᱟᱨ",
    "Orya": "ନମସ୍କାର",
    "Sinh": "ආයුබෝවන්",
    "Taml": "வணக்கம்",
    "Telu": "నమస్కారం",
    "Thai": "สวัสดี",
    "Tibt": "བཀྲ",
}


def words(text: str) -> list[Word]:
    return [Word(text=word, start=0, end=1, probability=0.9) for word in text.split()]


def evidence(
    *,
    duration: Milliseconds = 3_000,
    level_dbfs: float = -20.0,
    no_speech: float | None = 0.1,
    script: str | None = None,
    second: str | None = None,
    **facts: Any,
) -> Evidence:
    other = None if second is None else words(second)
    return Evidence(
        duration=duration,
        level_dbfs=level_dbfs,
        no_speech=no_speech,
        scripts=(script,) if script else (),
        second=other,
        **facts,
    )


def test_a_plain_draft_has_no_flag() -> None:
    text = "we will see each other tomorrow"
    assert find_flags(words(text), evidence(script="Latn", second=text)) == ()


def test_an_empty_draft_has_no_flag() -> None:
    assert find_flags([], evidence(level_dbfs=-90.0, no_speech=0.99, script="Deva")) == ()


def test_more_letters_than_a_mouth_can_make_are_odd() -> None:
    assert has_odd_rate(["abcdefghij"] * 10, 3_000) is True
    assert has_odd_rate(["abcdefghij"] * 9, 3_000) is False


def test_one_short_word_for_a_long_stretch_is_odd() -> None:
    assert has_odd_rate(["yes"], 4_000) is True
    assert has_odd_rate(["yes"], 3_000) is False


def test_a_short_stretch_is_never_too_slow() -> None:
    assert has_odd_rate(["a"], 999) is False


def test_vowel_signs_and_digits_count_as_said_and_punctuation_does_not() -> None:
    assert has_odd_rate(["नमस्ते"], 4_000) is False
    assert has_odd_rate(["2024"], 4_000) is False
    assert has_odd_rate(["…!?—"], 4_000) is True


def test_another_script_is_foreign_and_a_borrowed_word_is_not() -> None:
    assert is_foreign("thank you", "Deva") is True
    assert is_foreign("हमरा ticket चाहीं भइया बहुत जरूरी बा", "Deva") is False
    assert is_foreign("हमरा टिकट चाहीं", "Latn") is True


def test_where_languages_are_mixed_both_scripts_are_right() -> None:
    assert is_foreign("मेरा parcel office पहुँचा", "Deva") is True
    assert is_foreign("मेरा parcel office पहुँचा", "Deva", "Latn") is False
    assert is_foreign("میرا parcel آفس", "Deva", "Latn") is True
    assert load_catalogue().find("hi-x-mixed").more_scripts == ("Latn",)
    assert load_catalogue().find("hi").more_scripts == ()


def test_a_script_that_is_not_listed_is_never_foreign() -> None:
    assert is_foreign("ꤊꤢꤛꤢ꤭ ꤜꤟꤤ꤬", "Kali") is False


def test_text_without_letters_has_no_script() -> None:
    assert is_foreign("12 … 34", "Deva") is False


@pytest.mark.parametrize(("script", "text"), GREETINGS.items())
def test_each_script_knows_its_own_letters(script: str, text: str) -> None:
    assert is_foreign(text, script) is False
    assert is_foreign(text, "Latn" if script != "Latn" else "Deva") is True


def test_every_script_that_is_known_has_its_greeting_here() -> None:
    assert set(GREETINGS) == set(SCRIPT_NAMES)


def test_text_over_silence_is_flagged() -> None:
    assert find_flags(words("thanks for watching"), evidence(level_dbfs=-60.0)) == ("silence",)
    assert find_flags(words("thanks for watching"), evidence(no_speech=0.9)) == ("silence",)


def test_a_model_that_says_nothing_of_speech_is_not_held_against_the_draft() -> None:
    assert find_flags(words("we will see"), evidence(no_speech=None)) == ()


def test_two_passes_that_disagree_in_a_third_of_the_words_are_flagged() -> None:
    first = "one two three four five six seven eight nine ten"
    assert find_flags(words(first), evidence(second=first.replace("one two three", "won too tree"))) == ()
    assert find_flags(words(first), evidence(second=first.replace("one two three four", "won too tree for"))) == (
        "disagreement",
    )


def test_case_and_punctuation_are_no_disagreement() -> None:
    assert find_flags(words("So, did Mr. Rao come?"), evidence(second="so did mr rao come")) == ()
    assert find_flags(words("So, did Mr. Rao come?"), evidence(second="- SO DID MR RAO COME !")) == ()


def test_speech_of_a_second_without_a_word_is_flagged() -> None:
    assert find_flags([], evidence(missed=1_000)) == ("no_words",)
    assert find_flags(words("we will see"), evidence(missed=999)) == ()


def test_a_language_that_the_model_is_sure_of_and_nobody_declared_is_flagged() -> None:
    draft_words = words("see you tomorrow then")
    assert find_flags(draft_words, evidence(language="ta", detected="en", detected_probability=0.97)) == ("language",)
    assert find_flags(draft_words, evidence(language="ta", detected="en", detected_probability=0.5)) == ()
    assert find_flags(draft_words, evidence(language="en", detected="en", detected_probability=0.97)) == ()
    assert find_flags(draft_words, evidence(language=None, detected="en", detected_probability=0.97)) == ()


def test_somebody_else_talking_at_the_same_time_is_said() -> None:
    assert find_flags(words("see you tomorrow"), evidence(overlap=601)) == ("overlap",)
    assert find_flags(words("see you tomorrow"), evidence(overlap=600)) == ()


def test_two_empty_passes_agree() -> None:
    assert differs([], []) is False
    assert differs(["a"], []) is True


def test_flags_come_in_the_order_of_the_rules() -> None:
    text = "no no no no"
    broken = find_flags(words(text), evidence(duration=20_000, level_dbfs=-90.0, script="Deva", second="yes"))
    assert broken == ("loop", "rate", "script", "silence", "disagreement")


def samples(*values: int) -> Pcm:
    return np.array(values, dtype=np.int16)


def test_full_scale_is_zero_decibel_and_a_tenth_of_it_twenty_below() -> None:
    assert level_dbfs(samples(-32_768, -32_768)) == pytest.approx(0.0)
    assert level_dbfs(samples(3_277, -3_277)) == pytest.approx(-20.0, abs=0.01)


def test_silence_and_no_sound_at_all_have_the_lowest_level() -> None:
    assert level_dbfs(samples(0, 0, 0)) == -120.0
    assert level_dbfs(samples()) == -120.0


def test_a_loop_of_digits_is_flagged_however_it_is_written() -> None:
    spellings = ("4, 1, 2, 1, 2, 1, 2, 1, 2", "4,1,2,1,2,1,2,1,2", "4-1-2-1-2-1-2-1-2")
    assert all("loop" in find_flags(words(text), evidence(duration=4_000)) for text in spellings)
    assert "loop" not in find_flags(words("1-800-555-0199"), evidence(duration=4_000))
