"""Find files below folders, keep a manifest's paths under its roots, and copy files out of object stores."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from transcribe.errors import Failure, InputError, MissingError, UnreachableError

#: What a folder is searched for. A file that is named outright may be called anything: its bytes decide.
MEDIA_SUFFIXES: Final = frozenset(
    f".{suffix}"
    for suffix in (
        *("3g2", "3ga", "3gp", "3gpp", "aac", "ac3", "aif", "aifc", "aiff", "amr", "ape", "asf", "au", "avi", "awb"),
        *("bwf", "caf", "eac3", "f4a", "f4v", "flac", "flv", "gsm", "m2ts", "m4a", "m4b", "m4r", "m4v", "mka", "mkv"),
        *("mov", "mp1", "mp2", "mp3", "mp4", "mpeg", "mpg", "mpga", "mts", "oga", "ogg", "ogv", "ogx", "opus", "qt"),
        *("rf64", "snd", "spx", "ts", "tta", "vob", "w64", "wav", "wave", "weba", "webm", "wma", "wmv", "wv"),
    )
)

#: Object stores. Other schemes could reach hosts of the inner network.
SCHEMES: Final = frozenset({"gs", "memory", "s3"})

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_DRIVE: Final = re.compile(r"[A-Za-z]:|\\\\")
_CHUNK: Final = 1 << 20
#: Kinds of files that a warning lists.
_MOST_LISTED: Final = 8


def walk(folder: Path, *, left_out: Counter[str] | None = None) -> Iterator[Path | Failure]:
    """
    Yield the media files below *folder*, by suffix, ordered by name within each folder; a failure for each stray link.

    Hidden files and folders are left out, and links to folders are not followed. Names are taken as the file system
    has them, so that a name in two Unicode forms or two letter cases is two files.

    Args:
        left_out: Counts what is no media by its name, by suffix; of files without one by name; links to folders by
            name, with a slash.
    """
    yield from _walk(folder, folder.resolve(), Counter() if left_out is None else left_out)


def describe_left_out(left_out: Counter[str], folder: Path) -> str | None:
    """
    Return the warning about what a walk through *folder* left out; ``None`` if it was nothing.

    >>> describe_left_out(Counter({".txt": 3, ".doc": 1, "recording": 1}), Path("calls"))
    'W_LEFT_OUT: 5 files are no media by name in calls (3 .txt, 1 .doc, 1 recording); name those that are'
    """
    links = Counter({name: number for name, number in left_out.items() if name.endswith("/")})
    files = left_out - links
    sentences = []
    if files:
        number = files.total()
        kinds = "1 file is" if number == 1 else f"{number} files are"
        sentences.append(f"{kinds} no media by name in {readable(folder)} ({_list_names(files)}); name those that are")
    if links:
        number = links.total()
        kinds = "1 link to a folder is" if number == 1 else f"{number} links to folders are"
        sentences.append(f"{kinds} not followed in {readable(folder)} ({_list_names(links)}); name what they lead to")
    return f"W_LEFT_OUT: {'; '.join(sentences)}" if sentences else None


def _list_names(counts: Counter[str]) -> str:
    """Return names with their counts, the most frequent first; of many the first ones."""
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    listed = ", ".join(f"{number} {readable(name)}" for name, number in ranked[:_MOST_LISTED])
    return f"{listed} and {len(ranked) - _MOST_LISTED} kinds more" if len(ranked) > _MOST_LISTED else listed


def find_spelling(path: Path) -> Path:
    """
    Return *path* as the file system spells it, where names differ in nothing but their Unicode form.

    A manifest that was written on one system may have "é" as one character, and the disk that it came by as two. Only
    the last folders and the name that are not there are looked for; *path* itself where nothing or several fit.
    """
    if os.path.lexists(path):
        return path
    parent = path.parent if path.parent == path else find_spelling(path.parent)
    wanted = unicodedata.normalize("NFC", path.name)
    try:
        with os.scandir(parent) as entries:
            spellings = [entry.name for entry in entries if unicodedata.normalize("NFC", entry.name) == wanted]
    except OSError:
        return path
    return parent / spellings[0] if len(spellings) == 1 else path


def readable(path: Path | str) -> str:
    r"""
    Return *path* as text that can be stored and printed: bytes that are not UTF-8 become ``\xff``.

    >>> readable(os.fsdecode(b"caf\xe9.wav"))
    'caf\\xe9.wav'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def fold_path(written: str) -> str:
    """
    Return a path without the steps that lead nowhere; an address of an object store as it is.

    >>> fold_path("./calls//a.wav"), fold_path("s3://calls/a.wav")
    ('calls/a.wav', 's3://calls/a.wav')
    """
    return written if _SCHEME.match(written) else str(PurePosixPath(written))


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
        spelling = find_spelling(target)
        if spelling != target:
            # A folder of another Unicode form may be a link, which was not seen under the form that was written.
            target = Path(self._real_folder(str(spelling.parent)), spelling.name)
        if target.is_symlink():
            target = target.resolve()
        if not any(str(target).startswith(f"{root.rstrip('/')}/") for root in roots):
            raise ValueError(otherwise)
        return target


def _walk(folder: Path, top: Path, left_out: Counter[str]) -> Iterator[Path | Failure]:
    try:
        with os.scandir(folder) as entries:
            ordered = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        yield _failure(folder, "E_PERMISSION", f"the folder cannot be read ({error.strerror}); check its rights")
        return
    for entry in ordered:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, top, left_out)
        elif path.suffix.lower() in MEDIA_SUFFIXES and not entry.is_dir():
            yield path if not entry.is_symlink() or _leads_inside(path, top) else _stray_link(path)
        elif entry.is_dir():
            left_out[f"{path.name}/"] += 1
        else:
            left_out[path.suffix.lower() or path.name] += 1


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
