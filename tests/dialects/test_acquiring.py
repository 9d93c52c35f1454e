"""What is worth a person's time: what the model has wrong, what it has not heard, whom it does not know."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dialects.acquiring import Waiting, acquire


def waiting(id: str, words: str = "a b c d", **more: Any) -> Waiting:
    facts = {"dialect": "hi", "speaker": id, "seconds": 4.0, "doubt": 0.3}
    return Waiting(id=id, words=tuple(words.split()), **(facts | more))


def order(*given: Waiting, seconds: float = 1_000, **more: Any) -> list[str]:
    return [one.id for one in acquire(given, seconds, **more)]


def test_the_most_doubtful_draft_comes_first() -> None:
    assert order(waiting("sure", doubt=0.05), waiting("unsure", doubt=0.6)) == ["unsure", "sure"]


def test_a_loop_is_doubted_however_sure_it_is_and_silence_teaches_nothing() -> None:
    loop = waiting("loop", "no no no no", doubt=0.01, flags=frozenset({"loop"}))
    silent = waiting("silent", "thank you", doubt=0.9, flags=frozenset({"silence"}))
    assert order(waiting("plain", doubt=0.3), loop, silent) == ["loop", "plain"]


def test_a_dialect_in_need_comes_before_one_that_is_not_wanted() -> None:
    given = [waiting("x", dialect="hi"), waiting("y", dialect="ta"), waiting("z", dialect="bho")]
    assert order(*given, need={"ta": 3.0, "bho": 0.0}) == ["y", "x"]


def test_new_words_and_new_voices_come_before_the_same_again() -> None:
    given = [waiting("a", "one two", speaker="ann"), waiting("b", "one two", speaker="ann")]
    other = waiting("c", "three four", speaker="bob", doubt=0.25)
    assert order(*given, other) == ["a", "c", "b"]
    assert order(*given, other, heard={"three": 99, "four": 99}, voices={"bob": 9})[0] == "a"


def test_segments_of_unbroken_speech_are_chosen_together_or_not_at_all() -> None:
    sure = waiting("x", doubt=0.05, island="talk")
    unsure = waiting("y", doubt=0.6, island="talk")
    alone = waiting("z", doubt=0.4)
    assert order(sure, alone, unsure) == ["z", "x", "y"], "both cost time, one of them teaches little"
    assert order(sure, alone, unsure, seconds=7) == ["z"]
    assert order(sure, unsure, seconds=7) == []
    assert order(waiting("v", doubt=0.1), waiting("w", doubt=0.3)) == ["w", "v"], "without an island each is alone"


def test_the_budget_is_kept_and_short_segments_fill_it() -> None:
    given = [waiting("long", doubt=0.9, seconds=9.0), waiting("b", seconds=4.0), waiting("c", seconds=5.0)]
    assert set(order(*given, seconds=10)) == {"b", "c"} or order(*given, seconds=10) == ["long"]
    assert order(*given, seconds=1) == []
    assert sum(one.seconds for one in acquire(given, 10)) <= 10


@pytest.mark.parametrize("seed", range(3))
def test_looking_lazily_finds_what_looking_at_all_finds(seed: int) -> None:
    chance = random.Random(seed)
    words = [f"w{number}" for number in range(12)]
    given = [
        waiting(
            f"s{at:02}",
            " ".join(chance.choices(words, k=chance.randint(1, 6))),
            speaker=chance.choice("abc"),
            doubt=chance.random(),
            seconds=1.0,
        )
        for at in range(30)
    ]
    taken = order(*given, seconds=30)
    assert sorted(taken) == sorted(one.id for one in given)
    for count in (1, 5, 20):
        assert order(*given, seconds=count) == taken[:count], "what is best does not depend on how much is wanted"
    assert order(*given[::-1], seconds=30) == taken
