"""Tuning of the model that drafts on corrections: one command, one display, one report."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transcribe import embedded
from transcribe.actions import datasets
from transcribe.actions.recordings import stop_on_signal
from transcribe.actions.scoring import method_of, preparer
from transcribe.console import Answer, Console
from transcribe.errors import MissingError
from transcribe.records import Model
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.training.loop import Dependencies, Improvement, OnProgress, Plan, Stage


#: The beginning of a derived base's folder name, before the start of its drafter's hash.
DERIVED: Final = "base-"


def improve(wiring: Wiring, console: Console, *, dataset: str | None = None, dry_run: bool = False) -> Answer:
    """
    Freeze, tune, convert, evaluate, and promote what passes the gate; killed and run again, it goes on.

    Args:
        dataset: A dataset that was frozen before; ``None`` freezes what stands now.

    Raises:
        GateFailed: If the candidate may not be promoted; the report is printed first.
    """
    from transcribe.training import loop as circle

    with wiring.store.lock("run"):
        _remove_leftovers(wiring.workspace)
        bench = build_bench(wiring)
        plan = circle.make_plan(bench, datasets.open_dataset(wiring, dataset) if dataset else None)
        if dry_run:
            return Answer(data=plan.data() | {"dry_run": True}, text=_describe_plan(plan))
        console.note(_describe_plan(plan))
        console.note(wiring.drafting_sentence())
        with stop_on_signal() as stop, _display(console) as tell:
            improvement = circle.improve(bench, plan, on_progress=tell, stop=stop)
    text = report(improvement, wiring)
    file = wiring.workspace / "reports" / plan.name / "report.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")
    cost = _cost(improvement, wiring)
    document = plan.data() | improvement.data() | {"known": improvement.is_repeat, "cost": cost, "report": str(file)}
    if not improvement.decision.promoted and not console.as_json:
        console.note(text)
    improvement.decision.refuse()
    return Answer(data=document, text=text)


def build_bench(wiring: Wiring) -> Dependencies:
    """Build the dependencies of tuning from the workspace's settings."""
    from transcribe.training.loop import Dependencies

    settings = wiring.settings
    return Dependencies(
        workspace=wiring.workspace,
        store=wiring.store,
        audio_folder=wiring.audio_folder,
        rules=datasets.rules_of(wiring),
        train=settings.train,
        gate=settings.gate,
        settings=settings.improve,
        recipe_with=wiring.recipe_with,
        current=_promoted(wiring),
        model_folder=wiring.model_folder,
        base_of=partial(_find_base, wiring),
        prepare=partial(preparer, settings.report, normaliser=None, remember=True),
        method=method_of(settings.report),
        clock=wiring.clock,
    )


def _promoted(wiring: Wiring) -> Model:
    promoted = wiring.store.promoted_model()
    if promoted is None:
        raise MissingError("the model that drafts was to be improved; none has drafted here yet", hint="boli run")
    return promoted


def _find_base(wiring: Wiring, location: str) -> Path:
    """Find the transformers folder of the model at *location*: tuned here, named, embedded, or derived from it."""
    tuned = Path(wiring.model_folder(location)).parent / "hf"
    if location != embedded.NAME and tuned.is_dir():
        return tuned
    named = wiring.settings.improve.base
    if named is not None:
        return wiring.workspace / Path(named).expanduser()
    if location == embedded.NAME:
        return embedded.whisper_for_training()
    return _derive_base(wiring, location)


def _derive_base(wiring: Wiring, location: str) -> Path:
    """
    Derive a transformers folder from the drafter's files at *location*, once for the same files.

    Raises:
        MissingError: The files are not on this machine.
        InputError: E_MODEL if they are none that a Whisper can be read from.
    """
    from transcribe.backends.whisper_folder import find
    from transcribe.training.derive import derive

    drafter = find(wiring.model_folder(location), allow_download=False)
    folder = wiring.workspace / "models" / f"{DERIVED}{drafter.id[:12]}"
    return folder if folder.is_dir() else derive(drafter.path, folder).folder


def _remove_leftovers(workspace: Path) -> None:
    """Remove what a killed freeze or derivation left; this process is the only one that is at work here."""
    for folder in (*workspace.glob("datasets/.frozen.*"), *workspace.glob(f"models/.{DERIVED}*")):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _display(console: Console) -> Iterator[OnProgress]:
    """Display one bar for the whole run, with the time that is left."""
    from transcribe.training.loop import SHARES

    done: dict[Stage, int] = dict.fromkeys(SHARES, 0)
    with console.progress("improving", items=sum(SHARES.values())) as progress:

        def tell(stage: Stage, share: float) -> None:
            reached = round(SHARES[stage] * min(share, 1.0))
            if reached > done[stage]:
                progress.step(items=reached - done[stage])
                done[stage] = reached

        yield tell


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
