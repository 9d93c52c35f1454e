"""Speech to windows and words: the laws, and the cases that once went wrong elsewhere."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from tests.pipeline.test_segmentation import conversations, turn, word
from transcribe.pipeline.windows import (
    LONGEST_PAUSE,
    QUIET,
    SURROUNDINGS,
    WINDOW_MARGIN,
    Stretch,
    WindowPlan,
    fit_to_speech,
    join,
    pack,
    unite_speech,
)
from transcribe.protocols import Span, Window
from transcribe.records import Milliseconds, Turn, Word


def spans(stretches: Sequence[Span]) -> list[tuple[int, int]]:
    return [(stretch.start, stretch.end) for stretch in stretches]


def moments(stretches: Sequence[Span]) -> set[Milliseconds]:
    """Every tenth of a second that a stretch touches."""
    return {tick for stretch in stretches for tick in range(stretch.start // 100, (stretch.end - 1) // 100 + 1)}


def test_nothing_spoken_gives_no_window() -> None:
    assert pack([], duration=10_000) == []


def test_speech_that_only_the_detector_heard_is_heard() -> None:
    united = unite_speech(
        [turn("A", 3_000, 5_000, dialect="hi")], [Span(start=0, end=1_000), Span(start=4_000, end=6_000)]
    )
    assert spans(united) == [(0, 1_000), (3_000, 6_000)]
    assert [stretch.dialect for stretch in united] == [None, "hi"]


def test_windows_are_filled_across_speakers() -> None:
    turns = [turn("AB"[i % 2], i * 3_000, i * 3_000 + 2_500) for i in range(9)]
    assert spans(pack(unite_speech(turns), duration=27_000)) == [(0, 27_000)]


def test_windows_are_cut_in_the_widest_pause() -> None:
    turns = [turn("A", 0, 9_000), turn("A", 9_200, 17_000), turn("A", 19_000, 26_000), turn("A", 26_100, 34_000)]
    assert spans(pack(unite_speech(turns), duration=34_000)) == [(0, 18_000), (18_000, 34_000)]


def test_a_change_of_language_ends_a_window() -> None:
    turns = [turn("A", 0, 2_000, dialect="hi"), turn("B", 2_100, 4_000, dialect="ta")]
    windows = pack(unite_speech(turns), duration=5_000, languages={"hi": "hi", "ta": "ta"})
    assert [window.dialect for window in windows] == ["hi", "ta"]


def test_a_long_pause_is_shortened_to_half_a_second_of_its_own_quiet() -> None:
    (window,) = pack([Stretch(start=500, end=2_000), Stretch(start=12_000, end=14_000)], duration=14_500)
    assert spans(window.pieces) == [(0, 2_000 + QUIET), (12_000 - QUIET, 14_500)]


def test_a_short_pause_is_heard_whole() -> None:
    (window,) = pack([Stretch(start=0, end=2_000), Stretch(start=2_000 + LONGEST_PAUSE, end=4_000)], duration=4_000)
    assert spans(window.pieces) == [(0, 4_000)]


def test_a_window_hears_the_quiet_around_it_where_it_has_room() -> None:
    (window,) = pack([Stretch(start=5_000, end=8_000)], duration=20_000)
    assert spans(window.pieces) == [(5_000 - SURROUNDINGS, 8_000 + SURROUNDINGS)]


def test_sparse_speech_fills_windows() -> None:
    """Commands of a second, five seconds apart: what 30 s hold of them is one window."""
    speech = [Stretch(start=start, end=start + 1_000) for start in range(0, 600_000, 6_000)]
    windows = pack(speech, duration=600_000)
    assert len(windows) == -(-100 * (1_000 + 2 * QUIET) // (29_800 - 2 * WINDOW_MARGIN))


def test_a_moment_of_a_window_is_one_of_the_recording() -> None:
    window = Window(start=0, end=9_000, pieces=(Span(start=100, end=1_100), Span(start=8_000, end=9_000)))
    assert (window.duration, [window.moment(offset) for offset in (0, 999, 1_000, 2_500)]) == (
        2_000,
        [100, 1_099, 8_000, 9_000],
    )
    assert Window(start=5, end=7).spans == (Span(start=5, end=7),)


@given(conversations(), st.sampled_from([8_000, 10_000, 29_800]))
def test_windows_hold_all_speech_do_not_overlap_and_never_exceed_the_longest(turns: list[Turn], longest: int) -> None:
    duration = max((t.end for t in turns), default=0)
    windows = pack(unite_speech(turns), duration=duration, longest=longest, languages={"hi": "hi", "ta": "ta"})
    assert moments(unite_speech(turns)) <= moments(windows)
    assert moments(unite_speech(turns)) <= moments([piece for window in windows for piece in window.pieces])
    assert all(a.end <= b.start for a, b in itertools.pairwise(windows))
    for window in windows:
        pieces = window.pieces
        assert all(piece.start < piece.end for piece in pieces)
        assert all(a.end < b.start for a, b in itertools.pairwise(pieces))
        assert 0 <= pieces[0].start <= window.start < window.end <= pieces[-1].end <= duration
        assert sum(piece.end - piece.start for piece in pieces) <= longest


@given(st.lists(st.tuples(st.integers(300, 9_000), st.integers(0, 6_000)), min_size=1, max_size=60))
def test_no_fewer_windows_would_hold_the_speech(parts: list[tuple[int, int]]) -> None:
    """Filling each window up before the next is begun gives the fewest; the pauses chosen cost none more."""
    speech, position = [], 0
    for length, pause in parts:
        speech.append(Stretch(start=position, end=position + length))
        position += length + pause + 1
    room = 29_800 - 2 * WINDOW_MARGIN
    fewest, filled = 0, room + 1
    for previous, stretch in zip([None, *speech], speech, strict=False):
        pause = 0 if previous is None else stretch.start - previous.end
        filled += (pause if pause <= LONGEST_PAUSE else 2 * QUIET) + stretch.end - stretch.start
        if filled > room:
            fewest, filled = fewest + 1, stretch.end - stretch.start
    assert fewest <= len(pack(speech, duration=position)) <= fewest + fewest // 5


def test_where_speech_runs_on_both_windows_hear_the_other_side_of_the_cut() -> None:
    first, second = pack([Stretch(start=0, end=40_000)], duration=40_000)
    assert (first.end, second.start) == (20_000, 20_000)
    assert first.pieces[-1].end >= 20_000 + WINDOW_MARGIN
    assert second.pieces[0].start <= 20_000 - WINDOW_MARGIN


TOUCHING = [Stretch(start=0, end=1_000), Stretch(start=1_000, end=2_000)]


def test_a_word_at_a_cut_goes_to_the_window_that_holds_its_middle() -> None:
    earlier = [word("one", 300, 600), word("two", 700, 1_100), word("thr", 1_200, 1_400)]
    later = [word("oo", 700, 950), word("three", 1_150, 1_500)]
    assert [w.text for w in join([earlier, later], TOUCHING)] == ["one", "two", "three"]


def test_a_word_that_both_windows_claim_is_taken_once() -> None:
    joined = join([[word("two", 800, 1_100)], [word("two", 900, 1_200)]], TOUCHING)
    assert [(w.text, w.start) for w in joined] == [("two", 800)]


def test_a_word_that_neither_window_claims_is_taken_once() -> None:
    joined = join([[word("two", 900, 1_200)], [word("two", 800, 1_100), word("three", 1_300, 1_500)]], TOUCHING)
    assert [(w.text, w.start) for w in joined] == [("two", 900), ("three", 1_300)]


def test_a_word_that_one_window_heard_whole_and_put_past_the_cut_is_kept() -> None:
    joined = join([[word("one", 100, 500)], [word("two", 800, 1_100), word("three", 1_300, 1_500)]], TOUCHING)
    assert [w.text for w in joined] == ["one", "two", "three"]
    joined = join([[word("one", 100, 500), word("two", 900, 1_200)], [word("three", 1_300, 1_500)]], TOUCHING)
    assert [w.text for w in joined] == ["one", "two", "three"]


def test_half_a_word_past_the_cut_is_not_kept_beside_the_whole_one() -> None:
    joined = join([[word("two", 700, 1_100)], [word("oo", 850, 1_050), word("three", 1_300, 1_500)]], TOUCHING)
    assert [w.text for w in joined] == ["two", "three"]


def test_a_word_said_twice_is_kept_twice() -> None:
    joined = join([[word("two", 500, 900)], [word("two", 1_000, 1_400)]], TOUCHING)
    assert [w.text for w in joined] == ["two", "two"]


def test_windows_that_do_not_touch_keep_all_that_was_heard() -> None:
    apart = [Stretch(start=0, end=1_000), Stretch(start=1_500, end=2_000)]
    joined = join([[word("two", 800, 1_400)], [word("two", 1_100, 1_700)]], apart)
    assert [w.start for w in joined] == [800, 1_100]


@given(
    st.lists(st.integers(300, 900), max_size=60),
    st.lists(st.integers(2_000, 9_000), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
@example([300] * 6 + [835] + [900] * 5 + [604, 300], [7_536, 2_000], random.Random(6))
@example([300, 300, 300, 700, 801], [2_000, 2_000, 5_201], random.Random(1))
def test_every_word_is_joined_once_however_roughly_its_time_is_heard(
    lengths: list[int], widths: list[int], chance: random.Random
) -> None:
    """Each window hears whole words that lie in it with its context, up to a tenth of a second early or late."""
    ends = list(itertools.accumulate(lengths))
    spoken_words = [word(str(i), end - length, end) for i, (end, length) in enumerate(zip(ends, lengths, strict=True))]
    edges = [0, *itertools.accumulate(widths)]
    packed = pack([Stretch(start=a, end=b) for a, b in itertools.pairwise(edges)], duration=edges[-1], longest=10_000)

    def hear(stretch: WindowPlan) -> list[Word]:
        late = chance.randint(-100, 100)
        inside = [w for w in spoken_words if stretch.pieces[0].start <= w.start and w.end <= stretch.pieces[-1].end]
        return [word(w.text, w.start + late, w.end + late) for w in inside]

    joined = [w.text for w in join([hear(stretch) for stretch in packed], packed)]
    cuts = [stretch.start for stretch in packed]
    too_long = [
        w for w in spoken_words for cut in cuts if w.start < cut - WINDOW_MARGIN and cut + WINDOW_MARGIN < w.end
    ]
    whole = [w.text for w in spoken_words if w.end <= edges[-1] and w not in too_long]
    assert len(joined) == len(set(joined))
    assert joined == sorted(joined, key=int)
    assert set(whole) <= set(joined)


def test_a_word_drawn_out_over_a_pause_ends_with_the_speech() -> None:
    speech = [Span(start=0, end=1_000), Span(start=3_000, end=4_000)]
    fitted = fit_to_speech([word("you", 800, 3_100), word("and", 3_100, 3_400)], speech)
    assert [(w.start, w.end) for w in fitted] == [(800, 1_000), (3_100, 3_400)]


def test_a_word_beside_a_pause_begins_with_the_speech() -> None:
    (word,) = fit_to_speech([Word(text="It's", start=0, end=780, probability=1.0)], [Span(start=582, end=4_128)])
    assert (word.start, word.end) == (582, 780)


def test_a_number_that_is_written_in_one_go_and_said_with_pauses_keeps_its_time() -> None:
    speech = [Span(start=0, end=600), Span(start=1_000, end=1_600)]
    fitted = fit_to_speech([word("4-4-S-A-N-D", 0, 1_600)], speech)
    assert [(w.start, w.end) for w in fitted] == [(0, 1_600)]


def test_a_word_outside_all_speech_stays_as_it_is() -> None:
    fitted = fit_to_speech([word("hm", 1_500, 1_700), word("oh", 0, 90)], [Span(start=100, end=1_000)])
    assert [(w.start, w.end) for w in fitted] == [(0, 90), (1_500, 1_700)]


@given(conversations(), st.lists(st.tuples(st.integers(0, 250_000), st.integers(0, 3_000)), max_size=40))
def test_fitting_never_widens_a_word_nor_loses_one(turns: list[Turn], times: list[tuple[int, int]]) -> None:
    words = [word(str(i), start, start + length) for i, (start, length) in enumerate(times)]
    fitted = {w.text: w for w in fit_to_speech(words, unite_speech(turns))}
    assert set(fitted) == {w.text for w in words}
    assert all(w.start <= fitted[w.text].start <= fitted[w.text].end <= w.end for w in words)
