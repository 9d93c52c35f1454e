"""What the signs of a text are worth is learnt from those that somebody has looked at."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from dialects.weighing import Seen, held_out, weigh

TEXTS = st.lists(
    st.builds(
        lambda one, other, wrong, block: Seen(signs=(one, other), wrong=wrong, block=block),
        st.floats(-5, 5),
        st.floats(-5, 5),
        st.booleans(),
        st.sampled_from("abcdefghijkl"),
    ),
    min_size=1,
    max_size=60,
)


@given(TEXTS)
def test_a_doubt_is_a_probability_whatever_was_seen(seen: list[Seen]) -> None:
    weighing = weigh(seen)
    assert all(0 <= doubt <= 1 for doubt in [*held_out(seen), *(weighing.doubt(one.signs) for one in seen)])


@given(TEXTS)
def test_on_the_whole_as_many_are_doubted_as_are_wrong(seen: list[Seen]) -> None:
    weighing = weigh(seen)
    expected = sum(weighing.doubt(one.signs) for one in seen)
    assert abs(expected - sum(one.wrong for one in seen)) < 0.05


@given(TEXTS, st.floats(0.5, 20), st.floats(-3, 3))
def test_the_unit_of_a_sign_does_not_matter(seen: list[Seen], scale: float, shift: float) -> None:
    if len({one.signs[0] for one in seen}) == 1 or len({one.signs[1] for one in seen}) == 1:
        return
    moved = [Seen(signs=(one.signs[0] * scale + shift, one.signs[1]), wrong=one.wrong, block=one.block) for one in seen]
    pairs = zip(held_out(seen), held_out(moved), strict=True)
    assert all(abs(doubt - other) < 0.02 for doubt, other in pairs)


def world(count: int, seed: int) -> list[Seen]:
    """Texts that are wrong as often as their first sign says; their second one says nothing."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        truth = chance.random()
        made.append(Seen(signs=(truth, chance.random()), wrong=chance.random() < truth, block=str(number // 10)))
    return made


def test_a_sign_that_tells_is_found_and_one_that_does_not_is_left() -> None:
    weighing = weigh(world(4_000, seed=1))
    assert weighing.doubt((0.9, 0.5)) - weighing.doubt((0.1, 0.5)) > 0.5
    assert abs(weighing.doubt((0.5, 0.9)) - weighing.doubt((0.5, 0.1))) < 0.15


def test_doubts_that_are_held_out_promise_no_more_than_texts_nobody_has_seen() -> None:
    """With many signs of pure chance and few texts, a weighing finds itself right of those that it has seen."""
    chance = random.Random(3)
    seen = [
        Seen(signs=tuple(chance.gauss(0, 1) for _ in range(25)), wrong=chance.random() < 0.5, block=str(at))
        for at in range(60)
    ]
    weighing = weigh(seen, ridge=0.1)

    def apart(doubts: list[float]) -> float:
        wrong = [doubt for doubt, one in zip(doubts, seen, strict=True) if one.wrong]
        right = [doubt for doubt, one in zip(doubts, seen, strict=True) if not one.wrong]
        return sum(wrong) / len(wrong) - sum(right) / len(right)

    assert apart([weighing.doubt(one.signs) for one in seen]) > 0.3
    assert apart(held_out(seen, ridge=0.1)) < 0.15


def test_texts_of_one_block_are_held_out_together() -> None:
    """Two blocks whose people contradict each other: who knows only the other's block is wrong of both."""
    seen = [
        Seen(signs=(float(at),), wrong=(at == 1) == (block == "a"), block=block) for at in (0, 1) for block in "ab"
    ] * 5
    right = [(doubt > 0.5) == one.wrong for doubt, one in zip(held_out(seen), seen, strict=True)]
    assert not any(right)


def test_what_was_never_wrong_is_hardly_doubted() -> None:
    seen = [Seen(signs=(float(at % 7),), wrong=False, block=str(at)) for at in range(40)]
    assert max(held_out(seen)) < 0.05
