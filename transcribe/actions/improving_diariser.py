"""Tuning of the diariser on corrections: one command, one display, one report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe import embedded
from transcribe.actions import datasets
from transcribe.actions.recordings import stop_on_signal
from transcribe.backends.identity import folder_id
from transcribe.console import Answer, Console
from transcribe.errors import MissingError
from transcribe.records import Model
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.datasets.manifest import Frozen
    from transcribe.training.diariser_loop import DiariserBench, DiariserImprovement, DiariserPlan, Stage, Tell
    from transcribe.training.gate import Decision


def improve(wiring: Wiring, console: Console, *, dataset: str | None = None, dry_run: bool = False) -> Answer:
    """
    Freeze, tune, evaluate, and promote what passes the gate.

    Args:
        dataset: A dataset that was frozen before; ``None`` freezes what stands now.
        dry_run: Say what would be done.

    Raises:
        GateFailed: If the candidate may not be promoted; the report is printed first.
    """
    from transcribe.training import diariser_loop as circle

    with wiring.store.lock("run"):
        circle.sweep(wiring.workspace)
        bench = build_bench(wiring)
        plan = circle.plan(bench, datasets.open_dataset(wiring, dataset) if dataset else None)
        if dry_run:
            return Answer(data=plan.data() | {"dry_run": True}, text=describe_plan(plan))
        console.note(describe_plan(plan))
        with stop_on_signal() as stop, _display(console) as tell:
            improvement = circle.improve(bench, plan, tell=tell, stop=stop)
    text = report(improvement)
    file = wiring.workspace / "reports" / plan.name / "report.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")
    document = plan.data() | improvement.data() | {"known": improvement.decided_before, "report": str(file)}
    if not improvement.decision.promoted and not console.as_json:
        console.note(text)
    improvement.decision.refuse()
    return Answer(data=document, text=text)


def build_bench(wiring: Wiring) -> DiariserBench:
    """Build the dependencies of tuning from the workspace's settings."""
    from transcribe.training.diariser_loop import DiariserBench

    return DiariserBench(
        workspace=wiring.workspace,
        store=wiring.store,
        audio_folder=wiring.audio_folder,
        rules=datasets.rules_of(wiring),
        train=wiring.settings.diariser_train,
        gate=wiring.settings.diariser_gate,
        current=_current_diariser(wiring),
        load=wiring.load_diariser,
        folder=wiring.diariser_folder,
    )


def _current_diariser(wiring: Wiring) -> Model:
    """
    Return the diariser in use, as the store names it or would.

    Raises:
        MissingError: E_MODEL if it is not in a folder of this machine, and cannot be tuned therefore.
    """
    location = wiring.diariser_place
    folder = Path(wiring.diariser_folder(location))
    if not folder.is_dir():
        raise MissingError(
            f"the diariser {location} was to be tuned; it is no folder of this machine",
            code="E_MODEL",
            hint="set diariser.model to diariser-real, after boli models get diariser-real",
            item=location,
        )
    id = folder_id(folder)
    registered = next((model for model in wiring.store.models() if model.id == id), None)
    name = "embedded-diariser" if location == embedded.NAME else Path(location).name
    return registered or Model(id=id, place=location, name=name, kind="diariser")


def judge(wiring: Wiring, candidate: Model, current: Model, frozen: Frozen, console: Console) -> Decision:
    """Evaluate *candidate* against *current* on the test of *frozen* and save the decision; nothing is promoted."""
    from transcribe.backends.diariser_tuning import TunableDiariser
    from transcribe.training import diariser_loop as circle
    from transcribe.training.diariser_evaluation import evaluate
    from transcribe.training.diariser_gate import gate_diariser

    bench = build_bench(wiring)
    conversations = circle.plan(bench, frozen).test
    present = wiring.load_diariser(current.place)
    with console.progress("diarising the test", items=100) as progress:
        done = 0

        def advance(share: float) -> None:
            nonlocal done
            progress.step(items=round(100 * share) - done)
            done = round(100 * share)

        evaluation = evaluate(
            bench.sound,
            frozen,
            conversations,
            present=present,
            candidate=wiring.load_diariser(candidate.place),
            tunable=TunableDiariser(present),
            agreement={},
            advance=advance,
        )
    decision = gate_diariser(evaluation, bench.gate)
    record = {"decision": decision.data(), "evaluation": evaluation.data()}
    wiring.store.keep_decision(candidate.id, (wiring.store.decision(candidate.id) or {}) | record)
    return decision


@contextmanager
def _display(console: Console) -> Iterator[Tell]:
    """Display one bar for the whole run, with the time that is left."""
    from transcribe.training.diariser_loop import SHARES

    done: dict[Stage, int] = dict.fromkeys(SHARES, 0)
    with console.progress("improving the diariser", items=sum(SHARES.values())) as progress:

        def tell(stage: Stage, share: float) -> None:
            reached = round(SHARES[stage] * min(share, 1.0))
            if reached > done[stage]:
                progress.step(items=reached - done[stage])
                done[stage] = reached

        yield tell


def describe_plan(plan: DiariserPlan) -> str:
    """Say what would be done."""
    counts = ", ".join(f"{part} {len(getattr(plan, part))}" for part in ("train", "dev", "test"))
    chosen = "on the dev part" if plan.dev else "by leaving one conversation out"
    settings = plan.settings
    voices = (
        f"the voice space is learnt from {plan.people} people"
        if plan.learns_voices
        else f"the voice space stays: it needs a dev part and {settings.least_people} people with "
        f"{settings.least_speech_s:g} s of corrected speech each, there are {plan.people}"
    )
    return "\n".join(
        [
            f"dataset {plan.frozen.folder.name}: corrected conversations: {counts}",
            f"candidate {plan.name}: {settings.trials} sets of thresholds are tried, the choice is made {chosen}",
            voices,
        ]
    )


def report(improvement: DiariserImprovement) -> str:
    """Say what was tuned, the error before and after, and the decision with its reasons."""
    evaluation, parameters = improvement.evaluation, improvement.parameters
    rows = [evaluation["overall"], *evaluation["groups"]]
    right = evaluation["right_number_of_speakers"]
    return "\n".join(
        [
            *(["decided before; nothing new was corrected since"] * improvement.decided_before),
            *(
                f"{row['name']}: DER {100 * row['der_before']:.1f} % -> {100 * row['der_after']:.1f} %, "
                f"{100 * row['difference']:+.1f} points, {row['conversations']} conversations"
                for row in rows
            ),
            f"the right number of speakers in {right['before']} of {right['conversations']} conversations before, "
            f"in {right['after']} after",
            "",
            improvement.decision.text(),
            f"chosen on {parameters['chosen_on']}; voice space {parameters['voice_space']}",
            *improvement.notes,
            f"it took {improvement.seconds / 60:.1f} min",
            *(
                ["", "boli run diarises with it from now on; boli models rollback --kind diariser goes back"]
                * improvement.decision.promoted
            ),
        ]
    )
