"""Windows of training are made of whole turns, and hold no speech that nobody has written down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.finetune.factories import line
from transcribe.frozen import Example
from transcribe.passages import WIDEST_PAUSE, Cut, cut, cuts, passages
from transcribe.protocols import Span
from transcribe.windows import SURROUNDINGS, WINDOW_MARGIN


@st.composite
def talks(draw: st.DrawFn) -> list[Example]:
    """Turns that may overlap, some unwritten, some in another language."""
    at, made = 0, []
    for number in range(draw(st.integers(1, 12))):
        start = max(0, at + draw(st.integers(-1_500, 6_000)))
        end = start + draw(st.integers(1, 9_000))
        text = draw(st.sampled_from(["aye", "aye", "aye", None]))
        language = draw(st.sampled_from(["en", "en", "en", "hi", None]))
        made.append(line(start, end, text, id=str(number), language=language))
        at = end
    return made


@given(talk=talks(), longest=st.integers(1_000, 28_000))
def test_no_window_holds_speech_that_is_not_in_its_texts(talk: list[Example], longest: int) -> None:
    for window in (one for passage in passages(talk) for one in cuts(passage, longest)):
        inside = [
            one for one in talk if any(one.start < piece.end and one.end > piece.start for piece in window.pieces)
        ]
        assert sorted(one.id for one in inside) == sorted(one.id for one in window.lines)
        assert {one.language for one in inside} == {inside[0].language}
        assert None not in {one.text for one in inside}


@given(talk=talks(), longest=st.integers(1_000, 28_000))
def test_windows_are_no_longer_than_asked_unless_speech_is_unbroken(talk: list[Example], longest: int) -> None:
    for passage in passages(talk):
        for window in cuts(passage, longest):
            one_island = any(set(window.lines) <= set(island.lines) for island in passage.islands)
            assert window.duration <= longest or one_island
            assert window.duration <= 30_000


@given(talk=talks(), longest=st.integers(1_000, 28_000))
def test_every_text_that_can_be_taught_is_in_one_window_of_the_dev_part(talk: list[Example], longest: int) -> None:
    found = passages(talk)
    taught = [one.id for passage in found for island in passage.islands for one in island.lines]
    assert sorted(one.id for passage in found for window in cuts(passage, longest) for one in window.lines) == sorted(
        taught
    )


def test_a_long_pause_is_shortened_inside_a_window() -> None:
    (passage,) = passages([line(0, 1_000), line(9_000, 10_000)])
    (window,) = cuts(passage, 28_000)

    assert window.pieces == (Span(start=0, end=1_250), Span(start=8_750, end=10_000 + SURROUNDINGS))
    assert [window.offset(moment) for moment in (500, 5_000, 9_000)] == [500, 1_250, 1_500]


def test_a_turn_that_nobody_wrote_down_ends_a_passage() -> None:
    found = passages([line(0, 1_000), line(1_500, 2_000, None), line(2_500, 3_000)])

    assert [(one.start, one.end) for one in found] == [(0, 1_250), (2_250, 3_000 + SURROUNDINGS)]


def test_a_very_long_silence_ends_a_passage() -> None:
    assert len(passages([line(0, 1_000), line(1_000 + WIDEST_PAUSE, 2_000 + WIDEST_PAUSE)])) == 1
    assert len(passages([line(0, 1_000), line(1_001 + WIDEST_PAUSE, 2_000 + WIDEST_PAUSE)])) == 2


def test_a_window_is_as_full_as_whole_turns_allow() -> None:
    (passage,) = passages([line(0, 2_000), line(2_500, 4_000), line(4_500, 6_000)])

    assert cut(passage, 0, 4_000 + 2 * WINDOW_MARGIN) == Cut(
        pieces=(Span(start=0, end=4_250),), lines=(line(0, 2_000), line(2_500, 4_000))
    )
    assert cut(passage, 1, 28_000).end == 6_000 + SURROUNDINGS


def test_recordings_and_channels_are_apart() -> None:
    talk = [line(0, 900, channel=0), line(1_000, 1_900, channel=1), line(1_000, 1_900, audio="b")]

    assert [(one.audio, one.channel) for one in passages(talk)] == [("a", 0), ("a", 1), ("b", None)]
