"""
Turn speech to words: full windows, and a second hearing of what came out of them without words, in a loop or as noise.

A stretch that is doubted is heard again with the sound around it, alone if words are still lost in it, then once more
with words drawn by lot. Short ones share a window at first and at last, since a window of 30 s costs the same however
little is in it. The better answer is kept by
`coverage.Worth`: coverage first, then no loop, then the mean log-probability.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from transcribe.pipeline.coverage import (
    find_drawn_out,
    find_loops,
    find_missed,
    is_unlikely,
    narrow_to_drawn_out,
    rate_words,
    unite,
)
from transcribe.pipeline.windows import (
    SURROUNDINGS,
    WINDOW_MARGIN,
    CutPoint,
    Stretch,
    WindowPlan,
    fit_to_speech,
    is_same,
    join,
    middle_of,
    split,
)
from transcribe.protocols import SAMPLE_RATE_HZ, Heard, Pcm, Recogniser, Span, Window
from transcribe.records import Milliseconds, Word

#: Temperatures of the hearings after the first.
TEMPERATURES: Final = (0.0, 0.4)

#: Gives the window that hears a plan: its language, prompt and hotwords.
AskWindow = Callable[[WindowPlan], Window]


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """The words of one recording."""

    #: In time order, each cut to the speech that it lies in.
    words: tuple[Word, ...]
    #: What was heard in each window, in order.
    answers: tuple[Heard, ...]
    #: Speech of a second or more that has no word still.
    missed: tuple[Span, ...]
    #: Windows that were heard, again or for the first time.
    windows: int


def recognise_speech(
    recogniser: Recogniser,
    pcm: Pcm,
    speech: Sequence[Stretch],
    plans: Sequence[WindowPlan],
    ask_window: AskWindow,
    *,
    longest: Milliseconds,
    cut_point: CutPoint,
    temperatures: Sequence[float] = TEMPERATURES,
) -> Recognition:
    """
    Recognise the words of a recording, in the windows of *plans* and again where that is doubted.

    Args:
        recogniser: Whose words they are.
        pcm: Sound of the recording or of one of its channels.
        speech: Stretches in order and apart.
        plans: Windows that hold all of *speech*.
        ask_window: The window of a plan.
        longest: Upper bound of a window.
        cut_point: Where a doubted stretch that is too long for a window may best be cut.
        temperatures: Those of the hearings after the first; none: all is heard once.
    """
    if not plans:
        return Recognition(words=(), answers=(), missed=(), windows=0)
    answers = recogniser.recognise(pcm, [ask_window(plan) for plan in plans])
    words = fit_to_speech(join([answer.words for answer in answers], plans), speech)
    again = _Rehearing(recogniser, pcm, speech, plans, ask_window, longest)
    doubtful = _find_doubtful(answers, speech, words)

    def hear_again(spans: Sequence[Span], temperature: float, *, alone: bool = False) -> list[Span]:
        nonlocal words
        stretches = [part for span in spans for part in split(span, longest - 2 * SURROUNDINGS, cut_point)]
        words, doubtful = again.hear(stretches, words, temperature, alone=alone)
        return doubtful

    for temperature in temperatures if doubtful else ():
        doubtful = hear_again(doubtful, temperature)
        # What is lost among others in a window may be heard alone.
        if not temperature and (lost := _find_lost(speech, words)):
            doubtful = unite([*doubtful, *hear_again(narrow_to_drawn_out(lost, words), temperature, alone=True)])
        doubtful = unite([*doubtful, *_find_lost(speech, words)])
    return Recognition(
        words=tuple(words),
        answers=tuple(answers),
        missed=tuple(find_missed(speech, words)),
        windows=len(plans) + again.windows,
    )


def _find_doubtful(answers: Sequence[Heard], speech: Sequence[Span], words: Sequence[Word]) -> list[Span]:
    """Find the stretches worth hearing again, in order and apart."""
    loops = [loop for answer in answers for loop in find_loops(answer.words, speech)]
    unlikely = [span for answer in answers if is_unlikely(answer) for span in answer.window.spans]
    return unite([*_find_lost(speech, words), *loops, *unlikely])


def _find_lost(speech: Sequence[Span], words: Sequence[Word]) -> list[Span]:
    """Find where words are missing: speech without any, and words that are laid over the sound of others."""
    return unite([*_find_wordless(speech, words), *(run.span for run in find_drawn_out(words))])


def _find_wordless(speech: Sequence[Span], words: Sequence[Word]) -> list[Span]:
    """
    Find speech without words, with the word before it where that is drawn out over it: nobody knows where it was said.
    """
    starts = [word.start for word in words]
    spans = []
    for span in find_missed(speech, words):
        previous = words[max(0, bisect.bisect_left(starts, span.start) - 1) :][:1]
        start = min([span.start, *(word.start for word in previous if word.end > span.start)])
        spans.append(replace(span, start=start))
    return spans


class _Rehearing:
    """Hears stretches of one recording again, and keeps the better words."""

    def __init__(
        self,
        recogniser: Recogniser,
        pcm: Pcm,
        speech: Sequence[Span],
        plans: Sequence[WindowPlan],
        ask_window: AskWindow,
        longest: Milliseconds,
    ) -> None:
        self._recogniser, self._pcm, self._speech, self._longest = recogniser, pcm, speech, longest
        self._plans, self._ask_window = plans, ask_window
        self._starts = [plan.start for plan in plans]
        self._speech_starts = [span.start for span in speech]
        self._heard = {plan.pieces for plan in plans}
        self._duration: Milliseconds = len(pcm) * 1_000 // SAMPLE_RATE_HZ
        self.windows = 0

    def hear(
        self, stretches: Sequence[Span], words: Sequence[Word], temperature: float, *, alone: bool
    ) -> tuple[list[Word], list[Span]]:
        """
        Return *words* with the better ones in *stretches*, and those of them that loop or are unlikely still.

        Args:
            alone: Each stretch in a window of its own.
        """
        new, doubtful = [], []
        for window, group in self._group(stretches, alone=alone):
            # The same sound has the same answer, unless words are drawn by lot.
            if temperature or window.pieces not in self._heard:
                new.append((window, group))
                self._heard.add(window.pieces)
            else:
                doubtful += group
        windows = [replace(window, temperature=temperature) for window, _ in new]
        self.windows += len(windows)
        line = _WordLine(words)
        for answer, (_, group) in zip(self._recogniser.recognise(self._pcm, windows), new, strict=True):
            fresh = _WordLine(fit_to_speech(answer.words, self._speech))
            for stretch in group:
                better = max(line.inside(stretch), fresh.inside(stretch), key=partial(self._rate, stretch=stretch))
                line.put(better, stretch)
                if rate_words(better, self._speech, stretch).loops or is_unlikely(answer):
                    doubtful.append(stretch)
        return line.words, unite(doubtful)

    def _rate(self, words: Sequence[Word], stretch: Span) -> tuple[int, bool, float]:
        return rate_words(words, self._speech, stretch).key

    def _group(self, stretches: Sequence[Span], *, alone: bool) -> list[tuple[Window, list[Span]]]:
        """
        Group *stretches* into windows that hear them with the sound around, several in one as far as they have room.
        """
        groups: list[tuple[Window, list[Span]]] = []
        for stretch in stretches:
            if groups and not alone:
                group = [*groups[-1][1], stretch]
                window = self._make_window(group)
                if window.duration <= self._longest and _is_alike(window, groups[-1][0], self._make_window([stretch])):
                    groups[-1] = (window, group)
                    continue
            groups.append((self._make_window([stretch], end_margin=0 if alone else WINDOW_MARGIN), [stretch]))
        return groups

    def _make_window(self, stretches: Sequence[Span], *, end_margin: Milliseconds = WINDOW_MARGIN) -> Window:
        """
        Make the window of *stretches* and the sound around, asked for as the one that first held the first of them.
        """
        plan = self._plans[max(0, bisect.bisect_right(self._starts, stretches[0].start) - 1)]
        pieces = unite(self._add_quiet(stretch, end_margin) for stretch in stretches)
        return self._ask_window(replace(plan, start=pieces[0].start, end=pieces[-1].end, pieces=tuple(pieces)))

    def _add_quiet(self, stretch: Span, end_margin: Milliseconds) -> Span:
        """
        Widen *stretch* by the quiet around it, and by no more than the margin of what is said before and after.

        A hearing that begins with a sentence that was heard well tends to end with it too, and loses the rest again.
        What is heard alone has no margin of what is said after it, for which it might be skipped again.
        """
        previous_end = max((span.end for span in self._find_last_before(stretch.start)), default=0)
        until = self._count_before(stretch.end)
        goes_on = any(span.end > stretch.end for span in self._find_last_before(stretch.end))
        after = stretch.end if goes_on else next(iter(self._speech_starts[until : until + 1]), self._duration)
        start = stretch.start - min(max(stretch.start - previous_end, WINDOW_MARGIN), SURROUNDINGS)
        end = stretch.end + min(max(after - stretch.end, end_margin), SURROUNDINGS)
        return Span(start=max(0, start), end=min(self._duration, end))

    def _count_before(self, moment: Milliseconds) -> int:
        """Count the stretches of speech that begin before *moment*."""
        return bisect.bisect_left(self._speech_starts, moment)

    def _find_last_before(self, moment: Milliseconds) -> Sequence[Span]:
        """Find the last stretch of speech that begins before *moment*, if there is one."""
        count = self._count_before(moment)
        return self._speech[max(0, count - 1) : count]


def _is_alike(*windows: Window) -> bool:
    """Tell if *windows* are in one language, with one prompt."""
    return len({replace(window, start=0, end=0, pieces=()) for window in windows}) == 1


class _WordLine:
    """The words of a recording, ordered by their middles."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = sorted(words, key=middle_of)
        self._middles = [middle_of(word) for word in self._words]

    @property
    def words(self) -> list[Word]:
        """The words in time order."""
        return sorted(self._words, key=lambda word: (word.start, word.end))

    def inside(self, stretch: Span) -> list[Word]:
        """Return the words of *stretch*."""
        return self._words[self._find_slice(stretch)]

    def put(self, words: Sequence[Word], stretch: Span) -> None:
        """Write *words* into *stretch* in place of its own; one that a neighbour says already is not said twice."""
        bounds = self._find_slice(stretch)
        near = self._words[max(0, bounds.start - 1) : bounds.start] + self._words[bounds.stop : bounds.stop + 1]
        new = [word for word in words if not any(is_same(word, neighbour) for neighbour in near)]
        self._words[bounds] = new
        self._middles[bounds] = [middle_of(word) for word in new]

    def _find_slice(self, stretch: Span) -> slice:
        return slice(bisect.bisect_left(self._middles, stretch.start), bisect.bisect_left(self._middles, stretch.end))
