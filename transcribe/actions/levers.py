"""Command that tries decoding levers on the dev part of a frozen dataset, and keeps those that help."""

from __future__ import annotations

import dataclasses
from typing import Any

from transcribe import audio
from transcribe.actions.datasets import open_dataset
from transcribe.actions.scoring import workspace_pairs
from transcribe.console import Answer, Console
from transcribe.errors import InputError
from transcribe.pipeline import decoding_profile
from transcribe.training import decoding_search
from transcribe.wiring import Wiring


def find(wiring: Wiring, dataset: str, console: Console, *, dry_run: bool = False) -> Answer:
    """
    Try hotwords, prompts, spellings and beams for the promoted model; keep what helps for the next `boli run`.

    Raises:
        InputError: E_DATASET if no dialect has a dev part to try them on.
    """
    frozen, recipe = open_dataset(wiring, dataset), wiring.recipe()
    console.note(wiring.drafting_sentence())
    model = next(model for model in wiring.store.models() if model.id == recipe.recogniser.id)
    search = decoding_search.find(
        recipe.recogniser,
        workspace_pairs(wiring.store, model, "train"),
        frozen.examples("dev"),
        lambda recording, channel: audio.read_samples(audio.locate(wiring.audio_folder, recording), channel=channel),
        wiring.catalogue,
        window=recipe.window,
        takes_prompt=getattr(recipe.recogniser, "takes_prompt", True),
        on_trial=lambda trial: console.note(trial.sentence),
    )
    if not search.trials:
        raise InputError(
            f"the dataset {dataset} has no dev part to try levers on",
            code="E_DATASET",
            hint="correct recordings of the dev split, then freeze again",
            item=dataset,
        )
    if not dry_run:
        decoding_profile.write_levers(wiring.levers_file, model.id, search.levers)
    return Answer(data=_format_data(model.id, search), text=_format_text(search, dry_run=dry_run))


def _format_data(model: str, search: decoding_search.Found) -> dict[str, Any]:
    return {
        "model": model,
        "levers": {tag: decoding_profile.format_lever(lever) for tag, lever in sorted(search.levers.items())},
        "trials": [dataclasses.asdict(trial) for trial in search.trials],
    }


def _format_text(search: decoding_search.Found, *, dry_run: bool) -> str:
    lines = [trial.sentence for trial in search.trials]
    tags = ", ".join(sorted(search.levers)) or "no dialect"
    verdict = f"nothing was written; helped would be {tags}" if dry_run else f"the next boli run drafts so for {tags}"
    return "\n".join([*lines, verdict])
