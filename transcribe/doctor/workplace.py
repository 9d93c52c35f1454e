"""What a workspace stands on: its database, its models, and what may leave the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from transcribe import embedded
from transcribe.backends import model_cache, model_catalogue
from transcribe.backends.identity import folder_id, looks_like_hub_id
from transcribe.config import ModelsSettings, Settings, StoreSettings
from transcribe.doctor.finding import Finding
from transcribe.doctor.installation import version
from transcribe.doctor.machine import nearest
from transcribe.errors import BoliError
from transcribe.store.database import Database, engine_for
from transcribe.store.fitness import refuse_unfit
from transcribe.store.migrations import HEAD, Schema, schema_of
from transcribe.store.place import place_of
from transcribe.workspace import database_url

#: Libraries that report their use to their makers once they are online, until a variable says no.
TELLTALES: Final = {"huggingface_hub": "HF_HUB_DISABLE_TELEMETRY", "mlflow-skinny": "MLFLOW_DISABLE_TELEMETRY"}

#: How the hub's client spells yes.
YES: Final = frozenset({"1", "ON", "YES", "TRUE"})


def database(workspace: Path, store: StoreSettings) -> Finding:
    """Whether the workspace's database can be reached, and how old its schema is. Reads only."""
    try:
        place = place_of(database_url(store.url, workspace))
        if place.path is not None:
            refuse_unfit(place.path)
            if not place.path.exists():
                detail = f"{place.shown} is not there yet; the first command that needs it makes it."
                return Finding(name="database", state="ok", detail=detail)
        reached = Database(place, engine_for(place))
        with reached, reached.reading() as connection:
            schema = schema_of(connection)
    except BoliError as error:
        hint = f" To do: {error.hint}." if error.hint else ""
        return Finding(name="database", state="missing", detail=f"{error.message}.{hint}")
    return schema_found(schema, place.shown)


def schema_found(schema: Schema, shown: str) -> Finding:
    """How the schema of the database *shown* stands to this program's."""
    if schema is Schema.CURRENT:
        return Finding(name="database", state="ok", detail=f"{shown} has schema {HEAD}, the newest.")
    if schema is Schema.NEWER:
        detail = f"{shown} was made by a newer version of boli."
        return Finding(name="database", state="missing", detail=detail, mend="pip install --upgrade boli")
    detail = (
        f"{shown} has {'no' if schema is Schema.ABSENT else 'an older'} schema of boli; the next command mends that."
    )
    return Finding(name="database", state="warn", detail=detail, mend="boli status")


def models(settings: Settings) -> Iterator[Finding]:
    """The models that ship with the package, and those that the settings name in their place."""
    yield shipped("recogniser", embedded.whisper())
    yield shipped("diariser", embedded.diariser())
    yield from (catalogued(entry) for entry in model_catalogue.catalogue())
    for name, chosen in (("recogniser", settings.recogniser.model), ("diariser", settings.diariser.model)):
        if chosen not in (embedded.NAME, model_catalogue.AUTO):
            yield chosen_model(name, chosen, allowed=settings.models.allow_download)


def shipped(name: str, folder: Path) -> Finding:
    """The model that ships in *folder*, with the hash that drafts are pinned to."""
    if folder.is_dir() and any(folder.iterdir()):
        return Finding(name=f"embedded {name}", state="ok", detail=f"It ships with boli: {folder_id(folder)}.")
    detail = f"It should ship with boli in {folder}, and is not there."
    return Finding(name=f"embedded {name}", state="missing", detail=detail, mend="pip install --force-reinstall boli")


def catalogued(entry: model_catalogue.CatalogueEntry) -> Finding:
    """A model that can be fetched by name: here with its files as they were fetched, or the command that fetches it."""
    name = f"model {entry.name}"
    if not model_cache.is_here(entry):
        detail = f"Not here: a {entry.kind} for {entry.languages}, {entry.licence}; {entry.command} fetches it."
        return Finding(name=name, state="ok", detail=detail, mend=entry.command)
    try:
        folder = model_cache.verified_folder(entry)
    except BoliError as error:
        return Finding(name=name, state="missing", detail=f"{error.message}.", mend=f"{entry.command} --again")
    return Finding(name=name, state="ok", detail=f"It is in {folder}, with the checksums that it was fetched with.")


def chosen_model(name: str, chosen: str, *, allowed: bool) -> Finding:
    """The model *chosen* by a setting: a folder, or a hub id that may be fetched if *allowed*."""
    key = f"{name}.model"
    entry = model_catalogue.entry_named(chosen)
    if entry is not None and (model_cache.is_here(entry) or entry.hub is None):
        return replace(catalogued(entry), name=key, state="ok" if model_cache.is_here(entry) else "missing")
    if Path(chosen).expanduser().is_dir():
        return Finding(name=key, state="ok", detail=f"{key} is the folder {chosen}.")
    if "/" in chosen and not looks_like_hub_id(chosen):
        detail = f"{key} is {chosen}, and there is no such folder."
        return Finding(name=key, state="missing", detail=detail, mend=f"BOLI_{name.upper()}__MODEL=embedded boli run")
    if allowed:
        return Finding(name=key, state="ok", detail=f"{key} is {chosen} of the hub; its first use fetches it.")
    detail = f"{key} is {chosen} of the hub, and downloads are off: only a copy that is here already will do."
    return Finding(name=key, state="warn", detail=detail, mend="BOLI_MODELS__ALLOW_DOWNLOAD=true boli run")


def downloads(settings: ModelsSettings, environment: Mapping[str, str]) -> Finding:
    """Whether models may be fetched from a hub, by the settings and by the hub's own switch."""
    if not settings.allow_download:
        return Finding(name="downloads", state="ok", detail="Off: nothing is fetched from a model hub.")
    if environment.get("HF_HUB_OFFLINE", "").upper() in YES:
        detail = "models.allow_download is on, but HF_HUB_OFFLINE keeps the hub's client off the network."
        return Finding(name="downloads", state="warn", detail=detail, mend="unset HF_HUB_OFFLINE")
    return Finding(
        name="downloads", state="ok", detail="On, by models.allow_download: hub ids are fetched on first use."
    )


def telemetry(settings: ModelsSettings, environment: Mapping[str, str]) -> Finding:
    """
    Whether a library may tell its makers what it is used for.

    The program itself silences pyannote.audio, and the hub's client by keeping it offline where downloads are off.
    """
    quiet = "pyannote.audio and the hub's client are told not to report their use"
    open_mouths = [
        name
        for name, variable in TELLTALES.items()
        if version(name) and not {environment.get(variable, "").upper(), environment.get("DO_NOT_TRACK", "")} & YES
        if settings.allow_download or name != "huggingface_hub"
    ]
    if not open_mouths:
        return Finding(name="telemetry", state="ok", detail=f"Off: {quiet}.")
    detail = f"{' and '.join(open_mouths)} may report their use."
    mend = " ".join(["export", *(f"{TELLTALES[name]}=1" for name in open_mouths)])
    return Finding(name="telemetry", state="warn", detail=detail, mend=mend)


def cache(environment: Mapping[str, str]) -> Finding:
    """Whether the folder can be written in which the hub's client keeps models."""
    home = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or Path.home(), ".cache")
    hub = environment.get("HF_HOME") or Path(home, "huggingface")
    folder = Path(environment.get("HF_HUB_CACHE") or Path(hub, "hub"))
    if os.access(nearest(folder), os.W_OK | os.X_OK):
        return Finding(name="cache", state="ok", detail=f"Fetched models go to {folder}, which can be written.")
    detail = f"Fetched models go to {folder}, which cannot be written."
    return Finding(name="cache", state="warn", detail=detail, mend="export HF_HOME=DIR")
