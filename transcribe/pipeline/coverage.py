"""
Speech without words, and words without end: the parts of an answer that need another pass. Pure.

Confidence cannot find a sentence that was never written down, and a loop is sure of itself. Words laid over speech can.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dialects.text.repetition import count_words, find_loop, split_words
from transcribe.pipeline.windows import longest_saying
from transcribe.protocols import Heard, Span
from transcribe.records import Milliseconds, Segment, Word

#: Speech this long without a word is missing one.
MISSED: Final[Milliseconds] = 1_000

#: How long words take at a slow pace: each, a letter, a digit that is read out; and the pause that ends a run of them.
USUAL_WORD: Final[Milliseconds] = 250
USUAL_LETTER: Final[Milliseconds] = 80
USUAL_DIGIT: Final[Milliseconds] = 350
PAUSE: Final[Milliseconds] = 500
#: Longer than that by so much is drawn out.
DRAWN_OUT: Final[Milliseconds] = 250

#: A segment answers for speech without words of which it has one part in so many.
FAIR_SHARE: Final = 4

#: Words of a loop from which nobody speaks it, and letters a second.
LONGEST_ROUND: Final = 12
FASTEST_ROUND: Final = 20

#: Mean log-probability of a token below which an answer is likelier noise: Whisper's own threshold.
UNLIKELY: Final = -1.0

#: Speech without words up to which two answers count as equally whole.
EQUALLY_WHOLE: Final[Milliseconds] = 500


def find_missed(speech: Iterable[Span], words: Iterable[Word], *, shortest: Milliseconds = MISSED) -> list[Span]:
    """
    Return the parts of *speech* of *shortest* or more that no word covers, in order.

    Args:
        speech: Stretches in order and apart.
        words: In order of their start.

    >>> heard = [Word(text="yes", start=100, end=3_000, probability=1)]
    >>> find_missed([Span(start=0, end=3_000)], heard)
    [Span(start=1050, end=3000)]
    """
    covers = [(word.start, min(word.end, word.start + longest_saying(word))) for word in words]
    missed = []
    first = 0
    for stretch in speech:
        while first < len(covers) and covers[first][1] <= stretch.start:
            first += 1
        position = stretch.start
        for start, end in itertools.islice(covers, first, None):
            if start >= stretch.end:
                break
            missed.append(Span(start=position, end=start))
            position = max(position, end)
        missed.append(Span(start=position, end=stretch.end))
    return [part for part in missed if part.end - part.start >= shortest]


@dataclass(frozen=True, kw_only=True)
class DrawnOut:
    """A run of words that takes longer than people take to say it."""

    span: Span
    #: Longer by how much.
    excess: Milliseconds


def find_drawn_out(words: Sequence[Word], *, least: Milliseconds = MISSED) -> list[DrawnOut]:
    """
    Find the runs of *words*, in order of their start, that take *least* longer than at a slow pace, in order and apart.

    Where a sentence was not written, attention lays the words around it over its sound, each a little too long. One
    slow word is nothing, and neither is a slow speaker: words that are said in time pay for those before them. A run
    ends at a pause, and where the words after it are said in time.

    >>> said = [("think?", 3280, 4460), ("He", 4460, 5440), ("was", 5440, 5440), ("at", 5440, 6540)]
    >>> find_drawn_out([Word(text=t, start=since, end=upto, probability=1) for t, since, upto in said])
    [DrawnOut(span=Span(start=3280, end=6540), excess=1300)]
    """
    runs: list[DrawnOut] = []
    best, longer, first = DrawnOut(span=Span(start=0, end=0), excess=0), 0, 0
    for position, word in enumerate(words):
        in_time = best.excess - longer > PAUSE or longer <= 0
        if in_time or word.start - words[position - 1].end > PAUSE:
            runs.append(best)
            best, longer, first = replace(best, excess=0), 0, position
        excess = word.end - word.start - _usual_time(word)
        # A run begins with a word that is drawn out itself: what begins with words heard well tends to be lost again.
        longer += excess if longer or excess >= DRAWN_OUT else 0
        if longer > best.excess:
            best = DrawnOut(span=Span(start=words[first].start, end=word.end), excess=longer)
    return [run for run in (*runs, best) if run.excess >= least]


def narrow_to_drawn_out(spans: Iterable[Span], words: Sequence[Word], *, least: Milliseconds = MISSED) -> list[Span]:
    """
    Return, in place of each of *spans* in which single *words* take *least* longer than at a slow pace, those words'.

    Whisper may skip a sentence for the one that follows it; a window that ends where the sentence ends leaves it no
    other.

    >>> said = [("Anything", 580, 3_260), ("fragile?", 3_260, 4_400)]
    >>> words = [Word(text=text, start=start, end=end, probability=1) for text, start, end in said]
    >>> narrow_to_drawn_out([Span(start=580, end=4_400), Span(start=6_000, end=7_000)], words)
    [Span(start=580, end=3260), Span(start=6000, end=7000)]
    """
    long_words = [word for word in words if word.end - word.start - _usual_time(word) >= least]
    narrow: list[Span] = []
    for span in spans:
        inside = [word for word in long_words if span.start <= word.start and word.end <= span.end]
        narrow += [Span(start=word.start, end=word.end) for word in inside] or [span]
    return narrow


def _usual_time(word: Word) -> Milliseconds:
    """Return how long *word* takes at a slow pace; vowel signs are said with their letters."""
    digits = sum(letter.isdecimal() for letter in word.text)
    return USUAL_WORD + USUAL_DIGIT * digits + USUAL_LETTER * sum(letter.isalpha() for letter in word.text)


def longest_missed(missed: Iterable[Span], segment: Span | Segment) -> Milliseconds:
    """
    Return the length of the longest stretch without words of which *segment* has a fair share; 0 if there is none.

    A stretch at a change of speaker lies in two segments, and neither may be silent about it.

    >>> longest_missed([Span(start=4_500, end=5_700)], Span(start=0, end=5_000))
    1200
    """
    lengths = (
        span.end - span.start
        for span in missed
        if (min(span.end, segment.end) - max(span.start, segment.start)) * FAIR_SHARE >= span.end - span.start
    )
    return max(lengths, default=0)


def find_loops(words: Sequence[Word], speech: Sequence[Span]) -> list[Span]:
    """
    Find the stretches over which *words*, which are few, loop as nobody speaks, in order.

    People do say "four four four four" where they read numbers out, but not a dozen words in the same round, and not
    faster than anybody talks. Attention draws a loop out over the pause behind it, so its time is that of *speech*.
    """
    loops: list[Span] = []
    first = 0
    parts = [replace(word, text=text) for word in words for text in split_words(word.text)]
    while (loop := find_loop([part.text for part in parts[first:]])) is not None:
        looping = parts[first + loop[0] : first + loop[1]]
        span = Span(start=looping[0].start, end=max(word.end for word in looping))
        letters = sum(len(word.text) for word in looping)
        if count_words(
            [part.text for part in looping]
        ) >= LONGEST_ROUND or letters * 1_000 > FASTEST_ROUND * _measure_speech(span, speech):
            loops.append(span)
        first += loop[1]
    return loops


def _measure_speech(stretch: Span, speech: Iterable[Span]) -> Milliseconds:
    """Return how long *speech* lasts inside *stretch*."""
    return sum(max(0, min(span.end, stretch.end) - max(span.start, stretch.start)) for span in speech)


def unite(spans: Iterable[Span]) -> list[Span]:
    """Merge *spans* that touch, in order."""
    united: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if united and span.start <= united[-1].end:
            united[-1] = replace(united[-1], end=max(united[-1].end, span.end))
        else:
            united.append(span)
    return united


def is_unlikely(answer: Heard) -> bool:
    """Say if *answer* is likelier noise than speech."""
    return answer.log_probability is not None and answer.log_probability < UNLIKELY


@dataclass(frozen=True, kw_only=True)
class Worth:
    """The quality of an answer over a stretch; the greater one is the better."""

    #: Speech without a word, in steps of *EQUALLY_WHOLE*: coverage comes first.
    missed_steps: int
    loops: bool
    #: Mean log-probability of the words; the lowest there is without any.
    log_probability: float

    @property
    def key(self) -> tuple[int, bool, float]:
        return (-self.missed_steps, not self.loops, self.log_probability)


def rate_words(words: Sequence[Word], speech: Sequence[Span], stretch: Span) -> Worth:
    """Rate *words* as the text of *stretch*."""
    inside = [
        Span(start=max(span.start, stretch.start), end=min(span.end, stretch.end))
        for span in speech
        if span.start < stretch.end and span.end > stretch.start
    ]
    missed = sum(span.end - span.start for span in find_missed(inside, words, shortest=EQUALLY_WHOLE))
    # What a word covers beyond the longest saying of it is missed already.
    within = [replace(word, end=min(word.end, word.start + longest_saying(word))) for word in words]
    drawn_out = sum(run.excess for run in find_drawn_out(within, least=EQUALLY_WHOLE))
    return Worth(
        missed_steps=(missed + drawn_out) // EQUALLY_WHOLE,
        loops=bool(find_loops(words, inside)),
        log_probability=mean_log_probability(words),
    )


def mean_log_probability(words: Sequence[Word]) -> float:
    """The mean log-probability of *words*; the lowest there is without any."""
    logs = [math.log(max(word.probability, 1e-6)) for word in words]
    return sum(logs) / len(logs) if logs else -math.inf
