"""Find files below folders, keep a manifest's paths under its roots, and copy files out of object stores."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from transcribe.errors import Failure, InputError, MissingError, UnreachableError

#: What a folder is searched for. A file that is named outright may be called anything: its bytes decide.
MEDIA_SUFFIXES: Final = frozenset(
    f".{suffix}"
    for suffix in (
        *("3gp", "aac", "ac3", "aif", "aiff", "amr", "au", "avi", "caf", "flac", "gsm", "m4a", "m4b", "m4v", "mka"),
        *("mkv", "mov", "mp2", "mp3", "mp4", "mpeg", "mpg", "oga", "ogg", "opus", "w64", "wav", "webm", "wma", "wv"),
    )
)

#: Object stores. Other schemes could reach hosts of the inner network.
SCHEMES: Final = frozenset({"gs", "memory", "s3"})

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_DRIVE: Final = re.compile(r"[A-Za-z]:|\\\\")
_CHUNK: Final = 1 << 20


def walk(folder: Path) -> Iterator[Path | Failure]:
    """
    Yield the media files below *folder*, by suffix, ordered by name within each folder; a failure for each stray link.

    Hidden files and folders are left out, and links to folders are not followed. Names are taken as the file system
    has them, so that a name in two Unicode forms or two letter cases is two files.
    """
    yield from _walk(folder, folder.resolve())


def readable(path: Path | str) -> str:
    r"""
    Return *path* as text that can be stored and printed: bytes that are not UTF-8 become ``\xff``.

    >>> readable(os.fsdecode(b"caf\xe9.wav"))
    'caf\\xe9.wav'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Roots:
    """
    The folders and prefixes that the paths of one manifest stay under.

    *base* is what relative paths are relative to. *roots* are those that somebody named, by ``--root`` or in the
    settings: absolute paths and URLs are taken only there.
    """

    def __init__(self, base: Path | str, roots: Sequence[Path | str] = ()) -> None:
        texts = [os.fspath(root) for root in roots]
        self.base = os.fspath(base)
        self._urls = tuple(text.rstrip("/") + "/" for text in texts if _SCHEME.match(text))
        self._folders = tuple(os.path.realpath(text) for text in texts if not _SCHEME.match(text))
        self._is_url = bool(_SCHEME.match(self.base))
        self._own = () if self._is_url else (os.path.realpath(self.base),)
        # A million rows stand in few folders.
        self._real_folder = lru_cache(maxsize=4_096)(os.path.realpath)

    def locate(self, written: str) -> Path | str:
        """
        Locate *written*: as a path without links in it, or the URL of an object store.

        Raises:
            ValueError: With a sentence, for a place outside the roots or words that are no path.
        """
        if not written.strip():
            raise ValueError("an empty path")
        if "\0" in written:
            raise ValueError("a path with a NUL in it")
        if ".." in re.split(r"[/\\]", written):
            raise ValueError("'..' in a path")
        if _SCHEME.match(written):
            return self._check_url(written)
        if _DRIVE.match(written):
            raise ValueError("a path with a drive letter or a network share")
        if self._is_url:
            return self._check_url(f"{self.base.rstrip('/')}/{written}")
        if written.startswith("/"):
            return self._resolve_inside(written, self._folders, "an absolute path outside the roots that were given")
        return self._resolve_inside(
            f"{self.base}/{written}", self._own + self._folders, "a link that leads out of the root"
        )

    def _check_url(self, url: str) -> str:
        scheme = _SCHEME.match(url)
        if scheme is None or scheme[1].lower() not in SCHEMES:
            raise ValueError(f"a URL of another kind than {', '.join(sorted(SCHEMES))}")
        # "::" chains file systems in fsspec: a prefix check would see the first of them only.
        if "::" in url or not url.startswith(self._urls):
            raise ValueError("a URL outside the roots that were given")
        return url

    def _resolve_inside(self, path: str, roots: Sequence[str], otherwise: str) -> Path:
        folder, name = os.path.split(path)
        target = Path(self._real_folder(folder), name)
        if target.is_symlink():
            target = target.resolve()
        if not any(str(target).startswith(f"{root.rstrip('/')}/") for root in roots):
            raise ValueError(otherwise)
        return target


def _walk(folder: Path, top: Path) -> Iterator[Path | Failure]:
    try:
        with os.scandir(folder) as entries:
            ordered = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        yield _failure(folder, "E_PERMISSION", f"the folder cannot be read ({error.strerror}); check its rights")
        return
    for entry in ordered:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, top)
        elif path.suffix.lower() in MEDIA_SUFFIXES and not entry.is_dir():
            yield path if not entry.is_symlink() or _leads_inside(path, top) else _stray_link(path)


def _leads_inside(link: Path, top: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(top)
    except (OSError, RuntimeError):
        return False


def _stray_link(path: Path) -> Failure:
    return _failure(path, "E_NOT_REGULAR", "a link that leads nowhere or out of the folder; name its target instead")


def _failure(path: Path, code: str, what: str) -> Failure:
    return Failure(item=readable(path), code=code, message=f"{code}: {readable(path)}: {what}")


def fetch(url: str, folder: Path, *, at_most: int) -> Path:
    """
    Copy *url* to a new file in *folder* and return its path.

    Args:
        at_most: Bytes of the largest file that is taken.

    Raises:
        InputError: E_NOT_FOUND, E_PERMISSION, or E_TOO_LONG for a larger file.
        MissingError: The library for this kind of store is not installed.
        UnreachableError: The store does not answer.
    """
    with tempfile.NamedTemporaryFile(dir=folder, suffix=PurePosixPath(url).suffix[:16], delete=False) as copy:
        path = Path(copy.name)
        try:
            with _open_url(url) as source:
                size = getattr(source, "size", None)
                if size is not None and size > at_most:
                    raise _too_large(url, at_most)
                _copy(source, copy, url, at_most)
        except BaseException as error:
            path.unlink()
            if isinstance(error, OSError):
                raise _translate_error(url, error) from error
            raise
    return path


def _open_url(url: str) -> Any:
    try:
        return importlib.import_module("fsspec").open(url, "rb")
    except ImportError as error:
        hint = "install it: pip install 'boli[s3]'"
        raise MissingError(f"{url} was asked for, and {error.name or error} is not installed", hint=hint) from error


def _copy(source: IO[bytes], copy: IO[bytes], url: str, at_most: int) -> None:
    bytes_left = at_most
    while chunk := source.read(_CHUNK):
        bytes_left -= len(chunk)
        if bytes_left < 0:
            raise _too_large(url, at_most)
        copy.write(chunk)


def _too_large(url: str, at_most: int) -> InputError:
    return InputError(
        f"{url} is larger than the {at_most >> 20:,} MiB that the longest recording takes",
        code="E_TOO_LONG",
        hint="cut it, or raise ingest.longest_hours",
        item=url,
    )


def _translate_error(url: str, error: OSError) -> InputError | UnreachableError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{url} is not there", code="E_NOT_FOUND", hint="check bucket and key", item=url)
    if isinstance(error, PermissionError):
        return InputError(f"{url} may not be read", code="E_PERMISSION", hint="check the rights of the key", item=url)
    return UnreachableError(f"{url} cannot be read: {error}", hint="check network and endpoint", item=url)
