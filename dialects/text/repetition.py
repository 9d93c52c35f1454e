"""Loops in a text: a recogniser that is stuck writes the same words again and again, and is sure of them."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from typing import Final

import regex

#: Rounds that make a loop, by the length of the phrase in words. People say "no no no", rarely "no no no no"; a phrase
#: of three words or more is seldom said three times in a row.
ROUNDS_OF_WORDS: Final = 4
ROUNDS_OF_PHRASES: Final = 3
SHORTEST_PHRASE: Final = 3
#: Characters of a word, on the average, in scripts that put no blanks between words, and rounds of one character alone:
#: people do say 对对对对 and 哈哈哈哈.
CHARACTERS_OF_WORD: Final = 2
ROUNDS_OF_CHARACTERS: Final = 8

_UNSPACED: Final = (
    r"\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tibt}\p{sc=Bopo}"
)
_UNSPACED_LETTER: Final = regex.compile(rf"(?=[\p{{L}}\p{{N}}])[{_UNSPACED}]\P{{L}}*")
#: Punctuation between two words that were written in one go, or between digits that were said one by one. An apostrophe
#: is part of a word, and so is a hyphen or a point that stands once: e-mail, U.S.A.
_BETWEEN_WORDS: Final = regex.compile(
    r"(?<=\d)[,-](?=\d)|(?<=[\p{L}\p{M}])(?:[[\p{P}\p{S}]--[\p{Pd}.'’ʼ_&@]]|[\p{Pd}.]{2,}|[–—])+(?=\p{L})",
    regex.VERSION1,
)
_JOINTS: Final = regex.compile(r"(?<=[\p{L}\p{M}])[\p{Pd}.](?=\p{L})")
#: A letter of such a script with its marks.
_CHARACTER: Final = regex.compile(rf"(?=[\p{{L}}])[{_UNSPACED}]\p{{M}}*|[^{_UNSPACED}]+|.", regex.DOTALL)


def has_loop(words: Sequence[str]) -> bool:
    """
    Return ``True`` if *words* loop anywhere, those that were written in one go among them.

    >>> has_loop(["no", "No,", "NO!", "no"]), has_loop(["1,2,1,2,1,2,1,2"]), has_loop(["ขอบคุณ" * 4])
    (True, True, True)
    """
    return find_loop([part for word in words for part in split_words(word)]) is not None


def find_loop(words: Sequence[str]) -> tuple[int, int] | None:
    """
    Find the first loop in *words* as positions of its first word and behind its last, ``None`` where there is none.

    Case and punctuation do not count, so that whole sentences loop too. A phrase may have any length; where phrases of
    several lengths loop, the shortest is taken. Time grows with words times their logarithm where few words recur.

    >>> find_loop("well, thank you. Thank you! Thank you; thank you".split())
    (1, 9)
    >>> find_loop("no no no".split()) is None
    True
    """
    spellings = [bare_word(word) for word in words]
    positions = [position for position, spelling in enumerate(spellings) if not _is_punctuation(spelling)]
    if not positions:
        # A text of nothing but marks loops too.
        positions = list(range(len(words)))
    loop = _find_rounds([spellings[position] for position in positions])
    return None if loop is None else (positions[loop[0]], positions[loop[1] - 1] + 1)


def _find_rounds(spellings: Sequence[str]) -> tuple[int, int] | None:
    # The shortest loop says one word four times, and so repeats three.
    if len(spellings) - len(set(spellings)) < ROUNDS_OF_WORDS - 1:
        return None
    for length in range(1, len(spellings) // ROUNDS_OF_PHRASES + 1):
        rounds = ROUNDS_OF_PHRASES if length >= SHORTEST_PHRASE else ROUNDS_OF_WORDS
        repeats = length * (rounds - 1)
        # A run of so many words that recur *length* later holds one of every *repeats* words.
        for anchor in range(0, len(spellings) - length, repeats):
            if spellings[anchor] != spellings[anchor + length]:
                continue
            first, end = anchor, anchor + 1
            while first > 0 and spellings[first - 1] == spellings[first - 1 + length]:
                first -= 1
            while end + length < len(spellings) and spellings[end] == spellings[end + length]:
                end += 1
            if end - first >= length * (_count_rounds(spellings[first : first + length]) - 1):
                return first, end + length
    return None


def count_words(parts: Sequence[str]) -> float:
    """
    Count the words of *parts* as ``split_words`` gives them; two characters of scripts without blanks are about one.

    >>> count_words(["no", "no"]), count_words(["谢", "谢"])
    (2.0, 1.0)
    """
    characters = sum(_UNSPACED_LETTER.fullmatch(part) is not None for part in parts)
    return len(parts) - characters + characters / CHARACTERS_OF_WORD


def _count_rounds(phrase: Sequence[str]) -> int:
    """Return how often *phrase* has to be said in a row for a loop."""
    words = count_words(phrase)
    if words < 1:
        return ROUNDS_OF_CHARACTERS
    return ROUNDS_OF_PHRASES if words >= SHORTEST_PHRASE else ROUNDS_OF_WORDS


@functools.lru_cache(maxsize=100_000)
def split_words(word: str) -> tuple[str, ...]:
    """
    Split what was written in one go at punctuation inside, and where a script puts no blanks, into its characters.

    >>> split_words("1,2,1,2"), split_words("no-no"), split_words("don't"), split_words("น้ำ")
    (('1', '2', '1', '2'), ('no', 'no'), ("don't",), ('น้', 'ำ'))
    """
    if word.isalpha() and word.isascii():
        return (word,)
    parts: list[str] = []
    for piece in _BETWEEN_WORDS.split(word):
        joined = _JOINTS.split(piece)
        # The words of a compound differ.
        is_repeated = len(set(map(bare_word, joined))) < len(joined)
        parts += [part for whole in (joined if is_repeated else [piece]) for part in _CHARACTER.findall(whole)]
    return tuple(parts) or (word,)


@functools.lru_cache(maxsize=100_000)
def bare_word(word: str) -> str:
    """Remove case, punctuation and invisible marks from *word*; a word of nothing else stays as it is."""
    if word.isalpha() and word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", word).casefold())
    letters = "".join(character for character in folded if unicodedata.category(character)[0] not in "PSZC")
    return letters or word


def _is_punctuation(spelling: str) -> bool:
    return all(unicodedata.category(character)[0] == "P" for character in spelling)
