"""Checks of a workspace: its database, its models, downloads and telemetry."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from transcribe import embedded
from transcribe.backends import model_cache, model_catalogue
from transcribe.backends.identity import folder_id, looks_like_hub_id
from transcribe.config import ModelsSettings, Settings, StoreSettings
from transcribe.doctor.installation import Finding, version
from transcribe.doctor.machine import nearest_folder
from transcribe.errors import BoliError
from transcribe.store.database import Database
from transcribe.store.database_url import parse_url
from transcribe.store.engine import engine_for
from transcribe.store.migrations import HEAD, Schema, schema_of
from transcribe.store.preflight import refuse_unfit
from transcribe.workspace import database_url

#: Libraries that report their use to their makers once they are online, until a variable says no.
TELLTALES: Final = {"huggingface_hub": "HF_HUB_DISABLE_TELEMETRY", "mlflow-skinny": "MLFLOW_DISABLE_TELEMETRY"}

#: How the hub's client spells yes.
YES: Final = frozenset({"1", "ON", "YES", "TRUE"})


def check_database(workspace: Path, store: StoreSettings) -> Finding:
    """Check that the workspace's database can be reached, and the age of its schema. Reads only."""
    try:
        url = parse_url(database_url(store.url, workspace))
        if url.path is not None:
            refuse_unfit(url.path)
            if not url.path.exists():
                detail = f"{url.display_name} is not there yet; the first command that needs it makes it."
                return Finding(name="database", state="ok", detail=detail)
        with closing(Database(url, engine_for(url))) as reached, reached.begin_read() as connection:
            schema = schema_of(connection)
    except BoliError as error:
        hint = f" To do: {error.hint}." if error.hint else ""
        return Finding(name="database", state="missing", detail=f"{error.message}.{hint}")
    return check_schema(schema, url.display_name)


def check_schema(schema: Schema, name: str) -> Finding:
    """Compare the schema of the database *name* with this program's."""
    if schema is Schema.CURRENT:
        return Finding(name="database", state="ok", detail=f"{name} has schema {HEAD}, the newest.")
    if schema is Schema.NEWER:
        detail = f"{name} was made by a newer version of boli."
        return Finding(name="database", state="missing", detail=detail, mend="pip install --upgrade boli")
    detail = (
        f"{name} has {'no' if schema is Schema.ABSENT else 'an older'} schema of boli; the next command mends that."
    )
    return Finding(name="database", state="warn", detail=detail, mend="boli status")


def check_models(settings: Settings) -> Iterator[Finding]:
    """Check the models that ship with the package, and those that the settings name in their place."""
    yield check_shipped_model("recogniser", embedded.whisper())
    yield check_shipped_model("diariser", embedded.diariser())
    yield from (check_catalogue_model(entry) for entry in model_catalogue.catalogue())
    for name, chosen in (("recogniser", settings.recogniser.model), ("diariser", settings.diariser.model)):
        if chosen not in (embedded.NAME, model_catalogue.AUTO):
            yield check_chosen_model(name, chosen, allowed=settings.models.allow_download)


def check_shipped_model(name: str, folder: Path) -> Finding:
    """Check the model that ships in *folder*, and report the hash that drafts are pinned to."""
    if folder.is_dir() and any(folder.iterdir()):
        return Finding(name=f"embedded {name}", state="ok", detail=f"It ships with boli: {folder_id(folder)}.")
    detail = f"It should ship with boli in {folder}, and is not there."
    return Finding(name=f"embedded {name}", state="missing", detail=detail, mend="pip install --force-reinstall boli")


def check_catalogue_model(entry: model_catalogue.CatalogueEntry) -> Finding:
    """Check that a model of the catalogue is here as it was fetched, or report the command that fetches it."""
    name = f"model {entry.name}"
    if not model_cache.is_here(entry):
        detail = f"Not here: a {entry.kind} for {entry.languages}, {entry.licence}; {entry.command} fetches it."
        return Finding(name=name, state="ok", detail=detail, mend=entry.command)
    try:
        folder = model_cache.verify_folder(entry)
    except BoliError as error:
        return Finding(name=name, state="missing", detail=f"{error.message}.", mend=f"{entry.command} --again")
    return Finding(name=name, state="ok", detail=f"It is in {folder}, with the checksums that it was fetched with.")


def check_chosen_model(name: str, chosen: str, *, allowed: bool) -> Finding:
    """Check the model *chosen* by a setting: a folder, or a hub id that may be fetched if *allowed*."""
    key = f"{name}.model"
    entry = model_catalogue.find_entry(chosen)
    if entry is not None and (model_cache.is_here(entry) or entry.hub is None):
        return replace(check_catalogue_model(entry), name=key, state="ok" if model_cache.is_here(entry) else "missing")
    if Path(chosen).expanduser().is_dir():
        return Finding(name=key, state="ok", detail=f"{key} is the folder {chosen}.")
    if "/" in chosen and not looks_like_hub_id(chosen):
        detail = f"{key} is {chosen}, and there is no such folder."
        return Finding(name=key, state="missing", detail=detail, mend=f"BOLI_{name.upper()}__MODEL=embedded boli run")
    if allowed:
        return Finding(name=key, state="ok", detail=f"{key} is {chosen} of the hub; its first use fetches it.")
    detail = f"{key} is {chosen} of the hub, and downloads are off: only a copy that is here already will do."
    return Finding(name=key, state="warn", detail=detail, mend="BOLI_MODELS__ALLOW_DOWNLOAD=true boli run")


def check_downloads(settings: ModelsSettings, environment: Mapping[str, str]) -> Finding:
    """Check that the settings and the hub's own switch agree on downloads."""
    if not settings.allow_download:
        return Finding(name="downloads", state="ok", detail="Off: nothing is fetched from a model hub.")
    if environment.get("HF_HUB_OFFLINE", "").upper() in YES:
        detail = "models.allow_download is on, but HF_HUB_OFFLINE keeps the hub's client off the network."
        return Finding(name="downloads", state="warn", detail=detail, mend="unset HF_HUB_OFFLINE")
    return Finding(
        name="downloads", state="ok", detail="On, by models.allow_download: hub ids are fetched on first use."
    )


def check_telemetry(settings: ModelsSettings, environment: Mapping[str, str]) -> Finding:
    """
    Check that no library may tell its makers what it is used for.

    The program itself silences pyannote.audio, and the hub's client by keeping it offline where downloads are off.
    """
    quiet = "pyannote.audio and the hub's client are told not to report their use"
    reporting = [
        name
        for name, variable in TELLTALES.items()
        if version(name) and not {environment.get(variable, "").upper(), environment.get("DO_NOT_TRACK", "")} & YES
        if settings.allow_download or name != "huggingface_hub"
    ]
    if not reporting:
        return Finding(name="telemetry", state="ok", detail=f"Off: {quiet}.")
    detail = f"{' and '.join(reporting)} may report their use."
    mend = " ".join(["export", *(f"{TELLTALES[name]}=1" for name in reporting)])
    return Finding(name="telemetry", state="warn", detail=detail, mend=mend)


def check_cache(environment: Mapping[str, str]) -> Finding:
    """Check that the folder can be written in which the hub's client keeps models."""
    home = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or Path.home(), ".cache")
    hub = environment.get("HF_HOME") or Path(home, "huggingface")
    folder = Path(environment.get("HF_HUB_CACHE") or Path(hub, "hub"))
    if os.access(nearest_folder(folder), os.W_OK | os.X_OK):
        return Finding(name="cache", state="ok", detail=f"Fetched models go to {folder}, which can be written.")
    detail = f"Fetched models go to {folder}, which cannot be written."
    return Finding(name="cache", state="warn", detail=detail, mend="export HF_HOME=DIR")
