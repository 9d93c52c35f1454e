"""The gate of diarisers, on evaluations that differ in one thing each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialects.scoring.cpwer import DiarisationError
from transcribe.config import DiariserGateSettings
from transcribe.errors import GateFailed
from transcribe.training.diariser_evaluation import ConversationErrors, DiariserEvaluation
from transcribe.training.gate import Decision, gate_diariser

RULES = DiariserGateSettings()


def errors(number: int, confused_before: int, confused_after: int, **facts: str) -> ConversationErrors:
    """A conversation of a minute with so many milliseconds of confusion."""
    sides = [
        DiarisationError(speech=60_000, confusion=confused + 13 * number)
        for confused in (confused_before, confused_after)
    ]
    base = ConversationErrors(
        recording=f"r{number}",
        session=f"r{number}",
        dialect="hi",
        condition="wide band",
        errors_before=sides[0],
        errors_after=sides[1],
        speakers=2,
        speakers_before=3,
        speakers_after=2,
    )
    return replace(base, **facts)  # type: ignore[arg-type]


def evaluation(*conversations: ConversationErrors, train: float = 0.001, test: float = 0.001) -> DiariserEvaluation:
    return DiariserEvaluation(
        current="old",
        candidate="new",
        dataset_sha256="0" * 64,
        conversations=conversations,
        agreement={"train": train, "test": test},
    )


BETTER = [errors(number, 9_000, 5_000) for number in range(12)]


def test_certainly_fewer_errors_open_the_gate() -> None:
    decision = gate_diariser(evaluation(*BETTER), RULES)
    assert decision.promoted
    assert "told apart better: DER 15.1 % became 8.5 %, -6.7 points" in decision.reasons[0]
    assert decision.text().startswith("model new may diarise in place of old")
    assert Decision.parse(decision.data()) == decision


@pytest.mark.parametrize(
    ("conversations", "reason"),
    [
        (BETTER[:5], "too few conversations"),
        ([errors(n, 5_000, 5_000 + (-1) ** n * 900) for n in range(12)], "not shown"),
        ([errors(n, 5_000, 9_000) for n in range(12)], "not shown"),
        ([errors(n, 5_000, 4_900) for n in range(12)], "gains too little"),
    ],
)
def test_what_is_not_shown_opens_no_gate(conversations: list[ConversationErrors], reason: str) -> None:
    decision = gate_diariser(evaluation(*conversations), RULES)
    assert not decision.promoted
    assert any(reason in sentence for sentence in decision.against)
    with pytest.raises(GateFailed, match="boli improve --diariser"):
        decision.refuse()


@pytest.mark.parametrize("facts", [{"dialect": "ta"}, {"condition": "telephone band"}])
def test_no_dialect_and_no_kind_of_recording_pays(facts: dict[str, str]) -> None:
    worse = [errors(number, 3_000, 5_000, **facts) for number in range(12, 20)]
    decision = gate_diariser(evaluation(*BETTER, *BETTER, *worse), RULES)
    assert [sentence.split(" got worse")[0] for sentence in decision.against] == [next(iter(facts.values()))]


def test_a_few_conversations_of_a_kind_are_named_as_not_judged() -> None:
    worse = [errors(number, 3_000, 5_000, dialect="ta") for number in range(12, 15)]
    decision = gate_diariser(evaluation(*BETTER, *worse), RULES)
    assert decision.promoted
    assert any("ta is not judged by itself: 3 conversations" in note for note in decision.notes)


def test_speech_that_is_heard_better_does_not_pay_for_speakers_who_are_mixed_up() -> None:
    made = [
        replace(
            conversation,
            errors_before=DiarisationError(speech=60_000, missed=12_000 + conversation.errors_before.confusion),
        )
        for conversation in (errors(number, 0, 4_000) for number in range(12))
    ]
    decision = gate_diariser(evaluation(*made), RULES)
    assert [sentence.split(":")[0] for sentence in decision.against] == ["it gives more speech to the wrong person"]


@pytest.mark.parametrize("part", ["train", "test"])
def test_named_speakers_who_do_not_fit_the_voices_close_the_gate(part: str) -> None:
    decision = gate_diariser(evaluation(*BETTER, **{part: 0.2}), RULES)
    assert len(decision.against) == 1
    assert f"in the {part} part do not fit the voices" in decision.against[0]


def test_recordings_of_one_session_count_as_one_conversation() -> None:
    same = [replace(conversation, session="s") for conversation in BETTER]
    assert evaluation(*same).overall.conversations == 1
    assert not gate_diariser(evaluation(*same), RULES).promoted
