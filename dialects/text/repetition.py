"""Loops in a text: a recogniser that is stuck writes the same words again and again, and is sure of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

#: Rounds that make a loop, by the length of the phrase in words. People say "no no no", rarely "no no no no"; a phrase
#: of three words or more is seldom said three times in a row.
ROUNDS_OF_WORDS: Final = 4
ROUNDS_OF_PHRASES: Final = 3
SHORTEST_PHRASE: Final = 3

_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[,-](?=\d)")


def find_loop(words: Sequence[str]) -> tuple[int, int] | None:
    """
    Find the first loop in *words* as positions of its first word and behind its last, ``None`` where there is none.

    Case and punctuation do not count, so that whole sentences loop too. A phrase may have any length; where phrases of
    several lengths loop, the shortest is taken.

    >>> find_loop("well, thank you. Thank you! Thank you; thank you".split())
    (1, 9)
    >>> find_loop("no no no".split()) is None
    True
    """
    spellings = [bare_word(word) for word in words]
    for length in range(1, len(spellings) // ROUNDS_OF_PHRASES + 1):
        rounds = ROUNDS_OF_PHRASES if length >= SHORTEST_PHRASE else ROUNDS_OF_WORDS
        equal = 0
        for start in range(len(spellings) - length + 1):
            repeats = start + length < len(spellings) and spellings[start] == spellings[start + length]
            equal = equal + 1 if repeats else 0
            if equal == length * (rounds - 1):
                return _whole(spellings, start - equal + 1, length)
    return None


def _whole(spellings: Sequence[str], first: int, length: int) -> tuple[int, int]:
    """Extend the loop that begins at *first* to all of its rounds."""
    end = first + length
    while end < len(spellings) and spellings[end] == spellings[end - length]:
        end += 1
    return first, end


def split_digits(word: str) -> list[str]:
    """
    Split a *word* of digits that were said one by one and written in one go; any other stays whole.

    >>> split_digits("1,2,1,2"), split_digits("triple-shot")
    (['1', '2', '1', '2'], ['triple-shot'])
    """
    return _BETWEEN_DIGITS.split(word)


def bare_word(word: str) -> str:
    """Remove case and punctuation from *word*; a word of nothing else stays as it is."""
    letters = "".join(character for character in word.casefold() if unicodedata.category(character)[0] not in "PSZ")
    return letters or word
