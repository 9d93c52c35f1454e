"""Mining of corrections: words that drafts keep missing, or keep misspelling. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dialects.scoring.word_errors import Pair, align

#: A word of fewer people or times than this may be one person's.
LEAST_SPEAKERS: Final = 2
LEAST_TIMES: Final = 3
#: Of the times a word is said, those at which the draft has another or none.
LEAST_MISSED: Final = 0.5
#: Of the times a draft has a word, those at which people wrote one and the same other.
LEAST_CONFUSED: Final = 0.8
#: Hotwords share the decoder's 448 positions with the text.
MOST_HOTWORDS: Final = 40
#: Words of a prompt.
LONGEST_PROMPT: Final = 40


@dataclass(frozen=True, kw_only=True)
class Missed:
    """A word of the corrections that drafts keep missing."""

    word: str
    times: int
    missed: int
    speakers: int


def missed_words(pairs: Iterable[Pair]) -> list[Missed]:
    """
    Return words that were missed at least half of the times, three times or more, by two speakers or more.

    Those missed most come first; among equals, in the order of the alphabet.
    """
    times_said: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    speakers: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        for edit in align(pair.reference.split(), pair.hypothesis.split()):
            if edit.reference is None:
                continue
            times_said[edit.reference] += 1
            if edit.kind != "hit":
                missed[edit.reference] += 1
                speakers[edit.reference].add(pair.speaker)
    candidates = [
        Missed(word=word, times=times_said[word], missed=misses, speakers=len(speakers[word]))
        for word, misses in missed.items()
    ]
    frequent = [
        missed_word
        for missed_word in candidates
        if missed_word.speakers >= LEAST_SPEAKERS
        and missed_word.missed >= LEAST_TIMES
        and missed_word.missed >= LEAST_MISSED * missed_word.times
    ]
    return sorted(frequent, key=lambda missed_word: (-missed_word.missed, missed_word.word))


def hotwords(missed: Sequence[Missed]) -> tuple[str, ...]:
    """Return the words missed most."""
    return tuple(missed_word.word for missed_word in missed[:MOST_HOTWORDS])


def prompt(pairs: Iterable[Pair], missed: Sequence[Missed]) -> str | None:
    """
    Choose real texts of the corrections that hold as many of the *missed* words as fit into a prompt.

    The text with most words not chosen yet comes next, a word weighing as often as it was missed. ``None`` without any.
    """
    weights = {missed_word.word: missed_word.missed for missed_word in missed}
    texts = sorted({pair.reference for pair in pairs if 0 < len(pair.reference.split()) <= LONGEST_PROMPT})
    chosen: list[str] = []
    room = LONGEST_PROMPT

    def gain(text: str) -> float:
        words = text.split()
        return sum(weights.get(word, 0) for word in set(words)) / len(words) if len(words) <= room else 0.0

    while texts and gain(best := max(texts, key=gain)) > 0:
        chosen.append(best)
        room -= len(best.split())
        weights = {word: weight for word, weight in weights.items() if word not in best.split()}
    return " ".join(chosen) or None


def spelling(pairs: Iterable[Pair]) -> dict[str, str]:
    """
    Map drafted words that nearly always stand for one and the same other word of people's texts.

    Three times or more, by two speakers or more, and at least four of five times that the draft has the word.
    """
    drafted: Counter[str] = Counter()
    confused: dict[str, Counter[str]] = defaultdict(Counter)
    speakers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pair in pairs:
        for edit in align(pair.reference.split(), pair.hypothesis.split()):
            if edit.hypothesis is None:
                continue
            drafted[edit.hypothesis] += 1
            if edit.kind == "substitution" and edit.reference is not None:
                confused[edit.hypothesis][edit.reference] += 1
                speakers[edit.hypothesis, edit.reference].add(pair.speaker)
    spelling_by_word: dict[str, str] = {}
    for word in sorted(confused):
        meant, times = confused[word].most_common(1)[0]
        sure = times >= max(LEAST_TIMES, LEAST_CONFUSED * drafted[word])
        if sure and len(speakers[word, meant]) >= LEAST_SPEAKERS:
            spelling_by_word[word] = meant
    return spelling_by_word
