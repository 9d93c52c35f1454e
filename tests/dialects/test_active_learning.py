"""Segments are chosen for what the model has wrong, and for words and speakers that are new to it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dialects.active_learning import UnlabelledSegment, acquire


def unlabelled(id: str, words: str = "a b c d", **more: Any) -> UnlabelledSegment:
    facts = {"dialect": "hi", "speaker": id, "seconds": 4.0, "doubt": 0.3}
    return UnlabelledSegment(id=id, words=tuple(words.split()), **(facts | more))


def order(*segments: UnlabelledSegment, seconds: float = 1_000, **more: Any) -> list[str]:
    return [segment.id for segment in acquire(segments, seconds, **more)]


def test_the_most_doubtful_draft_comes_first() -> None:
    assert order(unlabelled("sure", doubt=0.05), unlabelled("unsure", doubt=0.6)) == ["unsure", "sure"]


def test_a_loop_is_doubted_however_sure_it_is_and_silence_teaches_nothing() -> None:
    loop = unlabelled("loop", "no no no no", doubt=0.01, flags=frozenset({"loop"}))
    silent = unlabelled("silent", "thank you", doubt=0.9, flags=frozenset({"silence"}))
    assert order(unlabelled("plain", doubt=0.3), loop, silent) == ["loop", "plain"]


def test_a_dialect_in_need_comes_before_one_that_is_not_wanted() -> None:
    segments = [unlabelled("x", dialect="hi"), unlabelled("y", dialect="ta"), unlabelled("z", dialect="bho")]
    assert order(*segments, need={"ta": 3.0, "bho": 0.0}) == ["y", "x"]


def test_new_words_and_new_voices_come_before_the_same_again() -> None:
    segments = [unlabelled("a", "one two", speaker="ann"), unlabelled("b", "one two", speaker="ann")]
    other = unlabelled("c", "three four", speaker="bob", doubt=0.25)
    assert order(*segments, other) == ["a", "c", "b"]
    assert order(*segments, other, word_counts={"three": 99, "four": 99}, speaker_counts={"bob": 9})[0] == "a"


def test_segments_of_unbroken_speech_are_chosen_together_or_not_at_all() -> None:
    sure = unlabelled("x", doubt=0.05, island="talk")
    unsure = unlabelled("y", doubt=0.6, island="talk")
    alone = unlabelled("z", doubt=0.4)
    assert order(sure, alone, unsure) == ["z", "x", "y"], "both cost time, one of them teaches little"
    assert order(sure, alone, unsure, seconds=7) == ["z"]
    assert order(sure, unsure, seconds=7) == []
    assert order(unlabelled("v", doubt=0.1), unlabelled("w", doubt=0.3)) == ["w", "v"], (
        "without an island each is alone"
    )


def test_the_budget_is_kept_and_short_segments_fill_it() -> None:
    segments = [unlabelled("long", doubt=0.9, seconds=9.0), unlabelled("b", seconds=4.0), unlabelled("c", seconds=5.0)]
    assert set(order(*segments, seconds=10)) == {"b", "c"} or order(*segments, seconds=10) == ["long"]
    assert order(*segments, seconds=1) == []
    assert sum(segment.seconds for segment in acquire(segments, 10)) <= 10


@pytest.mark.parametrize("seed", range(3))
def test_looking_lazily_finds_what_looking_at_all_finds(seed: int) -> None:
    chance = random.Random(seed)
    words = [f"w{number}" for number in range(12)]
    segments = [
        unlabelled(
            f"s{number:02}",
            " ".join(chance.choices(words, k=chance.randint(1, 6))),
            speaker=chance.choice("abc"),
            doubt=chance.random(),
            seconds=1.0,
        )
        for number in range(30)
    ]
    chosen = order(*segments, seconds=30)
    assert sorted(chosen) == sorted(segment.id for segment in segments)
    for count in (1, 5, 20):
        assert order(*segments, seconds=count) == chosen[:count], "what is best does not depend on how much is wanted"
    assert order(*segments[::-1], seconds=30) == chosen
