"""The call and the text of `boli improve --diariser`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transcribe.console import Answer, Console

if TYPE_CHECKING:
    from transcribe.training.diariser_loop import DiariserImprovement, DiariserPlan
    from transcribe.wiring import Wiring


def improve_diariser(wiring: Wiring, console: Console, *, dataset: str | None = None, dry_run: bool = False) -> Answer:
    """
    Freeze, tune, evaluate, and promote what passes the gate.

    Args:
        dataset: A dataset that was frozen before; ``None`` freezes what stands now.
        dry_run: Say what would be done.

    Raises:
        GateFailed: If the candidate may not be promoted; the report is printed first.
    """
    from transcribe.commands.app import stop_on_signal
    from transcribe.training import diariser_loop as loop
    from transcribe.tuning_dependencies import build_diariser_bench

    with wiring.store.lock("run"):
        loop.sweep(wiring.workspace)
        bench = build_diariser_bench(wiring)
        plan = loop.plan(bench, wiring.open_dataset(dataset) if dataset else None)
        if dry_run:
            data = plan.data() | {"dry_run": True}
            return Answer(data=data, text=describe_plan(plan), warnings=plan.frozen.warnings())
        console.note(describe_plan(plan))
        with stop_on_signal() as stop, console.stages("improving the diariser", loop.SHARES) as tell:
            improvement = loop.improve(bench, plan, tell=tell, stop=stop)
    text = report(improvement)
    file = wiring.workspace / "reports" / plan.name / "report.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")
    document = plan.data() | improvement.data() | {"known": improvement.decided_before, "report": str(file)}
    if not improvement.decision.promoted and not console.as_json:
        console.note(text)
    improvement.decision.refuse()
    return Answer(data=document, text=text, warnings=plan.frozen.warnings())


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
