"""
A workspace: the folder that holds settings, database, normalised audio, datasets, models and reports.

Also the model that a person's word means in it, and the command that goes on with it where a result is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from transcribe.config import FILE_NAME
from transcribe.errors import InputError, MissingError, UnfitError, name_nearest
from transcribe.records import Model, ModelKind

if TYPE_CHECKING:
    from transcribe.store import Store


#: The beginning of the places of models that were tuned in the workspace.
TUNED_HERE: Final = "models/"
FOLDERS = ("audio", "datasets", "models", "reports")
#: Endings of what SQLite and boli put beside a database.
_BESIDE = ("-wal", "-shm", "-journal", ".serve.lock", ".run.lock", ".migrate.lock")
#: The counts of earlier reports. The file may be deleted at any time.
COUNTS_FILE = Path("reports") / "counts.sqlite"

_HEAD = """\
# Settings of this workspace. `boli config show` lists every setting, its value and where that came from;
# what is not written here keeps its default.
"""


def create(folder: Path, values: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """
    Make *folder* a workspace and return its path. A workspace that is there already stays as it is.

    Args:
        folder: Made if missing; other files in it are left alone.
        values: Settings to write, by section.

    Raises:
        InputError: There is a file where the folder should be.
        UnfitError: The place cannot be written.
    """
    import tomlkit

    from transcribe import glossary

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; a workspace is a folder", hint="name another place", item=str(folder))
    try:
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / FILE_NAME
        if not file.exists():
            body = tomlkit.dumps({section: dict(part) for section, part in (values or {}).items()})
            file.touch(0o600)
            file.write_text(f"{_HEAD}\n{body}" if body else _HEAD, encoding="utf-8")
        names = folder / glossary.FILE
        if not names.exists():
            names.write_text("\t".join(glossary.COLUMNS) + "\n", encoding="utf-8")
    except OSError as error:
        raise UnfitError(f"{folder} cannot be written: {error.strerror}", item=str(folder)) from error
    return folder.resolve()


def make_private(folder: Path) -> tuple[str, ...]:
    """
    Take the rights of others off what boli made in the workspace *folder*, and return the names of what had them.

    What lies below its folders is behind them. What belongs to somebody else stays as it is.
    """
    mended = []
    private = (*FOLDERS, "cache", FILE_NAME, "desk.key", "rates.toml", "boli.db", *(f"boli.db{end}" for end in _BESIDE))
    for path in (folder / name for name in private):
        with suppress(OSError):
            mode = path.stat().st_mode & 0o777
            if mode & 0o077:
                path.chmod(mode & 0o700)
                mended.append(path.name)
    return tuple(mended)


def database_url(url: str, workspace: Path) -> str:
    """Return *url* with a relative SQLite path placed inside *workspace*; any other URL as it is."""
    prefix = "sqlite:///"
    path = url.removeprefix(prefix)
    if not url.startswith(prefix) or path.startswith("/") or path in ("", ":memory:"):
        return url
    return f"{prefix}{quote(str(workspace))}/{path}"


def find_next_step(store: Store) -> str | None:
    """Return the command that brings an unfinished workspace further; ``None`` where recordings were corrected."""
    counts = store.status.count()
    if not counts.recordings:
        return "boli ingest PATH… --dialect TAG takes recordings in"
    if not counts.drafts:
        return "boli run drafts what was taken in"
    if not counts.corrections:
        return "boli serve opens the desk to correct drafts, boli import corrections FILE takes texts in"
    return None


def find_desk_step(store: Store) -> str:
    """Return the command that a desk goes on with at which nothing was written yet."""
    step = find_next_step(store) if not store.status.count().drafts else None
    return step or "boli people add NAME --role transcriber takes somebody in, boli serve opens the desk"


def find_model(store: Store, name: str | None, *, kind: ModelKind | None = "recogniser") -> Model:
    """
    Return the model that *name* means, as an id, the beginning of one, or a name; without one the model that drafts.

    Args:
        kind: Only models of this kind; ``None``: of any.

    Raises:
        MissingError: No model has drafted yet; the hint is the next step of an empty workspace.
        InputError: E_MODEL if none or several are meant.
    """
    if name is None:
        promoted = store.models.find_promoted()
        if promoted is None:
            raise MissingError("no model has drafted here yet", hint=find_next_step(store) or "boli run")
        return promoted
    models = [model for model in store.models.fetch() if kind in (None, model.kind)]
    matches = [model for model in models if model.id.startswith(name) or model.name == name]
    if len(matches) != 1:
        names = ", ".join(f"{model.name} ({model.id[:12]})" for model in models) or "none"
        near = "" if matches else name_nearest(name, (model.name for model in models))
        message = f"the model {name} was asked for, found {len(matches)}{near}; there are: {names}"
        raise InputError(message, code="E_MODEL", item=name)
    return matches[0]


def check_tuned(store: Store, location: str, kind: ModelKind, find_folder: Callable[[str], str]) -> None:
    """
    Check the files of a model that was tuned here against its manifest and the id that it was registered with.

    Args:
        location: Its place; one elsewhere passes.
        find_folder: Gives the folder of a place.

    Raises:
        InputError: E_MODEL_CHECKSUM if its folder is gone or a file of it is another now.
    """
    if not location.startswith(TUNED_HERE):
        return
    from transcribe.backends.by_dialect import look
    from transcribe.backends.identity import folder_id
    from transcribe.backends.model_manifest import check_manifest

    hint = f"bring the files back, or boli models rollback --kind {kind}"
    message, folder = f"the {kind} {location} is not what was tuned", Path(find_folder(location))
    if not folder.is_dir():
        raise InputError(f"{message}: its folder is gone", code="E_MODEL_CHECKSUM", hint=hint, item=location)
    ids = {model.id for model in store.models.fetch() if model.kind == kind and model.place == location}
    check_manifest(folder)
    if ids and (folder_id(folder) if kind == "diariser" else look(location, find_folder).id) not in ids:
        message = f"{message}: its files are others now"
        raise InputError(message, code="E_MODEL_CHECKSUM", hint=hint, item=location)
