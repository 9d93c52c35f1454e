"""The inputs of the decoder in training are the text so far, some of it wrong where that is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.factories import line
from transcribe import embedded
from transcribe.datasets.manifest import Provenance
from transcribe.errors import InputError
from transcribe.protocols import Span
from transcribe.training.collate import TargetEncoder
from transcribe.training.windows import TrainingWindow

torch = pytest.importorskip("torch", reason="tuning belongs to the train extra")
ENCODER = TargetEncoder(embedded.whisper_for_training())


pytest.importorskip("transformers", reason="tuning belongs to the train extra")

from transcribe.training.collate import (  # noqa: E402 - after the libraries that it needs
    Batch,
    Targets,
    collate,
    corrupt_inputs,
)

END = 99


def make_batch() -> Batch:
    """Return two texts of 40 and 30 tokens, each after four that are not trained on."""
    targets = [
        Targets(ids=[1, 2, 3, 4, *range(10, 10 + length), END], weights=[0.0] * 4 + [1.0] * (length + 1))
        for length in (40, 30)
    ]
    return collate(torch.zeros(2, 80, 10), targets, torch.tensor([False, False]), END, torch.device("cpu"))


def test_without_errors_the_text_so_far_is_given() -> None:
    batch = make_batch()

    assert torch.equal(corrupt_inputs(batch, 0.0, torch.Generator().manual_seed(0)), batch.inputs)


def test_errors_are_in_the_text_alone_and_as_many_as_asked() -> None:
    batch = make_batch()
    draws = [corrupt_inputs(batch, 0.3, torch.Generator().manual_seed(seed)) for seed in range(50)]
    changed = torch.stack([corrupted != batch.inputs for corrupted in draws]).float().mean(0)

    assert not changed[:, :4].any()
    assert not changed[1, 35:].any()
    assert changed[0, 4:].mean() == pytest.approx(0.3, abs=0.03)
    assert {int(token) for corrupted in draws for token in corrupted.unique()} <= {1, 2, 3, 4, END, *range(10, 50)}


@given(
    texts=st.lists(st.sampled_from(["aye right", "नमस्ते", "", "வணக்கம் ஐயா", "it's  four"]), max_size=5),
    timed=st.booleans(),
    speed=st.floats(0.9, 1.1),
)
def test_the_words_come_back_and_times_never_go_back(texts: list[str], timed: bool, speed: float) -> None:
    lines = tuple(line(1_000 * number, 1_000 * number + 1_500, text) for number, text in enumerate(texts))
    targets = ENCODER.encode(
        TrainingWindow(pieces=(Span(start=0, end=7_000),), lines=lines), "en", timed=timed, speed=speed
    )
    times = [token for token in targets.ids if token > ENCODER.no_times]

    assert ENCODER.decode_text(targets.ids) == " ".join(" ".join(text.split()) for text in texts if text)
    assert len(targets.ids) == len(targets.weights)
    assert times == sorted(times)
    assert len(times) == 2 * timed * len(list(filter(None, texts)))
    assert targets.ids[-1] == ENCODER.end


def test_a_window_starts_with_language_and_task_which_are_not_taught() -> None:
    targets = ENCODER.encode(
        TrainingWindow(pieces=(Span(start=0, end=1_000),), lines=(line(0, 900),)), "hi", timed=False
    )

    assert targets.ids[:4] == ENCODER.encode_opening("hi", timed=False)
    assert targets.weights[:4] == [0, 0, 0, 0]
    assert all(targets.weights[4:])


def test_times_follow_the_speed_of_the_sound() -> None:
    window = TrainingWindow(pieces=(Span(start=500, end=3_000),), lines=(line(1_500, 2_500),))

    assert ENCODER.encode(window, "en", timed=True, speed=1.0).ids[3] == ENCODER.encode_time(1_000)
    assert ENCODER.encode(window, "en", timed=True, speed=1.25).ids[3] == ENCODER.encode_time(800)


def test_times_count_the_sound_that_is_heard() -> None:
    pieces = (Span(start=0, end=1_000), Span(start=9_000, end=11_000))
    window = TrainingWindow(pieces=pieces, lines=(line(200, 750), line(9_250, 10_500)))
    times = [token for token in ENCODER.encode(window, "en", timed=True).ids if token > ENCODER.no_times]

    assert times == [ENCODER.encode_time(moment) for moment in (200, 750, 1_250, 2_500)]


def test_what_a_model_wrote_counts_less_than_what_a_person_wrote() -> None:
    pseudo = line(1_000, 1_900, "aye", weight=0.3, provenance=Provenance(kind="pseudo"))
    targets = ENCODER.encode(
        TrainingWindow(pieces=(Span(start=0, end=2_000),), lines=(line(0, 900, "aye"), pseudo)), "en", timed=False
    )
    words = ENCODER.encode_words("aye")

    assert targets.weights == [0] * 4 + [1] * len(words) + [0.3] * (len(words) + 1)


def test_silence_that_somebody_heard_is_taught_as_such() -> None:
    targets = ENCODER.encode(
        TrainingWindow(pieces=(Span(start=0, end=1_000),), lines=(line(0, 900, ""),)), "en", timed=True
    )

    assert targets.ids == [*ENCODER.encode_opening("en", timed=True), ENCODER.end]


def test_a_language_that_the_model_does_not_know_is_named() -> None:
    with pytest.raises(InputError, match="xx"):
        ENCODER.encode_opening("xx", timed=False)
