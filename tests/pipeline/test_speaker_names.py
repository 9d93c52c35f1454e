"""Owners of turns: the people who were declared, else nobody but this recording."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transcribe.pipeline.speaker_names import name_turns, name_voices
from transcribe.protocols import LabelledSpan
from transcribe.records import DeclaredTurn, Recording


def recording(*declared: DeclaredTurn, speaker: str | None = None, dialect: str | None = None) -> Recording:
    return Recording(
        id="r",
        path="r.wav",
        duration=60_000,
        rate_hz=16_000,
        channels=1,
        speaker=speaker,
        dialect=dialect,
        declared=declared,
    )


def declare(start: int, end: int, speaker: str, dialect: str | None = None) -> DeclaredTurn:
    return DeclaredTurn(start=start, end=end, speaker=speaker, dialect=dialect)


def span(start: int, end: int, label: str = "SPEAKER_00") -> LabelledSpan:
    return LabelledSpan(start=start, end=end, label=label)


def test_without_a_declaration_a_speaker_is_known_in_this_recording_only() -> None:
    assert [turn.speaker for turn in name_turns(recording(), [span(0, 10)])] == ["r/SPEAKER_00"]


def test_the_declared_speaker_of_the_recording_has_every_turn() -> None:
    turns = name_turns(recording(speaker="asha"), [span(0, 10), span(20, 30, "SPEAKER_01")])
    assert {turn.speaker for turn in turns} == {"asha"}


def test_a_turn_takes_the_name_that_it_overlaps_most() -> None:
    declared = recording(declare(0, 1_000, "asha"), declare(1_000, 3_000, "binod"), speaker="somebody")
    turns = name_turns(declared, [span(500, 2_000), span(0, 1_400)])
    assert [(turn.start, turn.speaker) for turn in turns] == [(0, "asha"), (500, "binod")]


def test_a_turn_that_only_touches_a_declared_one_is_not_named_by_it() -> None:
    (turn,) = name_turns(recording(declare(1_000, 2_000, "asha")), [span(0, 1_000)])
    assert turn.speaker == "r/SPEAKER_00"


def test_a_long_declared_turn_is_found_behind_many_short_ones() -> None:
    short = [declare(5_000 + 10 * i, 5_005 + 10 * i, f"s{i}") for i in range(50)]
    (turn,) = name_turns(recording(declare(0, 60_000, "asha"), *short), [span(50_000, 51_000)])
    assert turn.speaker == "asha"


def test_the_dialect_is_that_of_the_declared_turn_else_of_the_recording() -> None:
    declared = recording(declare(0, 1_000, "asha", "bho"), declare(1_000, 2_000, "binod"), dialect="hi")
    turns = name_turns(declared, [span(0, 1_000), span(1_000, 2_000), span(5_000, 6_000)])
    assert [turn.dialect for turn in turns] == ["bho", "hi", "hi"]


def test_a_dialect_that_nobody_declared_stays_unknown() -> None:
    assert [turn.dialect for turn in name_turns(recording(declare(0, 10, "asha")), [span(0, 10)])] == [None]


def test_people_on_different_channels_stay_different_people() -> None:
    first, second = (name_turns(recording(), [span(0, 10)], channel=channel)[0] for channel in (0, 1))
    assert first.speaker != second.speaker
    assert (first.channel, second.channel) == (0, 1)
    assert first.label != second.label


def test_a_turn_that_was_given_a_name_keeps_the_diarisers_own() -> None:
    turns = name_turns(recording(declare(0, 2_000, "asha")), [span(0, 900), span(1_000, 2_000, "SPEAKER_01")])
    assert [(turn.speaker, turn.label) for turn in turns] == [("asha", "SPEAKER_00"), ("asha", "SPEAKER_01")]


SPANS = st.builds(
    lambda start, length, label: span(start, start + length, label),
    st.integers(0, 5_000),
    st.integers(1, 3_000),
    st.sampled_from(["SPEAKER_00", "SPEAKER_01"]),
)
DECLARED = st.builds(
    lambda start, length, speaker: declare(start, start + length, speaker),
    st.integers(0, 5_000),
    st.integers(1, 3_000),
    st.sampled_from(["asha", "binod", "chandra"]),
)


def overlap(a: LabelledSpan, b: DeclaredTurn) -> int:
    return max(0, min(a.end, b.end) - max(a.start, b.start))


@given(st.lists(SPANS, max_size=8), st.lists(DECLARED, max_size=8))
def test_every_span_becomes_one_turn_named_after_a_declared_turn_that_overlaps_it_most(
    spans: list[LabelledSpan], declared: list[DeclaredTurn]
) -> None:
    turns = name_turns(recording(*declared), spans)
    assert sorted((turn.start, turn.end) for turn in turns) == sorted((s.start, s.end) for s in spans)
    assert [(turn.start, turn.speaker) for turn in turns] == sorted((turn.start, turn.speaker) for turn in turns)
    for only in spans:
        (turn,) = name_turns(recording(*declared), [only])
        most = max((overlap(only, d) for d in declared), default=0)
        best = {d.speaker for d in declared if overlap(only, d) == most} if most else {f"r/{only.label}"}
        assert turn.speaker in best


def test_a_voice_has_the_name_that_most_of_its_turns_have_and_the_length_of_those() -> None:
    talk = recording(declare(0, 1_000, "asha"), declare(2_000, 5_000, "ravi"))
    spans = [*(span(start, start + 1_000, "a") for start in (0, 2_000, 4_000)), span(6_000, 7_000, "b")]
    vectors = {"a": (3.0, 4.0), "b": (0.0, 2.0), "nobody": (1.0, 0.0)}
    voices = name_voices(name_turns(talk, spans), vectors, maker="encoder")
    assert [(voice.speaker, voice.speech, voice.channel, voice.maker) for voice in voices] == [
        ("ravi", 2_000, None, "encoder"),
        (f"{talk.id}/b", 1_000, None, "encoder"),
    ]
    assert np.allclose(np.frombuffer(voices[0].vector, dtype="<f4"), [0.6, 0.8])


def test_a_voice_of_one_channel_is_found_by_the_diarisers_own_label() -> None:
    turns = name_turns(recording(), [span(0, 900, "a")], channel=1)
    [voice] = name_voices(turns, {"a": (1.0, 0.0)}, maker="encoder")
    assert (voice.speaker, voice.channel, voice.speech) == (f"{recording().id}/1/a", 1, 900)
