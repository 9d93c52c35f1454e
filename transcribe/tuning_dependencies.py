"""The dependencies of improving a workspace's models, built from its settings."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Final

from transcribe import embedded
from transcribe.backends import whisper_folder
from transcribe.backends.identity import folder_id
from transcribe.errors import MissingError
from transcribe.records import Model
from transcribe.scoring.rules import make_preparer, read_method
from transcribe.training.diariser_loop import DiariserBench
from transcribe.training.loop import Dependencies
from transcribe.wiring import Wiring
from transcribe.workspace import find_model

#: The beginning of a derived base's folder name, before the start of its drafter's hash.
DERIVED: Final = "base-"


def build_dependencies(wiring: Wiring) -> Dependencies:
    """Build what improving the model that drafts needs from the workspace's settings."""
    settings = wiring.settings
    return Dependencies(
        workspace=wiring.workspace,
        store=wiring.store,
        audio_folder=wiring.audio_folder,
        rules=wiring.dataset_rules(),
        train=settings.train,
        gate=settings.gate,
        settings=settings.improve,
        recipe_with=wiring.recipe_with,
        current=find_model(wiring.store, None),
        model_folder=wiring.model_folder,
        base_of=partial(_find_base, wiring),
        prepare=partial(make_preparer, settings.report, remember=True),
        method=read_method(settings.report),
        clock=wiring.clock,
    )


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
    # It needs torch, which the embedded model is tuned with only later.
    from transcribe.training.derive import derive

    drafter = whisper_folder.find(wiring.model_folder(location), allow_download=False)
    folder = wiring.workspace / "models" / f"{DERIVED}{drafter.id[:12]}"
    return folder if folder.is_dir() else derive(drafter.path, folder).folder


def remove_temporary_folders(workspace: Path) -> None:
    """Remove what a killed freeze or derivation left; this process is the only one that is at work here."""
    for folder in (*workspace.glob("datasets/.frozen.*"), *workspace.glob(f"models/.{DERIVED}*")):
        shutil.rmtree(folder, ignore_errors=True)


def build_diariser_bench(wiring: Wiring) -> DiariserBench:
    """Build what improving the diariser needs from the workspace's settings."""
    return DiariserBench(
        workspace=wiring.workspace,
        store=wiring.store,
        audio_folder=wiring.audio_folder,
        rules=wiring.dataset_rules(),
        train=wiring.settings.diariser_train,
        gate=wiring.settings.diariser_gate,
        current=_find_diariser(wiring),
        load=wiring.load_diariser,
        folder=wiring.diariser_folder,
    )


def _find_diariser(wiring: Wiring) -> Model:
    """
    Return the diariser in use, as the store names it or would.

    Raises:
        MissingError: E_MODEL if it is not in a folder of this machine, and cannot be tuned therefore.
    """
    location = wiring.diariser_place
    folder = Path(wiring.diariser_folder(location))
    if not folder.is_dir():
        raise MissingError(
            f"the diariser {location} was to be tuned; it is no folder of this machine",
            code="E_MODEL",
            hint="set diariser.model to diariser-real, after boli models get diariser-real",
            item=location,
        )
    id = folder_id(folder)
    registered = next((model for model in wiring.store.models.fetch() if model.id == id), None)
    name = "embedded-diariser" if location == embedded.NAME else Path(location).name
    return registered or Model(id=id, place=location, name=name, kind="diariser")
