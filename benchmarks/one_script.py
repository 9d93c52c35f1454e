"""
Hindi in Devanagari and in Arabic letters brought to one spelling: what was heard apart from how it was written.

Whisper's base writes Hindi as Urdu is written. Its error rate says nothing then of what it heard. Here both sides
become consonants and long vowels in Latin letters: short vowels, which Arabic letters leave out, are left out of both;
letters that Urdu has several of for one sound, and retroflex and dental ones, become one. An error left is of the ear.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from dialects.scoring.word_errors import ErrorCount, count, from_counts

#: What letters become.
_DEVANAGARI: Final = {
    **{"क": "k", "ख": "kh", "ग": "g", "घ": "gh", "ङ": "n", "च": "c", "छ": "ch", "ज": "j", "झ": "jh", "ञ": "n"},
    **{"ट": "t", "ठ": "th", "ड": "d", "ढ": "dh", "ण": "n", "त": "t", "थ": "th", "द": "d", "ध": "dh", "न": "n"},
    **{"प": "p", "फ": "ph", "ब": "b", "भ": "bh", "म": "m", "य": "y", "र": "r", "ल": "l", "ळ": "l", "व": "v"},
    **{"श": "sh", "ष": "sh", "स": "s", "ह": "h"},
}
_DEVANAGARI_VOWELS: Final = {
    **dict.fromkeys("ािुृ", ""),
    "ा": "a",
    **dict.fromkeys("ीेै", "y"),
    **dict.fromkeys("ूोौॉ", "v"),
    **dict.fromkeys("अइउआऋ", "a"),
    **dict.fromkeys("ईएऐ", "ay"),
    **dict.fromkeys("ऊओऔऑ", "av"),
    **dict.fromkeys("ंँ", "n"),
}
#: Letters with a dot below, which changes them.
_DOTTED: Final = {"क": "k", "ख": "kh", "ग": "g", "ज": "z", "ड": "r", "ढ": "rh", "फ": "f"}
_NUKTA: Final = "\N{DEVANAGARI SIGN NUKTA}"
_ARABIC: Final = {
    **dict.fromkeys("اآأع", "a"),
    **dict.fromkeys("یيےئى", "y"),
    **dict.fromkeys("وؤ", "v"),
    **dict.fromkeys("کكق", "k"),
    **dict.fromkeys("گغ", "g"),
    **dict.fromkeys("تٹطة", "t"),
    **dict.fromkeys("دڈ", "d"),
    **dict.fromkeys("سصث", "s"),
    **dict.fromkeys("زذضظژ", "z"),
    **dict.fromkeys("رڑ", "r"),
    **dict.fromkeys("نں", "n"),
    **dict.fromkeys("ہهحھۂ", "h"),
    **{"ب": "b", "پ": "p", "ج": "j", "چ": "c", "خ": "kh", "ش": "sh", "ف": "f", "ل": "l", "م": "m"},
}
_LETTERS: Final = _DEVANAGARI | _DEVANAGARI_VOWELS | _ARABIC


def to_one_script(text: str) -> str:
    """
    Give *text* as consonants and long vowels in Latin letters, words apart by one blank.

    >>> to_one_script("दुकान कहाँ है"), to_one_script("دکان کہاں ہے")
    ('dkan khan hy', 'dkan khan hy')
    """
    letters: list[str] = []
    decomposed = unicodedata.normalize("NFD", text.lower())
    for position, letter in enumerate(decomposed):
        dotted = decomposed[position + 1 : position + 2] == _NUKTA and letter in _DOTTED
        if dotted:
            letters.append(_DOTTED[letter])
        elif letter in _LETTERS:
            letters.append(_LETTERS[letter])
        elif letter.isspace():
            letters.append(" ")
        elif letter.isascii() and letter.isalnum():
            letters.append(letter)
        elif letter.isdecimal():
            letters.append(str(unicodedata.decimal(letter)))
    return " ".join("".join(letters).split())


def count_letters(reference: str, hypothesis: str) -> ErrorCount:
    """Count the errors of letters once both sides are in one script."""
    return from_counts(count(list(to_one_script(reference)), list(to_one_script(hypothesis))))
