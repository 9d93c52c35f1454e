"""
The gate of diarisers: the rules by which a candidate may replace the one in use, with reasons in sentences.

It may where its diarisation error on the frozen test is lower for certain and by enough, no dialect and no kind of
recording is worse for certain by more than is tolerated, it gives no more speech to the wrong person, and the speakers
that people named are those whose voices are heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dialects.columns import p_value
from dialects.scoring.comparison import ALPHA
from transcribe.config import DiariserGateSettings
from transcribe.training.diariser_evaluation import DiariserEvaluation, ErrorContrast, contrast
from transcribe.training.gate import Decision

#: How rarely speakers dealt out by lot may fit the voices as well as those that people named.
AGREEMENT_LEVEL: Final = 0.01


def gate_diariser(evaluation: DiariserEvaluation, rules: DiariserGateSettings) -> Decision:
    """Decide by *rules* whether the candidate of *evaluation* may diarise."""
    better, missing = _find_gain(evaluation.overall, rules)
    groups = [group for group in evaluation.groups if group.conversations >= rules.least_conversations]
    return Decision(
        candidate=evaluation.candidate,
        current=evaluation.current,
        kind="diariser",
        against=(
            *missing,
            *_find_losses(groups, rules),
            *_find_confusion(evaluation, rules),
            *_find_disagreement(evaluation.agreement),
        ),
        reasons=better,
        notes=tuple(
            f"{group.name} is not judged by itself: {group.conversations} conversations in the test, "
            f"{rules.least_conversations} are needed"
            for group in evaluation.groups
            if group.conversations < rules.least_conversations
        ),
    )


def _find_gain(overall: ErrorContrast, rules: DiariserGateSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say that speakers are told apart better, or why that is not shown."""
    if overall.p_floor >= ALPHA or overall.conversations < rules.least_conversations:
        return (), (
            f"the test has too few conversations to show that speakers are told apart better: {overall.conversations} "
            f"of at least {max(rules.least_conversations, 6)}",
        )
    if overall.p >= ALPHA or overall.difference >= 0:
        return (), (f"speakers are not shown to be told apart better: {overall.sentence}",)
    if -overall.difference < rules.least_gain:
        wanted = f"{100 * rules.least_gain:g} points"
        return (), (f"it gains too little, at least {wanted} are asked for: {overall.sentence}",)
    return (f"speakers are told apart better: {overall.sentence}",), ()


def _find_losses(groups: Sequence[ErrorContrast], rules: DiariserGateSettings) -> list[str]:
    return [
        f"{group.name} got worse, and no more than {100 * rules.tolerance:g} points are allowed: {group.sentence}"
        for group in groups
        if group.difference > rules.tolerance and group.interval is not None and group.interval[0] > 0
    ]


def _find_confusion(evaluation: DiariserEvaluation, rules: DiariserGateSettings) -> list[str]:
    """Say that what it gains in hearing speech it loses in telling people apart."""
    confusion = contrast("confusion", evaluation.conversations, "confusion")
    if confusion.difference <= rules.tolerance or confusion.interval is None or confusion.interval[0] <= 0:
        return []
    return [
        f"it gives more speech to the wrong person: {100 * confusion.der_before:.1f} % became "
        f"{100 * confusion.der_after:.1f} %"
    ]


def _find_disagreement(agreement: Mapping[str, float]) -> list[str]:
    return [
        f"the speakers that people named in the {part} part do not fit the voices: speakers dealt out by lot fit as "
        f"well ({p_value(p)}); they may have been mixed up"
        for part, p in agreement.items()
        if p >= AGREEMENT_LEVEL
    ]
