"""
The number words of a language, and the numbers inside one written word, also of words run together.

The words are data: ``catalogue/numbers/<language>.toml``. Languages that write several number words as one (Tamil,
Malayalam) are read by sound: an independent vowel and its sign are one sound, so ``இருபத்து`` and ``ஐந்து`` are found
in ``இருபத்தைந்து`` by the three rules of sandhi that numbers need.
"""

from __future__ import annotations

import functools
import hashlib
import json
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import regex

from dialects.errors import DialectError

#: ``unit``: adds its value. ``scale``: multiplies what stands before it. ``digits``: a number written in digits.
PieceKind: TypeAlias = Literal["unit", "scale", "digits"]


class Piece(NamedTuple):
    """The smallest part of a number word that has a value."""

    value: int
    kind: PieceKind = "unit"
    #: A unit below ten may follow: twenty, இருபத்தி.
    takes_units: bool = False


class NumberSum(NamedTuple):
    """
    A number so far. It grows by :meth:`add_piece`, which gives ``None`` where the piece begins another number.

    >>> value_of([Piece(2), Piece(100, "scale"), Piece(5)]), value_of([Piece(2), Piece(5)])
    (205, None)
    """

    #: The parts that were multiplied already: 200000 after two lakh.
    closed: int = 0
    #: The scale of the last of them; what follows is smaller. 0 before the first.
    bound: int = 0
    #: The part below the next scale; ``None`` before its first word.
    part: int | None = None
    #: What may be added to the part is smaller than this.
    room: int = 0
    after_scale: bool = False

    @property
    def value(self) -> int:
        """The number."""
        return self.closed + (self.part or 0)

    @property
    def is_empty(self) -> bool:
        """The number has no word yet."""
        return self.part is None and not self.bound

    def add_piece(self, piece: Piece) -> NumberSum | None:
        """The number with one more piece; ``None`` where it does not fit."""
        if piece.kind == "scale":
            return self._add_hundred() if piece.value == 100 else self._add_scale(piece.value)
        if piece.kind == "digits" and not (self.is_empty or self.after_scale):
            return None
        return self._add_unit(piece)

    def _add_unit(self, piece: Piece) -> NumberSum | None:
        room = 10 if piece.takes_units else 100 if piece.kind == "unit" and piece.value >= 100 else 0
        if self.is_empty:
            return NumberSum(part=piece.value, room=room)
        if piece.value == 0:
            return None
        if self.part is None:
            fits = piece.value < self.bound
            return self._replace(part=piece.value, room=room, after_scale=False) if fits else None
        fits = piece.value < self.room
        return self._replace(part=self.part + piece.value, room=room, after_scale=False) if fits else None

    def _add_hundred(self) -> NumberSum | None:
        if self.part is None:
            return self._replace(part=100, room=100, after_scale=True) if self.bound != 100 else None
        if not 0 < self.part < 100:
            return None
        return self._replace(part=self.part * 100, room=100, after_scale=True)

    def _add_scale(self, scale: int) -> NumberSum | None:
        if self.is_empty:
            return NumberSum(closed=scale, bound=scale, after_scale=True)
        if self.value == 0 or scale == self.bound or (self.part is None and scale < self.bound):
            return None
        if self.bound and scale > self.bound:
            return NumberSum(closed=self.value * scale, bound=scale, after_scale=True)
        return NumberSum(closed=self.closed + (self.part or 0) * scale, bound=scale, after_scale=True)


def value_of(pieces: Iterable[Piece]) -> int | None:
    """The one number that *pieces* make; ``None`` where they make several."""
    number: NumberSum | None = NumberSum()
    for piece in pieces:
        number = number.add_piece(piece) if number is not None else None
    return number.value if number is not None else None


class NumberWord(NamedTuple):
    """A written word that is a number, or a part of one."""

    pieces: tuple[Piece, ...]
    #: The digits as they are written; empty for words.
    digits: str = ""
    #: The ending of an ordinal; empty for other numbers.
    ending: str = ""
    #: Counts as a number only directly after one.
    after_numbers: bool = False


class Quarters(NamedTuple):
    """A word that gives a number of quarters before a scale, as Hindi डेढ़ (1.5) and साढ़े (0.5 more than what follows)."""

    number: int
    #: They are added to the number that follows, or to one where none does.
    added: bool


_DIGITS: Final = regex.compile(r"([0-9]+)(\D*)")


@dataclass(frozen=True, kw_only=True)
class NumberWords:
    """The number words of one or more languages that may stand in one text."""

    words: Mapping[str, NumberWord]
    #: Canonical ending by spelling, and the endings that follow the number, as st, nd, rd, th.
    endings: Mapping[str, str]
    point: tuple[str, ...]
    #: Each spelling as words.
    percent: tuple[tuple[str, ...], ...]
    conjunctions: frozenset[str]
    articles: frozenset[str]
    zeros_inside: frozenset[str]
    #: How often the digit that follows is said.
    repeats: Mapping[str, int]
    quarters: Mapping[str, Quarters]
    joined: JoinedWords
    tens_take_units: bool = False

    @property
    def connectors(self) -> frozenset[str]:
        """The words that are no numbers and belong to the number before or after them."""
        marks = (*self.point, *(word for spelling in self.percent for word in spelling))
        return self.conjunctions | self.articles | self.zeros_inside | {*self.repeats, *self.quarters, *marks}

    def parse(self, word: str) -> NumberWord | None:
        """The number that a normalised *word* is; ``None`` for any other word."""
        number = self.words.get(word)
        if number is not None:
            return number
        digits = _DIGITS.fullmatch(word)
        if digits is not None:
            return self._read_digits(digits[1], digits[2])
        return self._read_ordinal(word) or self.joined.parse(word)

    def _read_digits(self, digits: str, ending: str) -> NumberWord | None:
        if ending and ending not in self.endings:
            return None
        tens = self.tens_take_units and len(digits) == 2 and digits[0] > "1" and digits[1] == "0"
        piece = Piece(int(digits), "digits", takes_units=tens)
        return NumberWord((piece,), digits=digits, ending=self.endings[ending] if ending else "")

    def _read_ordinal(self, word: str) -> NumberWord | None:
        for spelling, ending in self.endings.items():
            cardinal = self.words.get(word.removesuffix(spelling)) if word.endswith(spelling) else None
            if cardinal is not None and not spelling.isascii():
                return cardinal._replace(ending=ending)
        return None


@functools.cache
def load_number_words(languages: tuple[str, ...]) -> NumberWords:
    """
    The number words of *languages*; marks are read out in the first one.

    Raises:
        DialectError: E_NORMALISER for a language without a table.
    """
    tables = [_load_table(language) for language in languages]
    words: dict[str, NumberWord] = {}
    for table in tables:
        words.update(_list_words(table))
    return NumberWords(
        words=words,
        endings={spelling: ending for table in tables for spelling, ending in _list_endings(table)},
        point=_list_spellings(tables, "point"),
        percent=tuple(tuple(spelling.split()) for spelling in _list_spellings(tables, "percent")),
        conjunctions=frozenset(_list_spellings(tables, "and")),
        articles=frozenset(_list_spellings(tables, "article")),
        zeros_inside=frozenset(_list_spellings(tables, "zero_inside")),
        repeats={word: count for table in tables for count, word in _list_numbers(table, "repeats")},
        quarters={word: quarters for table in tables for word, quarters in _list_quarters(table)},
        joined=JoinedWords([part for table in tables if table.get("joins_words") for part in _list_parts(table)]),
        tens_take_units=any(table.get("tens_take_units", False) for table in tables),
    )


def number_words_hash(languages: tuple[str, ...]) -> str:
    """Give the SHA-256 of the tables of *languages*, in their order."""
    text = json.dumps([_load_table(language) for language in languages], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _load_table(language: str) -> dict[str, Any]:
    file = resources.files("dialects") / "catalogue" / "numbers" / f"{language}.toml"
    if not file.is_file():
        message = f"the number words of {language!r} were asked for; there is no table of them"
        raise DialectError("E_NORMALISER", message, hint="add catalogue/numbers/<language>.toml")
    table: dict[str, Any] = tomllib.loads(unicodedata.normalize("NFC", file.read_text(encoding="utf-8")))
    return table


def _list_spellings(tables: Iterable[Mapping[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(_compose(spelling) for table in tables for spelling in table.get(key, ()))


def _list_numbers(table: Mapping[str, Any], key: str) -> Iterator[tuple[int, str]]:
    """List each (number, spelling) of one part of a table."""
    for number, spellings in table.get(key, {}).items():
        for spelling in _add_full_vowels(table, spellings):
            yield int(number), _compose(spelling)


def _compose(spelling: str) -> str:
    return unicodedata.normalize("NFC", spelling)


def _add_full_vowels(table: Mapping[str, Any], spellings: Iterable[str]) -> Iterator[str]:
    """The *spellings*, and those that end in a half vowel with a full one too."""
    half, full = table.get("half_vowel", ("", ""))
    for spelling in spellings:
        yield spelling
        if half and spelling.endswith(half):
            yield spelling.removesuffix(half) + full


def _list_words(table: Mapping[str, Any]) -> Iterator[tuple[str, NumberWord]]:
    late = frozenset(table.get("scales_after_numbers", ()))
    for key, kind in (("words", "unit"), ("scales", "scale"), ("joining", "unit")):
        for number, spelling in _list_numbers(table, key):
            yield spelling, NumberWord((_make_piece(table, key, number, kind),), after_numbers=spelling in late)
    for key, kind in (("ordinals", "unit"), ("ordinal_scales", "scale")):
        for number, spelling in _list_numbers(table, key):
            yield spelling, NumberWord((_make_piece(table, key, number, kind),), ending=table["ordinal_endings"][0][0])


def _make_piece(table: Mapping[str, Any], key: str, number: int, kind: Any) -> Piece:
    tens = 20 <= number <= 90 and number % 10 == 0
    return Piece(number, kind, takes_units=tens and (key == "joining" or table.get("tens_take_units", False)))


def _list_endings(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for spellings in table.get("ordinal_endings", ()):
        for spelling in spellings:
            yield _compose(spelling), _compose(spellings[0])


def _list_quarters(table: Mapping[str, Any]) -> Iterator[tuple[str, Quarters]]:
    for key, added in (("quarters", False), ("added_quarters", True)):
        for count, spelling in _list_numbers(table, key):
            yield spelling, Quarters(count, added)


class Part(NamedTuple):
    """A form that written words are joined from."""

    sounds: str
    piece: Piece
    #: It only stands before a scale, inside a word.
    bound: bool


def _list_parts(table: Mapping[str, Any]) -> Iterator[Part]:
    for key, kind in (("words", "unit"), ("joining", "unit"), ("scales", "scale"), ("bound", "unit")):
        for number, spelling in _list_numbers(table, key):
            if number:
                yield Part(sounds_of(spelling), _make_piece(table, key, number, kind), key == "bound")


class JoinedWords:
    """A reader of words that are several number words run together."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._by_start: dict[str, list[Part]] = {}
        for part in sorted(parts, key=lambda part: -len(part.sounds)):
            self._by_start.setdefault(part.sounds[:2], []).append(part)

    def parse(self, word: str) -> NumberWord | None:
        """The parts of *word*, if it is made of number words alone and they make one number."""
        if not self._by_start or not _JOINING_SCRIPTS.fullmatch(word):
            return None
        for pieces in self._find_splits(sounds_of(word)):
            if value_of(pieces) is not None:
                return NumberWord(pieces)
        return None

    def _find_splits(self, sounds: str) -> Iterator[tuple[Piece, ...]]:
        """Give each way to cut *sounds* into parts, those with a long first part first."""
        for part in self._by_start.get(sounds[:2], ()):
            if sounds == part.sounds and not part.bound:
                yield (part.piece,)
            for tail in _find_tails(sounds, part.sounds):
                for following in self._find_splits(tail):
                    if following[0].kind == "scale" or not part.bound:
                        yield (part.piece, *following)


def _find_tails(sounds: str, first: str) -> Iterator[str]:
    """Give what may follow *first*: as it stands, after a glide or a doubled stop, or with *first* cut short."""
    if sounds.startswith(first):
        tail = sounds[len(first) :]
        yield tail
        if first[-1] in _VOWELS and len(tail) > 1:
            if tail[0] in _GLIDES and tail[1] in _VOWELS:
                yield tail[1:]
            if tail[0] == tail[1] and tail[0] not in _VOWELS:
                yield tail[1:]
    stem = first[:-1]
    if first[-1] in _DROPPED and sounds.startswith(stem) and sounds[len(stem) : len(stem) + 1] in _VOWELS:
        yield sounds[len(stem) :]


def sounds_of(word: str) -> str:
    """
    Spell a *word* in an Indic script as consonants and vowels, one character each; a vowel sign is its vowel.

    >>> sounds_of("ஆறு")
    'ஆறஉ'
    """
    sounds: list[str] = []
    for character in unicodedata.normalize("NFC", word):
        sound, kind = _classify_sound(character)
        if kind == "sign" and sounds and sounds[-1] in _INHERENT:
            sounds.pop()
        sounds.append(sound)
        if kind == "consonant":
            sounds.append(_find_inherent_vowel(character))
    return "".join(sounds)


@functools.cache
def _classify_sound(character: str) -> tuple[str, str]:
    """The sound of a *character*, empty for a virama, and what it is."""
    name = unicodedata.name(character, "")
    if name.endswith("SIGN VIRAMA"):
        return "", "sign"
    if "VOWEL SIGN" in name or name.endswith("AU LENGTH MARK"):
        letter = name.replace("VOWEL SIGN", "LETTER").replace("AU LENGTH MARK", "LETTER AU")
        return unicodedata.lookup(letter), "sign"
    if "CHILLU" in name:
        return _CHILLU_BASES.get(character, character), "vowel"
    if unicodedata.category(character) != "Lo" or character in _VOWELS:
        return character, "vowel"
    return character, "consonant"


@functools.cache
def _find_inherent_vowel(consonant: str) -> str:
    script = unicodedata.name(consonant).split()[0]
    return unicodedata.lookup(f"{script} LETTER A")


_VOWEL_NAMES: Final = ("A", "AA", "I", "II", "U", "UU", "E", "EE", "AI", "O", "OO", "AU")
_VOWELS: Final = frozenset(
    unicodedata.lookup(f"{script} LETTER {vowel}") for script in ("TAMIL", "MALAYALAM") for vowel in _VOWEL_NAMES
)
#: The scripts whose languages join number words.
_JOINING_SCRIPTS: Final = regex.compile(r"[\u0B80-\u0BFF\u0D00-\u0D7F]+")
_INHERENT: Final = frozenset("அഅ")
_GLIDES: Final = frozenset("\N{TAMIL LETTER YA}\N{TAMIL LETTER VA}\N{MALAYALAM LETTER YA}\N{MALAYALAM LETTER VA}")
#: Vowels that a form loses before a vowel: i and u.
_DROPPED: Final = frozenset("இஉഇഉ")
_CHILLU_BASES: Final = {"ൺ": "ണ", "ൻ": "ന", "ർ": "ര", "ൽ": "ല", "ൾ": "ള", "ൿ": "ക"}
