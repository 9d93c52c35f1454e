"""Second hearings, with recognisers that lose or repeat words by a rule."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

from tests.desk_setup import LOW, SYLLABLES, sound
from tests.scripted import ScriptedDetector, ScriptedRecogniser
from transcribe.pipeline.recognition import Recognition, recognise_speech
from transcribe.pipeline.windows import WindowPlan, halfway, pack, unite_speech
from transcribe.protocols import Heard, Pcm, Window
from transcribe.records import Milliseconds

_CHANCE = random.Random(3)
#: Ten seconds of speech without a loop in it.
MELODY = [(start, start + 400, _CHANCE.choice([220, 233, 247, 262, 277])) for start in range(0, 10_000, 400)]


class ForgetfulRecogniser(ScriptedRecogniser):
    """Loses what comes after a moment of the recording in its first so many hearings of it."""

    def __init__(self, *, after: Milliseconds, times: int) -> None:
        super().__init__()
        self._after, self._times = after, times
        self.temperatures: list[float] = []

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        self.temperatures += [window.temperature for window in windows]
        answers = super().recognise(pcm, windows)
        self._times -= 1
        return [self._forget(answer) for answer in answers] if self._times >= 0 else answers

    def _forget(self, answer: Heard) -> Heard:
        return dataclasses.replace(answer, words=tuple(word for word in answer.words if word.end <= self._after))


class DrawlingRecogniser(ForgetfulRecogniser):
    """Draws the first word that it loses out over all that comes after it."""

    def _forget(self, answer: Heard) -> Heard:
        lost = [word for word in answer.words if word.end > self._after]
        drawn_out = [dataclasses.replace(lost[0], end=lost[-1].end)] if lost else []
        return dataclasses.replace(answer, words=(*super()._forget(answer).words, *drawn_out))


def recognise(recogniser: ScriptedRecogniser, pcm: Pcm) -> Recognition:
    speech = unite_speech([], ScriptedDetector().detect(pcm))
    plans = pack(speech, duration=len(pcm) // 16)

    def ask_window(plan: WindowPlan) -> Window:
        return Window(start=plan.pieces[0].start, end=plan.pieces[-1].end, pieces=plan.pieces)

    return recognise_speech(recogniser, pcm, speech, plans, ask_window, longest=29_800, cut_point=halfway)


def test_what_was_lost_once_is_heard_again_and_written_once() -> None:
    pcm = sound(MELODY, 10_000)
    forgetful = ForgetfulRecogniser(after=4_000, times=1)
    assert recognise(forgetful, pcm).words == recognise(ScriptedRecogniser(), pcm).words
    assert forgetful.temperatures == [0.0, 0.0]


def test_the_third_hearing_draws_words_by_lot() -> None:
    pcm = sound(MELODY, 10_000)
    forgetful = ForgetfulRecogniser(after=4_000, times=2)
    assert recognise(forgetful, pcm).words == recognise(ScriptedRecogniser(), pcm).words
    assert forgetful.temperatures == [0.0, 0.0, 0.4]


def test_words_under_a_word_that_was_drawn_out_over_them_come_back() -> None:
    pcm = sound(MELODY, 10_000)
    assert recognise(DrawlingRecogniser(after=4_000, times=1), pcm).words == recognise(ScriptedRecogniser(), pcm).words


def test_what_nobody_can_write_down_is_told_after_three_hearings() -> None:
    forgetful = ForgetfulRecogniser(after=4_000, times=9)
    recognition = recognise(forgetful, sound(MELODY, 10_000))
    assert [(span.start, span.end) for span in recognition.missed] == [(4_000, 10_000)]
    assert len(forgetful.temperatures) == recognition.windows == 3


def test_nothing_is_heard_again_where_nothing_is_missing() -> None:
    recognition = recognise(ScriptedRecogniser(), sound(MELODY, 10_000))
    assert (recognition.windows, recognition.missed) == (1, ())


def test_silence_is_not_heard_at_all() -> None:
    assert recognise(ScriptedRecogniser(), sound([], 5_000)).windows == 0


def test_a_loop_stays_where_no_hearing_is_better() -> None:
    recognition = recognise(ScriptedRecogniser(), sound([(0, 8_000, LOW)], 8_000))
    assert {word.text for word in recognition.words} == {SYLLABLES[LOW]}
    assert len(recognition.words) == 20
