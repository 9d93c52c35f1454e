"""
A project's names, taken out of a hearing that was told them, and nothing else of it.

Whisper that is told names writes more of them, and hears the rest worse; now and then it writes one that nobody said.
So sound is heard without names first. Of a hearing with names only a name is taken, and only in place of words that are
spelt like it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from rapidfuzz.distance import Indel, Levenshtein

from transcribe.masking import fold_word
from transcribe.records import Word

#: Share of letters that a name has in common with the words in its place, from which both may be one sound.
LEAST_ALIKE: Final = 0.5
#: Words that a name of one word may have been taken for: "Thiruvarur" is heard as "the Rivera, Rue".
MOST_WORDS: Final = 4


def take_names(words: Sequence[Word], told: Sequence[Word], names: Sequence[str]) -> list[Word]:
    """
    *words* with each of *names* that the hearing *told* wrote in place of words that sound like it.

    Args:
        words: Of a hearing that was told no names, in time order.
        told: Of a hearing of the same sound that was told *names*, in time order.
        names: As they are spelt.

    >>> plain, told = (
    ...     [Word(text=each, start=n, end=n + 1, probability=0.5) for n, each in enumerate(text.split())]
    ...     for text in ("to cozy code now", "to Kozhikode then")
    ... )
    >>> [word.text for word in take_names(plain, told, ["Kozhikode"])]
    ['to', 'Kozhikode', 'now']
    """
    plain_forms, told_forms = _fold(words), _fold(told)
    phrases = [tuple(filter(None, map(fold_word, name.split()))) for name in names]
    taken = list(words)
    for place, other in reversed(list(_differences(plain_forms, told_forms))):
        for name in reversed(list(_names_in(told_forms, other, phrases))):
            heard = _most_alike(plain_forms, place, "".join(told_forms[name]))
            if heard is not None:
                taken[heard] = _in_time_of(told[name], words[heard])
                # A name before it may only stand before it.
                place = slice(place.start, heard.start)
    return taken


def _fold(words: Sequence[Word]) -> list[str]:
    return [fold_word(word.text) for word in words]


def _differences(plain: Sequence[str], told: Sequence[str]) -> Iterator[tuple[slice, slice]]:
    """Where *plain* has other words than *told*, in order: neighbouring edits are one difference."""
    before, other_before = 0, 0
    for block in Levenshtein.editops(plain, told).as_matching_blocks():
        if block.a > before and block.b > other_before:
            yield slice(before, block.a), slice(other_before, block.b)
        before, other_before = block.a + block.size, block.b + block.size


def _names_in(forms: Sequence[str], place: slice, phrases: Sequence[Sequence[str]]) -> Iterator[slice]:
    """Where one of *phrases* stands within *place* of *forms*, in order and apart."""
    position = place.start
    while position < place.stop:
        lengths = [
            len(phrase)
            for phrase in phrases
            if phrase
            and position + len(phrase) <= place.stop
            and tuple(forms[position : position + len(phrase)]) == phrase
        ]
        if lengths:
            yield slice(position, position + max(lengths))
        position += max(lengths, default=1)


def _most_alike(forms: Sequence[str], place: slice, name: str) -> slice | None:
    """The words within *place* whose letters are most like those of *name*; ``None`` if none is enough alike."""
    spans = [
        slice(start, end)
        for start in range(place.start, place.stop)
        for end in range(start + 1, min(start + MOST_WORDS, place.stop) + 1)
    ]
    best = max(spans, key=lambda span: _likeness(forms, span, name), default=None)
    return best if best is not None and _likeness(forms, best, name) >= LEAST_ALIKE else None


def _likeness(forms: Sequence[str], span: slice, name: str) -> float:
    return Indel.normalized_similarity("".join(forms[span]), name)


def _in_time_of(name: Sequence[Word], heard: Sequence[Word]) -> list[Word]:
    """The words of *name* laid into the time of *heard*, with the blank before these."""
    start, end = heard[0].start, max(word.end for word in heard)
    edges = [start + (end - start) * number // len(name) for number in range(len(name) + 1)]
    return [
        replace(word, start=edges[number], end=edges[number + 1], blank=heard[0].blank if number == 0 else word.blank)
        for number, word in enumerate(name)
    ]
