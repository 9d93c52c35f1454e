"""The model that drafts made better by what was corrected: one command, one display, one report."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transcribe import embedded
from transcribe.actions import datasets
from transcribe.actions.recordings import stopping
from transcribe.actions.scoring import method_of, preparer
from transcribe.console import Answer, Console
from transcribe.errors import MissingError
from transcribe.records import Model
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.improve import Bench, Improvement, Plan, Stage, Tell


#: What the folder of a derived base is called, before the start of its drafter's hash.
DERIVED: Final = "base-"


def improve(wiring: Wiring, console: Console, *, dataset: str | None = None, dry_run: bool = False) -> Answer:
    """
    Freeze, tune, convert, evaluate, and promote what passes the gate; killed and run again, it goes on.

    Args:
        dataset: A dataset that was frozen before; ``None`` freezes what stands now.

    Raises:
        GateFailed: If the candidate may not be promoted; the report is printed first.
    """
    from transcribe import improve as circle

    with wiring.store.lock("run"):
        _sweep(wiring.workspace)
        bench = bench_of(wiring)
        plan = circle.plan(bench, datasets.opened(wiring, dataset) if dataset else None)
        if dry_run:
            return Answer(data=plan.data() | {"dry_run": True}, text=_planned(plan))
        console.note(_planned(plan))
        console.note(wiring.drafting_sentence())
        with stopping() as stop, _display(console) as tell:
            found = circle.improve(bench, plan, tell=tell, stop=stop)
    text = report(found, wiring)
    place = wiring.workspace / "reports" / plan.name / "report.md"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text + "\n", encoding="utf-8")
    data = plan.data() | found.kept() | {"known": found.known, "cost": _cost(found, wiring), "report": str(place)}
    if not found.decision.promoted and not console.as_json:
        console.note(text)
    found.decision.refuse()
    return Answer(data=data, text=text)


def bench_of(wiring: Wiring) -> Bench:
    """What improving works with, out of the workspace's settings."""
    from transcribe.improve import Bench

    settings = wiring.settings
    current = _current(wiring)
    return Bench(
        workspace=wiring.workspace,
        store=wiring.store,
        audio_folder=wiring.audio_folder,
        rules=datasets.rules(wiring),
        train=settings.train,
        gate=settings.gate,
        given=settings.improve,
        recipe_with=wiring.recipe_with,
        current=current,
        model_folder=wiring.model_folder,
        base_of=partial(_base, wiring),
        prepare=partial(preparer, settings.report, normaliser=None, remember=True),
        method=method_of(settings.report),
        clock=wiring.clock,
    )


def _current(wiring: Wiring) -> Model:
    promoted = wiring.store.promoted_model()
    if promoted is None:
        raise MissingError("the model that drafts was to be improved; none has drafted here yet", hint="boli run")
    return promoted


def _base(wiring: Wiring, place: str) -> Path:
    """The transformers folder of the model in *place*: one tuned here, what was named, ours, or derived from it."""
    beside = Path(wiring.model_folder(place)).parent / "hf"
    if place != embedded.NAME and beside.is_dir():
        return beside
    named = wiring.settings.improve.base
    if named is not None:
        return wiring.workspace / Path(named).expanduser()
    if place == embedded.NAME:
        return embedded.whisper_for_training()
    return _derived(wiring, place)


def _derived(wiring: Wiring, place: str) -> Path:
    """
    The transformers folder derived from the drafter's files in *place*, once for the same files.

    Raises:
        MissingError: The files are not on this machine.
        InputError: E_MODEL if they are none that a Whisper can be read from.
    """
    from transcribe.backends.whisper_folder import find
    from transcribe.derive import derive

    drafter = find(wiring.model_folder(place), allow_download=False)
    folder = wiring.workspace / "models" / f"{DERIVED}{drafter.id[:12]}"
    return folder if folder.is_dir() else derive(drafter.path, folder).folder


def _sweep(workspace: Path) -> None:
    """Remove what a killed freeze or derivation left; this process is the only one that is at work here."""
    for left in (*workspace.glob("datasets/.frozen.*"), *workspace.glob(f"models/.{DERIVED}*")):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _display(console: Console) -> Iterator[Tell]:
    """One bar for the whole circle, with the time that is left."""
    from transcribe.improve import SHARES

    done: dict[Stage, int] = dict.fromkeys(SHARES, 0)
    with console.progress("improving", items=sum(SHARES.values())) as progress:

        def tell(stage: Stage, share: float) -> None:
            reached = round(SHARES[stage] * min(share, 1.0))
            if reached > done[stage]:
                progress.step(items=reached - done[stage])
                done[stage] = reached

        yield tell


def _planned(plan: Plan) -> str:
    counts = plan.frozen.counts

    def told(split: str) -> str:
        cells = counts.get(split, {})
        minutes = sum(cell["milliseconds"] for cell in cells.values()) / 60_000
        return f"{split} {sum(cell['stretches'] for cell in cells.values())} texts ({minutes:.1f} min)"

    lean = f"leaning to {', '.join(plan.focus)}" if plan.focus else "all dialects alike"
    closed = ["the vocabulary is declared closed: training keeps sentences that the test has"]
    lines = [
        f"dataset {plan.frozen.folder.name}: {', '.join(map(told, ('train', 'dev', 'test')))}",
        f"candidate {plan.name}: at most {plan.train.steps} steps, {lean}",
    ]
    return "\n".join(lines + closed * bool(plan.frozen.facts.get("closed_vocabulary")))


def report(found: Improvement, wiring: Wiring) -> str:
    """Before and after by dialect, the decision with its reasons, what it cost, and what to correct next."""
    cost = _cost(found, wiring)
    money = "" if cost["money"] is None else f", {cost['money']:.2f} {cost['currency']}"
    again = ["decided before; nothing new was corrected since"] * found.known
    return "\n".join(
        [
            *again,
            *map(_changed, found.evaluation["comparison"]["dialects"]),
            "",
            found.decision.text(),
            f"it took {cost['minutes']:.1f} min{money}",
            "",
            "what to correct or record next:",
            *found.next,
            *(["", "boli run drafts with it from now on; boli models rollback goes back"] * found.decision.promoted),
        ]
    )


def _changed(row: Mapping[str, Any]) -> str:
    if row["wer_a"] is None or row["difference"] is None or row["ci_low"] is None:
        return f"{row['dialect']}: nothing to compare"
    low, high = 100 * row["ci_low"], 100 * row["ci_high"]
    return (
        f"{row['dialect']}: WER {100 * row['wer_a']:.1f} % -> {100 * row['wer_b']:.1f} %, "
        f"{100 * row['difference']:+.1f} points ({low:+.1f} to {high:+.1f}), {row['blocks']} blocks"
    )


def _cost(found: Improvement, wiring: Wiring) -> dict[str, Any]:
    given = wiring.settings.improve
    money = None if given.hour_price is None else round(found.seconds / 3600 * given.hour_price, 2)
    return {"minutes": round(found.seconds / 60, 1), "money": money, "currency": given.currency}
