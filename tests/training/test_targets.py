"""Targets of the decoder: languages, times that never go back, words, and the weight of each of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.factories import line
from transcribe import embedded
from transcribe.datasets.manifest import Provenance
from transcribe.errors import InputError
from transcribe.protocols import Span
from transcribe.training.targets import TargetEncoder
from transcribe.training.windows import TrainingWindow

ENCODER = TargetEncoder(embedded.whisper_for_training())


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
