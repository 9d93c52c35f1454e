"""What the decoder is taught: languages, times that never go back, words, and what each of them counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.finetune.factories import line
from transcribe import embedded
from transcribe.errors import InputError
from transcribe.finetune.script import Scribe
from transcribe.frozen import Provenance
from transcribe.passages import Cut
from transcribe.protocols import Span

SCRIBE = Scribe(embedded.whisper_for_training())


@given(
    texts=st.lists(st.sampled_from(["aye right", "नमस्ते", "", "வணக்கம் ஐயா", "it's  four"]), max_size=5),
    timed=st.booleans(),
    speed=st.floats(0.9, 1.1),
)
def test_the_words_come_back_and_times_never_go_back(texts: list[str], timed: bool, speed: float) -> None:
    lines = tuple(line(1_000 * at, 1_000 * at + 1_500, text) for at, text in enumerate(texts))
    script = SCRIBE.script(Cut(pieces=(Span(start=0, end=7_000),), lines=lines), "en", timed=timed, speed=speed)
    times = [token for token in script.ids if token > SCRIBE.no_times]

    assert SCRIBE.text(script.ids) == " ".join(" ".join(text.split()) for text in texts if text)
    assert len(script.ids) == len(script.weights)
    assert times == sorted(times)
    assert len(times) == 2 * timed * len(list(filter(None, texts)))
    assert script.ids[-1] == SCRIBE.end


def test_a_window_starts_with_language_and_task_which_are_not_taught() -> None:
    script = SCRIBE.script(Cut(pieces=(Span(start=0, end=1_000),), lines=(line(0, 900),)), "hi", timed=False)

    assert script.ids[:4] == SCRIBE.opening("hi", timed=False)
    assert script.weights[:4] == [0, 0, 0, 0]
    assert all(script.weights[4:])


def test_times_follow_the_speed_of_the_sound() -> None:
    window = Cut(pieces=(Span(start=500, end=3_000),), lines=(line(1_500, 2_500),))

    assert SCRIBE.script(window, "en", timed=True, speed=1.0).ids[3] == SCRIBE.time(1_000)
    assert SCRIBE.script(window, "en", timed=True, speed=1.25).ids[3] == SCRIBE.time(800)


def test_times_count_the_sound_that_is_heard() -> None:
    pieces = (Span(start=0, end=1_000), Span(start=9_000, end=11_000))
    window = Cut(pieces=pieces, lines=(line(200, 750), line(9_250, 10_500)))
    times = [token for token in SCRIBE.script(window, "en", timed=True).ids if token > SCRIBE.no_times]

    assert times == [SCRIBE.time(moment) for moment in (200, 750, 1_250, 2_500)]


def test_what_a_model_wrote_counts_less_than_what_a_person_wrote() -> None:
    pseudo = line(1_000, 1_900, "aye", weight=0.3, provenance=Provenance(kind="pseudo"))
    script = SCRIBE.script(
        Cut(pieces=(Span(start=0, end=2_000),), lines=(line(0, 900, "aye"), pseudo)), "en", timed=False
    )
    words = SCRIBE.words("aye")

    assert script.weights == [0] * 4 + [1] * len(words) + [0.3] * (len(words) + 1)


def test_silence_that_somebody_heard_is_taught_as_such() -> None:
    script = SCRIBE.script(Cut(pieces=(Span(start=0, end=1_000),), lines=(line(0, 900, ""),)), "en", timed=True)

    assert script.ids == [*SCRIBE.opening("en", timed=True), SCRIBE.end]


def test_a_language_that_the_model_does_not_know_is_named() -> None:
    with pytest.raises(InputError, match="xx"):
        SCRIBE.opening("xx", timed=False)
