"""
Redaction of texts: words that lie in masked spans of a recording, and terms that a client names.

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

from dialects.scoring.word_errors import HIDDEN, align
from transcribe.errors import ConfigError, InputError
from transcribe.records import Milliseconds, Word, join_words

#: The mark in place of hidden words.
MASK: Final = HIDDEN
#: Start and end of what is hidden, in the recording.
Span: TypeAlias = tuple[Milliseconds, Milliseconds]
#: A recogniser's times are off by so much; a term is masked that much wider.
_SLACK: Final[Milliseconds] = 120
#: No word is equal to this one.
_NO_WORD: Final = "\0"


def hide_words(words: Sequence[Word], spans: Sequence[Span]) -> tuple[Word, ...]:
    """
    Replace those of *words* that touch one of *spans* by a mark, neighbours under one mark, and a mark for each
    span that touches none. A mark's probability is 1.

    >>> hide_words([Word(text="hi", start=0, end=90, probability=0.5)], [(80, 200)])
    (Word(text='[masked]', start=0, end=90, probability=1.0, blank=True),)
    """
    merged: list[Word] = []
    missed = [span for span in spans if not any(_touches(word, span) for word in words)]
    marks = [_mark(start, end) for start, end in missed]
    hidden = [_mark(word.start, word.end) if any(_touches(word, span) for span in spans) else word for word in words]
    for word in sorted([*hidden, *marks], key=lambda word: (word.start, word.end)):
        if merged and merged[-1].text == MASK == word.text:
            merged[-1] = _mark(merged[-1].start, max(merged[-1].end, word.end))
        else:
            merged.append(word)
    return tuple(merged)


def hide_text(text: str, words: Sequence[Word], spans: Sequence[Span]) -> str:
    """
    Hide what was said in *spans* from a person's *text*, by the drafted *words* of the same stretch.

    Everything between the nearest words on both sides of a mark that draft and text share is hidden with it; where
    they share none, all of the text. A text that has the marks already was written by somebody who heard no more, and
    stays as it is.
    """
    if not spans:
        return text
    drafted, typed = _split_words(hide_words(words, spans)), text.split()
    if not typed or sum(MASK in word for word in typed) >= drafted.count(MASK):
        return text
    # A mark among the typed words says less than one of ours: what stands around it is compared as any word.
    return _hide_between(drafted, typed, [fold_word(word) for word in typed])[1]


def hide_both(text: str, words: Sequence[Word], spans: Sequence[Span]) -> tuple[str, str]:
    """
    Hide the same in a person's *text* and in the drafted *words* of the same stretch, so that they can be compared.

    Everything between the nearest words on both sides of a mark that the two share is hidden, in either. Marks in the
    same place are such words: who wrote one heard no more.

    >>> drafted = [Word(text=text, start=n, end=n + 9, probability=1) for text, n in [("my", 0), ("name", 10)]]
    >>> hide_both("my own name", drafted, [(10, 20)])
    ('my [masked]', 'my [masked]')
    """
    drafted, typed = _split_words(hide_words(words, spans)), text.split()
    draft_text, typed_text = _hide_between(drafted, typed, [_fold_unmasked(word) for word in typed])
    return typed_text, draft_text


def _split_words(words: Iterable[Word]) -> list[str]:
    return join_words(words).split()


def _fold_unmasked(word: str) -> str:
    return _NO_WORD if MASK in word else fold_word(word)


def _hide_between(drafted: Sequence[str], typed: Sequence[str], compared: Sequence[str]) -> tuple[str, str]:
    """Join both texts, with a mark for whatever lies between shared words where one of them has a mark."""
    texts: tuple[list[str], list[str]] = ([], [])
    run: tuple[list[str], list[str]] = ([], [])
    drafted_words, typed_words = iter(drafted), iter(typed)

    def close() -> None:
        has_mark = any(MASK in word for word in (*run[0], *run[1]))
        for text, part in zip(texts, run, strict=True):
            text.extend([MASK] if has_mark else part)
            part.clear()

    for edit in align([_fold_unmasked(word) for word in drafted], compared):
        if edit.kind == "hit":
            close()
            texts[0].append(next(drafted_words))
            texts[1].append(next(typed_words))
            continue
        if edit.reference is not None:
            run[0].append(next(drafted_words))
        if edit.hypothesis is not None:
            run[1].append(next(typed_words))
    close()
    return " ".join(texts[0]), " ".join(texts[1])


def within(spans: Iterable[Span], start: Milliseconds, end: Milliseconds) -> tuple[Span, ...]:
    """Return those of *spans* that reach into the stretch from *start* to *end*, cut to it."""
    return tuple((max(a, start), min(b, end)) for a, b in spans if a < end and b > start)


def fold_word(word: str) -> str:
    """
    Fold a word for comparison: composed, without case and without signs around it.

    >>> fold_word("Ravi,"), fold_word("«रवि।»")
    ('ravi', 'रवि')
    """
    plain = unicodedata.normalize("NFC", word).casefold()
    first, last = _core_bounds(plain)
    return plain[first:last]


def affixes(word: str) -> tuple[str, str]:
    """
    Return the signs before and behind a word, which `fold_word` takes off.

    >>> affixes("«Ravi»,"), affixes("Ravi")
    (('«', '»,'), ('', ''))
    """
    first, last = _core_bounds(word)
    return word[:first], word[last:]


def _core_bounds(word: str) -> tuple[int, int]:
    """Return where the letters and digits of *word* begin and end."""
    first, last = 0, len(word)
    while first < last and not _is_word_character(word[first]):
        first += 1
    while last > first and not _is_word_character(word[last - 1]):
        last -= 1
    return first, last


@dataclass(frozen=True)
class Terms:
    """A client's list of terms that nobody may hear: phrases of folded words; ``*`` at a word's end is any ending."""

    phrases: tuple[tuple[str, ...], ...]

    @property
    def hash(self) -> str:
        """The hash of the list, the same for the same phrases."""
        return hashlib.sha256(repr(sorted(self.phrases)).encode()).hexdigest()[:32]

    def spans(self, words: Sequence[Word]) -> tuple[Span, ...]:
        """Return the spans where *words*, in time order, say one of the terms, a little widened."""
        if not self.phrases:
            return ()
        parts = [(fold_word(part), word) for word in words for part in word.text.split()]
        return tuple(
            (max(0, parts[first][1].start - _SLACK), parts[last - 1][1].end + _SLACK)
            for first, last in self._find_terms([part for part, _ in parts])
        )

    def hide(self, text: str) -> str:
        """Replace each term of *text* by a mark; a text without terms stays as it is."""
        if not self.phrases:
            return text
        typed = text.split()
        matches = list(self._find_terms([fold_word(word) for word in typed]))
        for first, last in reversed(matches):
            typed[first:last] = [MASK]
        return " ".join(typed) if matches else text

    def _find_terms(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield first and last of each term among *words*, the last one not included; none begins inside another."""
        start = 0
        while start < len(words):
            open_phrases = [phrase for phrase in self._open_phrases if _matches_word(words[start], phrase[0])]
            phrases = [*self._phrases_by_word.get(words[start], ()), *open_phrases]
            sizes = [len(phrase) for phrase in phrases if _matches(words[start : start + len(phrase)], phrase)]
            if sizes:
                yield start, start + max(sizes)
            start += max(sizes, default=1)

    @cached_property
    def _phrases_by_word(self) -> Mapping[str, list[tuple[str, ...]]]:
        by_word: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for phrase in self.phrases:
            by_word[phrase[0]].append(phrase)
        return by_word

    @cached_property
    def _open_phrases(self) -> list[tuple[str, ...]]:
        return [phrase for phrase in self.phrases if phrase[0].endswith("*")]


def terms_of(lines: Iterable[str]) -> Terms:
    """
    Parse terms, one a line; empty lines and those that begin with ``#`` say nothing.

    Raises:
        InputError: If a line has nothing to find, or a star alone, which would hide everything.

    >>> terms_of(["# names", "Ravi Kumar", "acme*"]).phrases
    (('acme*',), ('ravi', 'kumar'))
    """
    phrases = set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        phrase = tuple(fold_word(part) + "*" * part.endswith("*") for part in line.split())
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
    Read the terms in a client's *file*; none without one.

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


def _is_word_character(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _matches(words: Sequence[str], phrase: Sequence[str]) -> bool:
    return len(words) == len(phrase) and all(map(_matches_word, words, phrase))


def _matches_word(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted
