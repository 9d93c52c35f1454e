"""
Speech to words: full windows, and a second hearing of what came out of them without words, in a loop or as noise.

A stretch that is doubted is heard again alone, with more sound around it, then once more with words drawn by lot. The
better answer is kept by `coverage.Worth`: coverage first, then no loop, then the mean log-probability.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from transcribe.coverage import find_loops, find_missed, is_unlikely, rate_words, unite
from transcribe.protocols import SAMPLE_RATE_HZ, Heard, Pcm, Recogniser, Span, Window
from transcribe.records import Milliseconds, Word
from transcribe.windows import (
    SURROUNDINGS,
    CutPoint,
    Stretch,
    WindowPlan,
    fit_to_speech,
    is_same,
    join,
    middle_of,
    split,
)

#: Temperatures of the hearings after the first.
TEMPERATURES: Final = (0.0, 0.4)

#: Gives the window that hears a plan: its language, prompt and hotwords.
AskWindow = Callable[[WindowPlan], Window]


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """What was said in one recording."""

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
    The words of a recording, in the windows of *plans* and again where that is doubted.

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
    again = _Again(recogniser, pcm, speech, plans, ask_window)
    doubtful = _doubtful(answers, speech, words)
    for temperature in temperatures:
        if not doubtful:
            break
        stretches = [part for span in doubtful for part in split(span, longest - 2 * SURROUNDINGS, cut_point)]
        words, doubtful = again.hear(stretches, words, temperature)
    return Recognition(
        words=tuple(words),
        answers=tuple(answers),
        missed=tuple(find_missed(speech, words)),
        windows=len(plans) + again.windows,
    )


def _doubtful(answers: Sequence[Heard], speech: Sequence[Span], words: Sequence[Word]) -> list[Span]:
    """The stretches worth hearing again, in order and apart."""
    loops = [loop for answer in answers for loop in find_loops(answer.words, speech)]
    unlikely = [span for answer in answers if is_unlikely(answer) for span in answer.window.spans]
    return unite([*find_missed(speech, words), *loops, *unlikely])


class _Again:
    """Hears stretches of one recording again, and keeps the better words."""

    def __init__(
        self,
        recogniser: Recogniser,
        pcm: Pcm,
        speech: Sequence[Span],
        plans: Sequence[WindowPlan],
        ask_window: AskWindow,
    ) -> None:
        self._recogniser, self._pcm, self._speech = recogniser, pcm, speech
        self._plans, self._ask_window = plans, ask_window
        self._heard = {plan.pieces for plan in plans}
        self._duration: Milliseconds = len(pcm) * 1_000 // SAMPLE_RATE_HZ
        self.windows = 0

    def hear(
        self, stretches: Sequence[Span], words: Sequence[Word], temperature: float
    ) -> tuple[list[Word], list[Span]]:
        """*words* with the better ones in *stretches*, and the stretches that are doubtful still."""
        asked = [(stretch, self._window(stretch, temperature)) for stretch in stretches]
        # The same sound has the same answer, unless words are drawn by lot.
        doubtful = [stretch for stretch, window in asked if not temperature and window.pieces in self._heard]
        asked = [(stretch, window) for stretch, window in asked if stretch not in doubtful]
        self.windows += len(asked)
        kept = list(words)
        answers = self._recogniser.recognise(self._pcm, [window for _, window in asked])
        for (stretch, _), answer in zip(asked, answers, strict=True):
            inside = [word for word in fit_to_speech(answer.words, self._speech) if _lies_in(word, stretch)]
            before = [word for word in kept if _lies_in(word, stretch)]
            if self._worth(inside, stretch) > self._worth(before, stretch):
                kept = _replace_words(kept, inside, stretch)
            missed_steps, no_loop, _ = self._worth([word for word in kept if _lies_in(word, stretch)], stretch)
            if missed_steps < -1 or not no_loop or is_unlikely(answer):
                doubtful.append(stretch)
        return kept, unite(doubtful)

    def _worth(self, words: Sequence[Word], stretch: Span) -> tuple[int, bool, float]:
        return rate_words(words, self._speech, stretch).key

    def _window(self, stretch: Span, temperature: float) -> Window:
        """*stretch* alone with the sound around it, asked for as the window that first held it."""
        middle = (stretch.start + stretch.end) // 2
        plan = min(self._plans, key=lambda plan: max(plan.start - middle, middle - plan.end))
        start = max(0, stretch.start - SURROUNDINGS)
        end = min(self._duration, stretch.end + SURROUNDINGS)
        alone = replace(plan, start=start, end=end, pieces=(Span(start=start, end=end),))
        return replace(self._ask_window(alone), temperature=temperature)


def _lies_in(word: Word, stretch: Span) -> bool:
    return stretch.start <= middle_of(word) < stretch.end


def _replace_words(words: Sequence[Word], better: Sequence[Word], stretch: Span) -> list[Word]:
    """*words* with the *better* ones in *stretch*; one that a neighbour outside says already is not said twice."""
    outside = [word for word in words if not _lies_in(word, stretch)]
    new = [word for word in better if not any(is_same(word, other) for other in outside)]
    return sorted([*outside, *new], key=lambda word: (word.start, word.end))
