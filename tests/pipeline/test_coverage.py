"""Speech without words and words without end: what is worth hearing again, and which answer is the better."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from transcribe.pipeline.coverage import (
    MISSED,
    find_drawn_out,
    find_loops,
    find_missed,
    longest_missed,
    rate_words,
    unite,
)
from transcribe.protocols import Span
from transcribe.records import Word

SPOKEN = [Span(start=0, end=10_000)]


def word(text: str, start: int, end: int, probability: float = 0.9) -> Word:
    return Word(text=text, start=start, end=end, probability=probability)


def spans(stretches: list[Span]) -> list[tuple[int, int]]:
    return [(stretch.start, stretch.end) for stretch in stretches]


def test_a_sentence_at_the_end_of_a_window_that_was_not_written_is_missed() -> None:
    words = [word("see", 200, 500), word("you.", 500, 900)]
    assert spans(find_missed([Span(start=100, end=4_000)], words)) == [(900, 4_000)]


def test_a_word_drawn_out_over_a_sentence_does_not_cover_it() -> None:
    assert spans(find_missed([Span(start=0, end=4_000)], [word("you", 0, 4_000)])) == [(950, 4_000)]


def test_less_than_a_second_between_words_is_not_missed() -> None:
    assert find_missed([Span(start=0, end=2_000)], [word("a", 0, 400), word("b", 1_399, 2_000)]) == []


def test_a_pause_is_not_missed() -> None:
    assert find_missed([Span(start=0, end=500), Span(start=3_000, end=3_500)], [word("a", 0, 500)]) == []


@given(
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 8_000)), max_size=8),
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 2_000)), max_size=20),
)
def test_what_is_missed_is_speech_without_a_word_and_all_of_it(
    stretches: list[tuple[int, int]], moments: list[tuple[int, int]]
) -> None:
    speech = unite(Span(start=start, end=start + length) for start, length in stretches)
    words = [word("words", start, start + min(length, 1_000)) for start, length in sorted(moments)]
    missed = find_missed(speech, words, shortest=1)
    spoken = {moment for span in speech for moment in range(span.start, span.end)}
    written = {moment for w in words for moment in range(w.start, w.end)}
    assert {moment for span in missed for moment in range(span.start, span.end)} == spoken - written
    assert find_missed(speech, words) == [span for span in missed if span.end - span.start >= MISSED]


def said_at(pace: float, *texts: str) -> list[Word]:
    """Give words that take so many seconds each, one after the other."""
    length = round(pace * 1_000)
    return [word(text, number * length, (number + 1) * length) for number, text in enumerate(texts)]


def test_words_that_are_laid_over_a_lost_sentence_are_found() -> None:
    words = [
        *said_at(0.4, "before"),
        *(word(text, 400 + moment, 1_500 + moment) for text, moment in (("I", 0), ("ask", 1_100))),
    ]
    assert [(run.span, run.excess) for run in find_drawn_out(words)] == [(Span(start=400, end=2_600), 1_380)]


def test_slow_speech_and_numbers_read_out_are_not_drawn_out() -> None:
    assert find_drawn_out(said_at(0.6, *["words", "said", "slowly"] * 9)) == []
    assert find_drawn_out(said_at(1.2, "743", "912")) == []


def test_a_pause_ends_a_run_of_drawn_out_words() -> None:
    words = [word("a", 0, 900), word("b", 1_500, 2_400)]
    assert find_drawn_out(words) == []


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 900)), max_size=20))
def test_drawn_out_runs_are_in_order_and_apart(made: list[tuple[int, int]]) -> None:
    words, moment = [], 0
    for length, pause in made:
        words.append(word("said", moment, moment + length))
        moment += length + pause
    runs = [run.span for run in find_drawn_out(words)]
    assert all(run.end <= following.start for run, following in pairwise(runs))
    assert all(span.end - span.start >= MISSED for span in runs)


def test_a_loop_is_doubted_where_nobody_could_say_it() -> None:
    stuck = [word("thank", moment, moment + 40) for moment in range(0, 400, 40)]
    assert spans(find_loops(stuck, [Span(start=0, end=400)])) == [(0, 400)]


def test_a_loop_that_is_drawn_out_over_a_pause_is_doubted() -> None:
    words = [word("taught", moment, moment + 500) for moment in range(0, 4_000, 500)]
    assert spans(find_loops(words, [Span(start=0, end=1_200)])) == [(0, 4_000)]


def test_numbers_read_out_are_no_loop_to_be_doubted() -> None:
    assert find_loops([word("four", moment, moment + 400) for moment in range(0, 2_000, 400)], SPOKEN) == []


def test_a_dozen_of_the_same_words_are_doubted_at_any_speed() -> None:
    assert len(find_loops([word("no", moment, moment + 400) for moment in range(0, 4_800, 400)], SPOKEN)) == 1


def test_the_answer_that_covers_more_speech_is_the_better_however_sure_the_other_is() -> None:
    speech, stretch = [Span(start=0, end=4_000)], Span(start=0, end=4_000)
    whole = [word("some", moment, moment + 900, 0.3) for moment in range(0, 4_000, 900)]
    sure = [word("some", 0, 900, 0.99)]
    assert rate_words(whole, speech, stretch).key > rate_words(sure, speech, stretch).key
    assert rate_words(sure, speech, stretch).key > rate_words([], speech, stretch).key


def test_of_two_that_cover_the_same_the_surer_one_is_the_better() -> None:
    speech, stretch = [Span(start=0, end=900)], Span(start=0, end=900)
    surer, other = [word("a", 0, 900, 0.8)], [word("b", 0, 900, 0.7)]
    assert rate_words(surer, speech, stretch).key > rate_words(other, speech, stretch).key


def test_a_stretch_without_words_at_a_change_of_speaker_is_told_of_on_both_sides() -> None:
    missed = [Span(start=24_206, end=25_436)]
    first, second, later = (
        Span(start=20_000, end=24_933),
        Span(start=24_933, end=26_890),
        Span(start=25_400, end=30_000),
    )
    assert [longest_missed(missed, segment) for segment in (first, second, later)] == [1_230, 1_230, 0]


def test_a_loop_of_digits_that_is_written_in_one_go_is_a_loop() -> None:
    assert spans(find_loops([word("0,7," + ",".join(["1,2"] * 12), 200, 3_000)], SPOKEN)) == [(200, 3_000)]
    assert find_loops([word("1-800-555-0199", 200, 4_000)], SPOKEN) == []
