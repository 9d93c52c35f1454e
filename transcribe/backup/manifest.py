"""
Hold a backup: a folder of files named by their SHA-256, and the manifest that says what they are.

    manifest.json         written last, under another name first: a killed backup leaves the one before
    objects/ab/ab12…      a file's bytes, once, however many backups and places have them
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from transcribe.errors import InputError
from transcribe.store.snapshot import sync_folder

SCHEMA: Final = "boli.backup/1"
MANIFEST: Final = "manifest.json"
_OBJECTS: Final = "objects"
#: How files and folders begin that are being written.
PART: Final = ".part-"
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of a backup."""

    #: Where it lies in the workspace; the name alone for a file of the database.
    path: str
    sha256: str
    size: int
    #: When the workspace's file was written, in nanoseconds: as long as it stays, the file is not read again.
    mtime_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All that a backup holds."""

    made_at: str
    #: The folder that was backed up.
    workspace: str
    #: ``sqlite`` or ``postgresql``, and the revision of the schema.
    kind: str
    revision: str
    database: tuple[Entry, ...]
    files: tuple[Entry, ...]

    @property
    def entries(self) -> Iterator[Entry]:
        """The files of the database, then those of the workspace."""
        yield from self.database
        yield from self.files

    @property
    def sha256(self) -> str:
        """The hash of all the rest."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def size(self) -> int:
        """The bytes of all files, each as often as it is named."""
        return sum(entry.size for entry in self.entries)


def read_manifest(folder: Path) -> Manifest:
    """
    Read the manifest of the backup in *folder*.

    Raises:
        InputError: E_BACKUP if there is none, or it is damaged, or of a newer program.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise InputError(
            f"a backup was looked for in {folder}, and there is no {MANIFEST}",
            code="E_BACKUP",
            hint="boli backup FOLDER makes one",
            item=str(folder),
        )
    try:
        raw = file.read_bytes()
        document = json.loads(raw)
        del document["sha256"]
        schema = document.pop("schema")
        database, files = (tuple(Entry(**entry) for entry in document.pop(name)) for name in ("database", "files"))
        manifest = Manifest(database=database, files=files, **document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refusal(file, f"cannot be read ({type(error).__name__})") from error
    if schema != SCHEMA:
        raise _refusal(file, f"is of the kind {schema!r}, and this program reads {SCHEMA}")
    if not all(map(_is_inside, manifest.entries)):
        raise _refusal(file, "names a file outside of the workspace")
    if _encode(manifest) != raw:
        raise _refusal(file, "is not what was written: its own checksum does not hold")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put *manifest* in the place of the one before, on the disk and at once."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=PART, delete=False) as stream:
        stream.write(_encode(manifest))
        stream.flush()
        os.fsync(stream.fileno())
    Path(stream.name).replace(folder / MANIFEST)
    sync_folder(folder)


def locate_object(folder: Path, sha256: str) -> Path:
    """Return where the backup in *folder* has the bytes with this hash."""
    return folder / _OBJECTS / sha256[:2] / sha256


def has_object(folder: Path, entry: Entry) -> bool:
    """Tell if the bytes of *entry* are there in their length; they are not read."""
    file = locate_object(folder, entry.sha256)
    return file.is_file() and file.stat().st_size == entry.size


def add_object(folder: Path, source: Path, path: str) -> Entry:
    """
    Copy *source* into the backup in *folder*, unless its bytes are there, and return its entry.

    It is read once, and what is hashed is what is written, though somebody may change it meanwhile.

    Raises:
        FileNotFoundError: It is gone.
    """
    with source.open("rb") as stream, tempfile.NamedTemporaryFile(dir=folder, prefix=PART, delete=False) as target:
        part = Path(target.name)
        try:
            state = os.fstat(stream.fileno())
            sha256, size = copy_hashed(stream, target)
            entry = Entry(path=path, sha256=sha256, size=size, mtime_ns=state.st_mtime_ns)
            if not has_object(folder, entry):
                target.flush()
                os.fsync(target.fileno())
                file = locate_object(folder, sha256)
                make_private(file.parent)
                part.rename(file)
                sync_folder(file.parent)
        finally:
            part.unlink(missing_ok=True)
    return entry


def make_private(folder: Path) -> None:
    """Make *folder*, and those above it that are missing, for this user alone."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def copy_hashed(source: IO[bytes], target: IO[bytes] | None) -> tuple[str, int]:
    """Copy *source* to *target*, or nowhere, and return SHA-256 and length of what was read."""
    digest, size = hashlib.sha256(), 0
    while block := source.read(_BLOCK):
        digest.update(block)
        size += len(block)
        if target is not None:
            target.write(block)
    return digest.hexdigest(), size


def remove_unnamed(folder: Path, manifest: Manifest) -> int:
    """Remove what *manifest* does not name: what was erased, older databases, what a killed backup left; count it."""
    named = {entry.sha256 for entry in manifest.entries}
    unnamed = [file for file in (folder / _OBJECTS).glob("??/*") if file.name not in named]
    for file in [*unnamed, *folder.glob(f"{PART}*")]:
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
    return len(unnamed)


def _is_inside(entry: Entry) -> bool:
    path = PurePosixPath(entry.path)
    return not path.is_absolute() and ".." not in path.parts


def _encode(manifest: Manifest) -> bytes:
    document = {"schema": SCHEMA, "sha256": manifest.sha256, **asdict(manifest)}
    return json.dumps(document, indent=1).encode()


def _refusal(file: Path, what: str) -> InputError:
    return InputError(f"{file} {what}", code="E_BACKUP", hint="use another backup", item=str(file))
