"""Tags: sounds that are no speech, as people and recognisers write them: ``[laughter]``, ``(gentle music)``."""

from __future__ import annotations

import functools
import tomllib
import unicodedata
from importlib import resources
from itertools import pairwise
from typing import Final

import regex

#: Words of a tag that names no known sound; what is longer is speech, as where speakers overlap.
LONGEST_TAG: Final = 4
#: Characters between two brackets of a tag.
_INSIDE: Final = 80
#: Brackets as other scripts have them.
_PLAIN_BRACKETS: Final = str.maketrans("［］【】〔〕（）＜＞｛｝＊♫♬♩", "[][][]()<>{}*♪♪♪")
_HAS_BRACKETS: Final = regex.compile(r"[\[<({*♪［【〔（＜｛＊♫♬♩]|&=")
_SQUARE: Final = rf"\[(?P<square>[^\[\]]{{1,{_INSIDE}}})\]"
_ANGLE: Final = rf"<(?P<angle>[^<>\s](?:[^<>]{{0,{_INSIDE}}}[^<>\s])?)>"
_NAMED: Final = "|".join(
    rf"{start}(?P<in{number}>[^{start}{end}]{{1,{_INSIDE}}}){end}"
    for number, (start, end) in enumerate([(r"\(", r"\)"), (r"\{", r"\}"), (r"\*", r"\*"), ("♪", "♪")])
)
#: CHAT's simple events: ``&=laughs``.
_EVENT: Final = r"(?<![\p{L}\p{M}\p{N}])(?P<event>&=[\p{L}\p{M}:]+)"
_GROUP: Final = regex.compile(f"{_EVENT}|{_SQUARE}|{_ANGLE}|{_NAMED}")
#: ``[en: hello]`` says in which language somebody spoke.
_LANGUAGE: Final = regex.compile(r"\s*[a-z]{2,3}(?:-[a-z0-9]+)*\s*:", regex.IGNORECASE)
_TIME: Final = regex.compile(r"[\s\d.,-]*\d:[\d:.,\s-]*|\s*\d+(?:[.,]\d+)?\s*(?:s|ms|sec|seconds?)\.?\s*")
_WORD_END: Final = regex.compile(r"[^\p{L}\p{M}'’]+")
_APOSTROPHES: Final = regex.compile("['’]")


def has_brackets(text: str) -> bool:
    """Tell if *text* holds what a tag may begin with."""
    return _HAS_BRACKETS.search(text) is not None


def drop_non_speech(text: str) -> str:
    """
    Put a space in place of each tag: what stands in square or angle brackets and is not said, sounds in other brackets.

    Square brackets inside a word, around words that people say to each other, or around more than four words that name
    no sound hold speech.

    >>> drop_non_speech("hello[laughter], (Music playing) [door closes] [yes I know] wor[d]").split()
    ['hello', ',', '[yes', 'I', 'know]', 'wor[d]']
    """
    return _drop(text, by_form=True)


def drop_named_sounds(text: str) -> str:
    """
    Put a space in place of each bracketed name of a known sound; anything else in brackets is speech.

    >>> drop_named_sounds("hello[laughter], [door closes]").split()
    ['hello', ',', '[door', 'closes]']
    """
    return _drop(text, by_form=False)


def _drop(text: str, *, by_form: bool) -> str:
    if not has_brackets(text):
        return text
    text, dropped = unicodedata.normalize("NFC", text).translate(_PLAIN_BRACKETS), ""

    def replace(group: regex.Match[str]) -> str:
        is_tag = _names_sound(group) or (by_form and _is_tag_by_form(group))
        return " " if is_tag else group[0]

    # Where one stood inside another, the outer one is whole only now.
    while dropped != text:
        text, dropped = _GROUP.sub(replace, text), text
    return text


def _names_sound(group: regex.Match[str]) -> bool:
    """Tell if the words of *group* are names of sounds and what stands beside those."""
    if group["event"]:
        return True
    inside = next(filter(None, group.groups()))
    words = [] if _LANGUAGE.match(inside) else _split(inside)
    if not words or len(words) > 2 * LONGEST_TAG:
        return False
    sounds, others = _words("sounds"), _words("modifiers")
    joined = {"".join(pair) for pair in pairwise(words)}
    if any(word in sounds for word in (*words, *joined)) and all(word in sounds or word in others for word in words):
        return True
    heads, is_short = _words("heads"), len(words) <= LONGEST_TAG and not _words("speech").intersection(words)
    return is_short and (words[-1] in heads or (words[-1] in _words("tails") and bool(heads.intersection(words))))


def _is_tag_by_form(group: regex.Match[str]) -> bool:
    if (angle := group["angle"]) is not None:
        # Markup has no blank but before its attributes. CHAT puts words in angle brackets before a code in square ones.
        is_markup = not regex.search(r"\s", angle) or "=" in angle
        return is_markup and _is_code(angle) and not group.string[group.end() :].lstrip().startswith("[")
    if (square := group["square"]) is None or _LANGUAGE.match(square):
        return False
    if _TIME.fullmatch(square):
        return True
    before, behind = group.string[group.start() - 1 : group.start()], group.string[group.end() : group.end() + 1]
    if _is_inside(before) or _is_inside(behind):
        return False
    words = _split(square)
    if _words("speech").intersection(words) or not any(len(word) > 1 for word in words):
        return False
    return len(words) <= LONGEST_TAG or bool(_words("sounds").intersection(words))


def _is_code(angle: str) -> bool:
    return regex.search(r"\p{L}|^\|", angle) is not None and _LANGUAGE.match(angle) is None


def _is_inside(neighbour: str) -> bool:
    """Tell if the character beside a bracket is of the same word."""
    return bool(neighbour) and not neighbour.isspace() and unicodedata.category(neighbour)[0] != "P"


def _split(inside: str) -> list[str]:
    return [word for part in _WORD_END.split(inside) if (word := _fold(part))]


@functools.lru_cache(maxsize=10_000)
def _fold(word: str) -> str:
    """Fold case, forms and the two Devanagari nasal signs, and drop apostrophes."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())
    return str(_APOSTROPHES.sub("", folded)).replace("\u0901", "\u0902")


@functools.cache
def _words(name: str) -> frozenset[str]:
    content = tomllib.loads((resources.files("dialects") / "text" / "non_speech.toml").read_text(encoding="utf-8"))
    return frozenset(_fold(word) for word in content[name].split())
