"""
Checks of the machine, the installation and the workspace: one finding each, with the command that mends it.

    installation   Python, libraries, extras, torch          machine     clock, disk, GPU, media, sandbox, SQLite
    workplace      database, models, downloads, telemetry

Looks only: no file, database or setting is changed, and nothing leaves the machine. torch is imported only when asked
for, since that alone takes seconds.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from transcribe import sandbox
from transcribe.config import Settings
from transcribe.desk import SCREEN
from transcribe.doctor import installation, machine, workplace
from transcribe.doctor.installation import Finding, State
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
        clock: Gives the time, with its zone.

    Returns:
        Findings in a fixed order, the installation first. A check that fails is a finding, never an error.
    """
    variables = os.environ if environment is None else environment
    version = installation.version
    checks: dict[str, Callable[[], Iterable[Finding]]] = {
        "python": lambda: [installation.check_python()],
        "libraries": installation.check_libraries,
        "extras": installation.check_extras,
        "screen": lambda: [installation.check_screen(SCREEN)],
        "torch": lambda: [installation.check_torch_pair(version("torch"), version("torchaudio"))],
        "imports": installation.check_imports if deep else tuple,
        "clock": lambda: [machine.check_clock(clock())],
        "disk": lambda: [machine.check_room(workspace or Path.cwd())],
        "gpu": lambda: machine.check_gpu(settings),
        "media": machine.check_media,
        "sandbox": lambda: [machine.check_sandbox(sandbox.level())],
        "sqlite": lambda: [machine.check_sqlite(sqlite3.sqlite_version_info)],
        "database": lambda: [] if workspace is None else [workplace.check_database(workspace, settings.store)],
        "models": lambda: workplace.check_models(settings),
        "downloads": lambda: [workplace.check_downloads(settings.models, variables)],
        "telemetry": lambda: [workplace.check_telemetry(settings.models, variables)],
        "cache": lambda: [workplace.check_cache(variables)],
    }
    return tuple(finding for name, check in checks.items() for finding in run_check(name, check))


def run_check(name: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield the findings of *check*. One that raises, as in a broken installation, gives a finding too."""
    try:
        yield from check()
    except Exception as error:  # Any library may be the broken one.
        yield Finding(name=name, state="warn", detail=f"It could not be looked at: {type(error).__name__}: {error}.")
