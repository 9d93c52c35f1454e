"""Turns to segments, and words to people: the laws, and the cases that once went wrong elsewhere."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.pipeline.segmentation import (
    SHORTEST_SEGMENT,
    MixedRecordings,
    adopt_speech,
    attribute,
    cut_segments,
    name_speakers,
)
from transcribe.protocols import LONGEST_SEGMENT, Span
from transcribe.records import Milliseconds, Segment, Turn, Word


def turn(speaker: str, start: int, end: int, *, recording: str = "r", dialect: str | None = None) -> Turn:
    return Turn(recording=recording, speaker=speaker, start=start, end=end, dialect=dialect)


def word(text: str, start: int, end: int) -> Word:
    return Word(text=text, start=start, end=end, probability=0.9)


def spans(pieces: Sequence[Segment]) -> list[tuple[int, int]]:
    return [(piece.start, piece.end) for piece in pieces]


@st.composite
def conversations(draw: st.DrawFn) -> list[Turn]:
    starts = draw(st.lists(st.integers(0, 200_000), max_size=25))
    return [
        turn(draw(st.sampled_from("ABC")), start, start + draw(st.integers(1, 45_000)), dialect=draw(DIALECTS))
        for start in starts
    ]


DIALECTS = st.sampled_from([None, "hi", "ta"])


def covered(pieces: Sequence[Turn] | Sequence[Segment]) -> set[Milliseconds]:
    """Every tenth of a second that a piece touches."""
    return {tick for piece in pieces for tick in range(piece.start // 100, (piece.end - 1) // 100 + 1)}


def test_turns_close_together_become_one_segment() -> None:
    assert spans(cut_segments([turn("A", 0, 900), turn("A", 1_100, 2_000)])) == [(0, 2_000)]


def test_a_wide_pause_keeps_turns_apart() -> None:
    assert spans(cut_segments([turn("A", 0, 900), turn("A", 1_301, 2_000)])) == [(0, 900), (1_301, 2_000)]


def test_another_speaker_in_between_keeps_turns_apart() -> None:
    pieces = cut_segments([turn("A", 0, 900), turn("B", 920, 1_230), turn("A", 1_250, 2_000)])
    assert spans(pieces) == [(0, 900), (920, 1_230), (1_250, 2_000)]


def test_overlapping_turns_stay_apart() -> None:
    pieces = cut_segments([turn("A", 0, 2_000), turn("B", 1_500, 3_000)])
    assert [(piece.speaker, piece.start, piece.end) for piece in pieces] == [("A", 0, 2_000), ("B", 1_500, 3_000)]


def test_a_long_turn_is_split_evenly() -> None:
    assert spans(cut_segments([turn("A", 0, 50_000)])) == [(0, 25_000), (25_000, 50_000)]


def test_a_long_turn_is_split_where_the_sound_allows() -> None:
    """Not far from even parts, and never so that a later part would be too long."""
    ranges: list[tuple[int, int]] = []

    def last_chance(first: int, last: int) -> int:
        ranges.append((first, last))
        return last

    pieces = cut_segments([turn("A", 0, 60_000)], longest=24_000, cut_point=last_chance)
    assert spans(pieces) == [(0, 24_000), (24_000, 46_500), (46_500, 60_000)]
    assert ranges == [(15_000, 24_000), (37_500, 46_500)]


@given(st.integers(1, 300_000), st.integers(400, 30_000), st.randoms(use_true_random=False))
def test_parts_of_a_long_turn_are_as_few_as_may_be_wherever_the_cuts_fall(
    end: int, longest: int, chance: random.Random
) -> None:
    pieces = spans(cut_segments([turn("A", 0, end)], longest=longest, cut_point=chance.randint))
    assert len(pieces) == -(-end // longest)
    assert pieces[0][0] == 0 and pieces[-1][1] == end
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))
    assert all(0 < stop - start <= longest for start, stop in pieces)


def test_turns_of_two_recordings_are_refused() -> None:
    with pytest.raises(MixedRecordings, match="found 2 recordings"):
        cut_segments([turn("A", 0, 1), turn("A", 0, 1, recording="other")])


def test_nothing_spoken_gives_nothing() -> None:
    assert cut_segments([]) == []


@given(conversations())
def test_segments_cover_all_speech_of_each_speaker_but_slivers_and_never_exceed_the_longest(turns: list[Turn]) -> None:
    pieces = cut_segments(turns)
    assert all(0 < piece.end - piece.start <= LONGEST_SEGMENT for piece in pieces)
    for speaker in "ABC":
        speaker_turns = [t for t in turns if t.speaker == speaker and t.end - t.start >= SHORTEST_SEGMENT]
        assert covered(speaker_turns) <= covered([p for p in pieces if p.speaker == speaker])


@given(conversations())
def test_no_segment_is_a_sliver_unless_there_is_nothing_else(turns: list[Turn]) -> None:
    pieces = cut_segments(turns)
    assert len(pieces) == 1 or all(piece.end - piece.start >= SHORTEST_SEGMENT for piece in pieces)
    assert bool(pieces) == bool(turns)


def test_a_sliver_joins_the_nearest_of_its_speaker() -> None:
    turns = [turn("A", 0, 900), turn("B", 950, 1_900), turn("A", 1_800, 1_860)]
    assert spans(cut_segments(turns)) == [(0, 1_860), (950, 1_900)]


def test_a_sliver_of_somebody_else_goes() -> None:
    assert spans(cut_segments([turn("A", 0, 900), turn("B", 950, 1_010), turn("A", 1_100, 2_000)])) == [
        (0, 900),
        (1_100, 2_000),
    ]


@given(conversations())
def test_order_of_turns_does_not_matter(turns: list[Turn]) -> None:
    assert cut_segments(turns) == cut_segments(list(reversed(turns)))


def test_words_go_to_the_speaker_who_talks_at_their_middle() -> None:
    turns = [turn("A", 0, 1_000), turn("B", 1_000, 2_000)]
    a, b = cut_segments(turns)
    given_words = attribute([word("one", 100, 500), word("two", 900, 1_300)], turns, [a, b])
    assert [w.text for w in given_words[a.id]] == ["one"]
    assert [w.text for w in given_words[b.id]] == ["two"]


@given(conversations(), st.lists(st.integers(0, 250_000), max_size=40))
def test_every_word_lands_in_exactly_one_segment(turns: list[Turn], moments: list[int]) -> None:
    segments = cut_segments(turns)
    words = [word(str(i), moment, moment + 200) for i, moment in enumerate(moments)]
    given_words = attribute(words, sorted(turns, key=lambda t: t.start), segments)
    placed = sorted(w.text for words in given_words.values() for w in words)
    assert placed == (sorted(w.text for w in words) if segments else [])
    assert set(given_words) == {segment.id for segment in segments}


def test_a_sentence_is_not_cut_between_two_people() -> None:
    """The diariser hears the change in the middle of "double shot"; the pause is behind it."""
    turns = [turn("A", 0, 1_000), turn("B", 1_000, 2_500)]
    words = [word("a", 300, 500), word("double", 500, 950), word("shot.", 1_000, 1_400), word("Sure,", 1_650, 2_000)]
    assert name_speakers(words, turns) == ["A", "A", "A", "B"]


def test_a_speaker_changes_at_the_end_of_a_sentence_where_nobody_pauses() -> None:
    turns = [turn("A", 0, 800), turn("B", 800, 2_000)]
    words = [word("Yes,", 100, 400), word("two.", 400, 700), word("Get", 700, 870), word("me", 870, 1_100)]
    words.append(word("one", 1_100, 1_500))
    assert name_speakers(words, turns) == ["A", "A", "B", "B", "B"]


def test_a_short_answer_keeps_its_word() -> None:
    turns = [turn("A", 0, 1_000), turn("B", 1_000, 1_300), turn("A", 1_300, 2_500)]
    words = [word("tea", 500, 990), word("no", 1_010, 1_290), word("then", 1_310, 1_600), word("what", 1_600, 2_000)]
    assert name_speakers(words, turns) == ["A", "B", "A", "A"]


@given(conversations(), st.lists(st.integers(0, 250_000), max_size=40))
def test_whoever_has_a_word_by_its_middle_keeps_one(turns: list[Turn], moments: list[int]) -> None:
    words = [word(str(moment), moment, moment + 200) for moment in sorted(moments)]
    exclusive = sorted(turns, key=lambda t: t.start)
    speakers = name_speakers(words, exclusive)
    assert len(speakers) == len(words)
    assert set(speakers) <= {t.speaker for t in turns} | {None}


def test_speech_that_the_diariser_missed_is_of_who_talks_nearest() -> None:
    turns = [turn("A", 4_000, 6_000), turn("B", 8_000, 9_000)]
    speech = [Span(start=1_000, end=6_100), Span(start=7_500, end=9_000)]
    adopted = adopt_speech(turns, speech, turn("nobody", 0, 1))
    assert [(t.speaker, t.start, t.end) for t in adopted] == [("A", 1_000, 4_000), ("B", 7_500, 8_000)]


def test_speech_of_a_recording_in_which_nobody_was_found_is_somebodys() -> None:
    adopted = adopt_speech([], [Span(start=0, end=500)], turn("nobody", 0, 1))
    assert [(t.speaker, t.start, t.end) for t in adopted] == [("nobody", 0, 500)]


@given(conversations(), conversations())
def test_with_adopted_turns_all_speech_but_slivers_is_somebodys(turns: list[Turn], others: list[Turn]) -> None:
    ordered = sorted(turns, key=lambda t: t.start)
    speech = [Span(start=t.start, end=t.end) for t in others[:1]]
    adopted = adopt_speech(ordered, speech, turn("nobody", 0, 1))
    spoken = set().union(*(range(t.start, t.end) for t in [*turns, *adopted]))
    uncovered = sorted(set().union(*(range(s.start, s.end) for s in speech)) - spoken)
    runs = [list(run) for _, run in itertools.groupby(enumerate(uncovered), lambda pair: pair[1] - pair[0])]
    assert all(len(run) < SHORTEST_SEGMENT for run in runs)
    assert all(t.end - t.start >= SHORTEST_SEGMENT for t in adopted)
