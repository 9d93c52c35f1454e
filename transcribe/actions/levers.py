"""Cheap levers tried on the dev part of a frozen dataset, and kept where they help."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from transcribe import audio, levers
from transcribe.actions.datasets import opened
from transcribe.actions.scoring import workspace_pairs
from transcribe.console import Answer, Console
from transcribe.errors import InputError
from transcribe.protocols import Pcm
from transcribe.wiring import Wiring


def find(wiring: Wiring, dataset: str, console: Console, *, dry_run: bool = False) -> Answer:
    """
    Try hotwords, prompts, spellings and beams for the promoted model; keep what helps for the next `boli run`.

    Raises:
        InputError: E_DATASET if no dialect has a dev part to try them on.
    """
    frozen, recipe = opened(wiring, dataset), wiring.recipe()
    console.note(wiring.drafting_sentence())
    model = next(model for model in wiring.store.models() if model.id == recipe.recogniser.id)
    found = levers.find(
        recipe.recogniser,
        workspace_pairs(wiring.store, model, "train"),
        frozen.examples("dev"),
        _sound(wiring.audio_folder),
        wiring.catalogue,
        window=recipe.window,
        takes_prompt=getattr(recipe.recogniser, "takes_prompt", True),
        on_trial=lambda trial: console.note(trial.sentence),
    )
    if not found.trials:
        raise InputError(
            f"the dataset {dataset} has no dev part to try levers on",
            code="E_DATASET",
            hint="correct recordings of the dev split, then freeze again",
            item=dataset,
        )
    if not dry_run:
        levers.write(wiring.levers_file, model.id, found.levers)
    return Answer(data=_data(model.id, found), text=_text(found, dry_run=dry_run))


def _sound(folder: Path) -> levers.Sound:
    def sound(recording: str, channel: int | None) -> Pcm:
        return audio.read(audio.locate(folder, recording), channel=channel)

    return sound


def _data(model: str, found: levers.Found) -> dict[str, Any]:
    return {
        "model": model,
        "levers": {tag: levers.format_lever(lever) for tag, lever in sorted(found.levers.items())},
        "trials": [dataclasses.asdict(trial) for trial in found.trials],
    }


def _text(found: levers.Found, *, dry_run: bool) -> str:
    lines = [trial.sentence for trial in found.trials]
    kept = ", ".join(sorted(found.levers)) or "no dialect"
    verdict = f"nothing was written; helped would be {kept}" if dry_run else f"the next boli run drafts so for {kept}"
    return "\n".join([*lines, verdict])
