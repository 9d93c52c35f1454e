"""
Words of another language inside a text, marked by who wrote it down: ``मैं ⟨en: school⟩ गया``.

The mark names the language by its tag. The words inside are words as any; the mark itself is none.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import regex

from dialects.text.normalise import Normaliser
from dialects.text.variants import parse_inline

#: The brackets of a mark, in the forms that keyboards and compositions make of them.
_OPENING: Final = regex.compile(r"[⟨〈〈]\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)\s*[:：]")
_CLOSING: Final = regex.compile("[⟩〉〉]")
_MARK: Final = regex.compile(f"{_OPENING.pattern}|{_CLOSING.pattern}")


class LanguagePart(NamedTuple):
    """A stretch of a text in one language; ``None`` is that of the text."""

    language: str | None
    text: str


def remove_language_marks(text: str) -> str:
    """
    Return *text* with its words of other languages and without their marks; other brackets stay.

    >>> remove_language_marks("मैं ⟨en: high school⟩ गया").split()
    ['मैं', 'high', 'school', 'गया']
    """
    return "".join(f" {part.text}" for part in split_languages(text)).strip() if _OPENING.search(text) else text


def split_languages(text: str) -> list[LanguagePart]:
    """
    Split *text* at its marks. A mark ends at its closing bracket, at the next mark, or with the text.

    >>> split_languages("मैं ⟨en-IN: school⟩ गया")
    [LanguagePart(language=None, text='मैं '), LanguagePart(language='en', text=' school'), \
LanguagePart(language=None, text=' गया')]
    """
    parts: list[LanguagePart] = []
    language, done = None, 0
    for mark in _MARK.finditer(text):
        if mark[1] is None and language is None:
            continue
        parts.append(LanguagePart(language, text[done : mark.start()]))
        language = mark[1].lower().partition("-")[0] if mark[1] else None
        done = mark.end()
    parts.append(LanguagePart(language, text[done:]))
    return [part for part in parts if part.text.strip()]


def label_words(text: str, normalise: Normaliser) -> list[str | None]:
    """
    Return the language of each normalised word of *text*, a reference as it was written, inline alternatives and all.

    A number that reaches over a mark has the language of its first word.
    """
    # A mark may reach over several pieces, so each piece begins with the mark that is open there.
    pieces = parse_inline(text).pieces if "{" in text else (text,)
    labels: list[str | None] = []
    open_mark = ""
    for piece in pieces:
        canonical = open_mark + (piece if isinstance(piece, str) else piece[0])
        parts = split_languages(canonical)
        words = normalise.split_parts(part.text for part in parts)
        labels += [parts[word.first].language for word in words]
        open_mark = _find_open_mark(canonical)
    return labels


def _find_open_mark(text: str) -> str:
    """Return the last mark of *text* if nothing closes it."""
    marks = [*_MARK.finditer(text)]
    return marks[-1][0] if marks and marks[-1][1] else ""
