"""Which conversations count as corrected, and what is judged of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from transcribe.datasets import manifest
from transcribe.datasets.manifest import Example, Provenance
from transcribe.protocols import LabelledSpan, Span
from transcribe.training.corrected_turns import CorrectedConversation, corrected_conversations, speech_by_person


def example(start: int, end: int, speaker: str | None, **facts: object) -> Example:
    base = Example(id=f"{start}-{speaker}", audio="a1", start=start, end=end, text="words", speaker=speaker)
    return replace(base, **facts)  # type: ignore[arg-type]


TURNS = (example(0, 5_000, "asha", dialect="hi"), example(5_000, 9_000, "ravi", dialect="ta", session="s"))


def read_conversations(folder: Path, *examples: Example, **unwritten: list[Span]) -> list[CorrectedConversation]:
    return list(corrected_conversations(manifest.write(folder / "d", examples), unwritten=unwritten))


def test_turns_are_those_that_people_left(tmp_path: Path) -> None:
    (conversation,) = read_conversations(tmp_path, *TURNS)
    assert conversation.turns == (
        LabelledSpan(start=0, end=5_000, label="asha"),
        LabelledSpan(start=5_000, end=9_000, label="ravi"),
    )
    assert (conversation.dialect, conversation.recording) == ("hi", "a1")
    assert speech_by_person([conversation]) == {"asha": 5_000, "ravi": 4_000}
    assert conversation.scored_spans(10_000) == [(0, 10_000)]


def test_a_linked_speaker_has_one_name(tmp_path: Path) -> None:
    (conversation,) = read_conversations(tmp_path, replace(TURNS[0], linked="Asha K"), TURNS[1])
    assert {turn.label for turn in conversation.turns} == {"Asha K", "ravi"}


def test_little_uncorrected_speech_is_not_judged_and_much_of_it_leaves_the_conversation_out(tmp_path: Path) -> None:
    (conversation,) = read_conversations(
        tmp_path / "few", *TURNS, a1=[Span(start=9_100, end=10_000), Span(start=9_500, end=10_300)]
    )
    assert conversation.scored_spans(12_000) == [(0, 9_100), (10_300, 12_000)]
    assert read_conversations(tmp_path / "many", *TURNS, a1=[Span(start=9_100, end=12_000)]) == []


def test_drafts_that_count_without_a_person_tell_no_speaker(tmp_path: Path) -> None:
    accepted = replace(TURNS[1], provenance=Provenance(kind="pseudo"))
    assert read_conversations(tmp_path, TURNS[0], accepted) == []


def test_a_text_that_says_nobody_speaks_is_silence(tmp_path: Path) -> None:
    (conversation,) = read_conversations(tmp_path, *TURNS, example(9_500, 10_000, "asha", text=" "))
    assert len(conversation.turns) == 2
    assert conversation.scored_spans(11_000) == [(0, 11_000)]


def test_unnamed_speakers_and_channels_kept_apart_leave_a_conversation_out(tmp_path: Path) -> None:
    assert read_conversations(tmp_path / "unnamed", TURNS[0], example(5_000, 9_000, None)) == []
    assert read_conversations(tmp_path / "channels", *(replace(turn, channel=0) for turn in TURNS)) == []
