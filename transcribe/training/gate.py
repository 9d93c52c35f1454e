"""
The gate: the rules by which a candidate may take the place of the model in use, with reasons in sentences.

One that drafts may where a dialect that it was tuned for is shown to be better, no dialect is shown to be worse by more
than is tolerated, it makes up no more, and it is no slower. What cannot be shown opens no gate, and closes none.

A diariser may where its error on the frozen test is lower for certain and by enough, no dialect and no kind of
recording is worse for certain by more than is tolerated, it gives no more speech to the wrong person, and the speakers
that people named are those whose voices are heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dialects.columns import p_value
from dialects.scoring.comparison import ALPHA, Comparison, Contrast
from dialects.scoring.statistics import holm
from transcribe.config import DiariserGateSettings, GateSettings
from transcribe.errors import GateFailed
from transcribe.records import ModelKind
from transcribe.training.diariser_evaluation import DiariserEvaluation, ErrorContrast, contrast
from transcribe.training.evaluate import Evaluation

#: A model faster than this, in seconds of work a second of sound, is compared no more: other things take longer.
_FAST_ENOUGH: Final = 0.005
#: How rarely speakers dealt out by lot may fit the voices as well as those that people named.
AGREEMENT_LEVEL: Final = 0.01


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The gate's decision on a candidate."""

    candidate: str
    current: str
    #: Why it may not be promoted; empty: it may.
    against: tuple[str, ...]
    #: What speaks for it.
    reasons: tuple[str, ...]
    #: What could not be judged, and why.
    notes: tuple[str, ...] = ()
    #: What the candidate does.
    kind: ModelKind = "recogniser"

    @property
    def promoted(self) -> bool:
        return not self.against

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "candidate": self.candidate,
            "current": self.current,
            "promoted": self.promoted,
            "against": list(self.against),
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "kind": self.kind,
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Decision:
        """Read a decision from the document that `data` returned."""
        sentences = {name: tuple(document[name]) for name in ("against", "reasons", "notes")}
        kind = document.get("kind", "recogniser")
        return cls(candidate=document["candidate"], current=document["current"], kind=kind, **sentences)

    def text(self) -> str:
        """Return lines for people."""
        verb = "draft" if self.kind == "recogniser" else "diarise"
        verdict = f"may {verb}" if self.promoted else f"may not {verb}"
        lines = [f"model {self.candidate[:12]} {verdict} in place of {self.current[:12]}"]
        for label, sentences in (("no", self.against), ("yes", self.reasons), ("note", self.notes)):
            lines += [f"  {label}: {sentence}" for sentence in sentences]
        return "\n".join(lines)

    def refuse(self) -> None:
        """
        Stop where the candidate may not be promoted.

        Raises:
            GateFailed: E_GATE, with every reason.
        """
        if self.against:
            message = f"model {self.candidate[:12]} was to be promoted; {'; '.join(self.against)}"
            command = "boli improve" if self.kind == "recogniser" else "boli improve --diariser"
            hint = f"the model before goes on; correct more of what got worse, then {command}"
            raise GateFailed(message, hint=hint, item=self.candidate)


def gate(evaluation: Evaluation, rules: GateSettings, *, taught: Sequence[str]) -> Decision:
    """
    Decide by *rules* whether the candidate of *evaluation* may be promoted.

    Args:
        taught: Dialects that it was tuned on: the targets where the rules name none.
    """
    contrasts = [contrast for contrast in evaluation.comparison.dialects if contrast.blocks >= rules.least_blocks]
    targets = [contrast for contrast in contrasts if contrast.dialect in (rules.targets or taught)]
    better, missing = _find_gains(targets, rules.targets or taught)
    losses = _find_losses(contrasts, rules)
    against = [*missing, *losses, *_find_hallucinations(evaluation, rules), *_find_slowdown(evaluation, rules)]
    small = _note_small_dialects(evaluation.comparison, rules)
    return Decision(
        candidate=evaluation.candidate.model,
        current=evaluation.current.model,
        against=tuple(against),
        reasons=tuple(better),
        notes=(*small, *_note_unscored(evaluation), *evaluation.comparison.warnings),
    )


def _find_gains(targets: Sequence[Contrast], wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what is shown to be better, and a sentence if nothing is; p-values are adjusted for all targets (Holm)."""
    adjusted = holm([contrast.p if contrast.p_floor < ALPHA else None for contrast in targets])
    better = [
        f"{contrast.dialect} got better: {_format_change(contrast, p)}"
        for contrast, p in zip(targets, adjusted, strict=True)
        if p is not None and p < ALPHA and (contrast.difference or 0) < 0
    ]
    if better:
        return better, []
    if not targets:
        return [], [
            f"the test has too few speakers of {', '.join(wanted) or 'any dialect'} to show that one got better"
        ]
    changes = [f"{target.dialect}: {_format_change(target, p)}" for target, p in zip(targets, adjusted, strict=True)]
    return [], [f"no dialect is shown to be better ({'; '.join(changes)})"]


def _find_losses(contrasts: Sequence[Contrast], rules: GateSettings) -> list[str]:
    """Name the dialects that are worse by more than is tolerated, of which zero is out of the interval."""
    return [
        f"{contrast.dialect} got worse, and no more than {100 * rules.tolerance:g} points are allowed: "
        f"{_format_change(contrast, contrast.p)}"
        for contrast in contrasts
        if contrast.difference is not None
        and contrast.interval is not None
        and contrast.difference > rules.tolerance
        and contrast.interval[0] > 0
    ]


def _find_hallucinations(evaluation: Evaluation, rules: GateSettings) -> list[str]:
    current, candidate = evaluation.current, evaluation.candidate
    more = candidate.hallucinations_an_hour - current.hallucinations_an_hour
    if more <= rules.more_hallucinations or _chance_of(candidate.hallucinations, current.hallucinations) >= ALPHA:
        return []
    return [
        f"it makes up more: {candidate.hallucinations_an_hour:.1f} segments an hour hold what nobody said, "
        f"before {current.hallucinations_an_hour:.1f}"
    ]


def _chance_of(candidate: int, current: int) -> float:
    """Return how likely at least *candidate* of all cases fall on one of two equals that heard the same audio."""
    from scipy.stats import binomtest

    cases = candidate + current
    return float(binomtest(candidate, cases, 0.5, alternative="greater").pvalue) if cases else 1.0


def _find_slowdown(evaluation: Evaluation, rules: GateSettings) -> list[str]:
    """
    Refuse a candidate that takes longer for the sound and for each letter too.

    One that writes more, because it hears what the other missed or spells a script byte by byte, may take longer.
    """
    current, candidate = evaluation.current.speed, evaluation.candidate.speed
    if current.real_time_factor is None or candidate.real_time_factor is None:
        return []
    if candidate.real_time_factor <= max(current.real_time_factor * (1 + rules.slower), _FAST_ENOUGH):
        return []
    letters = (current.seconds_a_letter, candidate.seconds_a_letter)
    if letters[0] is not None and letters[1] is not None and letters[1] <= letters[0] * (1 + rules.slower):
        return []
    factor, current_factor = candidate.real_time_factor, current.real_time_factor
    return [f"it is slower: {factor:.3f} seconds of work a second of sound, before {current_factor:.3f}"]


def _note_small_dialects(comparison: Comparison, rules: GateSettings) -> list[str]:
    return [
        f"{row.dialect} is not judged: {row.blocks} blocks of speakers in the test, {rules.least_blocks} are needed"
        for row in comparison.dialects
        if row.blocks < rules.least_blocks
    ]


def _note_unscored(evaluation: Evaluation) -> list[str]:
    if not evaluation.begun_from_drafts:
        return []
    return [f"{evaluation.begun_from_drafts} test texts began as a draft of one of the two and were not scored"]


def _format_change(contrast: Contrast, p: float | None) -> str:
    if contrast.wer_a is None or contrast.wer_b is None or contrast.difference is None:
        return "nothing was said"
    low, high = contrast.interval or (float("nan"), float("nan"))
    return (
        f"WER {100 * contrast.wer_a:.1f} % became {100 * contrast.wer_b:.1f} %, "
        f"{100 * contrast.difference:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}), "
        f"{p_value(1.0 if p is None else p)} with {contrast.blocks} blocks"
    )


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
            *_find_diariser_losses(groups, rules),
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


def _find_diariser_losses(groups: Sequence[ErrorContrast], rules: DiariserGateSettings) -> list[str]:
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
