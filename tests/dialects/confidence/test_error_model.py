"""The error model is fitted on texts that people checked."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from dialects.confidence.error_model import LabelledExample, cross_validate, fit_error_model

TEXTS = st.lists(
    st.builds(
        lambda first, second, wrong, block: LabelledExample(features=(first, second), wrong=wrong, block=block),
        st.floats(-5, 5),
        st.floats(-5, 5),
        st.booleans(),
        st.sampled_from("abcdefghijkl"),
    ),
    min_size=1,
    max_size=60,
)


@given(TEXTS)
def test_a_probability_lies_between_0_and_1(examples: list[LabelledExample]) -> None:
    model = fit_error_model(examples)
    assert all(
        0 <= doubt <= 1
        for doubt in [*cross_validate(examples), *(model.error_probability(example.features) for example in examples)]
    )


@given(TEXTS)
def test_on_the_whole_as_many_are_doubted_as_are_wrong(examples: list[LabelledExample]) -> None:
    model = fit_error_model(examples)
    expected = sum(model.error_probability(example.features) for example in examples)
    assert abs(expected - sum(example.wrong for example in examples)) < 0.05


@given(TEXTS, st.floats(0.5, 20), st.floats(-3, 3))
def test_the_unit_of_a_feature_does_not_matter(examples: list[LabelledExample], scale: float, shift: float) -> None:
    if (
        len({example.features[0] for example in examples}) == 1
        or len({example.features[1] for example in examples}) == 1
    ):
        return
    moved = [
        LabelledExample(
            features=(example.features[0] * scale + shift, example.features[1]),
            wrong=example.wrong,
            block=example.block,
        )
        for example in examples
    ]
    pairs = zip(cross_validate(examples), cross_validate(moved), strict=True)
    assert all(abs(doubt - other) < 0.02 for doubt, other in pairs)


def world(count: int, seed: int) -> list[LabelledExample]:
    """Texts that are wrong as often as their first feature says; their second one says nothing."""
    chance = random.Random(seed)
    examples = []
    for number in range(count):
        truth = chance.random()
        examples.append(
            LabelledExample(features=(truth, chance.random()), wrong=chance.random() < truth, block=str(number // 10))
        )
    return examples


def test_a_feature_that_tells_is_weighed_and_another_is_not() -> None:
    model = fit_error_model(world(4_000, seed=1))
    assert model.error_probability((0.9, 0.5)) - model.error_probability((0.1, 0.5)) > 0.5
    assert abs(model.error_probability((0.5, 0.9)) - model.error_probability((0.5, 0.1))) < 0.15


def test_cross_validation_promises_no_more_than_new_texts_hold() -> None:
    """With many random features and few texts, a model is too sure of the texts that it was fitted on."""
    chance = random.Random(3)
    examples = [
        LabelledExample(
            features=tuple(chance.gauss(0, 1) for _ in range(25)), wrong=chance.random() < 0.5, block=str(number)
        )
        for number in range(60)
    ]
    model = fit_error_model(examples, ridge=0.1)

    def apart(doubts: list[float]) -> float:
        wrong = [doubt for doubt, example in zip(doubts, examples, strict=True) if example.wrong]
        right = [doubt for doubt, example in zip(doubts, examples, strict=True) if not example.wrong]
        return sum(wrong) / len(wrong) - sum(right) / len(right)

    assert apart([model.error_probability(example.features) for example in examples]) > 0.3
    assert apart(cross_validate(examples, ridge=0.1)) < 0.15


def test_texts_of_one_block_are_held_out_together() -> None:
    """Two blocks whose people contradict each other: who knows only the other's block is wrong of both."""
    examples = [
        LabelledExample(features=(float(feature),), wrong=(feature == 1) == (block == "a"), block=block)
        for feature in (0, 1)
        for block in "ab"
    ] * 5
    right = [(doubt > 0.5) == example.wrong for doubt, example in zip(cross_validate(examples), examples, strict=True)]
    assert not any(right)


def test_what_was_never_wrong_is_hardly_doubted() -> None:
    examples = [LabelledExample(features=(float(number % 7),), wrong=False, block=str(number)) for number in range(40)]
    assert max(cross_validate(examples)) < 0.05
