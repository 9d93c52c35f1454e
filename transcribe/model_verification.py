"""Compare the files of the models that a workspace uses, and of those that were fetched, with what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from transcribe.backends import by_dialect, model_cache
from transcribe.backends.identity import folder_id
from transcribe.backends.model_catalogue import CatalogueEntry, catalogue, find_entry
from transcribe.backends.model_manifest import MANIFEST_FILE, Differences, find_differences
from transcribe.errors import BoliError
from transcribe.records import Model
from transcribe.wiring import Wiring
from transcribe.workspace import find_model

#: Returns the differences of a folder from its manifest.
Compare: TypeAlias = Callable[[Path], Differences]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """One model with what is wrong with its files."""

    name: str
    #: Where its files are; a hub id where they are in the hub's own cache.
    folder: str
    #: A manifest states its files; without one only their common hash is known, or nothing.
    has_manifest: bool = False
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    #: What else is wrong, in a sentence.
    fault: str | None = None

    def text(self) -> str:
        """Name all that is wrong; empty where nothing is."""
        differences = Differences(changed=self.changed, missing=self.missing, unlisted=self.unlisted)
        return ", ".join(filter(None, (differences.text(), self.fault)))


def verify_models(wiring: Wiring, names: Sequence[str] = ()) -> list[Verification]:
    """
    Verify each of *names*: a folder, a name of the catalogue, or a model of the workspace.

    Without names, all models of the workspace, each folder below its ``models`` that has a manifest, the base that the
    settings name, and every model that was fetched.

    Raises:
        InputError: E_MODEL if a name means no model.
    """
    if names:
        return [verification for name in names for verification in _verify_name(wiring, name)]
    verifications = [_verify_model(wiring, model) for model in wiring.store.models.fetch()]
    folders = {verification.folder for verification in verifications}
    more = list(_list_manifested(wiring.workspace / "models"))
    if wiring.settings.improve.base is not None:
        more.append(wiring.workspace / Path(wiring.settings.improve.base).expanduser())
    verifications += [_verify_folder(str(folder), folder) for folder in more if str(folder) not in folders]
    fetched = [entry for entry in catalogue() if model_cache.is_here(entry)]
    return verifications + [
        _verify_entry(entry) for entry in fetched if str(model_cache.folder_of(entry)) not in folders
    ]


def _verify_name(wiring: Wiring, name: str) -> Iterator[Verification]:
    entry = find_entry(name)
    if Path(name).is_dir():
        folders = [Path(name), *(folder for folder in _list_manifested(Path(name)) if folder != Path(name))]
        yield from (_verify_folder(str(folder), folder) for folder in folders)
    elif entry is not None and model_cache.is_here(entry):
        yield _verify_entry(entry)
    else:
        yield _verify_model(wiring, find_model(wiring.store, name, kind=None))


def _list_manifested(root: Path) -> Iterator[Path]:
    yield from (manifest.parent for manifest in sorted(root.rglob(MANIFEST_FILE)))


def _verify_entry(entry: CatalogueEntry) -> Verification:
    return _compare(entry.name, model_cache.folder_of(entry), lambda _: model_cache.find_entry_differences(entry))


def _verify_folder(name: str, folder: Path) -> Verification:
    if not (folder / MANIFEST_FILE).is_file():
        state = "nothing states what its files were" if folder.is_dir() else "the folder is gone"
        return Verification(name=name, folder=str(folder), fault=state)
    return _compare(name, folder, find_differences)


def _compare(name: str, folder: Path, compare: Compare) -> Verification:
    verification = Verification(name=name, folder=str(folder), has_manifest=True)
    try:
        differences = compare(folder)
    except BoliError as error:
        return replace(verification, fault=error.message)
    return replace(verification, **vars(differences))


def _verify_model(wiring: Wiring, model: Model) -> Verification:
    """Compare a model that the store knows with its manifest, and with the id that it was registered with."""
    find_folder = wiring.diariser_folder if model.kind == "diariser" else wiring.model_folder
    verification = Verification(name=model.name, folder=model.place)
    try:
        folder = Path(find_folder(model.place))
        if (folder / MANIFEST_FILE).is_file():
            entry = find_entry(model.place)
            verification = _verify_folder(model.name, folder) if entry is None else _verify_entry(entry)
        verification = replace(verification, name=model.name, folder=str(folder))
        if verification.text():
            return verification
        id = _identify(wiring, model, folder)
    except BoliError as error:
        return replace(verification, fault=error.message)
    return verification if id == model.id else replace(verification, fault=f"its files are others now ({id[:12]})")


def _identify(wiring: Wiring, model: Model, folder: Path) -> str:
    return folder_id(folder) if model.kind == "diariser" else by_dialect.look(model.place, wiring.model_folder).id
