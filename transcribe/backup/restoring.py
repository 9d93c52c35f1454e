"""
Restore a backup into a new workspace.

All is put together in a hidden folder beside the place, each file held against its SHA-256 while it is copied, and
renamed when it is whole. A killed restore leaves that folder, which the next one begins anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from transcribe.backup.manifest import (
    Entry,
    Manifest,
    copy_hashed,
    has_object,
    locate_object,
    make_private,
    read_manifest,
)
from transcribe.config import FILE_NAME, load
from transcribe.errors import ConfigError, InputError, UnfitError, explain
from transcribe.store.database import Database
from transcribe.store.database_url import DatabaseLocation, parse_url
from transcribe.store.engine import engine_for
from transcribe.store.migrations import revisions
from transcribe.store.snapshot import clear_mark, kind_of, load_snapshot, sync_folder
from transcribe.wiring import user_file
from transcribe.workspace import FOLDERS, database_url


def restore_backup(
    folder: Path, workspace: Path, *, database: str | None, show: Callable[[int], Callable[[int], None]]
) -> Manifest:
    """
    Restore the backup in *folder* as *workspace*, and return its manifest.

    Args:
        workspace: A folder that is not there yet, or empty.
        database: URL of an empty database of the backup's kind; ``None``: the one that its settings name.
        show: Called with the bytes that are to be copied; returns what is called with each number that is done.

    Raises:
        InputError: E_BACKUP if the backup is damaged, E_NOT_EMPTY if something is in the place or the database.
        ConfigError: E_SCHEMA_NEWER if a newer program made it.
        UnfitError: The place cannot be written.
    """
    workspace = workspace.absolute()
    manifest = _read_whole(folder)
    if workspace.exists() and (not workspace.is_dir() or any(workspace.iterdir())):
        message = f"{workspace} was to be restored into, and is not empty"
        raise InputError(message, code="E_NOT_EMPTY", hint="name a new folder", item=str(workspace))
    part = workspace.with_name(f".{workspace.name}.restoring")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        step = show(manifest.size)
        for name in FOLDERS:
            (part / name).mkdir(mode=0o700)
        for entry in manifest.files:
            _copy_out(folder, entry, part / entry.path)
            step(entry.size)
        location = _choose_location(part, workspace, database, manifest)
        _restore_rows(folder, manifest, location, part=part, workspace=workspace)
        _sync_tree(part)
        part.rename(workspace)
        sync_folder(workspace.parent)
    except OSError as error:
        message = f"{workspace} cannot be restored: {explain(error)}"
        raise UnfitError(message, hint="see that its disk has room, and run it again", item=str(workspace)) from error
    if location.path is None:
        with closing(Database(location, engine_for(location))) as restored:
            clear_mark(restored)
    return manifest


def _read_whole(folder: Path) -> Manifest:
    """Read the manifest, and refuse a backup that lacks a file before anything is written."""
    manifest = read_manifest(folder)
    if manifest.revision not in revisions():
        raise ConfigError(
            f"the backup in {folder} has schema {manifest.revision}, made by a newer version of boli",
            code="E_SCHEMA_NEWER",
            hint="update boli",
            item=str(folder),
        )
    missing = [entry.path for entry in manifest.entries if not has_object(folder, entry)]
    if missing:
        message = f"the backup in {folder} lacks {len(missing)} files or parts of them: {', '.join(missing[:3])}"
        raise InputError(message, code="E_BACKUP", hint="use another backup", item=missing[0])
    return manifest


def _copy_out(folder: Path, entry: Entry, target: Path) -> None:
    """
    Copy one file out of a backup.

    Raises:
        InputError: E_BACKUP if it is not what was backed up.
    """
    make_private(target.parent)
    with locate_object(folder, entry.sha256).open("rb") as source, target.open("wb") as stream:
        target.chmod(0o600)
        sha256, _ = copy_hashed(source, stream)
        stream.flush()
        os.fsync(stream.fileno())
    if sha256 != entry.sha256:
        raise InputError(
            f"{entry.path} in the backup is not what was backed up, and nothing was restored",
            code="E_BACKUP",
            hint=f"use another backup; boli verify --backup {folder} names all that is damaged",
            item=entry.path,
        )
    if entry.mtime_ns:
        os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns))


def _choose_location(part: Path, workspace: Path, database: str | None, manifest: Manifest) -> DatabaseLocation:
    """Return where the database goes; a *database* that was asked for is written into the settings."""
    file = part / FILE_NAME
    if database is not None:
        _write_setting(file, database)
    settings = load(file if file.exists() else None, user_file=user_file())
    location = parse_url(database_url(settings.store.url, workspace))
    if kind_of(location) != manifest.kind:
        raise InputError(
            f"the backup is of {manifest.kind}, and {location.display_name} is {kind_of(location)}",
            code="E_BACKUP",
            hint=f"name an empty {manifest.kind} database with --database",
            item=location.display_name,
        )
    return location


def _write_setting(file: Path, url: str) -> None:
    import tomlkit

    document: Any = tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else tomlkit.document()
    document.setdefault("store", tomlkit.table())["url"] = url
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    file.chmod(0o600)


def _restore_rows(folder: Path, manifest: Manifest, location: DatabaseLocation, *, part: Path, workspace: Path) -> None:
    if location.path is not None:
        [entry] = manifest.database
        _place_file(folder, entry, location.path, part=part, workspace=workspace)
        return
    rows = part / ".rows"
    for entry in manifest.database:
        _copy_out(folder, entry, rows / entry.path)
    with closing(Database(location, engine_for(location))) as database:
        files = [rows / entry.path for entry in manifest.database]
        load_snapshot(database, manifest.revision, files, mark=f"restored from {manifest.sha256}")
    shutil.rmtree(rows)


def _place_file(folder: Path, entry: Entry, path: Path, *, part: Path, workspace: Path) -> None:
    """Copy an SQLite database to its place: in the workspace, which is still in *part*, or somewhere else."""
    if path.is_relative_to(workspace.resolve()):
        _copy_out(folder, entry, part / path.relative_to(workspace.resolve()))
        return
    if path.exists():
        with path.open("rb") as stream:
            # The same bytes are what a restore that was killed since has put there.
            if copy_hashed(stream, None)[0] == entry.sha256:
                return
        hint = "name another with --database, or move it away"
        raise InputError(f"{path} was to be restored, and is there", code="E_NOT_EMPTY", hint=hint, item=str(path))
    fresh = path.with_name(f"{path.name}.restoring")
    _copy_out(folder, entry, fresh)
    fresh.rename(path)
    sync_folder(path.parent)


def _sync_tree(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
