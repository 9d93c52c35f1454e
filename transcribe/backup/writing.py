"""
Write a backup of a workspace that others are working in.

Rows come first, at one moment; then the files. A file is always written before the row that names it, so every file
that those rows name is there to be copied, unless it was erased since.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from transcribe.audio import SHARDS
from transcribe.backup.checking import find_row_damage
from transcribe.backup.manifest import (
    MANIFEST,
    PART,
    Entry,
    Manifest,
    add_object,
    has_object,
    read_manifest,
    remove_unnamed,
    write_manifest,
)
from transcribe.errors import InputError, UnfitError, explain
from transcribe.store import Store
from transcribe.store.desk_schema import AUDIT
from transcribe.store.digests import Damage
from transcribe.store.snapshot import SQLITE_FILE, kind_of, write_snapshot
from transcribe.wiring import Wiring
from transcribe.workspace import COUNTS_FILE

#: Folders, anywhere, whose files are made again when they are needed.
_MADE_AGAIN: Final = frozenset({"cache", SHARDS})
#: Called with the bytes that are done.
OnBytes = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class BackupPlan:
    """The files of a workspace, and which of them a backup has already."""

    fresh: tuple[str, ...]
    unchanged: tuple[Entry, ...]
    #: Bytes of the fresh ones.
    size: int


@dataclass(frozen=True, kw_only=True)
class Written:
    """A backup that was written."""

    manifest: Manifest
    copied: int
    unchanged: int
    removed: int
    warnings: tuple[str, ...]


def plan_backup(wiring: Wiring, folder: Path) -> BackupPlan:
    """
    Find what of a workspace is not yet in the backup in *folder*: a file that is new, or written since.

    Raises:
        InputError: E_BACKUP if the folder holds something else, lies in the workspace, or is that of another one.
    """
    previous = {entry.path: entry for entry in _read_previous(wiring, folder)}
    fresh, unchanged, size = [], [], 0
    for path in _list_files(wiring):
        try:
            state = (wiring.workspace / path).stat()
        except FileNotFoundError:
            continue
        entry = previous.get(path)
        if entry and (entry.size, entry.mtime_ns) == (state.st_size, state.st_mtime_ns) and has_object(folder, entry):
            unchanged.append(entry)
        else:
            fresh.append(path)
            size += state.st_size
    return BackupPlan(fresh=tuple(fresh), unchanged=tuple(unchanged), size=size)


def write_backup(wiring: Wiring, folder: Path, show: Callable[[int], OnBytes]) -> Written:
    """
    Back the workspace up in *folder*; killed anywhere, it leaves the backup that was there before.

    Args:
        show: Called with the bytes that are to be copied; returns what is called with each number that is done.

    Raises:
        InputError: As `plan_backup`.
        UnfitError: The folder cannot be written, another backup is at work, or the database is damaged and a backup
            from before is there.
    """
    _read_previous(wiring, folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        with wiring.store.lock("backup"):
            return _write(wiring, folder, show)
    except OSError as error:
        message = f"the backup stopped at {error.filename or folder}: {explain(error)}"
        hint = "see that the disk has room and the file can be read; the backup before is whole"
        raise UnfitError(message, hint=hint, item=str(error.filename or folder)) from error


def _write(wiring: Wiring, folder: Path, show: Callable[[int], OnBytes]) -> Written:
    store = wiring.store
    made_at, erasures = store.database.now(), _count_erasures(store)
    revision, database, damages = _write_rows(store, folder)
    plan = plan_backup(wiring, folder)
    step, copies, gone = show(plan.size), [], []
    for path in plan.fresh:
        try:
            entry = add_object(folder, wiring.workspace / path, path)
        except FileNotFoundError:
            gone.append(path)
            continue
        copies.append(entry)
        step(entry.size)
    manifest = Manifest(
        made_at=made_at,
        workspace=str(wiring.workspace),
        kind=kind_of(store.database.location),
        revision=revision,
        database=tuple(database),
        files=tuple(sorted([*plan.unchanged, *copies], key=lambda entry: entry.path)),
    )
    write_manifest(folder, manifest)
    warnings = [f"W_DAMAGED: {damages[0].item}: {damages[0].message}; boli verify names all"] if damages else []
    warnings += [f"W_GONE: {len(gone)} files were removed while they were copied: {', '.join(gone[:3])}"] * bool(gone)
    if _count_erasures(store) != erasures:
        warnings.append("W_ERASED: something was erased meanwhile, and its texts are in this backup; run it again")
    return Written(
        manifest=manifest,
        copied=len(copies),
        unchanged=len(plan.unchanged),
        removed=remove_unnamed(folder, manifest),
        warnings=tuple(warnings),
    )


def _write_rows(store: Store, folder: Path) -> tuple[str, list[Entry], list[Damage]]:
    # On the backup's disk: the workspace's may be full.
    rows = Path(tempfile.mkdtemp(dir=folder, prefix=PART))
    try:
        revision, files = write_snapshot(store.database, rows)
        damages = find_row_damage(store, None if store.database.location.path is None else files[0])
        if damages and (folder / MANIFEST).is_file():
            raise UnfitError(
                f"{damages[0].item} {damages[0].message}; {len(damages)} rows or pages are damaged, and the backup in"
                f" {folder} stays as it was",
                code="E_DAMAGED",
                hint="boli verify names all; restore that backup, or back up into a new folder",
                item=damages[0].item,
            )
        return revision, [add_object(folder, file, file.name) for file in files], damages
    finally:
        shutil.rmtree(rows, ignore_errors=True)


def _read_previous(wiring: Wiring, folder: Path) -> tuple[Entry, ...]:
    """Return the files of the backup that is there; none if there is none yet."""
    if folder.resolve().is_relative_to(wiring.workspace):
        raise _refusal(folder, "lies in the workspace, and would be lost with it", "name a folder on another disk")
    if not folder.exists():
        return ()
    if not (folder / MANIFEST).is_file():
        # A first backup that was killed leaves objects without a manifest.
        names = sorted(file.name for file in folder.iterdir())
        strange = [name for name in names if name != "objects" and not name.startswith(PART)]
        if strange:
            raise _refusal(folder, f"holds {strange[0]} and no backup", "name an empty folder, or one of a backup")
        return ()
    manifest = read_manifest(folder)
    if manifest.workspace != str(wiring.workspace):
        what = f"is the backup of {manifest.workspace}, and not of {wiring.workspace}"
        raise _refusal(folder, what, "give each workspace a folder of its own")
    return manifest.files


def _list_files(wiring: Wiring) -> Iterator[str]:
    """Yield the paths of all files that belong to the workspace, in order; not the database, nor what is made again."""
    path = wiring.store.database.location.path
    # The database with its journals, locks and copies: boli.db, boli.db-wal, boli.db.serve.lock, boli.db.0013.….
    stem = wiring.workspace / SQLITE_FILE if path is None else path

    def belongs(folder: Path, name: str) -> bool:
        is_database = folder == stem.parent and name.startswith(stem.name)
        is_made_again = name in _MADE_AGAIN or folder / name == wiring.workspace / COUNTS_FILE
        return not (is_database or is_made_again or name.startswith("."))

    # Unlike a glob it goes past folders that are removed meanwhile.
    for parent, folders, names in os.walk(wiring.workspace):
        folder = Path(parent)
        folders[:] = sorted(name for name in folders if belongs(folder, name))
        for name in sorted(names):
            if belongs(folder, name) and (folder / name).is_file():
                yield (folder / name).relative_to(wiring.workspace).as_posix()


def _count_erasures(store: Store) -> int:
    query = select(func.count()).select_from(AUDIT).where(AUDIT.c.action == "erased")
    with store.database.begin_read() as connection:
        return int(connection.execute(query).scalar_one())


def _refusal(folder: Path, what: str, hint: str) -> InputError:
    return InputError(f"{folder} {what}", code="E_BACKUP", hint=hint, item=str(folder))
