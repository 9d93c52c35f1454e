"""Commands of a workspace's models: list, show, add, verify, promote and roll back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from transcribe.commands.app import ML_TEAMS, AsJson, Debug, Progress, Workspace, console, group, open_workspace
from transcribe.console import Answer, Console
from transcribe.errors import Failure, UsageError

if TYPE_CHECKING:
    from transcribe.datasets.manifest import Frozen
    from transcribe.records import Model, ModelKind
    from transcribe.training.gate import Decision
    from transcribe.wiring import Wiring


def _answer_list(workspace: Path | None) -> None:
    with open_workspace(workspace) as wiring:
        console.answer(list_models(wiring))


models = group("models", "Models: where each comes from, and which one drafts.", ML_TEAMS, _answer_list)
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="Its name, its id, or how the id begins.")]


@models.command("list", epilog="Example: boli models list")
def models_list(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """List all models with their state, what they were tuned from and on, and what the gate said."""
    with open_workspace(workspace) as wiring:
        console.answer(list_models(wiring))


@models.command("show", epilog="Example: boli models show tuned-0123456789ab")
def models_show(model: ModelName, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Show all that is known of one: dataset, texts and reviewers, base, recipe, scores, decision, when it drafted."""
    with open_workspace(workspace) as wiring:
        console.answer(show_model(wiring, model))


@models.command("add", epilog="Example: boli models add ../whisper-large-v3-ct2 --name large")
def models_add(
    folder: Annotated[str, typer.Argument(help="A CTranslate2 folder, or a hub id.")],
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Take a model in as a candidate; it drafts nothing yet."""
    with open_workspace(workspace) as wiring:
        console.answer(add_model(wiring, folder, name))


@models.command("promote", epilog="Example: boli models promote large --dataset 2026-11")
def models_promote(
    model: ModelName,
    on: Annotated[
        str | None, typer.Option("--dataset", help="Whose test decides; default: what it was tuned on.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
    progress: Progress = "auto",
) -> None:
    """Let a candidate draft if it is better on a frozen test and no dialect pays; else exit code 7 with the reasons."""
    with open_workspace(workspace) as wiring:
        console.answer(promote_candidate(wiring, model, on, console))


@models.command("rollback", epilog="Example: boli models rollback")
def models_rollback(
    kind: Annotated[Literal["recogniser", "diariser"], typer.Option(help="What the model does.")] = "recogniser",
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Let the model draft, or tell speakers apart, again that did before."""
    with open_workspace(workspace) as wiring:
        console.answer(roll_back(wiring, kind))


@models.command("verify", epilog="Example: boli models verify")
def models_verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL|FOLDER]...", help="Only these: of the workspace, of the catalogue, or folders."),
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """
    Check the files of the workspace's models and of all fetched ones: name what changed, is missing or is not listed.

    Ends with 6 where one is not as it was written.
    """
    with open_workspace(workspace) as wiring:
        console.answer(verify_models(wiring, names or ()))


def list_models(wiring: Wiring) -> Answer:
    """List all models, in the order they came."""
    from transcribe.terminal import stack, table

    store = wiring.store
    rows = []
    for model in store.models.fetch():
        lineage, decision = store.models.find_lineage(model.id), store.models.find_decision(model.id)
        facts = {"base": lineage.base, "dataset": lineage.dataset} if lineage else {"base": None, "dataset": None}
        passed = None if decision is None else decision["decision"]["promoted"]
        rows.append(asdict(model) | facts | {"passed_gate": passed})
    grid = table(
        ("kind", "state", "name", "id", "tuned from", "on", "gate"),
        (
            (
                row["kind"],
                row["state"],
                row["name"],
                row["id"][:12],
                (row["base"] or "–")[:12],
                row["dataset"] or "–",
                _format_gate(row),
            )
            for row in rows
        ),
    )
    lines = [] if rows else ["no model yet; boli run takes the one that recogniser.model names"]
    return Answer(data={"models": rows}, text=stack(lines, grid))


def _format_gate(row: dict[str, Any]) -> str:
    return {None: "–", True: "passed", False: "refused"}[row["passed_gate"]]


def show_model(wiring: Wiring, name: str) -> Answer:
    """Show one model: its lineage, the gate's decision, and when it drafted."""
    from transcribe.workspace import find_model

    store = wiring.store
    model = find_model(store, name, kind=None)
    lineage, decision = store.models.find_lineage(model.id), store.models.find_decision(model.id)
    promotions = [asdict(promotion) for promotion in store.models.fetch_promotions() if promotion.model == model.id]
    document = asdict(model) | {
        "lineage": None if lineage is None else asdict(lineage),
        "decision": decision,
        "promotions": promotions,
        "withheld": _list_withheld(wiring, model),
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
        lines.append(f"  test     {_format_errors(decision['evaluation'])}")
    lines += [f"  in use from {promotion['at']} ({promotion['why']})" for promotion in promotions]
    lines += [f"  withheld {recording[:12]}, which it learnt from" for recording in document["withheld"]]
    return Answer(data=document, text="\n".join(lines))


def _list_withheld(wiring: Wiring, model: Model) -> list[str]:
    """List the recordings that *model* learnt from and that are withheld now."""
    from transcribe.consent import find_learners

    withheld = wiring.store.facts.fetch_withheld()
    learners = find_learners(wiring, withheld) if withheld else ()
    return [recording for learner in learners if learner.model.id == model.id for recording in learner.recordings]


def _format_errors(evaluation: Mapping[str, Any]) -> str:
    """Say the diarisation error before and after."""
    overall = evaluation["overall"]
    rate, new_rate = 100 * overall["der_before"], 100 * overall["der_after"]
    return f"DER {rate:.1f} % -> {new_rate:.1f} % on {overall['conversations']} conversations"


def add_model(wiring: Wiring, folder: str, name: str | None) -> Answer:
    """Take a model in as a candidate; its files are checked and hashed, and nothing in them is run."""
    from transcribe.backends.by_dialect import look
    from transcribe.records import Model

    facts = look(folder, wiring.model_folder, allow_download=wiring.settings.models.allow_download)
    location = str(Path(folder).resolve()) if Path(folder).is_dir() else folder
    model = Model(id=facts.id, place=location, name=name or Path(folder).name, window=facts.window)
    new = wiring.store.models.add(model)
    text = f"{model.name} ({model.id[:12]}) is {'taken in' if new else 'known already'}"
    return Answer(data={"id": model.id, "name": model.name, "new": new}, text=text)


def verify_models(wiring: Wiring, names: Sequence[str]) -> Answer:
    """
    Check the files of the models called *names*, or of all that the workspace uses and that were fetched.

    Raises:
        InputError: E_MODEL if a name means no model.
    """
    from transcribe import model_verification

    verifications = model_verification.verify_models(wiring, names)
    hint = "bring the files back, boli models get NAME --again, or boli models rollback"
    failures = [
        Failure(item=verification.folder, code="E_MODEL_CHECKSUM", message=f"{verification.name}: {fault}; {hint}")
        for verification in verifications
        if (fault := verification.text())
    ]
    text = f"{len(verifications) - len(failures)} of {len(verifications)} models are as they were written"
    return Answer(data={"models": [asdict(row) for row in verifications]}, text=text, failures=failures)


def promote_candidate(wiring: Wiring, name: str, dataset: str | None, console: Console) -> Answer:
    """
    Let a candidate draft if it passes the gate on a frozen test; exit code 7 if it does not.

    Args:
        dataset: The frozen dataset; ``None``: the one that the candidate was tuned on.
    """
    from transcribe.workspace import find_model

    store = wiring.store
    candidate = find_model(store, name, kind=None)
    current = store.models.find_promoted(candidate.kind)
    if current is not None and current.id == candidate.id:
        return Answer(data={"promoted": candidate.id, "decision": None}, text=f"{candidate.name} is in use already")
    lineage = store.models.find_lineage(candidate.id)
    if current is None or (dataset is None and lineage is None):
        hint = "boli models promote MODEL --dataset NAME, after boli dataset freeze NAME and boli run"
        raise UsageError(
            f"{candidate.name} was to be held against what drafts now, on a test; one is missing", hint=hint
        )
    frozen = wiring.open_dataset(dataset or (lineage.dataset if lineage else ""))
    judge = _judge_diariser if candidate.kind == "diariser" else _judge_recogniser
    with store.lock("run"):
        decision = judge(wiring, candidate, current, frozen, console)
        if not decision.promoted and not console.as_json:
            console.note(decision.text())
        decision.refuse()
        store.models.promote(candidate.id, why="gate")
    text = f"{decision.text()}\nit is in use from now on: boli run drafts again what still waits"
    data = {"promoted": candidate.id, "decision": decision.data()}
    return Answer(data=data, text=text, warnings=frozen.warnings())


def _judge_recogniser(wiring: Wiring, candidate: Model, current: Model, frozen: Frozen, console: Console) -> Decision:
    from transcribe.promotion import judge_recogniser
    from transcribe.training.evaluate import list_test_recordings

    console.note(wiring.drafting_sentence())
    with console.progress("drafting the test", items=2 * len(list_test_recordings(frozen))) as progress:
        return judge_recogniser(wiring, candidate, current, frozen, on_step=lambda failed: progress.step(failed=failed))


def _judge_diariser(wiring: Wiring, candidate: Model, current: Model, frozen: Frozen, console: Console) -> Decision:
    from transcribe.promotion import judge_diariser

    with console.progress("diarising the test", items=100) as progress:
        done = 0

        def advance(share: float) -> None:
            nonlocal done
            progress.step(items=round(100 * share) - done)
            done = round(100 * share)

        return judge_diariser(wiring, candidate, current, frozen, on_progress=advance)


def roll_back(wiring: Wiring, kind: ModelKind = "recogniser") -> Answer:
    """Let the model of *kind* draft, or tell speakers apart, again that did before."""
    retired = wiring.store.models.find_promoted(kind)
    promoted = wiring.store.models.roll_back(kind)
    verb = "drafts" if kind == "recogniser" else "tells speakers apart"
    document = {"promoted": promoted.id, "retired": None if retired is None else retired.id}
    return Answer(data=document, text=f"{promoted.name} ({promoted.id[:12]}) {verb} again")
