"""Turns to segments and windows: the laws, and the cases that once went wrong elsewhere."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.protocols import LONGEST_WINDOW
from transcribe.records import Milliseconds, Segment, Turn, Word
from transcribe.segmenting import (
    WIDEST_PAUSE,
    WINDOW_MARGIN,
    MixedRecordings,
    Packed,
    Stretch,
    attribute,
    cut,
    fit_to_speech,
    join,
    pack,
)


def turn(speaker: str, start: int, end: int, *, recording: str = "r", dialect: str | None = None) -> Turn:
    return Turn(recording=recording, speaker=speaker, start=start, end=end, dialect=dialect)


def word(text: str, start: int, end: int) -> Word:
    return Word(text=text, start=start, end=end, probability=0.9)


def spans(pieces: Sequence[Segment] | Sequence[Stretch]) -> list[tuple[int, int]]:
    return [(piece.start, piece.end) for piece in pieces]


@st.composite
def conversations(draw: st.DrawFn) -> list[Turn]:
    starts = draw(st.lists(st.integers(0, 200_000), max_size=25))
    return [
        turn(draw(st.sampled_from("ABC")), start, start + draw(st.integers(1, 45_000)), dialect=draw(DIALECTS))
        for start in starts
    ]


DIALECTS = st.sampled_from([None, "hi", "ta"])


def covered(pieces: Sequence[Turn] | Sequence[Segment] | Sequence[Stretch]) -> set[Milliseconds]:
    """Every tenth of a second that a piece touches."""
    return {tick for piece in pieces for tick in range(piece.start // 100, (piece.end - 1) // 100 + 1)}


def test_turns_close_together_become_one_segment() -> None:
    assert spans(cut([turn("A", 0, 900), turn("A", 1_100, 2_000)])) == [(0, 2_000)]


def test_a_wide_pause_keeps_turns_apart() -> None:
    assert spans(cut([turn("A", 0, 900), turn("A", 1_301, 2_000)])) == [(0, 900), (1_301, 2_000)]


def test_another_speaker_in_between_keeps_turns_apart() -> None:
    pieces = cut([turn("A", 0, 900), turn("B", 950, 1_050), turn("A", 1_100, 2_000)])
    assert spans(pieces) == [(0, 900), (950, 1_050), (1_100, 2_000)]


def test_overlapping_turns_stay_apart() -> None:
    pieces = cut([turn("A", 0, 2_000), turn("B", 1_500, 3_000)])
    assert [(piece.speaker, piece.start, piece.end) for piece in pieces] == [("A", 0, 2_000), ("B", 1_500, 3_000)]


def test_a_long_turn_is_split_evenly() -> None:
    assert spans(cut([turn("A", 0, 50_000)])) == [(0, 25_000), (25_000, 50_000)]


def test_a_long_turn_is_split_where_the_sound_allows() -> None:
    """Not far from even parts, and never so that a later part would be too long."""
    asked: list[tuple[int, int]] = []

    def last_chance(first: int, last: int) -> int:
        asked.append((first, last))
        return last

    pieces = cut([turn("A", 0, 60_000)], longest=24_000, cut_point=last_chance)
    assert spans(pieces) == [(0, 24_000), (24_000, 46_500), (46_500, 60_000)]
    assert asked == [(15_000, 24_000), (37_500, 46_500)]


@given(st.integers(1, 300_000), st.integers(400, 30_000), st.randoms(use_true_random=False))
def test_parts_of_a_long_turn_are_as_few_as_may_be_wherever_the_cuts_fall(
    end: int, longest: int, chance: random.Random
) -> None:
    pieces = spans(cut([turn("A", 0, end)], longest=longest, cut_point=chance.randint))
    assert len(pieces) == -(-end // longest)
    assert pieces[0][0] == 0 and pieces[-1][1] == end
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))
    assert all(0 < stop - start <= longest for start, stop in pieces)


def test_turns_of_two_recordings_are_refused() -> None:
    with pytest.raises(MixedRecordings, match="found 2 recordings"):
        cut([turn("A", 0, 1), turn("A", 0, 1, recording="other")])


def test_nothing_spoken_gives_nothing() -> None:
    assert cut([]) == []
    assert pack([], duration=10_000) == []


@given(conversations())
def test_segments_cover_all_speech_of_each_speaker_and_never_exceed_the_longest(turns: list[Turn]) -> None:
    pieces = cut(turns)
    assert all(0 < piece.end - piece.start <= LONGEST_WINDOW for piece in pieces)
    for speaker in "ABC":
        own = [t for t in turns if t.speaker == speaker]
        assert covered(own) <= covered([p for p in pieces if p.speaker == speaker])


@given(conversations())
def test_order_of_turns_does_not_matter(turns: list[Turn]) -> None:
    assert cut(turns) == cut(list(reversed(turns)))


def test_windows_are_filled_across_speakers() -> None:
    turns = [turn("AB"[i % 2], i * 3_000, i * 3_000 + 2_500) for i in range(9)]
    assert spans(pack(turns, duration=30_000)) == [(0, 26_900)]


def test_windows_are_cut_in_the_widest_pause() -> None:
    turns = [turn("A", 0, 9_000), turn("A", 9_200, 17_000), turn("A", 19_000, 26_000), turn("A", 26_100, 34_000)]
    assert spans(pack(turns, duration=40_000)) == [(0, 17_400), (18_600, 34_400)]


def test_a_change_of_language_ends_a_window() -> None:
    turns = [turn("A", 0, 2_000, dialect="hi"), turn("B", 2_100, 4_000, dialect="ta")]
    languages = {"hi": "hi", "ta": "ta"}
    assert [window.dialect for window in pack(turns, duration=5_000, languages=languages)] == ["hi", "ta"]


def test_a_long_silence_ends_a_window() -> None:
    turns = [turn("A", 0, 2_000), turn("B", 2_001 + WIDEST_PAUSE, 9_000)]
    assert len(pack(turns, duration=10_000)) == 2


@given(conversations(), st.sampled_from([8_000, 10_000, 28_000]))
def test_windows_hold_all_speech_do_not_overlap_and_never_exceed_the_longest(turns: list[Turn], longest: int) -> None:
    duration = max((t.end for t in turns), default=0)
    windows = pack(turns, duration=duration, longest=longest, languages={"hi": "hi", "ta": "ta"})
    assert covered(turns) <= covered(windows)
    assert all(0 < window.end - window.start <= longest for window in windows)
    assert all(a.end <= b.start for a, b in itertools.pairwise(windows))
    assert all(0 <= w.heard_from <= w.start and w.end <= w.heard_to <= duration for w in windows)
    assert all(w.heard_to - w.heard_from <= longest for w in windows)


def test_where_speech_runs_on_both_windows_hear_the_other_side_of_the_cut() -> None:
    one, other = pack([turn("A", 0, 40_000)], duration=40_000)
    assert (one.end, other.start) == (20_000, 20_000)
    assert (one.heard_to, other.heard_from) == (20_000 + WINDOW_MARGIN, 20_000 - WINDOW_MARGIN)


TOUCHING = [Stretch(start=0, end=1_000), Stretch(start=1_000, end=2_000)]


def test_a_word_at_a_cut_goes_to_the_window_that_holds_its_middle() -> None:
    left = [word("one", 300, 600), word("two", 700, 1_100), word("thr", 1_200, 1_400)]
    right = [word("oo", 700, 950), word("three", 1_150, 1_500)]
    assert [w.text for w in join([left, right], TOUCHING)] == ["one", "two", "three"]


def test_a_word_that_both_windows_claim_is_taken_once() -> None:
    joined = join([[word("two", 800, 1_100)], [word("two", 900, 1_200)]], TOUCHING)
    assert [(w.text, w.start) for w in joined] == [("two", 800)]


def test_a_word_that_neither_window_claims_is_taken_once() -> None:
    joined = join([[word("two", 900, 1_200)], [word("two", 800, 1_100), word("three", 1_300, 1_500)]], TOUCHING)
    assert [(w.text, w.start) for w in joined] == [("two", 900), ("three", 1_300)]


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
def test_every_word_is_joined_once_however_roughly_its_time_is_heard(
    lengths: list[int], widths: list[int], chance: random.Random
) -> None:
    """Each window hears whole words that lie in it with its context, up to a tenth of a second early or late."""
    ends = list(itertools.accumulate(lengths))
    said = [word(str(i), end - length, end) for i, (end, length) in enumerate(zip(ends, lengths, strict=True))]
    edges = [0, *itertools.accumulate(widths)]
    packed = pack([turn("A", a, b) for a, b in itertools.pairwise(edges)], duration=edges[-1], longest=10_000)

    def hear(stretch: Packed) -> list[Word]:
        late = chance.randint(-100, 100)
        inside = [w for w in said if stretch.heard_from <= w.start and w.end <= stretch.heard_to]
        return [word(w.text, w.start + late, w.end + late) for w in inside]

    joined = [w.text for w in join([hear(stretch) for stretch in packed], packed)]
    cuts = [stretch.start for stretch in packed]
    too_long = [w for w in said for cut in cuts if w.start < cut - WINDOW_MARGIN and cut + WINDOW_MARGIN < w.end]
    whole = [w.text for w in said if w.end <= edges[-1] and w not in too_long]
    assert len(joined) == len(set(joined))
    assert joined == sorted(joined, key=int)
    assert set(whole) <= set(joined)


def test_a_word_drawn_out_over_a_pause_ends_with_the_speech() -> None:
    turns = [turn("A", 0, 1_000), turn("B", 3_000, 4_000)]
    fitted = fit_to_speech([word("you", 800, 3_100), word("and", 3_100, 3_400)], turns)
    assert [(w.start, w.end) for w in fitted] == [(800, 1_000), (3_100, 3_400)]


def test_a_word_outside_all_speech_stays_as_it_is() -> None:
    fitted = fit_to_speech([word("hm", 1_500, 1_700), word("oh", 0, 90)], [turn("A", 100, 1_000)])
    assert [(w.start, w.end) for w in fitted] == [(0, 90), (1_500, 1_700)]


@given(conversations(), st.lists(st.tuples(st.integers(0, 250_000), st.integers(0, 3_000)), max_size=40))
def test_fitting_never_widens_a_word_nor_loses_one(turns: list[Turn], times: list[tuple[int, int]]) -> None:
    words = [word(str(i), start, start + length) for i, (start, length) in enumerate(times)]
    fitted = {w.text: w for w in fit_to_speech(words, turns)}
    assert set(fitted) == {w.text for w in words}
    assert all(w.start <= fitted[w.text].start <= fitted[w.text].end <= w.end for w in words)


def test_words_go_to_the_speaker_who_talks_at_their_middle() -> None:
    turns = [turn("A", 0, 1_000), turn("B", 1_000, 2_000)]
    a, b = cut(turns)
    given_words = attribute([word("one", 100, 500), word("two", 900, 1_300)], turns, [a, b])
    assert [w.text for w in given_words[a.id]] == ["one"]
    assert [w.text for w in given_words[b.id]] == ["two"]


@given(conversations(), st.lists(st.integers(0, 250_000), max_size=40))
def test_every_word_lands_in_exactly_one_segment(turns: list[Turn], moments: list[int]) -> None:
    segments = cut(turns)
    words = [word(str(i), moment, moment + 200) for i, moment in enumerate(moments)]
    given_words = attribute(words, sorted(turns, key=lambda t: t.start), segments)
    placed = sorted(w.text for own in given_words.values() for w in own)
    assert placed == (sorted(w.text for w in words) if segments else [])
    assert set(given_words) == {segment.id for segment in segments}
