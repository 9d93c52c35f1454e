"""Models of a workspace: which there are, where each comes from, and which one drafts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcribe.actions import datasets, improving_diariser
from transcribe.actions.scoring import method_of, model_named, preparer
from transcribe.actions.tables import stacked, table
from transcribe.backends.identity import folder_id
from transcribe.console import Answer, Console
from transcribe.errors import InputError, UsageError
from transcribe.records import Model, ModelKind
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.drafting import Step
    from transcribe.evaluate import Evaluation
    from transcribe.frozen import Frozen


def listed(wiring: Wiring) -> Answer:
    """All models, in the order they came."""
    store = wiring.store
    rows = []
    for model in store.models():
        lineage, decision = store.lineage(model.id), store.decision(model.id)
        facts = {"base": lineage.base, "dataset": lineage.dataset} if lineage else {"base": None, "dataset": None}
        passed = None if decision is None else decision["decision"]["promoted"]
        rows.append(asdict(model) | facts | {"passed_gate": passed})
    shown = table(
        ("kind", "state", "name", "id", "tuned from", "on", "gate"),
        (
            (
                row["kind"],
                row["state"],
                row["name"],
                row["id"][:12],
                (row["base"] or "–")[:12],
                row["dataset"] or "–",
                _gate(row),
            )
            for row in rows
        ),
    )
    lines = [] if rows else ["no model yet; boli run takes the one that recogniser.model names"]
    return Answer(data={"models": rows}, text=stacked(lines, shown))


def _gate(row: dict[str, Any]) -> str:
    return {None: "–", True: "passed", False: "refused"}[row["passed_gate"]]


def shown(wiring: Wiring, name: str) -> Answer:
    """One model with all that is known of it: what it was made of, how it did, when it drafted."""
    store = wiring.store
    model = model_named(store, name, kind=None)
    lineage, decision = store.lineage(model.id), store.decision(model.id)
    drafted = [asdict(each) for each in store.promotions() if each.model == model.id]
    data = asdict(model) | {
        "lineage": None if lineage is None else asdict(lineage),
        "decision": decision,
        "promotions": drafted,
    }
    lines = [f"{model.name} ({model.kind}, {model.state})", f"  id       {model.id}", f"  place    {model.place}"]
    if lineage is not None:
        lines += [
            f"  from     {lineage.base}",
            f"  dataset  {lineage.dataset}, {lineage.dataset_sha256}",
            f"  texts    {', '.join(f'{count} {kind}' for kind, count in lineage.origins.items())}",
            f"  rules    {lineage.guideline or 'version not stated'}",
            f"  recipe   {', '.join(f'{key} {value}' for key, value in lineage.parameters.items())}",
        ]
    if decision is not None:
        lines += [f"  {line}" for kind in ("against", "reasons", "notes") for line in decision["decision"][kind]]
    if model.kind == "diariser" and decision is not None:
        lines.append(f"  test     {_errors(decision['evaluation'])}")
    lines += [f"  in use from {each['at']} ({each['why']})" for each in drafted]
    return Answer(data=data, text="\n".join(lines))


def _errors(evaluation: Mapping[str, Any]) -> str:
    """Say the diarisation error before and after."""
    overall = evaluation["overall"]
    before, after = 100 * overall["der_before"], 100 * overall["der_after"]
    return f"DER {before:.1f} % -> {after:.1f} % on {overall['conversations']} conversations"


def add(wiring: Wiring, folder: str, name: str | None) -> Answer:
    """Take a model in as a candidate; its files are checked and hashed, and nothing in them is run."""
    from transcribe.backends.by_dialect import look

    found = look(folder, wiring.model_folder, allow_download=wiring.settings.models.allow_download)
    place = str(Path(folder).resolve()) if Path(folder).is_dir() else folder
    model = Model(id=found.id, place=place, name=name or Path(folder).name, window=found.window)
    new = wiring.store.add_model(model)
    text = f"{model.name} ({model.id[:12]}) is {'taken in' if new else 'known already'}"
    return Answer(data={"id": model.id, "name": model.name, "new": new}, text=text)


def verify(wiring: Wiring, name: str | None) -> Answer:
    """
    Whether the files of each model, or of the one called *name*, are those that were taken in.

    Raises:
        InputError: E_MODEL, naming each whose files are gone or others.
    """
    models = [model_named(wiring.store, name, kind=None)] if name else list(wiring.store.models())
    wrong = {model.name: fault for model in models if (fault := _fault(wiring, model)) is not None}
    if wrong:
        told = "; ".join(f"{name}: {fault}" for name, fault in wrong.items())
        hint = "bring the files back, or boli models rollback"
        raise InputError(f"{len(models)} models were to be verified; {told}", code="E_MODEL", hint=hint)
    return Answer(data={"verified": [model.id for model in models]}, text=f"{len(models)} models are as they were")


def _fault(wiring: Wiring, model: Model) -> str | None:
    from transcribe.backends.by_dialect import look
    from transcribe.errors import BoliError

    try:
        if model.kind == "diariser":
            id = folder_id(Path(wiring.diariser_folder(model.place)))
        else:
            id = look(model.place, wiring.model_folder).id
    except BoliError as error:
        return error.message
    return None if id == model.id else f"its files are others now ({id[:12]})"


def promote(wiring: Wiring, name: str, dataset: str | None, console: Console) -> Answer:
    """
    Let a candidate draft if it passes the gate on a frozen test; exit code 7 if it does not.

    Args:
        dataset: The frozen dataset; ``None``: the one that the candidate was tuned on.
    """
    from transcribe.promote import gate

    store = wiring.store
    candidate = model_named(store, name, kind=None)
    current = store.promoted_model(candidate.kind)
    if current is not None and current.id == candidate.id:
        return Answer(data={"promoted": candidate.id, "decision": None}, text=f"{candidate.name} is in use already")
    lineage = store.lineage(candidate.id)
    if current is None or (dataset is None and lineage is None):
        hint = "boli models promote MODEL --dataset NAME, after boli dataset freeze NAME and boli run"
        raise UsageError(
            f"{candidate.name} was to be held against what drafts now, on a test; one is missing", hint=hint
        )
    frozen = datasets.opened(wiring, dataset or (lineage.dataset if lineage else ""))
    with store.lock("run"):
        if candidate.kind == "diariser":
            decision = improving_diariser.judge(wiring, candidate, current, frozen, console)
        else:
            found = judged(wiring, frozen, candidate, current, console)
            decision = gate(found, wiring.settings.gate, taught=taught(frozen))
            store.keep_decision(candidate.id, {"decision": decision.data(), "evaluation": found.data()})
        if not decision.promoted and not console.as_json:
            console.note(decision.text())
        decision.refuse()
        store.promote(candidate.id, why="gate")
    text = f"{decision.text()}\nit is in use from now on: boli run drafts again what still waits"
    return Answer(data={"promoted": candidate.id, "decision": decision.data()}, text=text)


def judged(
    wiring: Wiring,
    frozen: Frozen,
    candidate: Model,
    current: Model,
    console: Console,
    *,
    told: Callable[[Step], None] | None = None,
) -> Evaluation:
    """*candidate* against *current* on the test of *frozen*, through the engine that drafts, with a display."""
    from transcribe.evaluate import judge, tested_recordings

    def judge_telling(tell: Callable[[Step], None]) -> Evaluation:
        return judge(
            wiring.store,
            wiring.audio_folder,
            frozen,
            current=wiring.recipe_with(current.place),
            candidate=wiring.recipe_with(candidate.place),
            prepare=preparer(wiring.settings.report, normaliser=None, remember=True),
            method=method_of(wiring.settings.report),
            clock=wiring.clock,
            told=tell,
        )

    if told is not None:
        return judge_telling(told)
    console.note(wiring.drafting_sentence())
    with console.progress("drafting the test", items=2 * len(tested_recordings(frozen))) as progress:
        return judge_telling(lambda step: progress.step(failed=step.failure is not None))


def taught(frozen: Frozen) -> tuple[str, ...]:
    """The dialects that *frozen* has texts of to learn from."""
    return tuple(tag for tag in frozen.counts.get("train", {}) if tag != "und")


def rollback(wiring: Wiring, kind: ModelKind = "recogniser") -> Answer:
    """Let the model of *kind* draft, or tell speakers apart, again that did before."""
    before = wiring.store.promoted_model(kind)
    now = wiring.store.roll_back(kind)
    verb = "drafts" if kind == "recogniser" else "tells speakers apart"
    data = {"promoted": now.id, "retired": None if before is None else before.id}
    return Answer(data=data, text=f"{now.name} ({now.id[:12]}) {verb} again")
