"""Windows of training are made of whole turns, and hold no speech that nobody has written down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.training.factories import line
from transcribe.datasets.manifest import Example
from transcribe.pipeline.windows import SURROUNDINGS, WINDOW_MARGIN
from transcribe.protocols import Span
from transcribe.training.windows import LONGEST_PAUSE, TrainingWindow, cut_window, cut_windows, find_passages


@st.composite
def talks(draw: st.DrawFn) -> list[Example]:
    """Turns that may overlap, some unwritten, some in another language."""
    moment, lines = 0, []
    for number in range(draw(st.integers(1, 12))):
        start = max(0, moment + draw(st.integers(-1_500, 6_000)))
        end = start + draw(st.integers(1, 9_000))
        text = draw(st.sampled_from(["aye", "aye", "aye", None]))
        language = draw(st.sampled_from(["en", "en", "en", "hi", None]))
        lines.append(line(start, end, text, id=str(number), language=language))
        moment = end
    return lines


@given(talk=talks(), longest=st.integers(1_000, 28_000))
def test_no_window_holds_speech_that_is_not_in_its_texts(talk: list[Example], longest: int) -> None:
    for window in (window for passage in find_passages(talk) for window in cut_windows(passage, longest)):
        inside = [
            turn for turn in talk if any(turn.start < piece.end and turn.end > piece.start for piece in window.pieces)
        ]
        assert sorted(turn.id for turn in inside) == sorted(turn.id for turn in window.lines)
        assert {turn.language for turn in inside} == {inside[0].language}
        assert None not in {turn.text for turn in inside}


@given(talk=talks(), longest=st.integers(1_000, 28_000))
def test_windows_are_no_longer_than_asked_unless_speech_is_unbroken(talk: list[Example], longest: int) -> None:
    for passage in find_passages(talk):
        for window in cut_windows(passage, longest):
            in_one_group = any(set(window.lines) <= set(group.lines) for group in passage.groups)
            assert window.duration <= longest or in_one_group
            assert window.duration <= 30_000


@given(talk=talks(), longest=st.integers(1_000, 28_000))
def test_every_text_that_can_be_taught_is_in_one_window_of_the_dev_part(talk: list[Example], longest: int) -> None:
    speech = find_passages(talk)
    windows = [window for passage in speech for window in cut_windows(passage, longest)]
    groups = [group for passage in speech for group in passage.groups]
    assert sorted(turn.id for window in windows for turn in window.lines) == sorted(
        turn.id for group in groups for turn in group.lines
    )


def test_a_long_pause_is_shortened_inside_a_window() -> None:
    (passage,) = find_passages([line(0, 1_000), line(9_000, 10_000)])
    (window,) = cut_windows(passage, 28_000)

    assert window.pieces == (Span(start=0, end=1_250), Span(start=8_750, end=10_000 + SURROUNDINGS))
    assert [window.offset(moment) for moment in (500, 5_000, 9_000)] == [500, 1_250, 1_500]


def test_a_turn_that_nobody_wrote_down_ends_a_passage() -> None:
    speech = find_passages([line(0, 1_000), line(1_500, 2_000, None), line(2_500, 3_000)])

    assert [(passage.start, passage.end) for passage in speech] == [(0, 1_250), (2_250, 3_000 + SURROUNDINGS)]


def test_a_very_long_silence_ends_a_passage() -> None:
    assert len(find_passages([line(0, 1_000), line(1_000 + LONGEST_PAUSE, 2_000 + LONGEST_PAUSE)])) == 1
    assert len(find_passages([line(0, 1_000), line(1_001 + LONGEST_PAUSE, 2_000 + LONGEST_PAUSE)])) == 2


def test_a_window_is_as_full_as_whole_turns_allow() -> None:
    (passage,) = find_passages([line(0, 2_000), line(2_500, 4_000), line(4_500, 6_000)])

    assert cut_window(passage, 0, 4_000 + 2 * WINDOW_MARGIN) == TrainingWindow(
        pieces=(Span(start=0, end=4_250),), lines=(line(0, 2_000), line(2_500, 4_000))
    )
    assert cut_window(passage, 1, 28_000).end == 6_000 + SURROUNDINGS


def test_recordings_and_channels_are_apart() -> None:
    talk = [line(0, 900, channel=0), line(1_000, 1_900, channel=1), line(1_000, 1_900, audio="b")]

    assert [(passage.audio, passage.channel) for passage in find_passages(talk)] == [("a", 0), ("a", 1), ("b", None)]
