"""Copy files out of object stores before anything reads them."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from transcribe.errors import InputError, MissingError, UnreachableError

_CHUNK: Final = 1 << 20


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
