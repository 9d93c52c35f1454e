"""The evaluation of a candidate of a workspace against the model in use, and the gate's decision on it."""

from __future__ import annotations

from collections.abc import Callable

from transcribe.datasets.manifest import Frozen
from transcribe.records import Model
from transcribe.scoring.rules import make_preparer, read_method
from transcribe.training import diariser_evaluation, diariser_loop
from transcribe.training.evaluate import judge
from transcribe.training.gate import Decision, gate, gate_diariser
from transcribe.tuning_dependencies import build_diariser_bench
from transcribe.wiring import Wiring


def judge_recogniser(
    wiring: Wiring, candidate: Model, current: Model, frozen: Frozen, *, on_step: Callable[[bool], None]
) -> Decision:
    """
    Draft the test of *frozen* with both models and save the gate's decision; nothing is promoted.

    Args:
        on_step: Called after each drafted recording, with true where that failed.
    """
    evaluation = judge(
        wiring.store,
        wiring.audio_folder,
        frozen,
        current=wiring.recipe_with(current.place),
        candidate=wiring.recipe_with(candidate.place),
        prepare=make_preparer(wiring.settings.report, remember=True),
        method=read_method(wiring.settings.report),
        clock=wiring.clock,
        on_step=lambda step: on_step(step.failure is not None),
    )
    dialects = tuple(tag for tag in frozen.counts.get("train", {}) if tag != "und")
    decision = gate(evaluation, wiring.settings.gate, taught=dialects)
    wiring.store.models.save_decision(candidate.id, {"decision": decision.data(), "evaluation": evaluation.data()})
    return decision


def judge_diariser(
    wiring: Wiring, candidate: Model, current: Model, frozen: Frozen, *, on_progress: Callable[[float], None]
) -> Decision:
    """
    Diarise the test of *frozen* with both models and save the gate's decision; nothing is promoted.

    Args:
        on_progress: Called with the part that is done, from 0 to 1.
    """
    # It needs torch, which a recogniser is judged without.
    from transcribe.backends.diariser_tuning import TunableDiariser

    bench = build_diariser_bench(wiring)
    present = wiring.load_diariser(current.place)
    evaluation = diariser_evaluation.evaluate(
        bench.sound,
        frozen,
        diariser_loop.plan(bench, frozen).test,
        present=present,
        candidate=wiring.load_diariser(candidate.place),
        tunable=TunableDiariser(present),
        agreement={},
        advance=on_progress,
    )
    decision = gate_diariser(evaluation, bench.gate)
    document = {"decision": decision.data(), "evaluation": evaluation.data()}
    wiring.store.models.save_decision(candidate.id, (wiring.store.models.find_decision(candidate.id) or {}) | document)
    return decision
