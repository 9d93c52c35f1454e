"""
The preflight of an SQLite database: where it may not lie is refused before a byte is written.

A network file system loses locks, and with them corrections. A file that is not ours stays as it is.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from transcribe.errors import UnfitError

#: First bytes of every SQLite database that holds anything: https://www.sqlite.org/fileformat.html, section 1.3.
MAGIC = b"SQLite format 3\x00"

#: File systems whose locks or syncs cannot be trusted between hosts (https://www.sqlite.org/howtocorrupt.html,
#: section 2.1). FUSE is refused by name only: local disks come through it too.
_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|afs|ncpfs|coda|davfs|ceph|glusterfs|lustre|beegfs|gpfs|orangefs|ocfs2|gfs2"
    r"|fuse\.(sshfs|s3fs|s3backer|rclone|gcsfuse|davfs2?|juicefs|glusterfs|ceph|cephfs|smbnetfs|mount-s3|blobfuse2?)"
)


def refuse_unfit(path: Path, *, mounts: Path = Path("/proc/self/mountinfo")) -> None:
    """
    Refuse *path*, absolute and free of links, as the place of an SQLite database, new or present.

    Args:
        mounts: Where the system lists its mounts; where there is no such file, no file system is refused.

    Raises:
        UnfitError: If its folder is missing or read-only, if it lies on a network file system, or if a file is
            there that is no SQLite database.
    """
    folder = path.parent
    if not folder.is_dir():
        raise UnfitError(f"{path} has no folder to lie in", code="E_NO_FOLDER", hint=f"make {folder}", item=str(path))
    listed = mounts.read_text(encoding="utf-8", errors="replace") if mounts.exists() else ""
    kind = file_system_of(path, listed)
    if kind is not None and _NETWORK.fullmatch(kind):
        raise UnfitError(
            f"{path} is on a network file system ({kind}), where SQLite can lose what it has saved",
            code="E_NETWORK_FILE_SYSTEM",
            hint="put the workspace on a local disk, or use PostgreSQL",
            item=str(path),
        )
    if path.exists():
        _refuse_foreign(path)
    _refuse_read_only(path)


def file_system_of(path: Path, mounts: str) -> str | None:
    """
    Return the type of the file system that *path*, absolute and free of links, is on: ``ext4``, ``fuse.sshfs``.

    Args:
        mounts: The text of ``/proc/self/mountinfo`` (proc(5)). Of mounts on one folder the last one is seen.

    Returns:
        ``None`` where no mount covers *path*, as on systems without that file.
    """
    best: tuple[int, str | None] = (-1, None)
    for line in mounts.splitlines():
        mount, _, after = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= best[0]:
            best = (len(point.parts), after.split(" ")[0])
    return best[1]


def _refuse_read_only(path: Path) -> None:
    """Refuse a database that could be read and not written, or whose journal could not be made."""
    for target in (path.parent, path):
        if target.exists() and not os.access(target, os.W_OK):
            raise UnfitError(
                f"{target} is read-only", code="E_READ_ONLY", hint="give this user the right to write", item=str(path)
            )


def _refuse_foreign(path: Path) -> None:
    if not path.is_file():
        raise UnfitError(f"{path} is not a file", code="E_NOT_A_DATABASE", hint="name another", item=str(path))
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
    except OSError as error:
        raise UnfitError(f"{path} cannot be read: {error.strerror}", code="E_READ_ONLY", item=str(path)) from error
    if head == MAGIC:
        return
    # A database of ours is never empty, not even after a crash: it is made beside its place and renamed.
    problem = "is empty (0 bytes)" if not head else "is not an SQLite database, or its header is damaged"
    raise UnfitError(
        f"{path} {problem}",
        code="E_NOT_A_DATABASE",
        hint="restore a backup, or move the file away and run boli init",
        item=str(path),
    )
