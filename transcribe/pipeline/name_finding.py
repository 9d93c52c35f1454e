"""
Take a project's names out of a hearing that was prompted with them, and nothing else of it.

Whisper that is told names writes more of them, and hears the rest worse; now and then it writes one that nobody said.
So sound is heard without names first. Of a hearing with names only a name is taken, and only in place of words that are
spelt like it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from rapidfuzz.distance import Indel, Levenshtein

from transcribe.records import Word
from transcribe.redaction import fold_word

#: Share of letters that a name has in common with the words in its place, from which both may be one sound.
LEAST_ALIKE: Final = 0.5
#: Words that a name of one word may have been taken for: "Thiruvarur" is heard as "the Rivera, Rue".
MOST_WORDS: Final = 4


def take_names(words: Sequence[Word], prompted: Sequence[Word], names: Sequence[str]) -> list[Word]:
    """
    Replace words by each of *names* that the hearing *prompted* wrote in place of words that sound like it.

    Args:
        words: Of a hearing without names, in time order.
        prompted: Of a hearing of the same sound that was prompted with *names*, in time order.
        names: As they are spelt.

    >>> plain, prompted = (
    ...     [Word(text=form, start=n, end=n + 1, probability=0.5) for n, form in enumerate(text.split())]
    ...     for text in ("to cozy code now", "to Kozhikode then")
    ... )
    >>> [word.text for word in take_names(plain, prompted, ["Kozhikode"])]
    ['to', 'Kozhikode', 'now']
    """
    plain_forms, prompted_forms = _fold(words), _fold(prompted)
    phrases = [tuple(filter(None, map(fold_word, name.split()))) for name in names]
    taken = list(words)
    for span, other in reversed(list(_find_differences(plain_forms, prompted_forms))):
        for name in reversed(list(_find_names(prompted_forms, other, phrases))):
            replaced = _find_most_alike(plain_forms, span, "".join(prompted_forms[name]))
            if replaced is not None:
                taken[replaced] = _lay_into_time(prompted[name], words[replaced])
                # A name before it may only stand before it.
                span = slice(span.start, replaced.start)
    return taken


def _fold(words: Sequence[Word]) -> list[str]:
    return [fold_word(word.text) for word in words]


def _find_differences(plain: Sequence[str], prompted: Sequence[str]) -> Iterator[tuple[slice, slice]]:
    """Find where *plain* has other words than *prompted*, in order: neighbouring edits are one difference."""
    end, prompted_end = 0, 0
    for block in Levenshtein.editops(plain, prompted).as_matching_blocks():
        if block.a > end and block.b > prompted_end:
            yield slice(end, block.a), slice(prompted_end, block.b)
        end, prompted_end = block.a + block.size, block.b + block.size


def _find_names(forms: Sequence[str], span: slice, phrases: Sequence[Sequence[str]]) -> Iterator[slice]:
    """Find where one of *phrases* stands within *span* of *forms*, in order and apart."""
    position = span.start
    while position < span.stop:
        lengths = [
            len(phrase)
            for phrase in phrases
            if phrase
            and position + len(phrase) <= span.stop
            and tuple(forms[position : position + len(phrase)]) == phrase
        ]
        if lengths:
            yield slice(position, position + max(lengths))
        position += max(lengths, default=1)


def _find_most_alike(forms: Sequence[str], bounds: slice, name: str) -> slice | None:
    """Find the words within *bounds* whose letters are most like those of *name*; ``None`` if none is enough alike."""
    spans = [
        slice(start, end)
        for start in range(bounds.start, bounds.stop)
        for end in range(start + 1, min(start + MOST_WORDS, bounds.stop) + 1)
    ]
    best = max(spans, key=lambda span: _measure_likeness(forms, span, name), default=None)
    return best if best is not None and _measure_likeness(forms, best, name) >= LEAST_ALIKE else None


def _measure_likeness(forms: Sequence[str], span: slice, name: str) -> float:
    return Indel.normalized_similarity("".join(forms[span]), name)


def _lay_into_time(name: Sequence[Word], replaced: Sequence[Word]) -> list[Word]:
    """Lay the words of *name* into the time of *replaced*, with the blank before these."""
    start, end = replaced[0].start, max(word.end for word in replaced)
    edges = [start + (end - start) * number // len(name) for number in range(len(name) + 1)]
    return [
        replace(
            word, start=edges[number], end=edges[number + 1], blank=replaced[0].blank if number == 0 else word.blank
        )
        for number, word in enumerate(name)
    ]
