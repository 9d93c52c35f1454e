"""What is hidden of words and texts: more where times are not sure, never less."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.errors import ConfigError, InputError
from transcribe.records import Word
from transcribe.redaction import MASK, hide_both, hide_text, hide_words, terms_in, terms_of


def words(text: str) -> list[Word]:
    """Split *text* into words of a second each, one after the other."""
    return [
        Word(text=word, start=n * 1_000, end=(n + 1) * 1_000, probability=0.9) for n, word in enumerate(text.split())
    ]


def test_words_that_touch_a_masked_span_stand_under_one_mark() -> None:
    hidden = hide_words(words("my name is ravi kumar yes"), [(3_100, 4_200)])
    assert [(word.text, word.start, word.end) for word in hidden[3:]] == [(MASK, 3_000, 5_000), ("yes", 5_000, 6_000)]


def test_a_masked_span_without_a_word_is_marked_too() -> None:
    assert [word.text for word in hide_words(words("one"), [(2_000, 3_000)])] == ["one", MASK]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("My name is Ravi Kumar, yes!", f"My name is {MASK} yes!"),
        ("my name is rawi bhai kumar yes", f"my name is {MASK} yes"),
        ("name is ravi, kumar", f"name is {MASK}"),
        ("something else entirely", MASK),
        (f"my own name is {MASK} or so", f"my own name is {MASK} or so"),
        ("", ""),
    ],
)
def test_a_text_loses_all_between_the_words_that_it_shares_with_the_draft(typed: str, text: str) -> None:
    assert hide_text(typed, words("my name is ravi kumar yes"), [(3_000, 5_000)]) == text


@pytest.mark.parametrize(
    ("typed", "text", "draft"),
    [
        ("my name was ravi kumar yes", f"my name {MASK} yes", f"my name {MASK} yes"),
        ("my own name is rawi yes", f"my own name is {MASK} yes", f"my name is {MASK} yes"),
        (f"my name was {MASK} yes", f"my name was {MASK} yes", f"my name is {MASK} yes"),
        ("", MASK, MASK),
    ],
)
def test_what_is_hidden_is_hidden_from_both_that_are_compared(typed: str, text: str, draft: str) -> None:
    assert hide_both(typed, words("my name is ravi kumar yes"), [(3_000, 5_000)]) == (text, draft)


@given(st.lists(st.sampled_from("abcd"), max_size=6), st.lists(st.sampled_from("abcd"), max_size=6), st.integers(0, 6))
def test_both_sides_have_as_many_marks_and_no_masked_word(typed: list[str], spoken: list[str], index: int) -> None:
    drafted = words(" ".join([*spoken[:index], "secret", *spoken[index:]]))
    position = next(n for n, word in enumerate(drafted) if word.text == "secret")
    typed_text, draft_text = hide_both(
        " ".join([*typed, "secret"]), drafted, [(position * 1_000, position * 1_000 + 1)]
    )
    assert typed_text.count(MASK) == draft_text.count(MASK) >= 1
    assert "secret" not in draft_text


def test_of_a_stretch_without_a_draft_no_text_is_shown() -> None:
    assert hide_text("my name is ravi", [], [(3_000, 5_000)]) == MASK


def test_without_a_mask_a_text_stays_as_it_was_typed() -> None:
    assert hide_text("as  typed\n", words("as typed"), []) == "as  typed\n"


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8), st.integers(0, 7), st.integers(1, 3))
def test_a_masked_word_that_is_nowhere_else_in_the_draft_never_shows(spoken: list[str], index: int, more: int) -> None:
    drafted = words(" ".join([*spoken[:index], "secret", *spoken[index:]]))
    position = next(n for n, word in enumerate(drafted) if word.text == "secret")
    text = hide_text(
        " ".join(["x"] * more + spoken[:index] + ["Secret"] + spoken[index:]),
        drafted,
        [(position * 1_000, position * 1_000 + 1)],
    )
    assert "secret" not in text.casefold()


def test_terms_are_found_whatever_their_case_signs_and_composition() -> None:
    terms = terms_of(["# people", "", "Ravi Kumar", "acme*", "रवि"])
    assert list(terms.spans(words("so Ravi, KUMAR! of AcmeCorp रवि।"))) == [
        (880, 3_120),
        (3_880, 5_120),
        (4_880, 6_120),
    ]
    assert terms.hide("Ravi kumar and acmes and ravi") == f"{MASK} and {MASK} and ravi"
    assert terms.hide("nothing  here") == "nothing  here"


def test_a_list_that_would_hide_everything_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2"):
        terms_of(["ravi", "*"])
    with pytest.raises(ConfigError):
        terms_in(tmp_path / "none.txt")
