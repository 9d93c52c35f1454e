"""When each word of a person's text was said, by the drafted words of the same stretch. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dialects.scoring import align
from transcribe.masking import fold_word
from transcribe.records import Milliseconds, Word


def retimed(text: str, words: Sequence[Word], start: Milliseconds, end: Milliseconds) -> tuple[Word, ...]:
    """
    The words of *text* with times: those of the drafted word that stands in the same place, and an even share of the
    time between for words that the draft lacks.

    Args:
        words: The draft, in time order.
        start: Where the stretch begins; no word begins before it.
        end: Where it ends.

    Returns:
        Words in order, none beginning before the one before it. A person wrote them: their probability is 1.

    >>> drafted = [Word(text=said, start=at, end=at + 300, probability=0.5) for said, at in [("my", 0), ("nam", 700)]]
    >>> [(word.text, word.start, word.end) for word in retimed("my own nam", drafted, 0, 1_000)]
    [('my', 0, 300), ('own', 300, 700), ('nam', 700, 1000)]
    """
    typed = text.split()
    known: list[Word | None] = []
    drafted = iter(words)
    for edit in align([fold_word(word.text) for word in words], [fold_word(word) for word in typed]):
        word = next(drafted) if edit.reference is not None else None
        if edit.hypothesis is not None:
            known.append(word)
    times = _filled([None if word is None else (word.start, word.end) for word in known], start, end)
    return tuple(Word(text=said, start=a, end=b, probability=1.0) for said, (a, b) in zip(typed, times, strict=True))


def _filled(
    known: Sequence[tuple[Milliseconds, Milliseconds] | None], start: Milliseconds, end: Milliseconds
) -> list[tuple[Milliseconds, Milliseconds]]:
    """Times in order within the stretch; unknown ones share what lies between their neighbours evenly."""
    found: list[tuple[Milliseconds, Milliseconds]] = []
    at = 0
    while at < len(known):
        since = found[-1][1] if found else start
        span = known[at]
        if span is not None:
            first = min(max(span[0], found[-1][0] if found else start), end)
            found.append((first, min(max(span[1], first), end)))
            at += 1
            continue
        upto = next((other for other in range(at, len(known)) if known[other] is not None), len(known))
        following = known[upto] if upto < len(known) else None
        limit = max(since, min(end if following is None else following[0], end))
        step = (limit - since) / (upto - at)
        found += [(since + round(n * step), since + round((n + 1) * step)) for n in range(upto - at)]
        at = upto
    return found
