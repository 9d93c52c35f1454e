"""Command that searches a decoding profile for each dialect on the dev part of a frozen dataset."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import ML_TEAMS, AsJson, Debug, Dry, Workspace, app, console, open_workspace
from transcribe.console import Answer, Console
from transcribe.errors import InputError

if TYPE_CHECKING:
    from transcribe.training.decoding_search import Found
    from transcribe.wiring import Wiring


@app.command("decoding-profile", rich_help_panel=ML_TEAMS, epilog="Example: boli decoding-profile 2026-11 --dry-run")
def decoding_profile(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A frozen dataset, whose dev part decides.")],
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Find what helps a dialect without training: hotwords, a prompt, spellings, beams, each tried on the dev part."""
    with open_workspace(workspace) as wiring:
        console.answer(search_profile(wiring, dataset, console, dry_run=dry_run))


def search_profile(wiring: Wiring, dataset: str, console: Console, *, dry_run: bool = False) -> Answer:
    """
    Try hotwords, prompts, spellings and beams for the promoted model; keep what helps for the next `boli run`.

    Raises:
        InputError: E_DATASET if no dialect has a dev part to try them on.
    """
    from transcribe import audio
    from transcribe.pipeline import recipe as decoding_profile
    from transcribe.scoring.pairs import stream_pairs
    from transcribe.training import decoding_search

    frozen, recipe = wiring.open_dataset(dataset), wiring.recipe()
    console.note(wiring.drafting_sentence())
    model = next(model for model in wiring.store.models.fetch() if model.id == recipe.recogniser.id)
    search = decoding_search.find(
        recipe.recogniser,
        stream_pairs(wiring.store, model, "train"),
        frozen.examples("dev"),
        lambda recording, channel: audio.read_samples(audio.locate(wiring.audio_folder, recording), channel=channel),
        wiring.catalogue,
        window=recipe.window,
        takes_prompt=getattr(recipe.recogniser, "takes_prompt", True),
        on_trial=lambda trial: console.note(trial.sentence),
    )
    if not search.trials:
        raise InputError(
            f"the dataset {dataset} has no dev part to try a decoding profile on",
            code="E_DATASET",
            hint="correct recordings of the dev split, then freeze again",
            item=dataset,
        )
    if not dry_run:
        decoding_profile.write_levers(wiring.levers_file, model.id, search.levers)
    text = _format_text(search, dry_run=dry_run)
    return Answer(data=_format_data(model.id, search), text=text, warnings=frozen.warnings())


def _format_data(model: str, search: Found) -> dict[str, Any]:
    from transcribe.pipeline.recipe import format_lever

    return {
        "model": model,
        "levers": {tag: format_lever(lever) for tag, lever in sorted(search.levers.items())},
        "trials": [dataclasses.asdict(trial) for trial in search.trials],
    }


def _format_text(search: Found, *, dry_run: bool) -> str:
    lines = [trial.sentence for trial in search.trials]
    tags = ", ".join(sorted(search.levers)) or "no dialect"
    verdict = f"nothing was written; helped would be {tags}" if dry_run else f"the next boli run drafts so for {tags}"
    return "\n".join([*lines, verdict])
