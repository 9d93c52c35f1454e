"""A workspace: the folder that holds settings, database, normalised audio, datasets, models and reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from transcribe.config import FILE_NAME
from transcribe.errors import InputError, UnfitError

FOLDERS = ("audio", "datasets", "models", "reports")
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
            (folder / name).mkdir(parents=True, exist_ok=True)
        file = folder / FILE_NAME
        if not file.exists():
            body = tomlkit.dumps({section: dict(part) for section, part in (values or {}).items()})
            file.write_text(f"{_HEAD}\n{body}" if body else _HEAD, encoding="utf-8")
        names = folder / glossary.FILE
        if not names.exists():
            names.write_text("\t".join(glossary.COLUMNS) + "\n", encoding="utf-8")
    except OSError as error:
        raise UnfitError(f"{folder} cannot be written: {error.strerror}", item=str(folder)) from error
    return folder.resolve()


def database_url(url: str, workspace: Path) -> str:
    """Return *url* with a relative SQLite path placed inside *workspace*; any other URL as it is."""
    prefix = "sqlite:///"
    path = url.removeprefix(prefix)
    if not url.startswith(prefix) or path.startswith("/") or path in ("", ":memory:"):
        return url
    return f"{prefix}{quote(str(workspace))}/{path}"
