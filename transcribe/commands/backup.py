"""Commands that keep work safe: back a workspace up, restore it, find what is damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcribe.commands.app import EVERYONE, AsJson, Debug, Dry, Progress, Workspace, app, console, open_workspace
from transcribe.console import Answer, Console
from transcribe.errors import Failure

if TYPE_CHECKING:
    from transcribe.store.digests import Damage
    from transcribe.wiring import Wiring

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of the backup, on another disk.")]


@app.command(rich_help_panel=EVERYONE, epilog="Example: boli backup /media/disk/corpus")
def backup(
    folder: Folder,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    progress: Progress = "auto",
    debug: Debug = False,
) -> None:
    """Copy the whole workspace while people work in it; what the folder has already is not copied again."""
    with open_workspace(workspace) as wiring:
        console.answer(back_up(wiring, folder, console, dry_run=dry_run))


@app.command(rich_help_panel=EVERYONE, epilog="Example: boli restore /media/disk/corpus restored")
def restore(
    folder: Folder,
    workspace: Annotated[
        Path | None, typer.Argument(metavar="[WORKSPACE]", help="A new or empty folder; else where it was.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="URL of an empty database; else the one that the settings name.")
    ] = None,
    as_json: AsJson = False,
    progress: Progress = "auto",
    debug: Debug = False,
) -> None:
    """Restore a backup as a new workspace, all or nothing, and verify it."""
    console.answer(restore_workspace(folder, workspace, console, database=database))


@app.command(rich_help_panel=EVERYONE, epilog="Example: boli verify")
def verify(
    backup: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Verify this backup instead.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Find what is not as it was stored: in rows, pages, sounds, models, datasets, or a backup; exit code 6 if any."""
    if backup is not None:
        console.answer(verify_backup(backup))
        return
    with open_workspace(workspace) as wiring:
        console.answer(verify_workspace(wiring))


def back_up(wiring: Wiring, folder: Path, console: Console, *, dry_run: bool) -> Answer:
    """Back the workspace up in *folder*, or say what would be copied."""
    from transcribe.backup.writing import plan_backup, write_backup

    if dry_run:
        plan = plan_backup(wiring, folder)
        document = {"dry_run": True, "copied": len(plan.fresh), "unchanged": len(plan.unchanged), "bytes": plan.size}
        text = f"{len(plan.fresh)} files ({_megabytes(plan.size)}) and the database would be copied, "
        return Answer(data=document, text=f"{text}{len(plan.unchanged)} are in the backup already")
    with _show_bytes(console, "backing up") as show:
        written = write_backup(wiring, folder, show)
    manifest = written.manifest
    summary: dict[str, object] = {
        "dry_run": False,
        "made_at": manifest.made_at,
        "revision": manifest.revision,
        "files": len(manifest.files),
        "copied": written.copied,
        "unchanged": written.unchanged,
        "removed": written.removed,
        "bytes": manifest.size,
    }
    text = (
        f"{len(manifest.files)} files and the database as of {manifest.made_at} are in {folder}, "
        f"{_megabytes(manifest.size)}: {written.copied} copied, {written.unchanged} were there"
    )
    return Answer(data=summary, text=text, warnings=written.warnings)


def restore_workspace(folder: Path, workspace: Path | None, console: Console, *, database: str | None) -> Answer:
    """Restore the backup in *folder* as *workspace*, and verify it; damage in it is told as `verify_workspace` does."""
    from transcribe.backup.checking import check_workspace
    from transcribe.backup.manifest import read_manifest
    from transcribe.backup.restoring import restore_backup

    workspace = workspace or Path(read_manifest(folder).workspace)
    with _show_bytes(console, "restoring") as show:
        manifest = restore_backup(folder, workspace, database=database, show=show)
    with open_workspace(workspace) as wiring:
        damages = list(check_workspace(wiring))
    document = {"workspace": str(workspace), "made_at": manifest.made_at, "files": len(manifest.files)}
    text = f"{workspace} is as it was at {manifest.made_at}: {len(manifest.files)} files and the database, verified"
    return _answer_damages(damages, document, text)


def verify_workspace(wiring: Wiring) -> Answer:
    """Find what is damaged in the workspace."""
    from transcribe.backup.checking import check_workspace

    return _answer_damages(list(check_workspace(wiring)), {}, "nothing is damaged: rows, pages and files are as stored")


def verify_backup(folder: Path) -> Answer:
    """Find what is damaged in the backup in *folder*."""
    from transcribe.backup.checking import check_backup

    return _answer_damages(list(check_backup(folder)), {}, "nothing is damaged: the backup holds what was backed up")


def _answer_damages(damages: list[Damage], document: dict[str, object], text: str) -> Answer:
    failures = [Failure(item=damage.item, code="E_DAMAGED", message=damage.message) for damage in damages]
    lines = [f"damaged: {damage.item}: {damage.message}" for damage in damages]
    data = {**document, "damaged": [asdict(damage) for damage in damages]}
    return Answer(data=data, text="\n".join(lines) or text, failures=failures, is_listed=True)


@contextmanager
def _show_bytes(console: Console, title: str) -> Iterator[Callable[[int], Callable[[int], None]]]:
    """Yield a function that takes the bytes to be copied, and returns the one that counts those that are done."""
    with ExitStack() as stack:

        def show(size: int) -> Callable[[int], None]:
            display = stack.enter_context(console.progress(title, items=size, in_percent=True))
            return lambda done: display.step(items=done)

        yield show


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
