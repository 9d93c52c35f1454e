"""Command that improves the model that drafts, or the diariser, on corrections: one display, one report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import ML_TEAMS, AsJson, Debug, Dry, Progress, Workspace, app, console, open_workspace
from transcribe.commands.diariser_improvement import improve_diariser
from transcribe.console import Answer, Console

if TYPE_CHECKING:
    from transcribe.training.loop import Improvement, Plan
    from transcribe.wiring import Wiring


@app.command(rich_help_panel=ML_TEAMS, epilog="Example: boli improve")
def improve(
    on: Annotated[str | None, typer.Option("--dataset", help="A frozen dataset; default: what stands now.")] = None,
    diariser: Annotated[
        bool, typer.Option("--diariser", help="Learn who speaks when, instead of what is said.")
    ] = False,
    dialect: Annotated[
        list[str] | None,
        typer.Option(help="Learn this one; may be repeated. Default: what is heard worst."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of tuning at most.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
    progress: Progress = "auto",
) -> None:
    """Learn from what was corrected: freeze, tune, convert, evaluate, promote if better; kill it and run it again."""
    overrides = {
        "train.focus": dialect or None,
        "train.steps": steps,
        "train.device": device,
        "recogniser.device": device,
        "diariser.device": device,
    }
    with open_workspace(workspace, overrides) as wiring:
        improve_model = improve_diariser if diariser else improve_recogniser
        console.answer(improve_model(wiring, console, dataset=on, dry_run=dry_run))


def improve_recogniser(
    wiring: Wiring, console: Console, *, dataset: str | None = None, dry_run: bool = False
) -> Answer:
    """
    Freeze, tune, convert, evaluate, and promote what passes the gate; killed and run again, it goes on.

    Args:
        dataset: A dataset that was frozen before; ``None`` freezes what stands now.

    Raises:
        GateFailed: If the candidate may not be promoted; the report is printed first.
    """
    from transcribe.commands.app import stop_on_signal
    from transcribe.training import loop as loop
    from transcribe.tuning_dependencies import build_dependencies, remove_temporary_folders

    with wiring.store.lock("run"):
        remove_temporary_folders(wiring.workspace)
        deps = build_dependencies(wiring)
        plan = loop.make_plan(deps, wiring.open_dataset(dataset) if dataset else None)
        if dry_run:
            data = plan.data() | {"dry_run": True}
            return Answer(data=data, text=_describe_plan(plan), warnings=plan.frozen.warnings())
        console.note(_describe_plan(plan))
        console.note(wiring.drafting_sentence())
        with stop_on_signal() as stop, console.stages("improving", loop.SHARES) as tell:
            improvement = loop.improve(deps, plan, on_progress=tell, stop=stop)
    text = report(improvement, wiring)
    file = wiring.workspace / "reports" / plan.name / "report.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")
    cost = _cost(improvement, wiring)
    document = plan.data() | improvement.data() | {"known": improvement.is_repeat, "cost": cost, "report": str(file)}
    if not improvement.decision.promoted and not console.as_json:
        console.note(text)
    improvement.decision.refuse()
    return Answer(data=document, text=text, warnings=plan.frozen.warnings())


def _describe_plan(plan: Plan) -> str:
    counts = plan.frozen.counts

    def count(split: str) -> str:
        cells = counts.get(split, {})
        minutes = sum(cell["milliseconds"] for cell in cells.values()) / 60_000
        return f"{split} {sum(cell['stretches'] for cell in cells.values())} texts ({minutes:.1f} min)"

    lean = f"leaning to {', '.join(plan.focus)}" if plan.focus else "all dialects alike"
    closed = ["the vocabulary is declared closed: training keeps sentences that the test has"]
    lines = [
        f"dataset {plan.frozen.folder.name}: {', '.join(map(count, ('train', 'dev', 'test')))}",
        f"candidate {plan.name}: at most {plan.train.steps} steps, {lean}",
    ]
    return "\n".join(lines + closed * bool(plan.frozen.facts.get("closed_vocabulary")))


def report(improvement: Improvement, wiring: Wiring) -> str:
    """Report the error rates before and after, the decision with its reasons, the cost, and what to correct next."""
    cost = _cost(improvement, wiring)
    money = "" if cost["money"] is None else f", {cost['money']:.2f} {cost['currency']}"
    again = ["decided before; nothing new was corrected since"] * improvement.is_repeat
    return "\n".join(
        [
            *again,
            *map(_format_change, improvement.evaluation["comparison"]["dialects"]),
            "",
            improvement.decision.text(),
            f"it took {cost['minutes']:.1f} min{money}",
            "",
            "what to correct or record next:",
            *improvement.next,
            *(
                ["", "boli run drafts with it from now on; boli models rollback goes back"]
                * improvement.decision.promoted
            ),
        ]
    )


def _format_change(row: Mapping[str, Any]) -> str:
    if row["wer_a"] is None or row["difference"] is None or row["ci_low"] is None:
        return f"{row['dialect']}: nothing to compare"
    low, high = 100 * row["ci_low"], 100 * row["ci_high"]
    return (
        f"{row['dialect']}: WER {100 * row['wer_a']:.1f} % -> {100 * row['wer_b']:.1f} %, "
        f"{100 * row['difference']:+.1f} points ({low:+.1f} to {high:+.1f}), {row['blocks']} blocks"
    )


def _cost(improvement: Improvement, wiring: Wiring) -> dict[str, Any]:
    settings = wiring.settings.improve
    money = None if settings.hour_price is None else round(improvement.seconds / 3600 * settings.hour_price, 2)
    return {"minutes": round(improvement.seconds / 60, 1), "money": money, "currency": settings.currency}
