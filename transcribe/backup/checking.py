"""
Find what is not as it was stored: one flipped bit in a row, a page, a sound, a model, a dataset, or a backup.

Each kind is held against what was written down when it was stored: rows against their digests, sounds against the
hash beside them, models against their ids, datasets against their own hashes, a backup against its manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from transcribe import audio
from transcribe.backup.manifest import copy_hashed, locate_object, read_manifest
from transcribe.datasets.manifest import FACTS, read_dataset
from transcribe.errors import BoliError
from transcribe.model_verification import verify_models
from transcribe.store import Store
from transcribe.store.digests import Damage
from transcribe.store.snapshot import write_snapshot
from transcribe.wiring import Wiring
from transcribe.workspace import TUNED_HERE


def check_workspace(wiring: Wiring) -> Iterator[Damage]:
    """
    Yield what is damaged in a workspace: its database, then its sounds, datasets and models.

    A database that cannot be opened is one damage; what needs no row is checked all the same.
    """
    try:
        store = wiring.store
        is_file = store.database.location.path is not None
        with TemporaryDirectory() as folder:
            files = write_snapshot(store.database, Path(folder))[1] if is_file else [None]
            damages = find_row_damage(store, files[0])
    except BoliError as error:
        yield Damage(item=error.item or "database", message=error.message)
        yield from _check_sounds(wiring, {})
    else:
        yield from damages
        yield from _check_sounds(wiring, _read_paths(wiring))
        yield from _check_models(wiring)
    yield from _check_datasets(wiring.workspace)


def check_backup(folder: Path) -> Iterator[Damage]:
    """
    Yield the files of the backup in *folder* that are gone or not what was backed up.

    A manifest that cannot be read, or is not what was written, is one damage; nothing can be checked without it.
    """
    try:
        manifest = read_manifest(folder)
    except BoliError as error:
        yield Damage(item=error.item or str(folder), message=error.message)
        return
    for entry in manifest.entries:
        file = locate_object(folder, entry.sha256)
        try:
            with file.open("rb") as stream:
                sha256, _ = copy_hashed(stream, None)
        except OSError:
            yield Damage(item=entry.path, message=f"is gone from the backup: {file}")
            continue
        if sha256 != entry.sha256:
            yield Damage(item=entry.path, message=f"is not what was backed up: {file}")


def find_row_damage(store: Store, file: Path | None) -> list[Damage]:
    """
    Find what is damaged in a database, texts of histories included.

    Args:
        file: A copy of an SQLite database, read in its place: to read all of one keeps writers waiting.
    """
    try:
        if file is not None:
            with Store.open(f"sqlite:///{file}") as copy:
                return find_row_damage(copy, None)
        damages = list(store.digests.find_damage())
        broken = store.audit.find_broken_history()
    except BoliError as error:
        return [Damage(item=error.item or "database", message=error.message)]
    if broken is not None:
        damages.append(Damage(item=f"history of segment {broken}", message="is not the one that was written"))
    return damages


def _read_paths(wiring: Wiring) -> dict[str, str]:
    """Return the path of each recording, by id; none where the table is too damaged to be read."""
    try:
        return {recording.id: recording.path for recording in wiring.store.recordings.fetch(withheld=True)}
    except (BoliError, ValueError):
        return {}


def _check_sounds(wiring: Wiring, path_by_id: dict[str, str]) -> Iterator[Damage]:
    ids = {file.stem for file in wiring.audio_folder.glob("??/*") if not file.name.startswith(".")}
    for recording in sorted(ids):
        file = audio.locate(wiring.audio_folder, recording)
        if recording not in path_by_id and not file.with_suffix(".json").exists():
            # Left by a killed ingest: without its facts it is of no recording.
            continue
        fault = audio.find_fault(file)
        if fault is not None:
            owner = path_by_id.get(recording, recording[:12])
            yield Damage(item=f"sound of recording {owner}", message=f"{fault}: {file}")


def _check_datasets(workspace: Path) -> Iterator[Damage]:
    for facts in sorted((workspace / "datasets").glob(f"[!.]*/{FACTS}")):
        try:
            read_dataset(facts.parent)
        except BoliError as error:
            yield Damage(item=f"dataset {facts.parent.name}", message=error.message)


def _check_models(wiring: Wiring) -> Iterator[Damage]:
    try:
        verifications = verify_models(wiring)
    except BoliError as error:
        yield Damage(item="models", message=error.message)
        return
    for verification in verifications:
        fault = verification.text()
        # A restored workspace may name models that were never fetched to this machine.
        is_here = Path(verification.folder).is_dir() or verification.folder.startswith(
            (TUNED_HERE, str(wiring.workspace / TUNED_HERE))
        )
        if fault and is_here:
            yield Damage(item=f"model {verification.name}", message=fault)
