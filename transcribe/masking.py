"""
What nobody at the desk may read: words that lie in masked spans of a recording, and terms that a client names.

A span is masked in the sound by `transcribe.audio.shape_clip`; here its words leave drafts and texts. Where times are
not known for sure, more is hidden rather than less.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

from dialects.scoring import HIDDEN, align
from transcribe.errors import ConfigError, InputError
from transcribe.records import Milliseconds, Word, join_words

#: What stands where something is hidden.
MASK: Final = HIDDEN
#: Start and end of what is hidden, in the recording.
Span: TypeAlias = tuple[Milliseconds, Milliseconds]
#: A recogniser's times are off by so much; a term is masked that much wider.
_SLACK: Final[Milliseconds] = 120
#: No word is equal to this one.
_NO_WORD: Final = "\0"


def hide_words(words: Sequence[Word], spans: Sequence[Span]) -> tuple[Word, ...]:
    """
    *words* with a mark in place of those that touch one of *spans*, neighbours under one mark, and a mark for each
    span that touches none. A mark's probability is 1.

    >>> hide_words([Word(text="hi", start=0, end=90, probability=0.5)], [(80, 200)])
    (Word(text='[masked]', start=0, end=90, probability=1.0, blank=True),)
    """
    found: list[Word] = []
    missed = [span for span in spans if not any(_touches(word, span) for word in words)]
    marks = [_mark(start, end) for start, end in missed]
    hidden = [_mark(word.start, word.end) if any(_touches(word, each) for each in spans) else word for word in words]
    for word in sorted([*hidden, *marks], key=lambda each: (each.start, each.end)):
        if found and found[-1].text == MASK == word.text:
            found[-1] = _mark(found[-1].start, max(found[-1].end, word.end))
        else:
            found.append(word)
    return tuple(found)


def hide_text(text: str, words: Sequence[Word], spans: Sequence[Span]) -> str:
    """
    A person's *text* without what was said in *spans*, found by the drafted *words* of the same stretch.

    Everything between the nearest words on both sides of a mark that draft and text share is hidden with it; where
    they share none, all of the text. A text that has the marks already was written by somebody who heard no more, and
    stays as it is.
    """
    if not spans:
        return text
    drafted, typed = _spoken(hide_words(words, spans)), text.split()
    if not typed or sum(MASK in each for each in typed) >= drafted.count(MASK):
        return text
    # A mark among the typed words says less than one of ours: what stands around it is compared as any word.
    return _hidden(drafted, typed, [folded(each) for each in typed])[1]


def hide_both(text: str, words: Sequence[Word], spans: Sequence[Span]) -> tuple[str, str]:
    """
    A person's *text* and the drafted *words* of the same stretch, the same hidden on both sides, so that they can be
    compared.

    Everything between the nearest words on both sides of a mark that the two share is hidden, in either. Marks in the
    same place are such words: who wrote one heard no more.

    >>> drafted = [Word(text=said, start=at, end=at + 9, probability=1) for said, at in [("my", 0), ("name", 10)]]
    >>> hide_both("my own name", drafted, [(10, 20)])
    ('my [masked]', 'my [masked]')
    """
    drafted, typed = _spoken(hide_words(words, spans)), text.split()
    heard, said = _hidden(drafted, typed, [_compared(each) for each in typed])
    return said, heard


def _spoken(words: Iterable[Word]) -> list[str]:
    return join_words(words).split()


def _compared(word: str) -> str:
    return _NO_WORD if MASK in word else folded(word)


def _hidden(drafted: Sequence[str], typed: Sequence[str], compared: Sequence[str]) -> tuple[str, str]:
    """Both texts with a mark for whatever lies between shared words where one of them has a mark."""
    kept: tuple[list[str], list[str]] = ([], [])
    run: tuple[list[str], list[str]] = ([], [])
    left, right = iter(drafted), iter(typed)

    def close() -> None:
        hides = any(MASK in each for each in (*run[0], *run[1]))
        for whole, part in zip(kept, run, strict=True):
            whole.extend([MASK] if hides else part)
            part.clear()

    for edit in align([_compared(each) for each in drafted], compared):
        if edit.kind == "hit":
            close()
            kept[0].append(next(left))
            kept[1].append(next(right))
            continue
        if edit.reference is not None:
            run[0].append(next(left))
        if edit.hypothesis is not None:
            run[1].append(next(right))
    close()
    return " ".join(kept[0]), " ".join(kept[1])


def within(spans: Iterable[Span], start: Milliseconds, end: Milliseconds) -> tuple[Span, ...]:
    """Those of *spans* that reach into the stretch from *start* to *end*, cut to it."""
    return tuple((max(a, start), min(b, end)) for a, b in spans if a < end and b > start)


def folded(word: str) -> str:
    """
    A word as it is compared: composed, without case and without signs around it.

    >>> folded("Ravi,"), folded("«रवि।»")
    ('ravi', 'रवि')
    """
    plain = unicodedata.normalize("NFC", word).casefold()
    first, last = _core(plain)
    return plain[first:last]


def affixes(word: str) -> tuple[str, str]:
    """
    The signs before and behind a word, which `folded` takes off.

    >>> affixes("«Ravi»,"), affixes("Ravi")
    (('«', '»,'), ('', ''))
    """
    first, last = _core(word)
    return word[:first], word[last:]


def _core(word: str) -> tuple[int, int]:
    """Where the letters and digits of *word* begin and end."""
    first, last = 0, len(word)
    while first < last and not _in_word(word[first]):
        first += 1
    while last > first and not _in_word(word[last - 1]):
        last -= 1
    return first, last


@dataclass(frozen=True)
class Terms:
    """A client's list of what nobody may hear: phrases of folded words; ``*`` at a word's end is any ending."""

    phrases: tuple[tuple[str, ...], ...]

    @property
    def hash(self) -> str:
        """Another list has another one."""
        return hashlib.sha256(repr(sorted(self.phrases)).encode()).hexdigest()[:32]

    def spans(self, words: Sequence[Word]) -> tuple[Span, ...]:
        """Where *words*, in time order, say one of the terms, a little widened."""
        if not self.phrases:
            return ()
        parts = [(folded(part), word) for word in words for part in word.text.split()]
        return tuple(
            (max(0, parts[first][1].start - _SLACK), parts[last - 1][1].end + _SLACK)
            for first, last in self._found([part for part, _ in parts])
        )

    def hide(self, text: str) -> str:
        """*text* with a mark in place of each term; as it is where it has none."""
        if not self.phrases:
            return text
        typed = text.split()
        found = list(self._found([folded(each) for each in typed]))
        for first, last in reversed(found):
            typed[first:last] = [MASK]
        return " ".join(typed) if found else text

    def _found(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """First and last of each term among *words*, the last one not included; none begins inside another."""
        at = 0
        while at < len(words):
            phrases = [*self._by_word.get(words[at], ()), *(each for each in self._open if _is(words[at], each[0]))]
            sizes = [len(each) for each in phrases if _says(words[at : at + len(each)], each)]
            if sizes:
                yield at, at + max(sizes)
            at += max(sizes, default=1)

    @cached_property
    def _by_word(self) -> Mapping[str, list[tuple[str, ...]]]:
        found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for phrase in self.phrases:
            found[phrase[0]].append(phrase)
        return found

    @cached_property
    def _open(self) -> list[tuple[str, ...]]:
        return [phrase for phrase in self.phrases if phrase[0].endswith("*")]


def terms_of(lines: Iterable[str]) -> Terms:
    """
    Terms of a file, one a line; empty lines and those that begin with ``#`` say nothing.

    Raises:
        InputError: If a line has nothing to find, or a star alone, which would hide everything.

    >>> terms_of(["# names", "Ravi Kumar", "acme*"]).phrases
    (('acme*',), ('ravi', 'kumar'))
    """
    phrases = set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        phrase = tuple(folded(part) + "*" * part.endswith("*") for part in line.split())
        if any(part in ("", "*") for part in phrase):
            raise InputError(
                f"line {number} of the terms to mask holds a word without a letter or digit",
                code="E_TERMS",
                hint="write a name or a phrase a line, * at the end of a word for every ending",
            )
        phrases.add(phrase)
    return Terms(tuple(sorted(phrases)))


def terms_in(file: Path | None) -> Terms:
    """
    The terms in a client's *file*; none without one.

    Raises:
        ConfigError: If it cannot be read: without it people would hear what they must not.
        InputError: If a line names nothing.
    """
    if file is None:
        return Terms(())
    try:
        return terms_of(file.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the terms to mask in {file} cannot be read", hint="desk.mask_terms names a UTF-8 file, one term a line"
        ) from error


def _touches(word: Word, span: Span) -> bool:
    return word.start < span[1] and max(word.end, word.start + 1) > span[0]


def _mark(start: Milliseconds, end: Milliseconds) -> Word:
    return Word(text=MASK, start=start, end=end, probability=1.0)


def _in_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _says(words: Sequence[str], phrase: Sequence[str]) -> bool:
    return len(words) == len(phrase) and all(map(_is, words, phrase))


def _is(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted
