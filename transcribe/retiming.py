"""Time each word of a person's text by the drafted words of the same stretch; pure."""

from __future__ import annotations

from collections.abc import Sequence

from dialects.scoring.word_errors import align
from transcribe.records import Milliseconds, Word
from transcribe.redaction import fold_word


def retime(text: str, words: Sequence[Word], start: Milliseconds, end: Milliseconds) -> tuple[Word, ...]:
    """
    Time the words of *text*: by the drafted word that stands in the same place, else by an even share of the time
    between.

    Args:
        words: The draft, in time order.
        start: Where the stretch begins; no word begins before it.
        end: Where it ends.

    Returns:
        Words in order, none beginning before the one before it. A person wrote them: their probability is 1.

    >>> starts = {"my": 0, "nam": 700}
    >>> drafted = [Word(text=form, start=begin, end=begin + 300, probability=0.5) for form, begin in starts.items()]
    >>> [(word.text, word.start, word.end) for word in retime("my own nam", drafted, 0, 1_000)]
    [('my', 0, 300), ('own', 300, 700), ('nam', 700, 1000)]
    """
    typed = text.split()
    matches: list[Word | None] = []
    drafted = iter(words)
    for edit in align([fold_word(word.text) for word in words], [fold_word(word) for word in typed]):
        word = next(drafted) if edit.reference is not None else None
        if edit.hypothesis is not None:
            matches.append(word)
    times = _fill_times([None if word is None else (word.start, word.end) for word in matches], start, end)
    return tuple(Word(text=form, start=a, end=b, probability=1.0) for form, (a, b) in zip(typed, times, strict=True))


def _fill_times(
    times: Sequence[tuple[Milliseconds, Milliseconds] | None], start: Milliseconds, end: Milliseconds
) -> list[tuple[Milliseconds, Milliseconds]]:
    """Fill in unknown times, in order within the stretch: they share what lies between their neighbours evenly."""
    filled: list[tuple[Milliseconds, Milliseconds]] = []
    index = 0
    while index < len(times):
        since = filled[-1][1] if filled else start
        span = times[index]
        if span is not None:
            first = min(max(span[0], filled[-1][0] if filled else start), end)
            filled.append((first, min(max(span[1], first), end)))
            index += 1
            continue
        upto = next((other for other in range(index, len(times)) if times[other] is not None), len(times))
        following = times[upto] if upto < len(times) else None
        limit = max(since, min(end if following is None else following[0], end))
        step = (limit - since) / (upto - index)
        filled += [(since + round(n * step), since + round((n + 1) * step)) for n in range(upto - index)]
        index = upto
    return filled
