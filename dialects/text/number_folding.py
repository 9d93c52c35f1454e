"""
Fold the numbers of a text, in words or digits, to one form: "seven nine five", "7, 9, 5" and "795" become equal.

Which of its readings a speaker chose cannot be seen in "795", so the form is what all readings share: the digits of a
run of neighbouring numbers, one after another. Each digit but zero is a word, and so is each row of zeros, about as
many words as people say: 1,20,000 and one lakh twenty thousand are both ``1 2 0000``. Two runs become equal exactly if
their digits are equal, so two different numbers never do. Each text is folded alone, and both sides alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple, TypeAlias

import regex

from dialects.text.number_words import NumberSum, NumberWord, NumberWords

_WORDS_OF_DIGITS: Final = regex.compile(r"[1-9]|0+")
_MOST_WORDS: Final = 500_000


class FoldedWord(NamedTuple):
    """A word after folding."""

    text: str
    #: Words before folding that it stands for, from *first* to *last*; several words may share them.
    first: int
    last: int
    #: It is written otherwise than before.
    changed: bool = False

    def shift(self, count: int) -> FoldedWord:
        """The same word, *count* words later."""
        return self._replace(first=self.first + count, last=self.last + count)


class _Stretch(NamedTuple):
    """A run of neighbouring words of a text after folding."""

    words: tuple[FoldedWord, ...]
    texts: tuple[str, ...]
    #: How many words before folding are written otherwise.
    changed: int


class _Token(NamedTuple):
    """A word, or a part of one between hyphens."""

    text: str
    #: Position of the word in the text.
    position: int
    number: NumberWord | None


class _Number(NamedTuple):
    """A number that tokens *first* to *last* make."""

    first: int
    last: int
    digits: str
    ending: str = ""


#: A number, or the index of a token that is part of none.
_Item: TypeAlias = "_Number | int"


class NumberFolder:
    """A folder of the numbers in normalised texts, by the words of some languages."""

    def __init__(self, words: NumberWords) -> None:
        self._words = words
        self._connectors = words.connectors
        self._parts_of: dict[str, tuple[tuple[str, NumberWord | None], ...]] = {}
        #: Words met before that hold no number: nearly all words of nearly all texts.
        self._ordinary: set[str] = set()
        self._stretches: dict[tuple[str, ...], _Stretch] = {}

    def __call__(self, text: str) -> str:
        """Fold the numbers of *text*; words are separated by white space."""
        words = text.split()
        return " ".join(self.fold_texts(words)[0]) if self.has_numbers(words) else text

    def has_numbers(self, words: Sequence[str]) -> bool:
        """Return ``True`` if one of *words* holds a number."""
        if self._ordinary.issuperset(words):
            return False
        return bool([word for word in words if word not in self._ordinary and self._split_word(word) is not None])

    def fold_texts(self, words: Sequence[str]) -> tuple[list[str], int]:
        """The words of a text with numbers after folding, and how many of *words* are written otherwise."""
        texts: list[str] = []
        count = done = 0
        for start, end in self._find_bounds(words):
            stretch = self._fold_stretch(tuple(words[start:end]))
            texts += words[done:start]
            texts += stretch.texts
            count += stretch.changed
            done = end
        texts += words[done:]
        return texts, count

    def fold(self, words: Sequence[str]) -> list[FoldedWord]:
        """The words of a text after folding, each with the positions of the words that it stands for."""
        folded: list[FoldedWord] = []
        if not self.has_numbers(words):
            return [FoldedWord(word, index, index) for index, word in enumerate(words)]
        done = 0
        for start, end in (*self._find_bounds(words), (len(words), len(words))):
            folded += [FoldedWord(words[index], index, index) for index in range(done, start)]
            if start < end:
                stretch = self._fold_stretch(tuple(words[start:end])).words
                folded += [word.shift(start) for word in stretch]
            done = end
        return folded

    def _find_bounds(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Give start and end of each stretch of numbers and of words that may belong to them."""
        start = None
        connectors, ordinary = self._connectors, self._ordinary
        for index, word in enumerate(words):
            # A word that was forgotten makes a stretch longer, and comes out of it as it was.
            if word in connectors or word not in ordinary:
                start = index if start is None else start
            elif start is not None:
                yield start, index
                start = None
        if start is not None:
            yield start, len(words)

    def _fold_stretch(self, words: tuple[str, ...]) -> _Stretch:
        """Fold a stretch, and cache the result, since numbers recur."""
        if words not in self._stretches:
            if len(self._stretches) >= _MOST_WORDS:
                self._stretches.clear()
            tokens = list(self._split_tokens(words))
            items = self._read_inside_zeros(self._join_repeats(list(self._parse_items(tokens)), tokens), tokens)
            self._stretches[words] = _make_stretch(self._write_words(items, tokens))
        return self._stretches[words]

    def _split_word(self, word: str) -> tuple[tuple[str, NumberWord | None], ...] | None:
        """The parts between the hyphens of a *word* that holds a number, else ``None``; cached, since words recur."""
        if word in self._ordinary:
            return None
        if word not in self._parts_of:
            parts = [(part, self._words.parse(part)) for part in word.split("-") if part]
            if word not in self._words.quarters and all(number is None for _, number in parts):
                self._remember_ordinary(word)
                return None
            self._parts_of[word] = tuple(parts)
        return self._parts_of[word]

    def _remember_ordinary(self, word: str) -> None:
        if len(self._ordinary) >= _MOST_WORDS:
            self._ordinary.clear()
        self._ordinary.add(word)

    def _split_tokens(self, words: Sequence[str]) -> Iterator[_Token]:
        for position, word in enumerate(words):
            for text, number in self._split_word(word) or ((word, None),):
                yield _Token(text, position, number)

    def _parse_items(self, tokens: Sequence[_Token]) -> Iterator[_Item]:
        """Give numbers and other tokens in turn."""
        index = 0
        after_number = False
        while index < len(tokens):
            number = self._parse_number(tokens, index, after_number)
            yield index if number is None else number
            after_number = number is not None
            index = index + 1 if number is None else number.last + 1

    def _parse_number(self, tokens: Sequence[_Token], index: int, after_number: bool) -> _Number | None:
        """The longest number that begins with token *index*."""
        if tokens[index].text in self._words.quarters:
            return self._parse_quarters(tokens, index)
        start = index
        if tokens[index].text in self._words.articles and _begins_with_scale(tokens, index + 1):
            start = index + 1
        word = tokens[start].number
        if word is None or (word.after_numbers and not after_number):
            return None
        last, number, ending = self._extend_number(tokens, start)
        digits = word.digits if last == start and word.digits else str(number.value)
        return _Number(index, last, digits, ending)

    def _extend_number(self, tokens: Sequence[_Token], start: int) -> tuple[int, NumberSum, str]:
        """Give last token, value and ordinal ending of the number that begins with token *start*."""
        history: list[tuple[int, NumberSum]] = []
        number, index = NumberSum(), start
        while index < len(tokens):
            decimal = self._parse_decimal(tokens, index, number) if history else None
            if decimal is not None:
                index, number = decimal
            else:
                word_index = index + 1 if self._is_conjunction(tokens, index, number) else index
                word = tokens[word_index].number
                grown = _add_word(number, word) if word is not None else None
                if word is None or grown is None:
                    return (*_find_cut(history, word), "")
                index, number = word_index, grown
                if word.ending:
                    return index, number, word.ending
            history.append((index, number))
            index += 1
        return (*history[-1], "")

    def _is_conjunction(self, tokens: Sequence[_Token], index: int, number: NumberSum) -> bool:
        return number.after_scale and tokens[index].text in self._words.conjunctions and index + 1 < len(tokens)

    def _parse_decimal(self, tokens: Sequence[_Token], index: int, number: NumberSum) -> tuple[int, NumberSum] | None:
        """The scale after a decimal point at token *index* and the product: 1 point 5 lakh is 150000."""
        if tokens[index].text not in self._words.point or number.closed:
            return None
        digits, scale_index = "", index + 1
        while scale_index < len(tokens) and (figure := _read_figures(tokens[scale_index].number)):
            digits, scale_index = digits + figure, scale_index + 1
        scale = _read_scale(tokens, scale_index)
        if not (digits and scale):
            return None
        product = (number.value + Fraction(int(digits), 10 ** len(digits))) * scale
        return (scale_index, _close_number(int(product), scale)) if product.denominator == 1 else None

    def _parse_quarters(self, tokens: Sequence[_Token], index: int) -> _Number | None:
        """Read a number of quarters times the scale after it: डेढ़ लाख, साढ़े तीन लाख, सवा लाख."""
        quarters = self._words.quarters[tokens[index].text]
        whole, scale_index = 0, index + 1
        if quarters.added:
            small = _read_small_value(tokens, scale_index)
            whole, scale_index = (1, scale_index) if small is None else (small, scale_index + 1)
        scale = _read_scale(tokens, scale_index)
        if scale is None:
            return None
        return _Number(index, scale_index, str((4 * whole + quarters.number) * scale // 4))

    def _join_repeats(self, items: list[_Item], tokens: Sequence[_Token]) -> list[_Item]:
        """Join double and triple with the digit after them, from the right, so that none is left before a digit."""
        joined: list[_Item] = []
        for item in reversed(items):
            count = self._words.repeats.get(tokens[item].text) if isinstance(item, int) else None
            following = self._read_number_or_zero(joined[-1], tokens) if joined else None
            if isinstance(item, int) and count and following:
                digits = following.digits[0] * (count - 1) + following.digits
                joined[-1] = _Number(item, following.last, digits, following.ending)
            else:
                joined.append(item)
        return joined[::-1]

    def _read_number_or_zero(self, item: _Item, tokens: Sequence[_Token]) -> _Number | None:
        """Give a number as it is, and oh as zero."""
        if isinstance(item, _Number):
            return item
        return _Number(item, item, "0") if tokens[item].text in self._words.zeros_inside else None

    def _read_inside_zeros(self, items: list[_Item], tokens: Sequence[_Token]) -> list[_Item]:
        """Read oh as zero where numbers stand on both sides."""
        read: list[_Item] = []
        for index, item in enumerate(items):
            inside = bool(read) and isinstance(read[-1], _Number) and not read[-1].ending
            zero = (
                self._read_number_or_zero(item, tokens)
                if inside and self._leads_to_number(items, index, tokens)
                else None
            )
            read.append(item if zero is None else zero)
        return read

    def _leads_to_number(self, items: Sequence[_Item], index: int, tokens: Sequence[_Token]) -> bool:
        for item in items[index:]:
            if isinstance(item, _Number):
                return True
            if tokens[item].text not in self._words.zeros_inside:
                return False
        return False

    def _write_words(self, items: Sequence[_Item], tokens: Sequence[_Token]) -> Iterator[FoldedWord]:
        index = 0
        while index < len(items):
            item = items[index]
            if isinstance(item, _Number):
                run = _take_run(items, index)
                yield from _write_run(run, tokens)
                index += len(run)
                continue
            is_after_number = index > 0 and isinstance(items[index - 1], _Number)
            replaced = self._read_mark(items, index, tokens) if is_after_number else None
            count, text = replaced or (1, tokens[item].text)
            first, last = tokens[item].position, tokens[item + count - 1].position
            yield FoldedWord(text, first, last, changed=text != tokens[item].text)
            index += count

    def _read_mark(self, items: Sequence[_Item], index: int, tokens: Sequence[_Token]) -> tuple[int, str] | None:
        """Count the items from *index* on that are per cent or a point after a number; return their spelling too."""
        texts = tuple(tokens[item].text for item in items[index : index + 2] if isinstance(item, int))
        for spelling in self._words.percent:
            if texts[: len(spelling)] == spelling:
                return len(spelling), self._words.percent[0][0]
        if texts[0] in self._words.point and index + 1 < len(items) and isinstance(items[index + 1], _Number):
            return 1, self._words.point[0]
        return None


def _make_stretch(folded: Iterable[FoldedWord]) -> _Stretch:
    words = tuple(folded)
    changed = {position for word in words if word.changed for position in range(word.first, word.last + 1)}
    return _Stretch(words, tuple(word.text for word in words), len(changed))


def _add_word(number: NumberSum, word: NumberWord) -> NumberSum | None:
    """The number with all pieces of one more *word*; ``None`` where they do not fit."""
    grown: NumberSum | None = number
    for piece in word.pieces:
        grown = grown.add_piece(piece) if grown is not None else None
    if word.digits.startswith("0") and not number.is_empty:
        return None
    return grown


def _find_cut(history: Sequence[tuple[int, NumberSum]], word: NumberWord | None) -> tuple[int, NumberSum]:
    """Find where a number ends that *word* does not fit: before its last part, if the word is a scale of that part."""
    if word is not None and word.pieces[0].kind == "scale" and history[-1][1].part is not None:
        for last, number in reversed(history[:-1]):
            if number.after_scale:
                return last, number
    return history[-1]


def _begins_with_scale(tokens: Sequence[_Token], index: int) -> bool:
    number = tokens[index].number if index < len(tokens) else None
    return number is not None and number.pieces[0].kind == "scale"


def _read_scale(tokens: Sequence[_Token], index: int) -> int | None:
    """The scale that token *index* is."""
    number = tokens[index].number if index < len(tokens) else None
    if number is None or number.ending or len(number.pieces) > 1 or number.pieces[0].kind != "scale":
        return None
    return number.pieces[0].value


def _read_small_value(tokens: Sequence[_Token], index: int) -> int | None:
    """The value of token *index*, if it is a number below a hundred."""
    number = tokens[index].number if index < len(tokens) else None
    if number is None or number.ending or len(number.pieces) > 1 or number.pieces[0].kind == "scale":
        return None
    return number.pieces[0].value if 0 < number.pieces[0].value < 100 else None


def _read_figures(number: NumberWord | None) -> str:
    """The digits of a number word below a hundred; empty for any other."""
    if number is None or number.ending or len(number.pieces) > 1 or number.pieces[0].kind == "scale":
        return ""
    return number.digits or (str(number.pieces[0].value) if number.pieces[0].value < 100 else "")


def _close_number(value: int, scale: int) -> NumberSum:
    """Make a number that only a larger scale may follow."""
    return NumberSum(part=value) if scale == 100 else NumberSum(closed=value, bound=1)


def _take_run(items: Sequence[_Item], index: int) -> list[_Number]:
    """The neighbouring numbers from item *index* on; an ordinal is the last."""
    run: list[_Number] = []
    for item in items[index:]:
        if not isinstance(item, _Number):
            break
        run.append(item)
        if item.ending:
            break
    return run


def _write_run(run: Sequence[_Number], tokens: Sequence[_Token]) -> Iterator[FoldedWord]:
    """The words of a run of numbers; each stands for the words at its share of the run."""
    digits = "".join(number.digits for number in run)
    texts: list[str] = _WORDS_OF_DIGITS.findall(digits)
    texts[-1] += _inflect_ending(digits, run[-1].ending)
    run_tokens = tokens[run[0].first : run[-1].last + 1]
    changed = texts != [token.text for token in run_tokens]
    for index, text in enumerate(texts):
        first = run_tokens[index * len(run_tokens) // len(texts)].position
        last = run_tokens[max(index * len(run_tokens), (index + 1) * len(run_tokens) - 1) // len(texts)].position
        yield FoldedWord(text, first, last, changed=changed)


def _inflect_ending(digits: str, ending: str) -> str:
    """The *ending* of an ordinal; the English one follows the number: 1st, 2nd, 11th."""
    if ending != "st":
        return ending
    if digits[-2:-1] == "1":
        return "th"
    return {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1], "th")
