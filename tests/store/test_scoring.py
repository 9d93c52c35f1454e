from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.store.factories import correction, words
from transcribe.records import Word
from transcribe.store.scoring import Speech, Spoken, attribution, joined


def speech(*spoken: tuple[str, int, int, str]) -> Speech:
    return Speech(
        Spoken(speaker=speaker, start=start, end=end, words=words(text, start, end))
        for speaker, start, end, text in spoken
    )


def claims(*spans: tuple[str | None, int, int]) -> list:
    return [correction(f"c{n}", start=start, end=end, speaker=speaker) for n, (speaker, start, end) in enumerate(spans)]


def test_a_word_belongs_where_its_midpoint_lies() -> None:
    said = speech(("A", 0, 40, "one two"))  # 0-20 and 20-40, midpoints 10 and 30
    cases = {(0, 10): "", (0, 11): "one", (10, 30): "one", (10, 31): "one two", (30, 99): "two", (31, 99): ""}
    assert {span: said.hypothesis(*span, "A") for span in cases} == cases


def test_half_milliseconds_are_not_lost() -> None:
    said = Speech([Spoken(speaker="A", start=0, end=9, words=(Word(text="one", start=2, end=5, probability=1.0),))])
    assert [said.hypothesis(0, 3, None), said.hypothesis(3, 4, None)] == ["", "one"]  # midpoint 3.5


def test_words_of_everybody_come_in_time_order() -> None:
    said = speech(("A", 0, 40, "one three"), ("B", 10, 30, "two"))
    assert said.hypothesis(0, 40, None) == "one two three"


def test_nobody_said_nothing() -> None:
    assert [speech().hypothesis(0, 9, None), speech(("A", 0, 9, "one")).hypothesis(0, 9, "B")] == ["", ""]


def test_a_named_speaker_is_himself_even_where_another_speaks() -> None:
    said = speech(("A", 0, 10, ""), ("B", 90, 99, ""))
    assert attribution(claims(("B", 0, 10)), said) == {"B": "B"}


def test_an_unknown_speaker_is_who_shares_the_most_time_with_him() -> None:
    said = speech(("A", 0, 10, ""), ("B", 10, 30, ""))
    assert attribution(claims(("X", 5, 12), ("X", 12, 20)), said) == {"X": "B"}


def test_two_unknown_speakers_are_never_one_drafted_speaker() -> None:
    said = speech(("A", 0, 10, ""), ("B", 10, 12, ""))
    assert attribution(claims(("X", 0, 10), ("Y", 5, 11)), said) == {"X": "A", "Y": "B"}


def test_a_drafted_speaker_who_is_named_is_nobody_else() -> None:
    said = speech(("A", 0, 10, ""))
    assert attribution(claims(("A", 0, 1), ("X", 0, 9)), said) == {"A": "A"}


def test_who_shares_no_time_with_anybody_is_left_out() -> None:
    assert attribution(claims(("X", 10, 20), (None, 0, 9)), speech(("A", 0, 10, ""))) == {}


def test_time_shared_twice_counts_once() -> None:
    said = speech(("A", 0, 10, ""), ("A", 2, 8, ""), ("B", 10, 24, ""))
    assert attribution(claims(("X", 0, 24), ("X", 0, 9)), said) == {"X": "B"}


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda each: (each[0], each[0] + each[1])))


@given(spans)
def test_joined_spans_cover_the_same_time_and_stay_apart(given: list[tuple[int, int]]) -> None:
    found = joined(given)
    assert {ms for start, end in found for ms in range(start, end)} == {
        ms for start, end in given for ms in range(start, end)
    }
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(spans, st.lists(st.integers(0, 80), max_size=4, unique=True))
def test_every_word_falls_into_one_of_spans_that_lie_side_by_side(said: list[tuple[int, int]], cuts: list[int]) -> None:
    heard = speech(*(("AB"[n % 2], start, end, f"w{n}") for n, (start, end) in enumerate(said)))
    edges = [0, *sorted(cuts), 100]
    parts = [heard.hypothesis(start, end, None) for start, end in pairwise(edges)]
    assert sorted(" ".join(parts).split()) == sorted(heard.hypothesis(0, 100, None).split())
    assert len(heard.hypothesis(0, 100, None).split()) == len(said)
