"""The gate, on evaluations that differ in one thing each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest

from dialects.dialect import load_catalogue
from dialects.report.table import Report, report_of
from dialects.scoring.comparison import contrast
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import Pair
from transcribe.config import GateSettings
from transcribe.errors import GateFailed
from transcribe.training.evaluate import Evaluation, Scores, Speed
from transcribe.training.gate import Decision, gate

RULES = GateSettings()
#: Errors of a segment of ten words, by dialect.
Errors = Mapping[str, Callable[[random.Random], int]]


def make_report(errors: Errors, speakers: Mapping[str, int]) -> Report:
    chance = random.Random(3)
    pairs = []
    for dialect, count in speakers.items():
        for number in range(count):
            for segment in range(6):
                words = [f"w{number}" for number in range(10)]
                wrong = errors[dialect](chance)
                hypothesis = ["no"] * wrong + words[wrong:]
                name = f"{dialect}-{number}"
                pairs.append(
                    Pair(
                        id=f"{name}-{segment}",
                        reference=" ".join(words),
                        hypothesis=" ".join(hypothesis),
                        dialect=dialect,
                        speaker=name,
                        session=name,
                        duration_s=600,
                    )
                )
    return report_of(pairs, Preparer(load_catalogue()), model="any", with_recount=False)


def about(mean: int) -> Callable[[random.Random], int]:
    return lambda chance: max(0, mean + chance.randint(-1, 1))


def speed(real_time_factor: float, letters: int = 10) -> Speed:
    """Give the speed of drafting so many *letters* a second."""
    return Speed(real_time_factor=real_time_factor, seconds_a_letter=real_time_factor / letters if letters else None)


def evaluation(
    current: Errors, candidate: Errors, speakers: Mapping[str, int] | None = None, **changed: tuple[object, object]
) -> Evaluation:
    """Each in *changed* is a fact of the current model and of the candidate."""
    speakers = speakers or {"en-GB": 8, "en-scotland": 10}
    facts = {"hallucinations": (0, 0), "speed": (speed(0.1), speed(0.1))} | changed
    sides = [make_report(errors, speakers) for errors in (current, candidate)]
    scores = [
        Scores(
            model=f"{'candidate' if index else 'current'}-model",
            report=side,
            sound=3_600_000,
            **{k: v[index] for k, v in facts.items()},
        )  # type: ignore[arg-type]
        for index, side in enumerate(sides)
    ]
    return Evaluation(
        dataset_sha256="ab" * 32,
        current=scores[0],
        candidate=scores[1],
        comparison=contrast(sides[0].side(), sides[1].side()),
        begun_from_drafts=0,
    )


BEFORE: Errors = {"en-GB": about(2), "en-scotland": about(6)}
BETTER: Errors = {"en-GB": about(2), "en-scotland": about(3)}


def decide(comparison: Evaluation, rules: GateSettings = RULES, taught: tuple[str, ...] = ("en-scotland",)) -> Decision:
    return gate(comparison, rules, taught=taught)


def test_a_better_weak_dialect_opens_the_gate() -> None:
    decision = decide(evaluation(BEFORE, BETTER))
    assert decision.promoted
    assert decision.against == ()
    assert decision.reasons[0].startswith("en-scotland got better: WER 6")
    decision.refuse()


def test_the_same_again_opens_no_gate() -> None:
    decision = decide(evaluation(BEFORE, BEFORE))
    assert not decision.promoted
    assert "no dialect is shown to be better" in decision.against[0]
    with pytest.raises(GateFailed, match="candidate-mo was to be promoted") as refused:
        decision.refuse()
    assert refused.value.exit_code == 7


def test_a_gain_that_another_dialect_pays_for_is_refused_with_its_name() -> None:
    decision = decide(evaluation(BEFORE, {"en-GB": about(4), "en-scotland": about(3)}))
    assert not decision.promoted
    assert decision.against[0].startswith("en-GB got worse, and no more than 1 points are allowed")
    assert decision.reasons, "what got better is told too"


def test_a_loss_within_the_tolerance_is_borne() -> None:
    comparison = evaluation(BEFORE, {"en-GB": about(4), "en-scotland": about(3)})
    assert decide(comparison, GateSettings(tolerance=0.5)).promoted


def test_a_dialect_with_few_speakers_neither_opens_nor_closes_the_gate() -> None:
    speakers = {"en-GB": 5, "en-scotland": 10}
    comparison = evaluation(BEFORE, {"en-GB": about(9), "en-scotland": about(3)}, speakers)
    decision = decide(comparison)
    assert decision.promoted
    assert "en-GB is not judged: 5 blocks of speakers in the test, 6 are needed" in decision.notes
    few = decide(evaluation(BEFORE, BETTER, {"en-GB": 8, "en-scotland": 5}))
    assert "too few speakers of en-scotland" in few.against[0]


def test_named_targets_count_and_no_others() -> None:
    decision = decide(evaluation(BEFORE, BETTER), GateSettings(targets=("en-GB",)))
    assert not decision.promoted
    assert "en-GB: WER" in decision.against[0]


def test_a_model_that_makes_things_up_is_refused() -> None:
    decision = decide(evaluation(BEFORE, BETTER, hallucinations=(1, 12)))
    assert decision.against == ("it makes up more: 12.0 segments an hour hold what nobody said, before 1.0",)
    assert decide(evaluation(BEFORE, BETTER, hallucinations=(1, 4))).promoted, "three more may be chance"


def test_a_slower_model_is_refused() -> None:
    decision = decide(evaluation(BEFORE, BETTER, speed=(speed(0.1), speed(0.14))))
    assert decision.against == ("it is slower: 0.140 seconds of work a second of sound, before 0.100",)
    assert decide(evaluation(BEFORE, BETTER, speed=(speed(0.1), speed(0.12)))).promoted
    assert not decide(evaluation(BEFORE, BETTER, speed=(speed(0.1, letters=0), speed(0.14)))).promoted


def test_a_model_that_writes_more_may_take_longer_for_it() -> None:
    assert decide(evaluation(BEFORE, BETTER, speed=(speed(0.1), speed(0.14, letters=12)))).promoted
    assert not decide(evaluation(BEFORE, BETTER, speed=(speed(0.1), speed(0.14, letters=11)))).promoted


def test_a_decision_reads_back_as_it_was_kept() -> None:
    decision = decide(evaluation(BEFORE, BEFORE))
    assert Decision.parse(decision.data()) == decision
    assert "may not draft" in decision.text()
