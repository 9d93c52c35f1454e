"""
What is there and what is missing: one finding each, with the command that mends it.

    installation   Python, libraries, extras, torch          machine     clock, disk, GPU, media, jail, SQLite
    workplace      database, models, downloads, telemetry    finding     what each of them gives

Looks only: no file, database or setting is changed, and nothing leaves the machine. torch is imported only when asked
for, since that alone takes seconds.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from transcribe import jail
from transcribe.config import Settings
from transcribe.doctor import installation, machine, workplace
from transcribe.doctor.finding import Finding, State
from transcribe.review import SCREEN
from transcribe.store.database import utc_now

__all__ = ["Finding", "State", "examine"]


def examine(
    workspace: Path | None,
    settings: Settings,
    *,
    deep: bool = False,
    environment: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> tuple[Finding, ...]:
    """
    Look at the machine, the installation and the workspace.

    Args:
        workspace: ``None`` outside of one: its database is left out.
        deep: Import torch and what stands on it as well, to see whether they work together.
        environment: Defaults to the process's own.
        clock: What the time is, with its zone.

    Returns:
        Findings in a fixed order, the installation first. A check that fails is a finding, never an error.
    """
    env = os.environ if environment is None else environment
    version = installation.version
    checks: dict[str, Callable[[], Iterable[Finding]]] = {
        "python": lambda: [installation.python()],
        "libraries": installation.libraries,
        "extras": installation.extras,
        "screen": lambda: [installation.screen(SCREEN)],
        "torch": lambda: [installation.torch_pair(version("torch"), version("torchaudio"))],
        "imports": installation.imports if deep else tuple,
        "clock": lambda: [machine.clock_of(clock())],
        "disk": lambda: [machine.room(workspace or Path.cwd())],
        "gpu": lambda: machine.gpu(settings),
        "media": machine.media,
        "jail": lambda: [machine.walls(jail.level())],
        "sqlite": lambda: [machine.sqlite(sqlite3.sqlite_version_info)],
        "database": lambda: [] if workspace is None else [workplace.database(workspace, settings.store)],
        "models": lambda: workplace.models(settings),
        "downloads": lambda: [workplace.downloads(settings.models, env)],
        "telemetry": lambda: [workplace.telemetry(settings.models, env)],
        "cache": lambda: [workplace.cache(env)],
    }
    return tuple(finding for name, check in checks.items() for finding in safely(name, check))


def safely(name: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What *check* finds. One that breaks is what a broken installation looks like: it is told, and others go on."""
    try:
        yield from check()
    except Exception as error:  # Any library may be the broken one.
        yield Finding(name=name, state="warn", detail=f"It could not be looked at: {type(error).__name__}: {error}.")
