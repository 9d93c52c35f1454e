"""
The gate: whether a candidate may draft in place of the model that does, in sentences.

It may where a dialect that it was tuned for is shown to be better, no dialect is shown to be worse by more than is
tolerated, it makes up no more, and it is no slower. What cannot be shown opens no gate, and closes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dialects.columns import p_value
from dialects.comparison import ALPHA, Comparison, Contrast
from dialects.statistics import holm
from transcribe.config import GateSettings
from transcribe.errors import GateFailed
from transcribe.evaluate import Evaluation
from transcribe.records import ModelKind

#: A model faster than this, in seconds of work a second of sound, is compared no more: other things take longer.
_FAST_ENOUGH: Final = 0.005


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the gate says of a candidate."""

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
        """For JSON."""
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
    def read(cls, data: Mapping[str, Any]) -> Decision:
        """The decision that `data` gave."""
        kept = {name: tuple(data[name]) for name in ("against", "reasons", "notes")}
        kind = data.get("kind", "recogniser")
        return cls(candidate=data["candidate"], current=data["current"], kind=kind, **kept)

    def text(self) -> str:
        """For people."""
        verb = "draft" if self.kind == "recogniser" else "diarise"
        verdict = f"may {verb}" if self.promoted else f"may not {verb}"
        lines = [f"model {self.candidate[:12]} {verdict} in place of {self.current[:12]}"]
        lines += [f"  no: {one}" for one in self.against] + [f"  yes: {one}" for one in self.reasons]
        return "\n".join([*lines, *(f"  note: {one}" for one in self.notes)])

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


def gate(found: Evaluation, rules: GateSettings, *, taught: Sequence[str]) -> Decision:
    """
    What *rules* say of the candidate of *found*.

    Args:
        taught: Dialects that it was tuned on: the targets where the rules name none.
    """
    judged = [one for one in found.comparison.dialects if one.blocks >= rules.least_blocks]
    targets = [one for one in judged if one.dialect in (rules.targets or taught)]
    better, missing = _gains(targets, rules.targets or taught)
    against = [*missing, *_losses(judged, rules), *_made_up(found, rules), *_slower(found, rules)]
    return Decision(
        candidate=found.candidate.model,
        current=found.current.model,
        against=tuple(against),
        reasons=tuple(better),
        notes=(*_unjudged(found.comparison, rules), *_begun(found), *found.comparison.warnings),
    )


def _gains(targets: Sequence[Contrast], wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is shown to be better, and a sentence if nothing is. The more targets, the surer each must be (Holm)."""
    adjusted = holm([one.p if one.p_floor < ALPHA else None for one in targets])
    better = [
        f"{one.dialect} got better: {_change(one, p)}"
        for one, p in zip(targets, adjusted, strict=True)
        if p is not None and p < ALPHA and (one.difference or 0) < 0
    ]
    if better:
        return better, []
    if not targets:
        return [], [
            f"the test has too few speakers of {', '.join(wanted) or 'any dialect'} to show that one got better"
        ]
    told = "; ".join(f"{one.dialect}: {_change(one, p)}" for one, p in zip(targets, adjusted, strict=True))
    return [], [f"no dialect is shown to be better ({told})"]


def _losses(judged: Sequence[Contrast], rules: GateSettings) -> list[str]:
    """Dialects that are worse by more than is tolerated, of which zero is out of the interval."""
    return [
        f"{one.dialect} got worse, and no more than {100 * rules.tolerance:g} points are allowed: {_change(one, one.p)}"
        for one in judged
        if one.difference is not None
        and one.interval is not None
        and one.difference > rules.tolerance
        and one.interval[0] > 0
    ]


def _made_up(found: Evaluation, rules: GateSettings) -> list[str]:
    before, after = found.current, found.candidate
    more = after.hallucinations_an_hour - before.hallucinations_an_hour
    if more <= rules.more_hallucinations or _chance_of(after.hallucinations, before.hallucinations) >= ALPHA:
        return []
    return [
        f"it makes up more: {after.hallucinations_an_hour:.1f} segments an hour hold what nobody said, "
        f"before {before.hallucinations_an_hour:.1f}"
    ]


def _chance_of(after: int, before: int) -> float:
    """How likely so many of all fall on one of two equals at least, both having heard the same sound."""
    from scipy.stats import binomtest

    return float(binomtest(after, after + before, 0.5, alternative="greater").pvalue) if after + before else 1.0


def _slower(found: Evaluation, rules: GateSettings) -> list[str]:
    """
    Refuse a candidate that takes longer for the sound and for each letter too.

    One that writes more, because it hears what the other missed or spells a script byte by byte, may take longer.
    """
    before, after = found.current.speed, found.candidate.speed
    if before.real_time_factor is None or after.real_time_factor is None:
        return []
    if after.real_time_factor <= max(before.real_time_factor * (1 + rules.slower), _FAST_ENOUGH):
        return []
    letters = (before.seconds_a_letter, after.seconds_a_letter)
    if letters[0] is not None and letters[1] is not None and letters[1] <= letters[0] * (1 + rules.slower):
        return []
    took, took_before = after.real_time_factor, before.real_time_factor
    return [f"it is slower: {took:.3f} seconds of work a second of sound, before {took_before:.3f}"]


def _unjudged(comparison: Comparison, rules: GateSettings) -> list[str]:
    return [
        f"{one.dialect} is not judged: {one.blocks} blocks of speakers in the test, {rules.least_blocks} are needed"
        for one in comparison.dialects
        if one.blocks < rules.least_blocks
    ]


def _begun(found: Evaluation) -> list[str]:
    if not found.begun_from_drafts:
        return []
    return [f"{found.begun_from_drafts} test texts began as a draft of one of the two and were not scored"]


def _change(one: Contrast, p: float | None) -> str:
    if one.wer_a is None or one.wer_b is None or one.difference is None:
        return "nothing was said"
    low, high = one.interval or (float("nan"), float("nan"))
    return (
        f"WER {100 * one.wer_a:.1f} % became {100 * one.wer_b:.1f} %, {100 * one.difference:+.1f} points "
        f"({100 * low:+.1f} to {100 * high:+.1f}), {p_value(1.0 if p is None else p)} with {one.blocks} blocks"
    )
