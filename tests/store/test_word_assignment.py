from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.store.factories import correction, words
from transcribe.records import Word, join_words
from transcribe.store.word_assignment import Speech, Spoken, attribute_speakers, merge_spans, words_by_correction


def speech(*spoken: tuple[str, int, int, str]) -> Speech:
    return Speech(
        Spoken(speaker=speaker, start=start, end=end, words=words(text, start, end))
        for speaker, start, end, text in spoken
    )


def claims(*spans: tuple[str | None, int, int]) -> list:
    return [correction(f"c{n}", start=start, end=end, speaker=speaker) for n, (speaker, start, end) in enumerate(spans)]


def read_hypotheses(drafted: Speech, *spans: tuple[str | None, int, int]) -> list[str]:
    """Return the drafted words that stand against a correction of each of *spans*."""
    corrections = claims(*spans)
    words_by_id = words_by_correction(corrections, drafted)
    return [join_words(words_by_id[correction.id]) for correction in corrections]


def test_a_word_belongs_where_its_midpoint_lies() -> None:
    drafted = speech(("A", 0, 40, "one two"))  # 0-20 and 20-40, midpoints 10 and 30
    cases = {(0, 10): "", (0, 11): "one", (10, 30): "one", (10, 31): "one two", (30, 99): "two", (31, 99): ""}
    assert {span: read_hypotheses(drafted, ("A", *span))[0] for span in cases} == cases


def test_a_word_drawn_out_over_the_pause_beside_its_segment_belongs_to_the_segment() -> None:
    first, last = (
        Word(text="one", start=0, end=30, probability=1.0),
        Word(text="two", start=40, end=90, probability=1.0),
    )
    drafted = Speech([Spoken(speaker="A", start=20, end=50, words=(first, last))])
    assert read_hypotheses(drafted, ("A", 20, 50)) == ["one two"]


def test_half_milliseconds_are_not_lost() -> None:
    drafted = Speech([Spoken(speaker="A", start=0, end=9, words=(Word(text="one", start=2, end=5, probability=1.0),))])
    assert read_hypotheses(drafted, (None, 0, 3), (None, 3, 4)) == ["", "one"]  # midpoint 3.5


def test_words_of_everybody_come_in_time_order() -> None:
    drafted = speech(("A", 0, 40, "one three"), ("B", 10, 30, "two"))
    assert read_hypotheses(drafted, (None, 0, 40)) == ["one two three"]


def test_nobody_said_nothing() -> None:
    assert read_hypotheses(speech(), ("A", 0, 9), (None, 0, 9)) == ["", ""]


def test_of_overlapping_speech_everybody_has_his_own_words() -> None:
    drafted = speech(("A", 0, 20, "one two"), ("B", 10, 30, "three four"))
    assert read_hypotheses(drafted, ("A", 0, 20), ("B", 10, 30)) == ["one two", "three four"]


def test_what_nobody_has_corrected_yet_is_not_the_words_of_who_spoke_over_it() -> None:
    drafted = speech(("A", 0, 40, "one two"), ("B", 10, 20, "yes"))
    assert read_hypotheses(drafted, ("A", 0, 40)) == ["one two"]


def test_a_word_under_a_wrong_name_is_still_heard() -> None:
    drafted = speech(("A", 0, 60, "one two three"))  # B's answer was taken for A
    assert read_hypotheses(drafted, ("A", 0, 20), ("B", 20, 40), ("A", 40, 60)) == ["one", "two", "three"]


def test_a_word_of_nobody_there_is_counted_once_for_the_nearest() -> None:
    drafted = speech(("C", 0, 20, "one"))  # midpoint 10
    assert read_hypotheses(drafted, ("A", 0, 16), ("B", 8, 40)) == ["one", ""]


def test_a_named_speaker_is_himself_even_where_another_speaks() -> None:
    drafted = speech(("A", 0, 10, ""), ("B", 90, 99, ""))
    assert attribute_speakers(claims(("B", 0, 10)), drafted) == {"B": "B"}


def test_an_unknown_speaker_is_who_shares_the_most_time_with_him() -> None:
    drafted = speech(("A", 0, 10, ""), ("B", 10, 30, ""))
    assert attribute_speakers(claims(("X", 5, 12), ("X", 12, 20)), drafted) == {"X": "B"}


def test_two_unknown_speakers_are_never_one_drafted_speaker() -> None:
    drafted = speech(("A", 0, 10, ""), ("B", 10, 12, ""))
    assert attribute_speakers(claims(("X", 0, 10), ("Y", 5, 11)), drafted) == {"X": "A", "Y": "B"}


def test_a_drafted_speaker_who_is_named_is_nobody_else() -> None:
    drafted = speech(("A", 0, 10, ""))
    assert attribute_speakers(claims(("A", 0, 1), ("X", 0, 9)), drafted) == {"A": "A"}


def test_who_shares_no_time_with_anybody_is_left_out() -> None:
    assert attribute_speakers(claims(("X", 10, 20), (None, 0, 9)), speech(("A", 0, 10, ""))) == {}


def test_time_shared_twice_counts_once() -> None:
    drafted = speech(("A", 0, 10, ""), ("A", 2, 8, ""), ("B", 10, 24, ""))
    assert attribute_speakers(claims(("X", 0, 24), ("X", 0, 9)), drafted) == {"X": "B"}


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1])))


@given(spans)
def test_joined_spans_cover_the_same_time_and_stay_apart(drawn: list[tuple[int, int]]) -> None:
    merged = merge_spans(drawn)
    assert {ms for start, end in merged for ms in range(start, end)} == {
        ms for start, end in drawn for ms in range(start, end)
    }
    assert all(earlier[1] < later[0] for earlier, later in pairwise(merged))


@given(spans, st.lists(st.integers(0, 80), max_size=4, unique=True))
def test_every_word_falls_into_one_of_spans_that_lie_side_by_side(
    drawn: list[tuple[int, int]], cuts: list[int]
) -> None:
    drafted = speech(*(("AB"[n % 2], start, end, f"w{n}") for n, (start, end) in enumerate(drawn)))
    edges = [0, *sorted(cuts), 100]
    parts = read_hypotheses(drafted, *((None, start, end) for start, end in pairwise(edges)))
    assert sorted(" ".join(parts).split()) == sorted(f"w{n}" for n in range(len(drawn)))


@given(spans, st.lists(st.tuples(st.sampled_from("XYZ"), st.integers(0, 80), st.integers(1, 40)), max_size=6))
def test_no_word_is_counted_for_two_speakers(
    drawn: list[tuple[int, int]], drawn_claims: list[tuple[str, int, int]]
) -> None:
    drafted = speech(*(("AB"[n % 2], start, end, f"w{n}") for n, (start, end) in enumerate(drawn)))
    claimed = [(name, start, start + length) for name, start, length in drawn_claims]
    texts = zip(claimed, read_hypotheses(drafted, *claimed), strict=True)
    counted = {(name, word) for (name, _, _), text in texts for word in text.split()}
    assert len({word for _, word in counted}) == len(counted)
